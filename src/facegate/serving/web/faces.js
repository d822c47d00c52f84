// Frames around the faces on the picture; one element per track, moved instead of made anew.

import { el } from "./dom.js";
import { place, statement } from "./verdicts.js";

const LABEL = 52; // pixels that a label needs beneath its face

/** How far a label moves sideways to stay in the picture: its middle, half of its width and the picture's width, pixels. */
function aside(middle, half, width) {
  return Math.max(half - middle, 0) - Math.max(middle + half - width, 0);
}

export class Faces {
  /** @param {HTMLElement} layer lies exactly over the picture. */
  constructor(layer) {
    this.layer = layer;
    this.shown = new Map();
  }

  /**
   * Show these people and nobody else.
   *
   * @param {object[]} tracks people in view.
   * @param {Map<number, object>} marks Marked by track.
   * @param {{width: number, height: number}} picture size of the frame that was judged.
   */
  show(tracks, marks, picture) {
    const frame = this.layer.getBoundingClientRect();
    this.layer.style.setProperty("--room", `${frame.width / Math.max(1, tracks.length)}px`);
    for (const track of tracks) this.#show(track, statement(track, marks.get(track.id)), place(track.box, picture, frame), frame);
    const ids = new Set(tracks.map((track) => track.id));
    for (const [id, node] of this.shown) {
      if (!ids.has(id)) {
        node.remove();
        this.shown.delete(id);
      }
    }
  }

  #show(track, said, at, frame) {
    let node = this.shown.get(track.id);
    if (!node) {
      node = el("div", { class: "face" }, el("span"));
      this.shown.set(track.id, node);
      this.layer.append(node);
    }
    node.dataset.kind = said.kind;
    node.dataset.track = track.id;
    node.dataset.low = at.y + at.height > frame.height - LABEL;
    node.style.transform = `translate(${at.x}px, ${at.y}px)`;
    node.style.width = `${at.width}px`;
    node.style.height = `${at.height}px`;
    const label = node.firstChild;
    label.textContent = said.label;
    label.style.setProperty("--aside", `${aside(at.x + at.width / 2, label.offsetWidth / 2, frame.width)}px`);
  }
}
