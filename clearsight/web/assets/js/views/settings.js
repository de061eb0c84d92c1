// What someone prefers, for all conversations. Everything holds at once; nothing has to be saved.

import { html } from "../../vendor/lit-html/lit-html.js";
import { announceStatus } from "../announcer.js";
import * as api from "../api.js";
import { forgetDrafts } from "../drafts.js";
import { inOrder, settingsGroups } from "../extensions.js";
import { prefer, preferences } from "../preferences.js";
import { t } from "../strings.js";
import { icon, iconButton } from "./icon.js";

export function settingsPage(app) {
  const set = (name, value) => {
    prefer(name, value);
    app.change();
  };
  const field = (name, read) => (event) => set(name, read(event.target));
  return html`
    <header class="bar">
      <span class="only-narrow">${iconButton({ name: "menu", label: t.openMenu, id: "menu-button", run: () => app.openSidebar("search-box") })}</span>
      <a class="back" href=${app.conversation ? `#/c/${app.conversation.id}` : "#/"}>${icon("previous")}<span>${t.back}</span></a>
    </header>
    <main id="main" class="scroll">
      <div class="settings">
        <h1 tabindex="-1">${t.settings}</h1>
        <section aria-labelledby="s-appearance">
          <h2 id="s-appearance">${t.appearance}</h2>
          <fieldset class="themes">
            <legend>${t.theme}</legend>
            ${Object.entries(t.themes).map(
              ([value, words]) => html`<label class="theme-choice ${value}">
                <input type="radio" name="theme" value=${value} ?checked=${preferences.theme === value} @change=${() => set("theme", value)} />
                <span class="swatch" aria-hidden="true"><i></i><i></i></span><span>${words}</span>
              </label>`,
            )}
          </fieldset>
        </section>
        <section aria-labelledby="s-reading">
          <h2 id="s-reading">${t.reading}</h2>
          <fieldset>
            <legend>${t.announce}</legend>
            ${Object.entries(t.announces).map(
              ([value, words]) => html`<label class="check">
                <input type="radio" name="announce" value=${value} ?checked=${preferences.announce === value} @change=${() => set("announce", value)} />
                <span>${words}</span>
              </label>`,
            )}
          </fieldset>
          <label class="check"><input type="checkbox" ?checked=${preferences.shortcuts} @change=${field("shortcuts", (box) => box.checked)} /> <span>${t.useShortcuts}</span></label>
          <label class="check"><input type="checkbox" ?checked=${preferences.enterSends} @change=${field("enterSends", (box) => box.checked)} /> <span>${t.enterSends}</span></label>
        </section>
        ${inOrder(settingsGroups).map((one) => one.render(app))}
        <section aria-labelledby="s-answers" @change=${(event) => changed(app, event.target)}>
          <h2 id="s-answers">${t.answers}</h2>
          ${answerFields(app, { ...preferences, model: preferences.model || app.models[0]?.id })}
        </section>
        <section aria-labelledby="s-data">
          <h2 id="s-data">${t.data}</h2>
          <p>${t.account(app.session.user.name)}</p>
          <button type="button" class="secondary" @click=${() => logout(app)}>${t.logout}</button>
        </section>
      </div>
    </main>
  `;
}

function changed(app, { name, value }) {
  if (!["model", "system", "temperature", "maxTokens"].includes(name)) return;
  prefer(name, name === "temperature" || name === "maxTokens" ? Number(value) : value);
  app.change();
}

/** Model, system prompt, temperature, length: for all conversations or for one. */
export function answerFields(app, { model, system, temperature, maxTokens }) {
  return html`
    ${app.models.length > 1
      ? html`<label for="f-model">${t.model}</label>
          <select id="f-model" name="model">
            ${app.models.map((one) => html`<option value=${one.id} ?selected=${one.id === model}>${one.ready ? one.id : t.modelNotReady(one.id)}</option>`)}
          </select>`
      : html`<input type="hidden" name="model" value=${model ?? ""} />`}
    <label for="f-system">${t.system}</label>
    <textarea id="f-system" name="system" rows="4" maxlength="20000" dir="auto" .value=${system ?? ""}></textarea>
    <label for="f-temperature">${t.temperature}</label>
    <p class="faint" id="f-temperature-help">${t.temperatureHelp}</p>
    <div class="row">
      <input
        id="f-temperature"
        name="temperature"
        type="range"
        min="0"
        max="2"
        step="0.1"
        aria-describedby="f-temperature-help"
        .value=${String(temperature ?? 0)}
        @input=${(event) => (event.target.nextElementSibling.value = event.target.value)}
      />
      <output for="f-temperature" .value=${String(temperature ?? 0)}></output>
    </div>
    <label for="f-max">${t.maxTokens}</label>
    <input id="f-max" name="maxTokens" type="number" min="1" inputmode="numeric" placeholder=${t.maxTokensHelp} .value=${maxTokens ? String(maxTokens) : ""} />
  `;
}

async function logout(app) {
  try {
    await api.remove("/v1/session");
    forgetDrafts();
    app.session = null;
    location.hash = "#/";
    announceStatus(t.loggedOut);
    app.change();
  } catch (error) {
    app.fail(error);
  }
}
