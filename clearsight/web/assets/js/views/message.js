// One turn: an article with a heading, its pictures, its text, and one row of actions.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { alternativeNow } from "../alternatives.js";
import { plainText } from "../answers.js";
import { imageUrl } from "../api.js";
import { inOrder, messageActions, pictureActions } from "../extensions.js";
import { feedback } from "../feedback.js";
import { afterDraw } from "../frames.js";
import { copyText } from "../markdown.js";
import { t } from "../strings.js";
import { icon, iconButton } from "./icon.js";

export function messageView(app, message) {
  const mine = message.role === "user";
  const heading = `said-${message.id}`;
  return html`
    <article class="message ${mine ? "user" : "assistant"}" id="m-${message.id}" tabindex="-1" aria-labelledby=${heading}>
      <h2 class="said" id=${heading}>${mine ? t.youSaid : html`${icon("logo")}<span>${t.clearsightSaid}</span>`}</h2>
      ${mine ? turn(app, message) : answer(app, message)}
      ${actions(app, message)}
    </article>
  `;
}

function turn(app, message) {
  const pictures = message.content.filter((part) => part.type === "image");
  const text = plainText(message);
  return html`
    ${pictures.length
      ? html`<ul class="plain pictures">
          ${pictures.map((part, index) => html`<li>${picture(app, part, index)}</li>`)}
        </ul>`
      : nothing}
    ${app.editing === message.id ? editor(app, message, text) : text ? html`<p class="said-text" dir="auto">${text}</p>` : nothing}
  `;
}

function picture(app, part, index) {
  const alt = alternativeNow(part.sha256, () => app.change()) || t.pictureNumber(index + 1, t.altWaiting);
  return html`
    <figure class="picture">
      <button type="button" class="picture-open" aria-label=${t.openPicture(alt)} @click=${() => app.showDialog({ kind: "picture", part, alt })}>
        <img src=${imageUrl(part.sha256)} alt=${alt} loading="lazy" decoding="async" @load=${(event) => event.target.classList.add("there")} />
      </button>
      ${part.marks?.length ? html`<figcaption>${t.marksOn(part.marks.length)}</figcaption>` : nothing}
      <div class="picture-actions">${inOrder(pictureActions).map((one) => one.render(app, part))}</div>
    </figure>
  `;
}

function editor(app, message, text) {
  const send = (event) => {
    event.preventDefault();
    const value = new FormData(event.target).get("text");
    app.edit(message.id, value);
    document.getElementById("composer-text")?.focus();
  };
  const stop = () => {
    app.editing = null;
    app.change();
    document.getElementById("composer-text")?.focus();
  };
  return html`
    <form
      class="edit"
      @submit=${send}
      @keydown=${(event) => {
        if (event.key === "Escape") stop();
        else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
      }}
    >
      <textarea name="text" id="edit-text" aria-label=${t.editLabel} dir="auto" rows="3">${text}</textarea>
      <div class="row end">
        <button type="button" class="quiet" @click=${stop}>${t.cancel}</button>
        <button type="submit" class="primary">${t.editSend}</button>
      </div>
    </form>
  `;
}

function answer(app, message) {
  const text = plainText(message);
  const note = t.statusNote[message.status] ?? (message.details?.finish_reason === "length" ? t.cut : null);
  const streaming = message.status === "streaming";
  return html`
    <clear-prose class="prose ${streaming ? "growing" : ""}" .text=${text}></clear-prose>
    ${streaming && !text ? html`<p class="thinking" aria-hidden="true"><span></span>${t.thinking}</p>` : nothing}
    ${streaming && app.interrupted && app.answering?.id === message.id ? html`<p class="note">${icon("offline")}${t.connectionLost}</p>` : nothing}
    ${note ? html`<p class="note">${icon("warning")}${message.details?.error ?? note}</p>` : nothing}
    ${message.details?.turns_left_out ? html`<p class="note">${icon("warning")}${t.leftOut(message.details.turns_left_out)}</p>` : nothing}
  `;
}

function actions(app, message) {
  const mine = message.role === "user";
  if (message.status === "streaming" || app.editing === message.id) return html`<div class="actions"></div>`;
  const text = plainText(message);
  const { usage, seconds } = message.details ?? {};
  return html`
    <div class="actions" role="group" aria-label=${t.actionsFor(mine ? t.youSaid : t.clearsightSaid)}>
      ${branches(app, message)}
      ${text
        ? iconButton({ name: "copy", label: mine ? t.copyMessage : t.copyAnswer, run: () => copyText(text) })
        : nothing}
      ${mine
        ? iconButton({ name: "edit", label: t.edit, disabled: app.busy, run: () => startEditing(app, message) })
        : iconButton({ name: "again", label: t.regenerate, disabled: app.busy, run: () => app.regenerate(message.id) })}
      ${mine ? nothing : feedback.buttons(app, message)}
      ${inOrder(messageActions).map((one) => one.render(app, message))}
      ${usage ? html`<span class="usage">${t.usage(usage)}${seconds ? ` · ${t.seconds(seconds)}` : ""}</span>` : nothing}
    </div>
  `;
}

export function startEditing(app, message) {
  app.editing = message.id;
  app.change();
  afterDraw(() => {
    const box = document.getElementById("edit-text");
    box?.focus();
    box?.setSelectionRange(box.value.length, box.value.length);
  });
}

function branches(app, message) {
  const { ids, index } = app.sisters(message);
  if (ids.length < 2) return nothing;
  return html`
    <span class="branches" role="group" aria-label=${t.branches}>
      ${iconButton({ name: "previous", label: t.previousBranch, disabled: index === 0 || app.busy, run: () => app.turn(message.id, -1) })}
      <span>${t.branchOf(index + 1, ids.length)}</span>
      ${iconButton({ name: "next", label: t.nextBranch, disabled: index === ids.length - 1 || app.busy, run: () => app.turn(message.id, 1) })}
    </span>
  `;
}
