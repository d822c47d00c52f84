// The API key of this tab. It lives in sessionStorage, so closing the tab forgets it, and nowhere else.

const KEY = "facegate.key";
const ROLE = "facegate.role";
const ROLES = ["kiosk", "operator", "admin"];

/** The key, or null. */
export const key = () => sessionStorage.getItem(KEY);

/** Whether the key's role may do what `role` may; only to leave away links that would be refused. */
export const may = (role) => ROLES.indexOf(sessionStorage.getItem(ROLE)) >= ROLES.indexOf(role);

/** Remember a key for this tab, and its role once the service told it. */
export function remember(value, role = "") {
  sessionStorage.setItem(KEY, value);
  sessionStorage.setItem(ROLE, role);
}

/** Forget the key. */
export function forget() {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(ROLE);
}

/** Go and sign in, then come back here. */
export function goSignIn() {
  const here = location.pathname + location.search;
  location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}

/** Where to go after signing in: a path of this site, never another site's address. */
export function nextPage(search) {
  const next = new URLSearchParams(search).get("next") ?? "/";
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : "/";
}
