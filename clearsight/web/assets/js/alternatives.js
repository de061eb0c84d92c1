// The words for pictures: what the server keeps as alternative text, asked for once a picture.

import { get } from "./api.js";

const known = new Map(); // sha256 -> text, or a promise of it

/** The text for a picture, "" when there is none yet; resolves later. Never raises. */
export async function alternative(sha256) {
  if (!known.has(sha256)) {
    const asked = get(`/v1/images/${sha256}/about`).then(
      ({ alt }) => alt ?? "",
      () => "",
    );
    known.set(sha256, asked);
    asked.then((alt) => (alt ? known.set(sha256, alt) : known.delete(sha256)));
  }
  return known.get(sha256);
}

/** What is known at once: "" while it is being asked for. `came` is called when it is there. */
export function alternativeNow(sha256, came) {
  const found = known.get(sha256);
  if (typeof found === "string") return found;
  if (!tried.has(sha256)) {
    tried.add(sha256);
    alternative(sha256).then((alt) => alt && came());
  }
  return "";
}
const tried = new Set();

/** Somebody wrote a text for a picture: shown from now on. */
export function setAlternative(sha256, alt) {
  known.set(sha256, alt);
}
