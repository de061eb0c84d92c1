// How someone likes the page to be: kept with the account, and a copy in this browser so that it opens right at once.
// No secrets are in it.

import * as api from "./api.js";

const KEY = "clearsight.preferences";
const DEFAULTS = {
  theme: "system", // system, light, dark, contrast
  shortcuts: true,
  announce: "whole", // whole: finished answers are read out by a screen reader; short: only that they are finished
  enterSends: true,
  model: "",
  system: "",
  temperature: 0,
  maxTokens: 0, // 0: the server's own limit
};

/** All preferences; features may add keys of their own. */
export const preferences = { ...DEFAULTS, ...kept() };
let account = {}; // all that is kept with the account; other programs may have things there too
let writing = 0;

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}

function apply() {
  document.documentElement.dataset.theme = String(preferences.theme);
}

function keepHere() {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // this browser keeps nothing; the account does
  }
}

/** What the account has; it wins over the copy here. */
export async function loadPreferences() {
  const { settings } = await api.get("/v1/account/settings");
  account = settings;
  Object.assign(preferences, settings.client ?? {});
  keepHere();
  apply();
}

/** Change one; it holds at once and is written to the account a moment later. */
export function prefer(name, value) {
  preferences[name] = value;
  keepHere();
  apply();
  clearTimeout(writing);
  writing = setTimeout(() => {
    account = { ...account, client: preferences };
    api.put("/v1/account/settings", { settings: account }).catch(() => {});
  }, 600);
}
