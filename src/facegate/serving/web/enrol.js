// Enrol a person: pictures from the camera or from files, a name, and a question if the face is known already.

import { call } from "./api.js";
import * as camera from "./camera.js";
import { byId, el, notice, say } from "./dom.js";
import { openPage } from "./shell.js";
import { said, Shots } from "./shots.js";
import { t } from "./texts.js";

const LEAST = 1;
const MOST = 10;
const LARGEST_MB = 10;
const PICTURES = ["image/jpeg", "image/png"];

const video = byId("video");
const shots = new Shots(byId("shots"), count);
let media = null;

if (openPage("enrol.title")) {
  byId("camera").addEventListener("click", toggle);
  byId("capture").addEventListener("click", async () => take(await camera.picture(video)));
  byId("files").addEventListener("change", upload);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  count();
}

async function toggle() {
  if (media) {
    camera.close(video, media);
    media = null;
  } else {
    try {
      media = await camera.open(video);
      notice(byId("notice"), "");
    } catch (error) {
      refuse(error.message);
    }
  }
  byId("preview").dataset.on = Boolean(media);
  byId("camera").textContent = t(media ? "enrol.stopCamera" : "enrol.camera");
  byId("capture").hidden = !media;
  if (media) byId("capture").focus();
}

function take(blob) {
  if (blob && shots.all.length < MOST) shots.add(blob);
}

function upload(event) {
  const files = [...event.target.files];
  event.target.value = "";
  notice(byId("notice"), "");
  for (const file of files) {
    if (!PICTURES.includes(file.type)) refuse(t("enrol.unreadableFile", { name: file.name }));
    else if (file.size > LARGEST_MB * 1e6) refuse(t("enrol.tooLarge", { name: file.name, limit: LARGEST_MB }));
    else take(file);
  }
}

function count() {
  const { all, good } = shots;
  say(byId("count"), all.length ? t("enrol.count", { good: good.length, all: all.length }) : "");
  byId("capture").disabled = all.length >= MOST;
}

/** The first thing that is missing: what to say, and where. */
function lacking() {
  if (shots.good.length < LEAST) return [t("enrol.needPictures"), byId(media ? "capture" : "camera")];
  if (!byId("name").value.trim()) return [t("enrol.needName"), byId("name")];
  if (!byId("consent").checked) return [t("enrol.needConsent"), byId("consent")];
  return null;
}

async function submit({ to = null, anyway = false } = {}) {
  const missing = lacking();
  if (missing) {
    refuse(missing[0]);
    missing[1].focus();
    return;
  }
  busy(true);
  try {
    const sent = shots.good;
    done(await send(sent, to, anyway), sent);
  } catch (error) {
    failed(error);
  } finally {
    busy(false);
  }
}

function send(sent, to, anyway) {
  const form = new FormData();
  for (const { blob } of sent) form.append("pictures", blob, "picture.jpg");
  if (to) return call(`/persons/${encodeURIComponent(to)}/pictures`, { method: "POST", form });
  form.append("name", byId("name").value.trim());
  form.append("allow_duplicate", String(anyway));
  return call("/persons", { method: "POST", form });
}

function busy(on) {
  byId("submit").disabled = on;
  byId("submit").textContent = t(on ? "enrol.submitting" : "enrol.submit");
}

function done({ person, pictures }, sent) {
  const taken = pictures.filter((picture) => picture.accepted).length;
  mark(pictures, sent);
  notice(byId("notice"), t("enrol.done", { name: person.name, count: taken }), "good");
  const next = el("button", { type: "button", text: t("enrol.next"), onclick: again });
  ask(next, el("a", { class: "button", href: "/people", text: t("enrol.show") }));
  byId("form").hidden = true;
}

function again() {
  shots.clear();
  byId("form").reset();
  byId("form").hidden = false;
  notice(byId("notice"), "");
  byId("name").focus();
}

function failed(error) {
  const enrolment = error.document?.enrolment;
  if (enrolment) mark(enrolment.pictures, shots.good);
  const [twin] = enrolment?.duplicates ?? [];
  if (!twin) return refuse(error.message);
  const name = twin.name;
  const found = t("enrol.duplicate", { name, score: twin.score.toFixed(2) });
  notice(byId("notice"), `${found}\n${t("enrol.duplicateHelp")}`, "care");
  return ask(
    el("button", { type: "button", class: "primary", text: t("enrol.addTo", { name }), onclick: () => submit({ to: twin.id }) }),
    el("button", { type: "button", text: t("enrol.anyway"), onclick: () => submit({ anyway: true }) }),
  );
}

function mark(pictures, sent) {
  for (const picture of pictures) {
    if (sent[picture.index]) shots.judge(sent[picture.index], picture.accepted ? "" : said(picture));
  }
}

/** Put buttons under the notice and go there, so that a keyboard or a screen reader is where the question is. */
function ask(...buttons) {
  byId("notice").append(el("span", { class: "row answers" }, ...buttons));
  byId("notice").focus();
  byId("notice").scrollIntoView({ block: "nearest" });
}

function refuse(message) {
  notice(byId("notice"), message, "bad");
}
