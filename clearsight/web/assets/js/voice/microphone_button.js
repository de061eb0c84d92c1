// The microphone button. Held down (pointer, or the space bar): it listens for as long. Pressed shortly, or with Enter,
// or by a screen reader: it listens until it is pressed again. In hands-free mode every press switches.

import { html } from "../../vendor/lit-html/lit-html.js";
import { t } from "../strings.js";
import { icon } from "../views/icon.js";
import { hearing } from "./hear.js";
import { speaker } from "./speak.js";
import { voicePreference } from "./voice_preferences.js";

const HOLD_MS = 350; // shorter is a press
let pressed = null; // {at, wasOpen} while it is held
let byPointer = false; // the click that follows belongs to a pointer that was dealt with

function press() {
  if (pressed) return;
  speaker.stop();
  speaker.unlock();
  pressed = { at: performance.now(), wasOpen: hearing.isOpen };
  if (hearing.isOpen) hearing.finish();
  else hearing.start({ handsFree: voicePreference("handsFree") });
}

function release() {
  if (!pressed) return;
  const { at, wasOpen } = pressed;
  pressed = null;
  if (!wasOpen && !hearing.handsFree && performance.now() - at >= HOLD_MS) hearing.finish();
}

window.addEventListener("blur", release); // a key that is let go elsewhere is not heard of here

function pointerDown(event) {
  if (event.button !== 0) return;
  event.currentTarget.setPointerCapture(event.pointerId);
  byPointer = true;
  press();
}

function key(event) {
  if (event.key === "Escape" && hearing.isOpen) {
    event.preventDefault();
    hearing.cancel();
  } else if (event.key === " ") {
    event.preventDefault();
    if (event.type === "keyup") release();
    else if (!event.repeat) press();
  }
}

function click() {
  if (!byPointer) {
    press();
    pressed = null;
  }
  byPointer = false;
}

export function microphoneButton() {
  const open = hearing.isOpen;
  return html`
    <button
      type="button"
      id="microphone"
      class="icon-button quiet microphone ${open ? "open" : ""}"
      aria-label=${t.microphone}
      title=${voicePreference("handsFree") ? t.microphoneHandsFree : t.microphoneHold}
      aria-description=${voicePreference("handsFree") ? t.microphoneHandsFree : t.microphoneHold}
      aria-pressed=${open}
      @pointerdown=${pointerDown}
      @pointerup=${release}
      @pointercancel=${release}
      @contextmenu=${(event) => event.preventDefault()}
      @keydown=${key}
      @keyup=${key}
      @click=${click}
    >
      ${icon("microphone")}
    </button>
  `;
}
