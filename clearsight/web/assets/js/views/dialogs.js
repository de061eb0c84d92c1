// What opens above the page, one at a time, as the browser's modal dialog: it keeps focus inside and gives it back.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { imageUrl } from "../api.js";
import { feedback } from "../feedback.js";
import { dialogKinds } from "../extensions.js";
import { afterDraw } from "../frames.js";
import { copyText } from "../markdown.js";
import { preferences } from "../preferences.js";
import { shortcuts } from "../shortcuts.js";
import { t } from "../strings.js";
import { icon } from "./icon.js";
import { answerFields } from "./settings.js";

const kinds = { rename, delete: remove, share, shortcuts: shortcutList, report, feedback: thumb, conversation, picture };

export function dialogs(app) {
  const { dialog } = app;
  return html`
    <dialog
      id="dialog"
      class=${dialog?.kind ?? ""}
      aria-labelledby="dialog-title"
      @close=${() => {
        if (app.dialog) app.showDialog(null);
      }}
      @click=${(event) => event.target === event.currentTarget && !dialog?.keepOpen && event.currentTarget.close()}
    >
      ${dialog ? (kinds[dialog.kind] ?? dialogKinds.get(dialog.kind))(app, dialog) : nothing}
    </dialog>
  `;
}

/** Open or close the element as the store says. */
export function syncDialog(app) {
  const element = document.getElementById("dialog");
  if (!element) return;
  if (Boolean(app.dialog) === element.open) return;
  // what is outside an open dialog is inert, and an inert live region is not read
  (app.dialog ? element : document.body).append(document.getElementById("announcements"));
  if (app.dialog) element.showModal();
  else element.close();
}

/** Title, closing button, body and buttons of a dialog. */
export const frame = (app, title, body, buttons = nothing) => html`
  <div class="dialog-body">
    <div class="dialog-top">
      <h2 id="dialog-title">${title}</h2>
      <button type="button" class="icon-button quiet" aria-label=${t.close} title=${t.close} @click=${() => app.showDialog(null)}>${icon("close")}</button>
    </div>
    ${body}
    <div class="row end">${buttons}</div>
  </div>
`;

/** A dialog that is filled in: `submit` gets its FormData. */
export const form = (app, title, body, submitLabel, submit, kind = "primary") => html`
  <form
    @submit=${(event) => {
      event.preventDefault();
      const values = new FormData(event.target);
      app.showDialog(null);
      submit(values);
    }}
  >
    ${frame(
      app,
      title,
      body,
      html`<button type="button" class="quiet" @click=${() => app.showDialog(null)}>${t.cancel}</button>
        <button type="submit" class=${kind}>${submitLabel}</button>`,
    )}
  </form>
`;

function rename(app, { conversation: one }) {
  return form(
    app,
    t.renameTitle,
    html`<label for="new-name">${t.newName}</label>
      <input id="new-name" name="title" type="text" maxlength="300" autofocus required dir="auto" value=${one.title} />`,
    t.save,
    (values) => app.library.change(one.id, { title: values.get("title").trim() }),
  );
}

function remove(app, { conversation: one }) {
  return form(
    app,
    t.removeTitle,
    html`<p>${t.removeText(one.title || t.untitled)}</p>`,
    t.remove,
    () => app.library.remove(one.id),
    "danger",
  );
}

function share(app, dialog) {
  const one = app.library.list.find(({ id }) => id === dialog.conversation.id) ?? dialog.conversation;
  const make = async () => {
    dialog.url = await app.library.share(one.id);
    app.change();
    afterDraw(() => document.getElementById("share-link")?.select());
  };
  const end = async () => {
    await app.library.unshare(one.id);
    dialog.url = null;
    app.change();
  };
  return frame(
    app,
    t.shareTitle,
    html`
      <p>${t.shareText}</p>
      ${dialog.url
        ? html`<label for="share-link">${t.shareLink}</label>
            <div class="row">
              <input id="share-link" type="text" readonly value=${dialog.url} />
              <button type="button" class="primary" @click=${() => copyText(dialog.url)}>${t.copy}</button>
            </div>`
        : one.shared
          ? html`<p>${t.shareIsOn}</p>`
          : nothing}
    `,
    html`
      ${one.shared ? html`<button type="button" class="danger" @click=${end}>${t.shareEnd}</button>` : nothing}
      ${dialog.url ? nothing : html`<button type="button" class="primary" @click=${make}>${one.shared ? t.shareNew : t.shareMake}</button>`}
    `,
  );
}

function shortcutList(app) {
  return frame(
    app,
    t.shortcuts,
    html`
      ${preferences.shortcuts ? nothing : html`<p>${t.shortcutsOff}</p>`}
      <dl class="shortcut-list">
        ${shortcuts().map((one) => html`<div><dt>${one.label}</dt><dd><kbd>${one.keys}</kbd></dd></div>`)}
      </dl>
      <p>${t.shortcutsNote}</p>
    `,
  );
}

function thumb(app, { message, good }) {
  return form(
    app,
    t.feedbackTitle(good),
    html`
      <label for="comment">${t.feedbackComment}</label>
      <textarea id="comment" name="comment" maxlength="2000" rows="3" dir="auto"></textarea>
      <label class="check"><input type="checkbox" name="consent" /> <span>${t.feedbackConsent}</span></label>
    `,
    t.send,
    (values) => feedback.send(app, message, good, values.get("comment"), values.has("consent")),
  );
}

function report(app, { message }) {
  return form(
    app,
    t.reportTitle,
    html`
      <fieldset>
        <legend>${t.reportCategory}</legend>
        ${Object.entries(t.reportCategories).map(
          ([value, words], index) => html`<label class="check"><input type="radio" name="category" value=${value} ?checked=${index === 0} /> <span>${words}</span></label>`,
        )}
      </fieldset>
      <label for="comment">${t.feedbackComment}</label>
      <textarea id="comment" name="comment" maxlength="2000" rows="3" dir="auto"></textarea>
    `,
    t.reportSend,
    (values) => feedback.report(app, message, values.get("category"), values.get("comment")),
  );
}

function conversation(app) {
  const own = app.conversation?.settings ?? app.settings;
  const { model, system, temperature, max_tokens: maxTokens } = { ...app.effective, ...own };
  return form(
    app,
    t.conversationSettings,
    answerFields(app, { model, system, temperature, maxTokens: maxTokens ?? 0 }),
    t.save,
    (values) => {
      const settings = { model: values.get("model"), temperature: Number(values.get("temperature")) };
      if (values.get("system").trim()) settings.system = values.get("system").trim();
      if (Number(values.get("maxTokens"))) settings.max_tokens = Number(values.get("maxTokens"));
      if (app.conversation) app.library.change(app.conversation.id, { settings });
      else {
        app.settings = settings;
        app.change();
      }
    },
  );
}

function picture(app, { part, alt }) {
  return frame(app, t.pictureDialog, html`<img class="whole-picture" src=${imageUrl(part.sha256)} alt=${alt} /><p>${alt}</p>`);
}
