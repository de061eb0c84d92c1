// The browser's own recogniser, for a server that has none. Many browsers send the sound to their maker for it, so it is
// used only after someone agreed; where the browser can do it on the device, it is asked to.

const Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;

export const browserCanHear = () => Boolean(Recognition);

export class BrowserRecogniser {
  #recognition = null;
  #text = "";
  #ended = null;

  /** Listen; `heard(text)` is told the text as it grows, `sentence(text)` each finished one. `failed(name)` ends it. */
  async open({ continuous, heard, sentence, failed }) {
    const recognition = (this.#recognition = new Recognition());
    Object.assign(recognition, { continuous, interimResults: true, lang: navigator.language });
    const local = await Recognition.available?.({ langs: [navigator.language], processLocally: true }).catch(() => null);
    if (local === "available") recognition.processLocally = true;
    if (!this.#recognition) return; // closed in the meantime
    recognition.onresult = ({ results, resultIndex }) => {
      this.#text = [...results].map((one) => one[0].transcript).join("");
      heard(this.#text.trim());
      for (const one of [...results].slice(resultIndex)) if (one.isFinal) sentence(one[0].transcript.trim());
    };
    recognition.onerror = ({ error }) => !["no-speech", "aborted"].includes(error) && failed(error);
    recognition.onend = () => {
      this.#ended?.();
      if (this.#recognition === recognition && continuous) recognition.start(); // browsers end it now and then
    };
    recognition.start();
  }

  /** End it, and give all that was understood. */
  async text() {
    const recognition = this.#recognition;
    this.#recognition = null;
    await new Promise((resolve) => {
      this.#ended = resolve;
      setTimeout(resolve, 3000);
      recognition?.stop();
    });
    return this.#text.trim();
  }

  close() {
    const recognition = this.#recognition;
    this.#recognition = null;
    recognition?.abort();
  }
}
