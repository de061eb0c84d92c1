// A shared conversation: only to be read, without an account.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { plainText } from "../answers.js";
import { get } from "../api.js";
import { path } from "../branches.js";
import "../markdown.js";
import { t } from "../strings.js";
import { icon } from "./icon.js";

let found = null;
let failed = false;
let token = "";

export async function openShared(given) {
  token = given;
  try {
    found = await get(`/v1/shared/${token}`);
  } catch {
    failed = true;
  }
}

export function sharedPage() {
  if (!found && !failed) return html`<main class="opening"><h1>${t.product}</h1><p>${t.loading}</p></main>`;
  return html`
    <header class="bar shared-bar">
      <p class="brand">${icon("logo")} ${t.product}</p>
    </header>
    <main class="shared-page" id="main">
      ${failed ? html`<h1>${t.sharedPage}</h1><p>${t.sharedGone}</p>` : content(found)}
    </main>
  `;
}

function content({ title, messages }) {
  const all = new Map(messages.map((message) => [message.id, message]));
  return html`
    <h1 dir="auto">${title || t.sharedPage}</h1>
    <p class="faint">${t.sharedText}</p>
    <div class="turns">${path(all, new Map()).map(message)}</div>
  `;
}

function message(one) {
  const mine = one.role === "user";
  const heading = `said-${one.id}`;
  const pictures = one.content.filter((part) => part.type === "image");
  return html`
    <article class="message ${mine ? "user" : "assistant"}" aria-labelledby=${heading}>
      <h2 class="said" id=${heading}>${mine ? t.sharedYou : html`${icon("logo")}<span>${t.clearsightSaid}</span>`}</h2>
      ${pictures.length
        ? html`<ul class="plain pictures">
            ${pictures.map(
              (part, index) => html`<li>
                <figure class="picture">
                  <img src="/v1/shared/${token}/images/${part.sha256}" alt=${part.alt || t.pictureNumber(index + 1, t.altWaiting)} loading="lazy" />
                </figure>
              </li>`,
            )}
          </ul>`
        : nothing}
      ${mine ? html`<p class="said-text" dir="auto">${plainText(one)}</p>` : html`<clear-prose class="prose" .text=${plainText(one)}></clear-prose>`}
    </article>
  `;
}
