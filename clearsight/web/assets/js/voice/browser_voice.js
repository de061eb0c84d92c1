// The browser's own voice, where the server has none or where it is preferred.

import { voicePreference } from "./voice_preferences.js";

const START_MS = 4000; // a browser without any voice says nothing, and does not say that it doesn't

/** Raised when the browser can't speak. */
export class NoBrowserVoice extends Error {}

export class BrowserVoice {
  #end = null;

  unlock() {}

  /** Speak a sentence to its end, or until `stop`. Raises NoBrowserVoice. */
  speak(sentence) {
    return new Promise((resolve, reject) => {
      if (!globalThis.speechSynthesis) return reject(new NoBrowserVoice());
      const said = new SpeechSynthesisUtterance(sentence);
      const voice = speechSynthesis.getVoices().find((one) => one.name === voicePreference("browserVoice"));
      if (voice) Object.assign(said, { voice, lang: voice.lang });
      said.rate = voicePreference("speed");
      const silent = setTimeout(() => {
        speechSynthesis.cancel();
        reject(new NoBrowserVoice());
      }, START_MS);
      const end = () => {
        clearTimeout(silent);
        resolve();
      };
      said.onstart = () => clearTimeout(silent);
      said.onend = end;
      said.onerror = ({ error }) => {
        clearTimeout(silent);
        if (["canceled", "interrupted"].includes(error)) resolve();
        else reject(new NoBrowserVoice());
      };
      this.#end = end;
      return speechSynthesis.speak(said);
    });
  }

  stop() {
    globalThis.speechSynthesis?.cancel();
    this.#end?.();
    this.#end = null;
  }

  pause() {
    speechSynthesis.pause();
  }

  resume() {
    speechSynthesis.resume();
  }

  forget() {}
}
