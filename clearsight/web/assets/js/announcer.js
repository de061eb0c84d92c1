// What a screen reader is told, and nothing else is live: a status (started, still working, finished, stopped), a log
// that receives each finished answer once, and an alert for errors. The visible stream is not live: read token by
// token it is noise, and cuts off what was being read.

const STILL_WORKING_MS = 7000;
const region = (id) => document.getElementById(id);

/** Say a short state. The same words twice in a row are said twice. */
export function announceStatus(text) {
  const line = document.createElement("p");
  line.textContent = text;
  region("status").replaceChildren(line);
}

/** Say a whole text once: a finished answer, or one that is to be repeated. */
export function announceLog(text, { lang } = {}) {
  const entry = document.createElement("p");
  entry.textContent = text;
  entry.dir = "auto";
  if (lang) entry.lang = lang;
  region("log").replaceChildren(entry);
}

/** Say and show an error until it is closed or something else is started. */
export function announceAlert(text) {
  const line = document.createElement("p");
  line.textContent = text;
  region("alert").replaceChildren(line);
  document.body.classList.toggle("has-alert", Boolean(text));
}

export function clearAlert() {
  region("alert").replaceChildren();
  document.body.classList.remove("has-alert");
}

/** Say `text` every seven seconds until the returned function is called. */
export function stillWorking(text) {
  const timer = setInterval(() => announceStatus(text), STILL_WORKING_MS);
  return () => clearInterval(timer);
}
