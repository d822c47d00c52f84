// Who was there on a day: look, take it away as CSV, put right what is wrong.

import { call, download } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { askFor } from "./form.js";
import { openPage } from "./shell.js";
import { actions, table, tag } from "./table.js";
import { clock, date, t, whole } from "./texts.js";

const MOST_PEOPLE = 500;

if (openPage("attendance.title")) begin();

async function begin() {
  const settings = new URLSearchParams(location.search);
  byId("day").value = settings.get("day") ?? localDay(new Date());
  byId("filter").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  byId("csv").addEventListener("click", () => guarded(exportCsv));
  byId("add").addEventListener("click", add);
  await Promise.all([load(), guarded(listPeople)]);
}

function localDay(when) {
  const two = (number) => String(number).padStart(2, "0");
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

/** Do it and show why it failed. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    notice(byId("notice"), error.message, "bad");
  }
}

function query() {
  const person = byId("person").value;
  return new URLSearchParams({ day: byId("day").value, ...(person && { person }) });
}

async function listPeople() {
  const { persons } = await call(`/persons?limit=${MOST_PEOPLE}`);
  byId("person").append(...persons.map(({ id, name }) => el("option", { value: id, text: name })));
}

function load() {
  return guarded(async () => show(await call(`/attendance?${query()}`)));
}

function show({ rows, unknown }) {
  const day = date(byId("day").value);
  const columns = ["name", "first", "last", "count", "state", "actions"].map((name) => t(`attendance.${name}`));
  const made = rows.length
    ? table(t("attendance.captionDay", { count: rows.length, day }), columns, rows.map(row))
    : el("p", { class: "empty", text: t("attendance.empty") });
  byId("list").replaceChildren(made);
  byId("unknowns").textContent = unknown ? t("attendance.unknowns", { count: unknown }) : "";
}

function row(entry) {
  const label = `${t("attendance.correct")}: ${entry.name}`;
  const kind = entry.corrected ? tag(t("attendance.corrected"), "care") : tag(t("attendance.automatic"), "good");
  return [
    entry.session ? `${entry.name} · ${entry.session}` : entry.name,
    clock(entry.first_seen), clock(entry.last_seen), t("attendance.times", { count: whole(entry.sightings) }), kind,
    actions(el("button", { type: "button", class: "quiet", text: t("attendance.correct"), "aria-label": label, onclick: () => correct(entry) })),
  ];
}

const reason = () => ({
  name: "reason", label: t("attendance.reason"), hint: t("attendance.reasonHint"), help: t("attendance.reasonHelp"), required: true,
});

/** The moment of a wall-clock time on the day of an entry, in the viewer's zone. */
const moment = (day, time) => new Date(`${day}T${time}`).toISOString();

async function correct(entry) {
  const becomes = [["present", t("attendance.present")], ["absent", t("attendance.absent")]];
  const fields = [
    { name: "becomes", label: t("attendance.change"), options: becomes, value: "present" },
    { name: "first", label: t("attendance.first"), type: "time", value: clock(entry.first_seen) },
    { name: "last", label: t("attendance.last"), type: "time", value: clock(entry.last_seen) },
    reason(),
  ];
  const saved = await askFor(t("attendance.correctTitle", { name: entry.name }), fields, async (values) => {
    const json = correction(entry, values);
    await call(`/attendance/${encodeURIComponent(entry.id)}/corrections`, { method: "POST", json });
  });
  if (saved) await changed();
}

function correction(entry, values) {
  if (!values.reason.trim()) throw new Error(t("attendance.needReason"));
  const json = { void: values.becomes === "absent", reason: values.reason.trim() };
  if (json.void) return json;
  const times = { first_seen: values.first, last_seen: values.last };
  for (const [name, time] of Object.entries(times)) {
    if (time && time !== clock(entry[name])) json[name] = moment(entry.day, time);
  }
  return json;
}

async function add() {
  const people = [...byId("person").options].filter((option) => option.value).map(({ value, text }) => [value, text]);
  const fields = [
    { name: "person", label: t("attendance.person"), options: people },
    { name: "time", label: t("attendance.at"), type: "time", value: clock(new Date().toISOString()) },
    reason(),
  ];
  const saved = await askFor(t("attendance.addTitle"), fields, async (values) => {
    if (!values.reason.trim()) throw new Error(t("attendance.needReason"));
    const json = { person: values.person, at: moment(byId("day").value, values.time), reason: values.reason.trim() };
    await call("/attendance", { method: "POST", json });
  });
  if (saved) await changed();
}

async function changed() {
  await load();
  notice(byId("notice"), t("attendance.saved"), "good");
}

async function exportCsv() {
  const url = URL.createObjectURL(await download(`/attendance.csv?${query()}`));
  el("a", { href: url, download: `attendance-${byId("day").value}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
