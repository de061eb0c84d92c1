// The server's voice: a sentence is one request and one buffer, the next is fetched while this one sounds. Sound goes
// through one AudioContext, which is silent within a few milliseconds of being told so.

import { request } from "../api.js";
import { voicePreference } from "./voice_preferences.js";

const KEPT = 8; // sentences, so that going back costs nothing
const playable = (type) => new Audio().canPlayType(type) === "probably";
const format = () => (playable("audio/ogg; codecs=opus") ? "opus" : new Audio().canPlayType("audio/mpeg") ? "mp3" : "wav");

export class ServerVoice {
  #context = null;
  #source = null;
  #end = null; // ends the sentence that is waited for
  #buffers = new Map(); // sentence with voice and speed: {buffer: promise, abort}

  get isSounding() {
    return this.#source !== null;
  }

  /** Call within a press of a key or button: browsers allow no sound before. */
  unlock() {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    return this.#context.resume();
  }

  /** Speak a sentence to its end, or until `stop`. Raises ApiError when the server can't. */
  async speak(sentence, next) {
    const ended = new Promise((resolve) => (this.#end = resolve));
    const end = this.#end;
    const [buffer] = await Promise.all([Promise.race([this.#buffer(sentence), ended]), Promise.race([this.unlock(), ended])]);
    if (!buffer || end !== this.#end) return;
    if (next) this.#buffer(next).catch(() => {}); // said again when its turn comes
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.onended = end;
    source.start();
    this.#source = source;
    await ended;
    if (this.#source === source) this.#source = null;
  }

  /** Silence at once. */
  stop() {
    this.#source?.disconnect();
    this.#source?.stop();
    this.#source = null;
    this.#end?.();
    this.#end = null;
  }

  pause() {
    return this.#context?.suspend();
  }

  resume() {
    return this.#context?.resume();
  }

  /** Stop fetching what nobody is going to hear. */
  forget() {
    for (const { abort } of this.#buffers.values()) abort.abort();
    this.#buffers.clear();
  }

  /** The sound of a sentence; null for one in which nothing can be heard. */
  #buffer(sentence) {
    const key = JSON.stringify([sentence, voicePreference("voice"), voicePreference("speed")]);
    if (!this.#buffers.has(key)) {
      const abort = new AbortController();
      this.#buffers.set(key, { abort, buffer: this.#fetch(sentence, abort.signal) });
      this.#buffers.get(key).buffer.catch(() => this.#buffers.delete(key));
      if (this.#buffers.size > KEPT) this.#buffers.delete(this.#buffers.keys().next().value);
    }
    return this.#buffers.get(key).buffer;
  }

  async #fetch(sentence, signal) {
    const body = {
      model: "clearsight-speech",
      input: sentence,
      voice: voicePreference("voice") || "alloy",
      speed: voicePreference("speed"),
      response_format: format(),
    };
    try {
      const response = await request("POST", "/v1/audio/speech", { body, signal });
      const encoded = await response.arrayBuffer();
      this.#context ??= new AudioContext({ latencyHint: "interactive" });
      return await this.#context.decodeAudioData(encoded);
    } catch (error) {
      if (error.status === 400) return null; // only signs: there is nothing in it to be heard
      throw error;
    }
  }
}
