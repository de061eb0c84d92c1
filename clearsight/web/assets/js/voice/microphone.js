// The microphone: opened when asked, closed for good when not, and its sound in frames with what the detector says.

const WORKLET = new URL("./vad_worklet.js", import.meta.url).href;

export class Microphone {
  #stream = null;
  #context = null;
  #node = null;
  #closed = false;
  rate = 0; // samples a second

  /**
   * Open it; `heard` is called about fifty times a second with {frame, level, voiced, speaking, silence}, `lost` when the
   * device is gone. Raises DOMException as getUserMedia does, NotSupportedError where a page may not even ask.
   */
  async open(heard, lost) {
    if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) throw new DOMException("", "NotSupportedError");
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    if (this.#closed) return this.close(); // somebody changed their mind while the browser asked
    for (const track of this.#stream.getTracks()) track.onended = lost;
    this.#context = new AudioContext();
    this.rate = this.#context.sampleRate;
    await this.#context.audioWorklet.addModule(WORKLET);
    if (this.#closed) return undefined;
    this.#node = new AudioWorkletNode(this.#context, "microphone", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#node.port.onmessage = ({ data }) => heard(data);
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
    await this.#context.resume();
    return undefined;
  }

  /** Be harder to convince while the page itself speaks. */
  guard(guarded) {
    this.#node?.port.postMessage({ guarded });
  }

  /** Let it go: the browser's own sign of recording goes out. */
  close() {
    this.#closed = true;
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    if (this.#node) {
      this.#node.port.onmessage = null;
      this.#node.port.postMessage("close");
    }
    this.#context?.close();
    this.#stream = this.#context = this.#node = null;
  }
}
