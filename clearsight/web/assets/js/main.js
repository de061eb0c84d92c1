// Opens the page: who is logged in, where the address leads, and drawing whenever the store changes.

import "./features.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { announceStatus } from "./announcer.js";
import { ApiError, get, openSession, post } from "./api.js";
import { views } from "./extensions.js";
import { afterDraw, drawWith, redraw } from "./frames.js";
import { loadPreferences } from "./preferences.js";
import { focusComposer, listenForShortcuts } from "./shortcuts.js";
import { app } from "./state.js";
import { errorWords, t } from "./strings.js";
import { alertBar } from "./views/alert.js";
import { dialogs, syncDialog } from "./views/dialogs.js";
import { loginPage } from "./views/login.js";
import { menu, syncMenu } from "./views/menu.js";
import { openShared, sharedPage } from "./views/shared.js";
import { syncScrolling } from "./views/scrolling.js";
import { shell } from "./views/shell.js";

const root = document.getElementById("app");
const above = document.getElementById("dialogs");
root.replaceChildren(); // the words that stood there while this was being loaded
const sharedToken = /^\/shared\/([^/]+)$/.exec(location.pathname)?.[1] ?? null;

const opening = html`<main class="opening"><h1>${t.product}</h1><p>${t.loading}</p></main>`;

function draw() {
  if (sharedToken) render(sharedPage(), root);
  else if (!app.ready) render(opening, root);
  else if (!app.session) render(loginPage(app), root);
  else render(shell(app), root);
  render(html`${app.session ? html`${dialogs(app)}${menu(app)}` : nothing}${alertBar()}`, above);
  syncDialog(app);
  syncMenu(app);
  syncScrolling(app);
  document.title = title();
}

function title() {
  const { name } = app.route;
  if (sharedToken) return `${t.sharedPage} – ${t.product}`;
  if (name === "settings") return `${t.settings} – ${t.product}`;
  const own = views.get(name)?.title ?? app.conversation?.title;
  return own ? `${own} – ${t.product}` : t.product;
}

/** What an address after # means: #/c/ID, #/settings, #/describe, #/. */
function readRoute() {
  const steps = location.hash.replace(/^#\/?/, "").split("/");
  if (steps[0] === "c" && /^[\w-]{1,80}$/.test(steps[1] ?? "")) return { name: "chat", id: steps[1] };
  if (steps[0] === "settings" || views.has(steps[0])) return { name: steps[0], id: null };
  return { name: "chat", id: null };
}

async function follow() {
  if (location.hash.startsWith("#login=")) return login(location.hash.slice("#login=".length));
  const before = app.route;
  app.route = readRoute();
  app.sidebarOpen = false;
  if (!app.session) return app.change();
  const conversation = app.conversation?.id ?? null;
  if (app.route.name === "chat" && (app.route.id !== conversation || before.name !== "chat" || !before.opened)) {
    if (app.route.id !== conversation || conversation === null) await app.open(app.route.id);
    afterDraw(focusComposer);
  } else if (app.route.name !== "chat") {
    afterDraw(() => document.querySelector("main h1")?.focus());
  }
  app.route.opened = true;
  app.change();
  return undefined;
}

/** The token goes out of the address before anything else, so that it is in no history. */
async function login(token) {
  history.replaceState(null, "", "/");
  announceStatus(t.loggingIn);
  try {
    await post("/v1/login", { token });
  } catch (error) {
    app.ready = true;
    app.fail(error);
    return;
  }
  await start();
}

async function start() {
  try {
    app.session = await openSession();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) app.fail(error);
    if (error.status === 0) return again();
  }
  if (app.session) {
    await Promise.all([loadPreferences(), loadModels(), app.library.refresh()].map((one) => one.catch(app.fail.bind(app))));
    await follow();
  }
  app.ready = true; // not before: what is sent in the meantime would be lost to the conversation that is opened
  app.change();
  return undefined;
}

/** The page was opened without the server: begin when it is back. */
function again() {
  const retry = () => {
    if (!app.online) return;
    app.removeEventListener("change", retry);
    start();
  };
  app.addEventListener("change", retry);
}

async function loadModels() {
  const { data } = await get("/v1/models");
  app.models = data;
  if (data.some((one) => !one.ready)) setTimeout(() => loadModels().catch(() => {}), 3000);
  app.change();
}

drawWith(draw);
app.addEventListener("change", redraw);
window.addEventListener("hashchange", () => follow().catch((error) => app.fail(error)));
window.addEventListener("unhandledrejection", (event) => console.error(errorWords(event.reason ?? {}), event.reason));
app.login = login;
listenForShortcuts(app);
draw();
if (sharedToken) openShared(sharedToken).then(draw);
else if (location.hash.startsWith("#login=")) follow();
else start();

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});
