// The microphone's sound in frames, with what the detector says about each: runs beside the page, where no work of the
// page delays it.

import { VoiceDetector } from "./vad.js";

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.detector = new VoiceDetector(sampleRate); // sampleRate is the worklet's own
    this.frame = new Float32Array(this.detector.size);
    this.filled = 0;
    this.open = true;
    this.port.onmessage = ({ data }) => {
      if (data === "close") this.open = false;
      else this.detector.guarded = data.guarded;
    };
  }

  process([[samples]]) {
    for (let at = 0; samples && at < samples.length; ) {
      const count = Math.min(samples.length - at, this.frame.length - this.filled);
      this.frame.set(samples.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === this.frame.length) this.#send();
    }
    return this.open;
  }

  #send() {
    this.filled = 0;
    const frame = this.frame.slice();
    this.port.postMessage({ frame, ...this.detector.push(frame) }, [frame.buffer]);
  }
}

registerProcessor("microphone", Microphone);
