// Speaking a text sentence by sentence, also one that is still growing: pause, back, repeat, stop. Where the server has
// no voice, the browser's own goes on from the same sentence.

import * as api from "../api.js";
import { announceAlert, announceStatus } from "../announcer.js";
import { errorWords, t } from "../strings.js";
import { BrowserVoice, NoBrowserVoice } from "./browser_voice.js";
import { ServerVoice } from "./server_voice.js";
import { voicePreference } from "./voice_preferences.js";

const ASK_MS = 1500; // without a sound; then the server is asked what it does

/** Tells `change` when its state or its sentence is another. */
export class Speaker extends EventTarget {
  state = "silent"; // silent, speaking, paused
  source = null; // what is being spoken: the id of a message, or any name
  sentences = [];
  at = 0;
  note = ""; // a download that is waited for
  #complete = true;
  #run = 0; // grows with every stop and jump, so that what was before knows that it is over
  #more = null;
  #server = new ServerVoice();
  #browser = new BrowserVoice();
  #serverSpeaks = true; // until it says that it has no voice

  /** The sentence that is heard now. */
  get sentence() {
    return this.state === "silent" ? "" : (this.sentences[this.at] ?? "");
  }

  get #voice() {
    return voicePreference("speakWith") === "server" && this.#serverSpeaks ? this.#server : this.#browser;
  }

  /** Within a press of a key or button; without one, no browser lets a page be heard. */
  unlock() {
    if (this.#voice === this.#server) this.#server.unlock();
  }

  /** Speak these sentences; with `complete` false more may come through `extend` and `finish`. */
  begin(sentences, { source = null, complete = true } = {}) {
    this.stop();
    Object.assign(this, { sentences: [...sentences], source, at: 0, state: "speaking" });
    this.#complete = complete;
    this.#speak();
    this.#changed();
  }

  /** All sentences that are known by now of what is being spoken. */
  extend(sentences) {
    this.sentences.push(...sentences.slice(this.sentences.length));
    this.#more?.();
  }

  /** The same, and no more will come. */
  finish(sentences) {
    this.#complete = true;
    this.extend(sentences);
  }

  /** Silence at once, for good. */
  stop() {
    if (this.state === "silent") return;
    this.#jump();
    this.#server.forget();
    this.state = "silent";
    this.source = null;
    this.#changed();
  }

  pause() {
    if (this.state !== "speaking") return;
    this.#voice.pause();
    this.state = "paused";
    this.#changed();
  }

  resume() {
    if (this.state !== "paused") return;
    this.#voice.resume();
    this.state = "speaking";
    this.#changed();
  }

  /** Once more from `step` sentences away: -1 the one before, 0 this one. */
  again(step) {
    if (this.state === "silent") return;
    this.#jump();
    this.at = Math.min(Math.max(0, this.at + step), Math.max(0, this.sentences.length - 1));
    this.state = "speaking";
    this.#speak();
    this.#changed();
  }

  #jump() {
    this.#run += 1;
    this.#more?.();
    this.#voice.stop();
    if (this.state === "paused") this.#voice.resume();
  }

  async #speak() {
    const run = this.#run;
    while (run === this.#run) {
      const sentence = this.sentences[this.at];
      if (sentence !== undefined) {
        await this.#say(sentence, run);
        if (run !== this.#run) return;
        this.at += 1;
        this.note = "";
        this.#changed();
      } else if (this.#complete) this.stop();
      else await new Promise((resolve) => (this.#more = resolve));
    }
  }

  async #say(sentence, run) {
    const voice = this.#voice;
    const watch = setInterval(() => this.#lookForDownload(), ASK_MS);
    try {
      await voice.speak(sentence, this.sentences[this.at + 1]);
    } catch (error) {
      if (run !== this.#run) return;
      const gone = error.status === 503 && /^speech_/.test(error.code ?? "");
      if (voice === this.#server && gone) {
        this.#serverSpeaks = false;
        announceStatus(t.browserSpeaks);
        await this.#say(sentence, run);
        return;
      }
      announceAlert(error instanceof NoBrowserVoice ? t.noVoice : errorWords(error));
      this.stop();
    } finally {
      clearInterval(watch);
    }
  }

  /** The first sentence may have to wait for the voice itself. */
  async #lookForDownload() {
    if (this.#voice !== this.#server || this.#server.isSounding) return;
    const { speaking } = await api.get("/v1/audio/status").catch(() => ({ speaking: {} }));
    this.note = speaking.state === "fetching" ? t.fetchingVoice(speaking.done_bytes, speaking.total_bytes) : "";
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

/** The one voice of this page. */
export const speaker = new Speaker();
