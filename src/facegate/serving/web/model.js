// What decides at the door, and on which evidence: the release, its models' contracts, the gate rule by rule.

import { call } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { openPage } from "./shell.js";
import { table, tag } from "./table.js";
import { clock, date, percent, t, whole } from "./texts.js";

const VERDICTS = { pass: "good", fail: "bad" };

if (openPage("model.title")) load();

async function load() {
  try {
    show(await call("/models"));
  } catch (error) {
    byId("content").replaceChildren();
    notice(byId("notice"), error.message, "bad");
  }
}

function show(answer) {
  const { production, shadow } = answer;
  notice(byId("notice"), [answer.warning, answer.last_error].filter(Boolean).join("\n"), "care");
  byId("content").replaceChildren(
    release(t("model.release"), production),
    gate(production),
    ...production.components.map(component),
    ...(shadow ? [release(t("model.shadow"), shadow)] : []),
  );
}

function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", {}, value)]));
}

const code = (text) => el("span", { class: "mono", text });

function release(title, { release: name, digest, loaded, synthetic }) {
  return el("section", { class: "panel" },
    el("div", { class: "title" }, el("h2", { text: title }), el("span", { class: "mono", text: name })),
    synthetic ? el("p", { class: "notice", "data-kind": "care", text: t("model.synthetic") }) : null,
    facts([[t("model.releaseDigest"), code(digest)], [t("model.since"), `${date(loaded)}, ${clock(loaded)}`]]),
  );
}

function gate({ gate: report }) {
  const title = el("h2", { text: t("model.gateTitle") });
  if (!report) return el("section", { class: "panel" }, title, el("p", { class: "soft", text: t("model.gateNone") }));
  const outcome = report.passed ? tag(t("model.passed"), "good") : tag(t("model.refused"), "bad");
  const columns = ["rule", "limit", "measured", "bound", "counted", "result"].map((name) => t(`model.${name}`));
  return el("section", { class: "panel" },
    el("div", { class: "title" }, title, el("span", { class: "mono", text: report.profile }), outcome),
    table(t("model.gateCaption"), columns, report.findings.map(finding)),
  );
}

function finding(found) {
  const { trials, bound, verdict } = found;
  const rule = el("span", {}, found.fact, found.note ? el("span", { class: "help block", text: found.note }) : null);
  const upper = bound === null || trials === null ? "" : percent(bound); // a plain number has no interval
  const kind = VERDICTS[verdict] ?? (found.blocking ? "bad" : "care");
  return [rule, found.limit, found.value, upper, trials === null ? "" : whole(trials), tag(verdict, kind)];
}

function component(part) {
  const { contract } = part;
  const name = t(`model.task.${part.task}`);
  const trained = contract.training_data.map((data) => `${data.name} (${data.licence})`).join(", ");
  return el("section", { class: "panel" },
    el("div", { class: "title" }, el("h2", { text: name }), part.synthetic ? tag(t("model.syntheticTag"), "care") : null),
    facts([
      [t("model.bundle"), part.version === null ? part.name : `${part.name}, ${t("model.version")} ${part.version}`],
      [t("model.quantisation"), part.target],
      [t("model.digest"), code(part.contract_digest)],
      [t("model.sha"), code(part.model_sha256)],
      [t("model.trained"), trained],
    ]),
    points(part),
  );
}

function points({ contract, operating_point: used }) {
  const columns = ["point", "threshold", "rate", "interval", "counted", "data"];
  const all = Object.entries(contract.operating_points);
  const confidence = Math.round((all[0]?.[1].measured.confidence ?? 0.95) * 100);
  const rows = all.map(([name, point]) => {
    const { measured } = point;
    return [
      el("span", {}, name, " ", name === used ? tag(t("model.inForce"), "good") : null),
      point.threshold.toPrecision(4),
      `${point.metric} ${percent(measured.value)}`,
      `${percent(measured.low)} – ${percent(measured.high)}`,
      t("model.of", { errors: whole(measured.errors), trials: whole(measured.trials) }),
      `${point.dataset}, ${point.split}`,
    ];
  });
  return table(t("model.pointsCaption"), columns.map((column) => t(`model.${column}`, { confidence })), rows);
}
