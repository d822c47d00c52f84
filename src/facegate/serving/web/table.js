// Tables that turn into cards on a phone: every cell knows the name of its column.

import { el } from "./dom.js";

/**
 * @param {string} caption what the table shows.
 * @param {string[]} columns their names.
 * @param {Array<Array<string|Node|null>>} rows cells in the order of the columns; the first names the row.
 */
export function table(caption, columns, rows) {
  const head = el("tr", {}, columns.map((name) => el("th", { scope: "col", text: name })));
  return el("table", { class: "cards" },
    el("caption", { text: caption }),
    el("thead", {}, head),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) => make(cell, columns[i], i === 0))))),
  );
}

/** A cell of buttons at the end of a row. */
export function actions(...buttons) {
  return Object.assign(el("td", { class: "actions" }, ...buttons), { isCell: true });
}

function make(cell, column, first) {
  if (cell?.isCell) return cell;
  return first ? el("th", { scope: "row" }, cell) : el("td", { "data-label": column }, cell);
}

/** A short word on a coloured ground; the colour repeats what the word says. */
export const tag = (text, kind) => el("span", { class: "tag", "data-kind": kind, text });
