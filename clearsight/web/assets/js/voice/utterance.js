// One thing that is being said: its sound, and what the server understands of it so far. At each pause the sound up to
// there is sent; if nothing was said after it, its answer is the last word and nothing is sent twice.

import { events, request } from "../api.js";
import { resampled, wav } from "./wav.js";

/** What the server hears in some frames; `heard` is told the text as it grows. Raises ApiError. */
async function transcribe(frames, rate, signal, heard) {
  const form = new FormData();
  form.append("file", wav(await resampled(frames, rate)), "speech.wav");
  form.append("model", "whisper-base");
  form.append("stream", "true");
  let text = "";
  for await (const event of events(await request("POST", "/v1/audio/transcriptions", { body: form, signal }))) {
    if (event.error) throw new Error(event.error.message);
    if (event.type === "transcript.text.delta") heard((text += event.delta));
    else if (event.type === "transcript.text.done") text = event.text;
  }
  return text.trim();
}

export class Utterance {
  #frames = [];
  #voicedTo = 0; // frames up to the last voiced one
  #asked = null; // {to, text: promise} of the last request
  #asking = false;
  #abort = new AbortController();

  /** `heard` is told what is understood so far. */
  constructor(rate, heard, before = []) {
    this.rate = rate;
    this.heard = heard;
    this.#frames = [...before];
  }

  get seconds() {
    return this.#frames.length ? (this.#frames.length * this.#frames[0].length) / this.rate : 0;
  }

  get isVoiced() {
    return this.#voicedTo > 0;
  }

  push(frame, voiced) {
    this.#frames.push(frame);
    if (voiced) this.#voicedTo = this.#frames.length;
  }

  /** At a pause: ask what has been said up to here, unless that is asked already. */
  ask() {
    if (this.#asking || (this.#asked?.to ?? 0) >= this.#voicedTo) return;
    this.#send().catch(() => {}); // the whole is asked for at the end, and fails there
  }

  /** All that was said; empty when nothing was. Raises ApiError. */
  async text() {
    if (!this.isVoiced) return "";
    if (this.#asked && this.#asked.to >= this.#voicedTo) {
      const known = await this.#asked.text.catch(() => null);
      if (known !== null) return known;
    } else if (this.#asking) this.#abort.abort(); // the server turns to the whole at once
    return this.#send();
  }

  discard() {
    this.#abort.abort();
  }

  #send() {
    const abort = (this.#abort = new AbortController());
    const text = transcribe(this.#frames, this.rate, abort.signal, this.heard);
    this.#asked = { to: this.#frames.length, text };
    this.#asking = true;
    const over = () => {
      if (this.#abort === abort) this.#asking = false;
    };
    text.then(over, over);
    return text;
  }
}
