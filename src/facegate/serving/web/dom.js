// The few lines that every page needs of the document: make elements, put texts in, announce.

import { t } from "./texts.js";

/**
 * Make an element. Keys that begin with "on" are listeners, "class" and "text" mean what they say, a value of
 * false or null leaves the attribute away, any other is an attribute.
 */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else if (key === "text") node.textContent = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The element with that id; a page that lacks it is a mistake in the page. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return node;
}

/** Put the texts in: data-t fills an element, data-t-label its accessible name, data-t-hint its placeholder. */
export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of root.querySelectorAll("[data-t-hint]")) node.placeholder = t(node.dataset.tHint);
}

/** Show a message in a notice; an empty one hides it. Its role says how urgently it is read out. */
export function notice(node, message, kind = "info") {
  node.textContent = message;
  node.dataset.kind = kind;
  node.hidden = !message;
}

/** Replace what an element holds, but only if something changed: screen readers repeat what is replaced. */
export function say(node, message) {
  if (node.textContent !== message) node.textContent = message;
}

/** Ask a yes/no question in a dialog; resolves to true or false. Focus returns to where it was. */
export function ask(question, yes, { danger = false } = {}) {
  return new Promise((resolve) => {
    const dialog = el(
      "dialog",
      { class: "ask", "aria-labelledby": "ask-question" },
      el("p", { id: "ask-question", text: question }),
      el(
        "form",
        { method: "dialog", class: "row end" },
        el("button", { value: "no", class: "quiet", text: t("common.cancel") }),
        el("button", { value: "yes", class: danger ? "danger" : "primary", text: yes }),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
