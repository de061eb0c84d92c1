// Hearing and speaking as parts of the page: the microphone in the composer, "Read aloud" below answers, the panel, the
// settings, and what stops what.

import { nothing } from "../../vendor/lit-html/lit-html.js";
import { announceStatus } from "../announcer.js";
import { plainText } from "../answers.js";
import { composerPanels, composerTools, extraShortcuts, messageActions, settingsGroups } from "../extensions.js";
import { app } from "../state.js";
import { t } from "../strings.js";
import { iconButton } from "../views/icon.js";
import { hearing } from "./hear.js";
import { microphoneButton } from "./microphone_button.js";
import { voicePanel } from "./panel.js";
import { speaker } from "./speak.js";
import { sentencesOf, settledSentences, speakableElement } from "./speakable.js";
import { splitSentences } from "./sentences.js";
import { voicePreference } from "./voice_preferences.js";
import { voiceSettings } from "./voice_settings.js";

const ANSWER_ENDS_MS = 10_000;
let spokenTurn = false; // what is sent next was said, not typed
let place = ""; // where the microphone was opened

composerTools.push({ order: 40, render: microphoneButton });
composerPanels.push({ order: 10, render: voicePanel });
messageActions.push({ order: 10, render: readAloudButton });
settingsGroups.push({ order: 20, render: voiceSettings });
extraShortcuts.push(
  { code: "KeyM", label: t.shortcutMicrophone, run: () => document.getElementById("microphone")?.click() },
  { code: "KeyP", label: t.shortcutPause, run: () => (speaker.state === "paused" ? speaker.resume() : speaker.pause()) },
  { code: "KeyB", label: t.sentenceBack, run: () => speaker.again(-1) },
);

/** Speak what is drawn in an element; words of class `doubtful` are named as such. */
export function readElement(element, source) {
  speaker.begin(splitSentences(speakableElement(element)), { source });
}

function readAloudButton(app, message) {
  if (message.role !== "assistant" || !plainText(message)) return nothing;
  const reading = speaker.source === message.id;
  return iconButton({
    name: reading ? "stop" : "speaker",
    label: reading ? t.speechStop : t.readAloud,
    run: () => (reading ? speaker.stop() : readAloud(message)),
  });
}

function readAloud(message) {
  const drawn = document.getElementById(`m-${message.id}`);
  if (drawn?.querySelector(".doubtful")) readElement(drawn.querySelector(".prose"), message.id);
  else speaker.begin(sentencesOf(plainText(message)), { source: message.id });
}

// An answer is spoken while it streams.
app.addEventListener("answer-start", ({ detail: { message } }) => {
  speaker.stop();
  const wanted = voicePreference("speakAnswers");
  const speaks = wanted === "always" || (wanted === "spoken" && spokenTurn);
  spokenTurn = false;
  if (speaks) speaker.begin(settledSentences(plainText(message)), { source: message.id, complete: false });
});
app.addEventListener("answer-text", ({ detail: { message, text } }) => {
  if (speaker.source === message.id) speaker.extend(settledSentences(text));
});
app.addEventListener("answer-end", ({ detail: { message, status } }) => {
  if (speaker.source !== message.id) return;
  if (status === "complete") speaker.finish(sentencesOf(plainText(message)));
  else if (status === "stopped" || status === "filtered") speaker.stop();
  else speaker.finish(speaker.sentences);
});

// What was said goes into the message box, or in hands-free mode straight to the model.
hearing.addEventListener("text", async ({ detail: { text, handsFree } }) => {
  spokenTurn = true;
  const whole = [app.draft.trimEnd(), text].filter(Boolean).join(" ");
  if (!handsFree) {
    app.setDraft(whole);
    announceStatus(t.heard(text));
    return;
  }
  if (app.busy) {
    await Promise.all([answerEnd(), app.stop()]);
    spokenTurn = true;
  }
  app.send(whole);
});

const answerEnd = () =>
  new Promise((resolve) => {
    app.addEventListener("answer-end", resolve, { once: true });
    setTimeout(resolve, ANSWER_ENDS_MS);
  });

// Who begins to speak, or to type, is not talked over.
hearing.addEventListener("onset", () => speaker.stop());
speaker.addEventListener("change", () => hearing.guard(speaker.state === "speaking"));
document.addEventListener(
  "keydown",
  (event) => {
    if (speaker.state === "silent") return;
    const types = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Escape" && !app.dialog && !app.menu) {
      event.preventDefault();
      event.stopPropagation(); // the first Escape is for silence, the next one stops the answer
      speaker.stop();
    } else if (types && event.target.closest?.("textarea, input")) speaker.stop();
  },
  true,
);
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => voicePreference("speakAnswers") !== "never" && speaker.unlock(), { once: true });
}

// Nothing is heard where nothing shows it.
document.addEventListener("visibilitychange", () => document.hidden && hearing.isOpen && hearing.hide());
window.addEventListener("pagehide", () => (hearing.cancel(), speaker.stop()));
app.addEventListener("change", () => {
  const now = app.session ? `${app.route.name}` : "";
  if (hearing.isOpen && place && now !== place) hearing.hide();
  place = now;
  if (speaker.state !== "silent" && !app.session) speaker.stop();
});

let conversation = null;
app.addEventListener("change", () => {
  const open = app.conversation?.id ?? null;
  if (conversation && open !== conversation && app.messages.every((one) => one.id !== speaker.source)) speaker.stop();
  conversation = open;
});

for (const one of [hearing, speaker]) one.addEventListener("change", () => app.change());
hearing.addEventListener("level", () => {
  document.querySelector(".voice-level i")?.style.setProperty("transform", `scaleX(${hearing.level.toFixed(2)})`);
});
