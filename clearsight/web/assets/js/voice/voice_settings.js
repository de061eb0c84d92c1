// The settings of hearing and speaking.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import * as api from "../api.js";
import { prefer } from "../preferences.js";
import { t } from "../strings.js";
import { browserCanHear } from "./browser_recogniser.js";
import { speaker } from "./speak.js";
import { voicePreference } from "./voice_preferences.js";

let voices = null; // of the server: null before they are asked for, [] where it has none
let fallback = "";

async function look(app) {
  voices = [];
  try {
    const found = await api.get("/v1/audio/voices");
    voices = found.data;
    fallback = found.default ?? "";
  } catch (error) {
    if (error.status !== 503) voices = null; // asked again when the settings are drawn the next time
  }
  app.change();
}

export function voiceSettings(app) {
  if (voices === null) look(app);
  const set = (name, read = (field) => field.value) => (event) => {
    speaker.stop();
    prefer(name, read(event.target));
    app.change();
  };
  return html`
    <section aria-labelledby="s-voice" class="voice-settings">
      <h2 id="s-voice">${t.voiceSettings}</h2>
      ${choice("speakAnswers", t.speakAnswers, t.speakAnswersChoices, set)}
      <p class="faint">${t.speakAnswersHelp}</p>
      ${choice("speakWith", t.speakWith, t.speakWithChoices, set)}
      ${voicePreference("speakWith") === "server" ? serverVoice(set) : browserVoice(set)}
      <label for="f-speed">${t.speed}</label>
      <div class="row">
        <input id="f-speed" type="range" min="0.5" max="2.5" step="0.1" .value=${String(voicePreference("speed"))} aria-valuetext=${t.speedValue(voicePreference("speed"))} @change=${set("speed", (field) => Number(field.value))} />
        <output for="f-speed">${t.speedValue(voicePreference("speed"))}</output>
      </div>
      <button type="button" class="secondary" @click=${() => (speaker.state === "silent" ? speaker.begin([t.voiceSample], { source: "sample" }) : speaker.stop())}>
        ${speaker.state === "silent" ? t.voiceTry : t.speechStop}
      </button>
      <label class="check"><input type="checkbox" ?checked=${voicePreference("handsFree")} aria-describedby="f-hands-free-help" @change=${set("handsFree", (box) => box.checked)} /> <span>${t.handsFree}</span></label>
      <p class="faint" id="f-hands-free-help">${t.handsFreeHelp}</p>
      ${browserCanHear() ? choice("hearWith", t.hearWith, t.hearWithChoices, set) : nothing}
    </section>
  `;
}

const choice = (name, legend, choices, set) => html`
  <fieldset>
    <legend>${legend}</legend>
    ${Object.entries(choices).map(
      ([value, words]) => html`<label class="check">
        <input type="radio" name=${name} value=${value} .checked=${voicePreference(name) === value} @change=${set(name)} />
        <span>${words}</span>
      </label>`,
    )}
  </fieldset>
`;

function serverVoice(set) {
  if (!voices?.length) return html`<p class="faint">${t.serverHasNoVoice}</p>`;
  const chosen = voices.some((one) => one.id === voicePreference("voice")) ? voicePreference("voice") : fallback;
  return select("voice", chosen, voices.map(({ id, language, description }) => [id, `${id} (${language}): ${description}`]), set);
}

function browserVoice(set) {
  const own = (globalThis.speechSynthesis?.getVoices() ?? []).map(({ name, lang }) => [name, `${name} (${lang})`]);
  return select("browserVoice", voicePreference("browserVoice"), [["", t.browserDefaultVoice], ...own], set);
}

const select = (name, chosen, options, set) => html`
  <label for="f-${name}">${t.voiceName}</label>
  <select id="f-${name}" .value=${chosen} @change=${set(name)}>
    ${options.map(([value, words]) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`)}
  </select>
`;
