// Where a turn is written: pictures in order, the text, one toolbar, and what it will cost.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { live } from "../../vendor/lit-html/directives/live.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { cost } from "../cost.js";
import { attachmentActions, composerPanels, composerTools, inOrder } from "../extensions.js";
import { preferences } from "../preferences.js";
import { t } from "../strings.js";
import { pictures } from "./chat.js";
import { icon, iconButton } from "./icon.js";
import { startEditing } from "./message.js";

export function composer(app) {
  const { answering, sending } = app;
  const filled = app.draft.trim() !== "" || app.attachments.some((one) => one.state === "ready");
  return html`
    <form class="composer" @submit=${(event) => submit(app, event)} @paste=${(event) => paste(app, event)}>
      ${inOrder(composerPanels).map((one) => one.render(app))}
      ${app.attachments.length
        ? html`<ul class="plain attachments" aria-label=${t.picturesList}>
            ${repeat(
              app.attachments,
              (one) => one.id,
              (one, index) => attachment(app, one, index),
            )}
          </ul>`
        : nothing}
      <textarea
        id="composer-text"
        aria-label=${t.composerLabel}
        aria-describedby="composer-cost"
        placeholder=${app.online ? t.placeholder : t.placeholderOffline}
        dir="auto"
        rows="1"
        enterkeyhint=${preferences.enterSends ? "send" : "enter"}
        .value=${live(app.draft)}
        @input=${(event) => typed(app, event.target)}
        @keydown=${(event) => keyed(app, event)}
      ></textarea>
      <div class="toolbar" role="group" aria-label=${t.composerTools}>
        <input type="file" id="picker" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*,.heic,.heif" multiple @change=${(event) => picked(app, event.target)} />
        ${iconButton({ name: "picture", label: t.addPictures, run: () => document.getElementById("picker").click() })}
        ${inOrder(composerTools).map((one) => one.render(app))}
        <span class="cost" id="composer-cost">${costLine(app)}</span>
        ${answering
          ? html`<button type="button" class="round primary" aria-label=${t.stop} title=${t.stop} @click=${() => stop(app)}>${icon("stop")}</button>`
          : html`<button type="submit" class="round primary" aria-label=${t.send} title=${t.send} aria-disabled=${!filled || sending || !app.online}>${icon("send")}</button>`}
      </div>
    </form>
    <p class="caution">${t.caution}</p>
  `;
}

function costLine(app) {
  const { total, pictures: ofPictures, context } = cost(app);
  if (!total) return nothing;
  return context && total > context ? t.costTooMuch(total, context) : t.costBefore(total, ofPictures);
}

function attachment(app, one, index) {
  const number = index + 1;
  const last = index === app.attachments.length - 1;
  return html`
    <li class="attachment ${one.state}">
      <img src=${one.url} alt=${t.pictureNumber(number, one.alt || one.name)} @error=${(event) => showKept(one, event.target)} />
      <div class="attachment-words">
        ${one.state === "uploading" ? html`<span>${t.uploading}</span>` : nothing}
        ${one.state === "failed" ? html`<span class="bad">${one.error}</span>` : nothing}
        ${one.warnings.map((warning) => html`<span class="warning">${warning}</span>`)}
        ${one.marks?.length ? html`<span>${t.marksOn(one.marks.length)}</span>` : nothing}
        ${one.alt ? html`<span class="alt" dir="auto">${one.alt}</span>` : nothing}
      </div>
      <div class="attachment-tools">
        ${one.state === "failed" ? iconButton({ name: "again", label: t.retryPicture(number), run: () => app.pictures.retry(one.id) }) : nothing}
        ${one.state === "ready" ? inOrder(attachmentActions).map((action) => action.render(app, one)) : nothing}
        ${app.attachments.length > 1
          ? html`${iconButton({ name: "previous", label: t.moveEarlier(number), disabled: index === 0, run: () => app.pictures.move(one.id, -1) })}
            ${iconButton({ name: "next", label: t.moveLater(number), disabled: last, run: () => app.pictures.move(one.id, 1) })}`
          : nothing}
        ${iconButton({
          name: "close",
          label: t.removePicture(number),
          run: () => {
            app.pictures.remove(one.id);
            document.getElementById("composer-text")?.focus();
          },
        })}
      </div>
    </li>
  `;
}

/** What the browser can't show (HEIC) is shown as the server keeps it. */
function showKept(one, image) {
  const kept = one.sha256 && `/v1/images/${one.sha256}`;
  if (kept && !image.src.endsWith(kept)) image.src = kept;
}

function submit(app, event) {
  event.preventDefault();
  if (!app.online || app.busy) return;
  app.send();
  document.getElementById("composer-text").focus();
}

function stop(app) {
  app.stop();
  document.getElementById("composer-text").focus();
}

function typed(app, box) {
  fit(box);
  app.setDraft(box.value);
}

/** As high as its text, within what the style allows. */
function fit(box) {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

new MutationObserver(() => {
  const box = document.getElementById("composer-text");
  if (box && box.value === "" && box.style.height) box.style.height = "";
}).observe(document.getElementById("app"), { childList: true, subtree: true });

function keyed(app, event) {
  if (event.isComposing) return;
  if (event.key === "Escape" && app.answering) stop(app);
  else if (event.key === "Enter" && !event.shiftKey && (preferences.enterSends || event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.target.form.requestSubmit();
  } else if (event.key === "ArrowUp" && event.target.value === "" && !app.busy) {
    const last = app.messages.findLast((message) => message.role === "user");
    if (!last) return;
    event.preventDefault();
    startEditing(app, last);
  }
}

function paste(app, event) {
  const files = pictures(event.clipboardData?.files ?? []);
  if (!files.length) return;
  event.preventDefault();
  app.addFiles(files);
}

function picked(app, input) {
  app.addFiles([...input.files]);
  input.value = "";
  document.getElementById("composer-text").focus();
}
