// From the service's decisions to what a person reads. Pure: no document, no clock; the tests call it directly.

import { clock, t } from "./texts.js";

const OUT_OF_SIGHT = ["lost", "ended"];
const PATIENCE = "looking"; // the service's hint that nothing is wrong and a moment is needed
const EMPTY = "no_face";

/**
 * Where one person stands.
 *
 * @param {object} track a TrackAnswer.
 * @param {object|undefined} mark the Marked of this track, if there was one.
 * @returns {{kind: string, label: string, headline: string, detail: string}} kind is good, bad, care, hint or look.
 */
export function statement(track, mark) {
  if (mark) return marked(mark);
  if (track.verdict === "accept") return accepted(track);
  if (track.verdict === "reject") return rejected(track);
  const [hint] = track.hints.filter(({ code }) => code !== PATIENCE);
  if (hint) return { kind: "hint", label: hint.text, headline: hint.text, detail: "" };
  if (track.verdict === "retry") {
    return { kind: "hint", label: t("label.retry"), headline: t("kiosk.retry"), detail: t("kiosk.retryHint") };
  }
  return { kind: "look", label: t("label.looking"), headline: t("kiosk.looking"), detail: "" };
}

function marked(mark) {
  const text = mark.repeated ? "kiosk.presentAgain" : "kiosk.presentDetail";
  const name = mark.person.name;
  return { kind: "good", label: t("label.accept", { name }), headline: name, detail: t(text, { time: clock(mark.at) }) };
}

function accepted(track) {
  const name = track.person?.name;
  const label = name ? t("label.accept", { name }) : t("label.guest");
  return { kind: "good", label, headline: name ?? t("label.guest"), detail: t("kiosk.recognised") };
}

function rejected(track) {
  if (track.reasons.includes("spoof")) {
    return { kind: "bad", label: t("label.spoof"), headline: t("kiosk.spoof"), detail: t("kiosk.spoofHint") };
  }
  return { kind: "care", label: t("label.unknown"), headline: t("kiosk.unknown"), detail: t("kiosk.unknownHint") };
}

/** The people in view, the nearest first. */
export function inView(tracks) {
  const area = (track) => track.box.width * track.box.height;
  return tracks.filter((track) => !OUT_OF_SIGHT.includes(track.state)).sort((a, b) => area(b) - area(a));
}

/**
 * The one thing to say: who was just marked, else where the nearest person stands, else a welcome.
 *
 * @param {object[]} tracks people in view, the nearest first.
 * @param {Map<number, object>} marks Marked by track.
 * @param {object[]} fresh marks of the last moments, whether or not their person is still in view.
 * @param {object[]} hints for nobody in particular.
 */
export function answer(tracks, marks, fresh, hints = []) {
  if (fresh.length) return together(fresh);
  if (tracks.length) return statement(tracks[0], marks.get(tracks[0].id));
  const hint = hints.find(({ code }) => code !== EMPTY);
  return { kind: "idle", label: "", headline: t("kiosk.welcome"), detail: hint?.text ?? t("kiosk.idle") };
}

function together(marks) {
  const said = marked(marks.at(-1));
  const names = [...new Set(marks.map((mark) => mark.person.name))];
  return { ...said, headline: names.slice(-3).join(", ") };
}

/** Where a face lies on a mirrored picture that is shown whole in its frame; pixels of the frame. */
export function place(box, picture, frame) {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  const margin = { x: (frame.width - picture.width * scale) / 2, y: (frame.height - picture.height * scale) / 2 };
  return {
    x: frame.width - margin.x - (box.x + box.width) * scale,
    y: margin.y + box.y * scale,
    width: box.width * scale,
    height: box.height * scale,
  };
}
