// What someone prefers of hearing and speaking, kept with all other preferences.
//
// Nothing is spoken until it is asked for: a browser does not tell whether a screen reader runs, and guessing wrong
// would make two voices talk at once.

import { preferences } from "../preferences.js";

const DEFAULTS = {
  speakAnswers: "never", // never; spoken: answers to what was said, not typed; always
  speakWith: "server", // server or browser
  voice: "", // of the server; empty is its default
  browserVoice: "", // by its name; empty is the browser's default
  speed: 1,
  handsFree: false, // the microphone button listens until it is pressed again, and what is heard is sent at once
  hearWith: "server", // server or browser
};

/** The value of one of them. */
export const voicePreference = (name) => preferences[name] ?? DEFAULTS[name];
