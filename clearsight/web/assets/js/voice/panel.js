// What is heard and what is said, above the message box: visible text for everything that is sound, and its controls.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { t } from "../strings.js";
import { icon, iconButton } from "../views/icon.js";
import { hearing } from "./hear.js";
import { speaker } from "./speak.js";

/** The panel, or nothing while there is silence. */
export function voicePanel() {
  const hears = hearing.state !== "off" || hearing.note;
  const speaks = speaker.state !== "silent";
  if (!hears && !speaks) return nothing;
  return html`
    <section class="voice" aria-label=${t.voicePanel}>
      ${hears ? heard() : nothing} ${speaks ? spoken() : nothing}
    </section>
  `;
}

function heard() {
  const open = hearing.isOpen;
  return html`
    <div class="voice-row heard ${hearing.state}">
      ${open ? html`<span class="voice-dot" aria-hidden="true"></span>` : nothing}
      <span class="voice-state">${t.hearingStates[hearing.state]}</span>
      ${open ? html`<span class="voice-level" aria-hidden="true"><i></i></span>` : nothing}
      <span class="voice-buttons">
        ${open && !hearing.handsFree ? iconButton({ name: "done", label: t.finishSpeaking, run: () => hearing.finish() }) : nothing}
        ${open || hearing.state === "recognising"
          ? iconButton({ name: "close", label: hearing.handsFree ? t.endHandsFree : t.discardSpeech, run: () => leave(() => hearing.cancel()) })
          : iconButton({ name: "close", label: t.dismiss, run: () => leave(dismiss) })}
      </span>
      ${hearing.partial ? html`<p class="voice-text" dir="auto">${hearing.partial}</p>` : nothing}
      ${hearing.note ? html`<p class="voice-note">${hearing.note}</p>` : nothing}
      ${hearing.offersBrowser
        ? html`<button type="button" class="secondary" @click=${() => leave(() => hearing.acceptBrowser())}>${t.useBrowserRecogniser}</button>`
        : nothing}
    </div>
  `;
}

function dismiss() {
  hearing.note = "";
  hearing.offersBrowser = false;
  hearing.dispatchEvent(new CustomEvent("change"));
}

/** Do what takes a button away, and leave focus at the microphone rather than nowhere. */
function leave(run) {
  document.getElementById("microphone")?.focus();
  run();
}

function spoken() {
  const paused = speaker.state === "paused";
  return html`
    <div class="voice-row spoken">
      ${icon("speaker")}
      <span class="voice-state">${paused ? t.speechPaused : t.speechSounds}</span>
      <span class="voice-buttons" role="group" aria-label=${t.speechControls}>
        ${iconButton({ name: "previous", label: t.sentenceBack, run: () => speaker.again(-1) })}
        ${iconButton({ name: "again", label: t.sentenceAgain, run: () => speaker.again(0) })}
        ${iconButton({ name: paused ? "next" : "pause", label: paused ? t.speechResume : t.speechPause, run: () => (paused ? speaker.resume() : speaker.pause()) })}
        ${iconButton({ name: "stop", label: t.speechStop, run: () => leave(() => speaker.stop()) })}
      </span>
      <p class="voice-text" dir="auto">${speaker.sentence}</p>
      ${speaker.note ? html`<p class="voice-note">${speaker.note}</p>` : nothing}
    </div>
  `;
}
