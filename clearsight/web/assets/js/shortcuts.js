// Keyboard shortcuts for the whole page: all with Alt+Shift, so that no single key is taken from a screen reader or a
// speech user (WCAG 2.1.4), and they can be turned off. Keys are places on the keyboard, as Alt may change letters.

import { extraShortcuts } from "./extensions.js";
import { preferences } from "./preferences.js";
import { t } from "./strings.js";

const isMac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);
const name = (letter) => (isMac ? `⌥⇧${letter}` : `Alt+Shift+${letter}`);

/** Move focus into the composer. */
export function focusComposer() {
  document.getElementById("composer-text")?.focus();
}

/** Move focus to the last answer, where a screen reader begins to read. */
export function focusLast() {
  const last = [...document.querySelectorAll("article.assistant")].at(-1);
  last?.focus();
  last?.scrollIntoView({ block: "start" });
}

const own = [
  { code: "KeyC", label: t.shortcutNames.composer, run: focusComposer },
  { code: "KeyA", label: t.shortcutNames.last, run: focusLast },
  { code: "KeyS", label: t.shortcutNames.stop, run: (app) => app.stop() },
  { code: "KeyR", label: t.shortcutNames.repeat, run: (app) => app.repeat() },
  { code: "KeyN", label: t.shortcutNames.fresh, run: (app) => app.startNew() },
  { code: "KeyF", label: t.shortcutNames.search, run: (app) => app.openSidebar("search-box") },
  { code: "KeyK", label: t.shortcutNames.shortcuts, run: (app) => app.showDialog({ kind: "shortcuts" }) },
];

/** All shortcuts with what is written for them: {code, label, keys, run}. */
export function shortcuts() {
  return [...own, ...extraShortcuts].map((one) => ({ ...one, keys: name(one.code.replace("Key", "")) }));
}

/** Listen to the keyboard. */
export function listenForShortcuts(app) {
  document.addEventListener("keydown", (event) => {
    if (!preferences.shortcuts || !event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (!app.session || event.isComposing) return;
    const found = shortcuts().find((one) => one.code === event.code);
    if (!found) return;
    event.preventDefault();
    found.run(app);
  });
}
