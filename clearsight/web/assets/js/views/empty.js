// What a new conversation shows: a picture to begin with, and questions that can be asked about it.

import { html } from "../../vendor/lit-html/lit-html.js";
import { t } from "../strings.js";
import { icon } from "./icon.js";

const SAMPLE = new URL("../../pictures/sample.png", import.meta.url).href;

async function trySample(app, question) {
  const data = await (await fetch(SAMPLE)).blob();
  await app.addFiles([new File([data], "sample.png", { type: "image/png" })]);
  document.getElementById("composer-text")?.focus();
  await app.send(question);
}

export function emptyState(app) {
  return html`
    <div class="empty">
      <h2>${t.emptyTitle}</h2>
      <p>${t.emptyText}</p>
      <div class="sample">
        <img src=${SAMPLE} alt=${t.samplePicture} width="448" height="448" />
        <div>
          <h3>${t.sampleTry}</h3>
          <ul class="plain suggestions">
            ${t.suggestions.map(
              (question) => html`<li>
                <button type="button" class="suggestion" ?disabled=${app.busy} @click=${() => trySample(app, question).catch((error) => app.fail(error))}>
                  <span>${question}</span>${icon("send")}
                </button>
              </li>`,
            )}
          </ul>
        </div>
      </div>
    </div>
  `;
}
