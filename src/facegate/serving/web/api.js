// The REST API as the pages use it: the key goes along, problems come back as errors in plain words.

import { t } from "./texts.js";
import { forget, goSignIn, key } from "./session.js";

/** A refusal of the service: `status`, a sentence for people, and the problem+json document. */
export class Problem extends Error {
  constructor(status, message, document = {}) {
    super(message);
    this.status = status;
    this.document = document;
  }
}

/**
 * Ask the service.
 *
 * @param {string} path below /v1, with its query.
 * @param {object} options method; `json` or `form` as the body; `signIn: false` to get a 401 as a Problem.
 * @returns {Promise<any>} the JSON answer, null if there is none.
 */
export async function call(path, options = {}) {
  const answer = await send(path, options);
  return answer.status === 204 ? null : answer.json();
}

/** The same for a file: its bytes. */
export async function download(path) {
  return (await send(path, {})).blob();
}

async function send(path, { method = "GET", json, form, signIn = true } = {}) {
  const headers = { Accept: "application/json" };
  if (key()) headers.Authorization = `Bearer ${key()}`;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json === undefined ? form : JSON.stringify(json);
  let answer;
  try {
    answer = await fetch(`/v1${path}`, { method, headers, body, cache: "no-store", credentials: "omit" });
  } catch {
    throw new Problem(0, t("common.offline"));
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && signIn) {
    forget();
    goSignIn();
  }
  throw await problem(answer);
}

async function problem(answer) {
  const document = await answer.json().catch(() => ({}));
  if (answer.status === 403) return new Problem(403, t("common.forbidden"), document);
  if (answer.status === 429) return new Problem(429, t("common.tooFast"), document);
  const words = [document.detail ?? document.title ?? `${answer.status}`, document.remedy].filter(Boolean).join(". ");
  return new Problem(answer.status, t("common.failed", { problem: words }), document);
}
