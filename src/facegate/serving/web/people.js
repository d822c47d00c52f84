// Everybody who is enrolled: find, rename, delete.

import { call } from "./api.js";
import { ask, byId, el, notice } from "./dom.js";
import { askFor } from "./form.js";
import { openPage } from "./shell.js";
import { actions, table, tag } from "./table.js";
import { date, t } from "./texts.js";

const PAGE = 50;
const PAUSE_MS = 250;
const state = { people: [], next: null, total: 0, query: "", asked: 0 };

if (openPage("people.title")) {
  let timer;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => load(event.target.value.trim()), PAUSE_MS);
  });
  load("");
}

async function load(query, after = "") {
  const number = ++state.asked;
  const search = new URLSearchParams({ limit: PAGE, ...(query && { query }), ...(after && { after }) });
  try {
    const page = await call(`/persons?${search}`);
    if (number !== state.asked) return; // a later question overtook this one
    const people = after ? [...state.people, ...page.persons] : page.persons;
    Object.assign(state, { people, next: page.next, total: page.total, query });
    show();
  } catch (error) {
    notice(byId("notice"), error.message, "bad");
  }
}

function show() {
  const words = state.query ? "people.noMatch" : "people.empty";
  if (!state.people.length) return byId("list").replaceChildren(el("p", { class: "empty", text: t(words) }));
  const columns = ["name", "pictures", "since", "state", "actions"].map((name) => t(`people.${name}`));
  const made = table(t("people.caption", { count: state.total }), columns, state.people.map(row));
  const more = el("button", { type: "button", text: t("people.more"), onclick: () => load(state.query, state.next) });
  return byId("list").replaceChildren(made, state.next ? el("p", { class: "row" }, more) : "");
}

function row(person) {
  const name = person.name;
  const ready = person.current ? tag(t("people.current"), "good") : tag(t("people.stale"), "care");
  return [
    name, String(person.templates), date(person.created), ready,
    actions(
      el("button", { type: "button", class: "quiet", text: t("people.rename"), "aria-label": `${t("people.rename")}: ${name}`, onclick: () => rename(person) }),
      el("button", { type: "button", class: "quiet bad", text: t("people.remove"), "aria-label": `${t("people.remove")}: ${name}`, onclick: () => remove(person) }),
    ),
  ];
}

async function rename(person) {
  const fields = [{ name: "name", label: t("people.name"), value: person.name, required: true }];
  let name = "";
  const saved = await askFor(t("people.renameTitle", { name: person.name }), fields, async (values) => {
    name = values.name.trim();
    if (!name) throw new Error(t("enrol.needName"));
    await call(`/persons/${encodeURIComponent(person.id)}`, { method: "PATCH", json: { name } });
  });
  if (saved) await changed(t("people.renamed", { name }));
}

async function remove(person) {
  const name = person.name;
  if (!(await ask(t("people.removeQuestion", { name }), t("people.removeYes"), { danger: true }))) return;
  try {
    await call(`/persons/${encodeURIComponent(person.id)}`, { method: "DELETE" });
    await changed(t("people.removed", { name }));
  } catch (error) {
    notice(byId("notice"), error.message, "bad");
  }
}

async function changed(message) {
  notice(byId("notice"), message, "good");
  await load(state.query);
}
