// What the model saw of a picture: its tiles, pixel by pixel, and what the server found odd about it.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { announceStatus } from "../announcer.js";
import * as api from "../api.js";
import { errorWords, t } from "../strings.js";
import { frame } from "../views/dialogs.js";
import { icon } from "../views/icon.js";

export async function openSeen(app, { sha256, detail = "auto" }, model = app.effective.model) {
  const dialog = { kind: "seen", sha256, model, url: "", about: null, notes: [], error: "" };
  app.showDialog(dialog);
  announceStatus(t.seenWaiting);
  try {
    const path = `/v1/images/${sha256}/tiles?sheet=true&detail=${detail}&model=${encodeURIComponent(model)}`;
    const [sheet, about, told] = await Promise.all([
      api.request("GET", path).then((response) => response.blob()),
      api.get(api.aboutUrl(sha256)),
      api.get(`/v1/images/${sha256}/notes?model=${encodeURIComponent(model)}`),
    ]);
    Object.assign(dialog, { url: URL.createObjectURL(sheet), about, notes: told.notes });
  } catch (error) {
    dialog.error = errorWords(error);
  }
  announceStatus(dialog.error || [t.seenAlt(model), ...(dialog.about?.warnings ?? []), ...(dialog.notes.length ? [t.seenTold(model)] : [])].join(". "));
  app.change();
}

export function seenDialog(app, { model, url, about, notes, error }) {
  return frame(
    app,
    t.seen,
    html`
      ${error ? html`<p class="note">${icon("warning")}${error}</p>` : nothing}
      ${about?.warnings.map((warning) => html`<p class="seen-warning">${icon("warning")}<span>${warning}</span></p>`)}
      ${url
        ? html`<img class="whole-picture" src=${url} alt=${t.seenAlt(model)} @load=${() => URL.revokeObjectURL(url)} />
            <p>${t.seenText(model)} ${notes.length ? t.seenTold(model) : t.seenNothingElse}</p>
            ${notes.map((note) => html`<p class="note-told"><strong>${t.seenBy[note.by] ?? note.by}</strong>${"\n"}${note.text}</p>`)}
            <p class="faint">${t.seenSize(about.width, about.height)}</p>`
        : error
          ? nothing
          : html`<p>${t.seenWaiting}</p>`}
    `,
  );
}
