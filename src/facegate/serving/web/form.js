// A dialog with a few fields: labels, a refusal in place, focus back to where it was.

import { el, notice } from "./dom.js";
import { t } from "./texts.js";

/**
 * Ask for some values.
 *
 * @param {string} title of the dialog.
 * @param {object[]} fields name, label, and optionally type, value, options [[value, text]], help, hint, required.
 * @param {(values: object) => Promise<void>} save called with the values; what it throws is shown and nothing closes.
 * @returns {Promise<boolean>} whether it was saved.
 */
export function askFor(title, fields, save) {
  return new Promise((resolve) => {
    const problem = el("p", { class: "notice", role: "alert", hidden: true });
    const form = el("form", { class: "stack", novalidate: true },
      problem,
      ...fields.map(field),
      el("div", { class: "row end" },
        el("button", { type: "button", class: "quiet", text: t("common.cancel"), onclick: () => dialog.close() }),
        el("button", { class: "primary", text: t("common.save") }),
      ),
    );
    const dialog = el("dialog", { "aria-labelledby": "form-title" }, el("h2", { id: "form-title", text: title }), form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "saved");
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await save(Object.fromEntries(new FormData(form)));
        dialog.close("saved");
      } catch (error) {
        notice(problem, error.message, "bad");
      }
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function field({ name, label, type = "text", value = "", options, help, hint, required = false }) {
  const id = `field-${name}`;
  const common = { id, name, required, "aria-describedby": help ? `${id}-help` : null };
  const input = options
    ? el("select", common, options.map(([key, text]) => el("option", { value: key, text, selected: key === value })))
    : el("input", { ...common, type, value, placeholder: hint, autocomplete: "off" });
  const words = help ? el("p", { class: "help", id: `${id}-help`, text: help }) : null;
  return el("div", { class: "field" }, el("label", { for: id, text: label }), input, words);
}
