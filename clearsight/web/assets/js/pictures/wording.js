// The words for a picture: shown, corrected by whoever uses the page, and fetched once the model has written them.

import { html } from "../../vendor/lit-html/lit-html.js";
import { setAlternative } from "../alternatives.js";
import { announceStatus } from "../announcer.js";
import * as api from "../api.js";
import { t } from "../strings.js";
import { form } from "../views/dialogs.js";

const LOOK_MS = [1500, 3000, 6000, 12_000, 24_000, 48_000];

/** Edit the words for a picture; `changed` is called with what was saved. */
export async function openWording(app, sha256, changed = () => {}) {
  try {
    const { alt } = await api.get(api.aboutUrl(sha256));
    app.showDialog({ kind: "wording", sha256, alt, changed });
  } catch (error) {
    app.fail(error);
  }
}

export function wordingDialog(app, { sha256, alt, changed }) {
  return form(
    app,
    t.altTitle,
    html`
      <img class="wording-picture" src=${api.imageUrl(sha256)} alt="" />
      <label for="wording">${t.altLabel}</label>
      <textarea id="wording" name="alt" rows="3" maxlength="1000" dir="auto" aria-describedby="wording-help" autofocus>${alt}</textarea>
      <p class="faint" id="wording-help">${t.altHelp}</p>
    `,
    t.save,
    (values) => save(app, sha256, values.get("alt"), changed),
  );
}

async function save(app, sha256, words, changed) {
  try {
    const { alt } = await api.put(api.aboutUrl(sha256), { alt: words });
    setAlternative(sha256, alt);
    changed(alt);
    announceStatus(t.altSaved);
    app.change();
  } catch (error) {
    app.fail(error);
  }
}

/** After an answer the model writes words for pictures that have none: look for them a few times. */
export async function awaitWording(app, sha256) {
  for (const wait of LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const about = await api.get(api.aboutUrl(sha256)).catch(() => null);
    if (!about) return;
    if (!about.alt) continue;
    setAlternative(sha256, about.alt);
    app.change();
    return;
  }
}
