// The pictures of an enrolment: each is looked at as soon as it is there, and says what is wrong with it.

import { call } from "./api.js";
import { el } from "./dom.js";
import { t } from "./texts.js";

const SECOND_FACE = 0.25; // somebody small in the background does no harm; enrolment draws the same line
const area = ({ box }) => box.width * box.height;

/** What the service says against one picture, in words; nothing if it is good. */
export function complaint(answer) {
  if (!answer.faces.length) return t("issue.no_face");
  const [face, second] = answer.faces; // the largest first
  if (second && area(second) > SECOND_FACE * area(face)) return t("issue.several_faces");
  return face.verdict === "accept" ? "" : said(face);
}

/** The service's hints as one line. */
export const said = ({ hints }) => hints.map((hint) => hint.text).join(". ") || t("issue.undecided");

export class Shots {
  /**
   * @param {HTMLElement} list where they are shown.
   * @param {() => void} changed called when a picture came, went or was judged.
   */
  constructor(list, changed) {
    Object.assign(this, { list, changed, all: [], number: 0 });
  }

  /** Pictures that nothing speaks against. */
  get good() {
    return this.all.filter((shot) => shot.complaint === "");
  }

  /** Take in a picture and have it looked at. */
  async add(blob) {
    const shot = { blob, url: URL.createObjectURL(blob), complaint: null };
    shot.node = this.#card(shot, ++this.number);
    this.all.push(shot);
    this.list.append(shot.node);
    this.changed();
    const form = new FormData();
    form.append("picture", blob, "picture.jpg");
    try {
      this.judge(shot, complaint(await call("/spoof", { method: "POST", form })));
    } catch (error) {
      this.judge(shot, error.message);
    }
  }

  /** Put what speaks against a picture on it; nothing means that it is good. */
  judge(shot, text) {
    shot.complaint = text;
    shot.node.dataset.kind = text ? "bad" : "good";
    shot.node.querySelector("p").textContent = text || t("enrol.good");
    this.changed();
  }

  /** Forget all of them. */
  clear() {
    for (const shot of [...this.all]) this.remove(shot);
  }

  remove(shot) {
    this.all = this.all.filter((other) => other !== shot);
    URL.revokeObjectURL(shot.url);
    shot.node.remove();
    this.changed();
  }

  #card(shot, number) {
    const remove = () => {
      const next = shot.node.nextElementSibling ?? shot.node.previousElementSibling;
      this.remove(shot);
      next?.querySelector("button").focus();
    };
    return el("li", {},
      el("img", { src: shot.url, alt: t("enrol.picture", { number }) }),
      el("p", { role: "status", text: t("enrol.checking") }),
      el("button", { type: "button", "aria-label": t("enrol.remove", { number }), text: "×", onclick: remove }),
    );
  }
}
