// What every page does first: texts into place, the bar with its links, signing in and out.

import { byId, el, translate } from "./dom.js";
import { forget, goSignIn, key, may } from "./session.js";
import { t } from "./texts.js";

const PAGES = [
  ["/", "nav.kiosk", "kiosk"],
  ["/enrol", "nav.enrol", "operator"],
  ["/attendance", "nav.attendance", "operator"],
  ["/people", "nav.people", "operator"],
  ["/model", "nav.model", "operator"],
];

/**
 * Set the page up.
 *
 * @param {string} title where the page's title stands in the texts.
 * @param {object} options `open`: the page may be seen without a key.
 * @returns {boolean} false if the visitor was sent to sign in first.
 */
export function openPage(title, { open = false } = {}) {
  document.title = `${t(title)} · ${t("common.product")}`;
  translate();
  byId("bar").append(...bar());
  if (open || key()) return true;
  goSignIn();
  return false;
}

function bar() {
  const links = PAGES.filter(([, , role]) => may(role)).map(([path, text]) =>
    el("a", { href: path, text: t(text), "aria-current": location.pathname === path ? "page" : null }),
  );
  const leave = el("button", { type: "button", class: "leave", text: t("nav.signOut"), onclick: signOut });
  const brand = el("a", { class: "brand", href: "/", text: t("common.product") });
  return key() ? [brand, el("nav", { "aria-label": t("common.menu") }, links), leave] : [brand];
}

function signOut() {
  forget();
  location.assign("/sign-in");
}
