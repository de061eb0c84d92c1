// #/describe: one big button, the result, and what can be done next. Made for one hand and 320 pixels: actions are at the
// bottom, as wide as the screen.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { announceLog } from "../announcer.js";
import { afterDraw } from "../frames.js";
import { hasCamera, openCamera } from "../pictures/camera.js";
import { t } from "../strings.js";
import { icon, iconButton } from "../views/icon.js";
import { Describing } from "./describing.js";
import { explanation, withDoubts } from "./doubts.js";

let describing = null;

export function describeView(app) {
  describing ??= new Describing(app);
  const { state, busy } = describing;
  const start = state === "idle";
  return html`
    <header class="bar">
      <span class="only-narrow">${iconButton({ name: "menu", label: t.openMenu, id: "menu-button", run: () => app.openSidebar("search-box") })}</span>
    </header>
    <main class="scroll" id="main">
      <div class="describe ${start ? "start" : ""}">
        <h1 tabindex="-1">${t.describe}</h1>
        ${start ? html`<p class="lead">${t.describeLead}</p>` : result()}
        <div class="describe-actions">
          ${busy
            ? html`<button type="button" class="secondary" @click=${() => describing.stop()}>${icon("stop")}<span>${t.describeStop}</span></button>`
            : start
              ? pick(app)
              : html`${next(app)}${pick(app, true)}`}
        </div>
      </div>
    </main>
  `;
}

function pick(app, again = false) {
  const taken = (file) => {
    describing.begin(file);
    afterDraw(() => document.querySelector(".describe h1")?.focus());
  };
  const chosen = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) taken(file);
  };
  return html`
    <input type="file" id="describe-camera" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*" capture="environment" @change=${chosen} />
    <input type="file" id="describe-file" class="unseen" tabindex="-1" aria-hidden="true" accept="image/*,.heic,.heif" @change=${chosen} />
    <button
      type="button"
      class=${again ? "primary" : "primary big"}
      ?disabled=${!app.online}
      @click=${() => (hasCamera() ? openCamera(app, taken) : document.getElementById("describe-camera").click())}
    >
      ${icon("camera")}<span>${again ? t.describeAgain : t.takePicture}</span>
    </button>
    <button type="button" class="secondary" ?disabled=${!app.online} @click=${() => document.getElementById("describe-file").click()}>${icon("picture")}<span>${t.describeChoose}</span></button>
  `;
}

function result() {
  const { state, url, error, result: found } = describing;
  return html`
    <img class="described" src=${url} alt=${t.describeAlt} />
    ${found.advice.length
      ? html`<section class="describe-advice" aria-labelledby="about-picture">
          <h2 id="about-picture">${icon("warning")}${t.describeQuality}</h2>
          ${found.advice.map((line) => html`<p>${line}</p>`)}
        </section>`
      : nothing}
    <section aria-labelledby="on-picture" aria-busy=${describing.busy}>
      <h2 id="on-picture" class="unseen">${t.describeResult}</h2>
      ${found.text ? html`<p class="description" dir="auto">${withDoubts(found.text, found.doubts)}</p>` : nothing}
      ${describing.busy ? html`<p class="thinking" aria-hidden="true"><span></span>${state === "looking" ? t.describeLooking : t.describeChecking}</p>` : nothing}
      ${error ? html`<p class="note">${icon("warning")}${error}</p>` : nothing}
      ${found.checked ? explanation(found.doubts, found.samples) : html`<p class="faint">${t.notChecked}</p>`}
    </section>
    ${found.writing
      ? html`<section class="describe-writing" aria-labelledby="written">
          <h2 id="written">${t.describeWriting}</h2>
          <p class="writing" dir="auto">${found.writing}</p>
          <p class="faint">${t.writingBy(found.reader)}</p>
        </section>`
      : nothing}
    ${found.cautions.length
      ? html`<section class="describe-cautions" aria-labelledby="check-person">
          <h2 id="check-person">${t.describeCautions}</h2>
          ${found.cautions.map((line) => html`<p>${line}</p>`)}
        </section>`
      : nothing}
  `;
}

function next(app) {
  const { conversation, result: found } = describing;
  const { hand_over: handOver } = app.session;
  const ask = () => {
    location.hash = `#/c/${conversation}`; // following it moves focus to the message box
  };
  return html`
    ${conversation && found.text
      ? html`<div class="describe-next">
          <button type="button" class="secondary" @click=${() => describing.goOn("detail")}>${t.describeDetail}</button>
          <button type="button" class="secondary" @click=${() => describing.read()}>${t.describeRead}</button>
          <button type="button" class="secondary" @click=${ask}>${t.describeAsk}</button>
          <button type="button" class="secondary" @click=${() => announceLog(describing.spoken)}>${t.describeRepeat}</button>
        </div>`
      : nothing}
    ${handOver ? html`<a class="button-link" href=${handOver} rel="noopener noreferrer" target=${handOver.startsWith("https:") ? "_blank" : nothing}>${icon("share")}<span>${t.describeHandOver}</span></a>` : nothing}
  `;
}
