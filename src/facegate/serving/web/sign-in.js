// Sign in by API key: ask the service whose it is, keep it for this tab, go on to the page that was wanted.

import { call } from "./api.js";
import { byId, notice } from "./dom.js";
import { forget, nextPage, remember } from "./session.js";
import { openPage } from "./shell.js";
import { t } from "./texts.js";

openPage("signIn.title", { open: true });
byId("form").addEventListener("submit", submit);
byId("key").focus();

async function submit(event) {
  event.preventDefault();
  const value = byId("key").value.trim();
  if (!value) return refuse(t("signIn.empty"));
  notice(byId("notice"), "");
  byId("submit").disabled = true;
  byId("submit").textContent = t("signIn.checking");
  remember(value);
  try {
    const me = await call("/me", { signIn: false });
    remember(value, me.role);
    location.assign(nextPage(location.search));
  } catch (error) {
    forget();
    refuse(error.status === 401 ? t("signIn.wrong") : error.message);
  }
  return undefined;
}

function refuse(message) {
  byId("submit").disabled = false;
  byId("submit").textContent = t("signIn.submit");
  notice(byId("notice"), message, "bad");
  byId("key").setAttribute("aria-invalid", "true");
  byId("key").focus();
}
