// The page a person stands in front of: camera to service, decisions to plain words.

import * as camera from "./camera.js";
import { byId, el, notice, say } from "./dom.js";
import { Faces } from "./faces.js";
import { forget, goSignIn } from "./session.js";
import { openPage } from "./shell.js";
import { Stream } from "./stream.js";
import { clock, t } from "./texts.js";
import { answer, inView, statement } from "./verdicts.js";

const HOLD_MS = 4000; // how long a mark stays large after its person went on
const RECENT = 30;

const video = byId("video");
const faces = new Faces(byId("faces"));
const settings = new URLSearchParams(location.search);
const state = { marks: new Map(), fresh: [], began: new Map(), media: null, stream: null, stopFrames: null, lock: null, problem: "" };

if (openPage("kiosk.title")) begin();

async function begin() {
  byId("go").addEventListener("click", start);
  byId("stop").addEventListener("click", () => stop());
  byId("full").addEventListener("click", fullScreen);
  show({ tracks: [], hints: [] });
  tick();
  setInterval(tick, 1000);
  if (await camera.allowed()) await start();
}

async function start() {
  byId("go").disabled = true;
  byId("go").textContent = t("kiosk.starting");
  notice(byId("notice"), "");
  try {
    state.media = await camera.open(video, Number(settings.get("width")) || 640);
  } catch (error) {
    stop(error.message);
    return;
  }
  state.media.getVideoTracks()[0].addEventListener("ended", () => stop(t("kiosk.cameraLost")));
  const hello = { camera: settings.get("camera") ?? "kiosk", session: settings.get("session") ?? "", mark: true };
  state.stream = new Stream(hello, { answer: take, ready, lost, refused });
  state.stopFrames = camera.everyFrame(video, frame);
  byId("stage").dataset.state = "on";
  byId("stage").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
  byId("stop").hidden = false;
  state.lock = await navigator.wakeLock?.request("screen").catch(() => null);
}

function stop(why = "") {
  state.stopFrames?.();
  state.stream?.close();
  state.lock?.release();
  camera.close(video, state.media);
  Object.assign(state, { media: null, stream: null, stopFrames: null, lock: null });
  byId("stage").dataset.state = "off";
  byId("stop").hidden = true;
  byId("go").disabled = false;
  byId("go").textContent = t("kiosk.start");
  notice(byId("notice"), why, "care");
  show({ tracks: [], hints: [] });
}

async function frame(seconds) {
  const { stream } = state;
  if (!stream?.wants(seconds)) return;
  stream.reserve(seconds);
  await stream.send(seconds, await camera.picture(video));
}

function ready() {
  state.marks.clear();
  state.began.clear();
  byId("verdict").dataset.connected = "true";
}

function lost(problem) {
  byId("verdict").dataset.connected = "false";
  state.problem = problem?.detail ?? "";
  show({ tracks: [], hints: [] });
}

function refused(problem) {
  stop(t("kiosk.refused", { problem: [problem.detail || problem.title, problem.remedy].filter(Boolean).join(". ") }));
  if (problem.status === 401) {
    forget();
    goSignIn();
  }
}

function take(message) {
  if (message.status !== "seen") return; // dropped and repeated frames say nothing new
  for (const track of message.tracks) if (!state.began.has(track.id)) state.began.set(track.id, message.time);
  for (const mark of message.marked) remember(mark, message.time);
  show(message);
  const ended = message.tracks.filter((track) => track.state === "ended");
  for (const { id } of ended) {
    state.marks.delete(id);
    state.began.delete(id);
  }
}

function remember(mark, time) {
  state.marks.set(mark.track, mark);
  state.fresh.push({ ...mark, until: performance.now() + HOLD_MS });
  const seconds = time - (state.began.get(mark.track) ?? time);
  byId("verdict").dataset.seconds = seconds.toFixed(3);
  if (!mark.repeated) list(mark, seconds);
}

function list(mark, seconds) {
  const hint = t("kiosk.latency", { seconds: seconds.toFixed(1) });
  const row = el("li", { "data-seconds": seconds.toFixed(3), title: hint },
    el("span", { text: mark.person.name }), el("span", { text: clock(mark.at) }));
  byId("recent").prepend(row);
  while (byId("recent").children.length > RECENT) byId("recent").lastChild.remove();
  byId("recent-empty").hidden = true;
}

function show({ tracks, hints, width = 4, height = 3 }) {
  const people = inView(tracks);
  state.fresh = state.fresh.filter((mark) => mark.until > performance.now());
  faces.show(people, state.marks, { width, height });
  say(byId("count"), people.length ? t("kiosk.count", { count: people.length }) : "");
  tell(answer(people, state.marks, state.fresh, hints));
  everyone(people);
}

function tell(said) {
  const connected = !state.stream || byId("verdict").dataset.connected !== "false";
  const shown = connected ? said : { kind: "care", headline: t("kiosk.reconnecting"), detail: state.problem };
  byId("verdict").dataset.kind = shown.kind;
  byId("sign").setAttribute("href", `/web/signs.svg#${shown.kind}`);
  say(byId("headline"), shown.headline);
  say(byId("detail"), shown.detail);
}

function everyone(people) {
  const rows = people.length < 2 ? [] : people.map((track) => {
    const said = statement(track, state.marks.get(track.id));
    return el("li", { "data-kind": said.kind, text: said.label });
  });
  byId("everyone").replaceChildren(...rows);
}

function tick() {
  const now = new Date().toISOString();
  byId("clock").dateTime = now;
  say(byId("clock"), clock(now));
}

async function fullScreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
}
