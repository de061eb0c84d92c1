// Hearing: held down for as long as somebody speaks, switched on and off, or hands-free, where the detector finds each
// utterance's beginning and end. The microphone is open only while the page shows that it is: not in a hidden tab, not
// in another view. While it is open nothing is announced: it would be heard.

import { announceAlert, announceStatus } from "../announcer.js";
import * as api from "../api.js";
import { prefer } from "../preferences.js";
import { errorWords, t } from "../strings.js";
import { BrowserRecogniser, browserCanHear } from "./browser_recogniser.js";
import { Microphone } from "./microphone.js";
import { Utterance } from "./utterance.js";
import { voicePreference } from "./voice_preferences.js";

const PAUSE_SECONDS = 0.35; // of silence; then what was said so far is sent for a first look
const BEFORE_SECONDS = 0.6; // kept from before an utterance was noticed
const LONGEST_SECONDS = 300;
const ASK_MS = 1500;

/** Tells `change`, `onset` when somebody begins to speak, and `text` {text, handsFree} with what was said. */
export class Hearing extends EventTarget {
  state = "off"; // off, opening, waiting (hands-free, for a voice), recording, recognising
  handsFree = false;
  partial = ""; // what is understood so far
  note = ""; // what has to be known: a download, nothing understood
  offersBrowser = false; // the server can't; the browser may be asked
  level = 0; // 0 to 1, how loud it is
  #microphone = null;
  #recogniser = null;
  #utterance = null;
  #before = [];
  #turns = Promise.resolve(); // utterances are understood in their order
  #pending = 0;
  #watching = 0;
  #run = 0;

  get isOpen() {
    return ["opening", "waiting", "recording"].includes(this.state);
  }

  get seconds() {
    return this.#utterance?.seconds ?? 0;
  }

  /** Open the microphone. */
  async start({ handsFree = false } = {}) {
    if (this.isOpen) return;
    const run = this.#run;
    Object.assign(this, { state: "opening", handsFree, partial: "", note: "", offersBrowser: false });
    this.#changed();
    try {
      const usesBrowser = voicePreference("hearWith") === "browser" && browserCanHear();
      if (!usesBrowser && !(await this.#serverHears())) {
        if (run === this.#run) this.#offerBrowser();
        return;
      }
      if (run !== this.#run) return;
      await (usesBrowser ? this.#openRecogniser() : this.#openMicrophone());
      if (run !== this.#run) return;
      this.state = handsFree && !usesBrowser ? "waiting" : "recording";
    } catch (error) {
      if (run !== this.#run) return;
      this.cancel();
      announceAlert(t.microphoneErrors[error.name] ?? errorWords(error));
    }
    this.#changed();
  }

  /** That was all: close the microphone and understand what was said. */
  async finish() {
    if (!this.isOpen) return;
    if (this.state === "opening") {
      this.cancel();
      this.note = t.notOpenYet;
      this.#changed();
      return;
    }
    const recogniser = this.#recogniser;
    this.#recogniser = null;
    const utterance = this.#utterance;
    this.#close();
    if (recogniser && this.handsFree) recogniser.close();
    else if (recogniser) this.#understand(() => recogniser.text());
    else if (utterance?.isVoiced) this.#understand(() => utterance.text());
    else if (!this.handsFree && this.state === "recording") this.note = t.nothingHeard;
    this.state = this.#pending ? "recognising" : "off";
    this.#changed();
  }

  /** Close the microphone and forget what was said. */
  cancel() {
    this.#run += 1;
    this.#utterance?.discard();
    this.#close();
    this.state = "off";
    this.partial = "";
    this.#changed();
  }

  /** The page is not seen any more: nothing is heard from now on, but words that were said are not lost. */
  hide() {
    if (this.handsFree || this.state === "opening") this.cancel();
    else this.finish();
  }

  guard(guarded) {
    this.#microphone?.guard(guarded);
  }

  /** Someone agreed to the browser's recogniser. */
  acceptBrowser(options) {
    prefer("hearWith", "browser");
    return this.start(options);
  }

  /** Whether the server can recognise; says what it fetches first. Raises ApiError for other troubles. */
  async #serverHears() {
    try {
      const { hearing } = await api.get("/v1/audio/status");
      if (hearing.state === "not_fetched") this.note = t.fetchesFirst(hearing.total_bytes);
      return !["missing", "not_installed"].includes(hearing.state);
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  #offerBrowser() {
    this.cancel();
    this.offersBrowser = browserCanHear();
    this.note = this.offersBrowser ? t.serverCantHear : t.nobodyHears;
    announceStatus(this.note);
    this.#changed();
  }

  async #openMicrophone() {
    const microphone = (this.#microphone = new Microphone());
    this.#before = [];
    await microphone.open(
      (frame) => this.#frame(frame),
      () => {
        this.finish();
        announceAlert(t.microphoneErrors.NotReadableError);
      },
    );
    if (!this.handsFree) this.#utterance = this.#newUtterance();
  }

  #newUtterance() {
    this.partial = "";
    return new Utterance(
      this.#microphone.rate,
      (text) => {
        this.partial = text;
        this.#changed();
      },
      this.#before.splice(0),
    );
  }

  #openRecogniser() {
    const recogniser = (this.#recogniser = new BrowserRecogniser());
    return recogniser.open({
      continuous: this.handsFree,
      heard: (text) => {
        this.#tell("onset");
        this.partial = text;
        this.#changed();
      },
      sentence: (text) => this.handsFree && text && this.#tell("text", { text, handsFree: true }),
      failed: (name) => {
        this.cancel();
        announceAlert(name === "not-allowed" ? t.microphoneErrors.NotAllowedError : t.browserRecogniserFailed);
      },
    });
  }

  #frame({ frame, level, voiced, speaking, silence }) {
    this.level = Math.min(1, Math.max(0, (level + 60) / 50));
    this.dispatchEvent(new CustomEvent("level"));
    if (this.state === "waiting") {
      this.#before.push(frame);
      const kept = Math.ceil((BEFORE_SECONDS * this.#microphone.rate) / frame.length);
      if (this.#before.length > kept) this.#before.shift();
      if (!speaking) return;
      this.#utterance = this.#newUtterance();
      this.state = "recording";
      this.note = "";
      this.#tell("onset");
      this.#utterance.push(frame, true);
      this.#changed();
    } else if (this.state === "recording") {
      this.#utterance.push(frame, voiced);
      if (silence >= PAUSE_SECONDS) this.#utterance.ask();
      if (this.#utterance.seconds > LONGEST_SECONDS) this.finish();
      else if (this.handsFree && !speaking) this.#next();
    }
  }

  /** Hands-free: an utterance is over, the next one is waited for. */
  #next() {
    const utterance = this.#utterance;
    this.#utterance = null;
    this.state = "waiting";
    this.#understand(() => utterance.text());
    this.#changed();
  }

  #understand(ask) {
    const { handsFree } = this;
    const run = this.#run;
    this.#pending += 1;
    this.#watchDownload();
    this.#turns = this.#turns.then(async () => {
      try {
        const text = await ask();
        if (run !== this.#run) return;
        this.note = text ? "" : t.nothingUnderstood;
        if (text) this.#tell("text", { text, handsFree });
      } catch (error) {
        if (run !== this.#run || error.name === "AbortError") return;
        if (isGone(error)) this.#offerBrowser();
        else announceAlert(errorWords(error));
      } finally {
        this.#pending -= 1;
        if (!this.#pending && this.state === "recognising") this.state = "off";
        if (!this.#pending && !this.#utterance) this.partial = "";
        this.#changed();
      }
    });
  }

  /** While an answer takes long: perhaps the weights are being fetched, and how far that is. */
  async #watchDownload() {
    if (this.#watching++) return;
    while (this.#pending) {
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
      const found = this.#pending ? await api.get("/v1/audio/status").catch(() => null) : null;
      if (found?.hearing.state === "fetching") this.note = t.fetching(found.hearing.done_bytes, found.hearing.total_bytes);
      else if (found && this.note.startsWith(t.fetchingName)) this.note = "";
      this.#changed();
    }
    this.#watching = 0;
  }

  #close() {
    this.#microphone?.close();
    this.#recogniser?.close();
    this.#microphone = this.#recogniser = this.#utterance = null;
    this.level = 0;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #changed() {
    this.#tell("change");
  }
}

/** Whether an error says that the server has no recogniser. */
const isGone = (error) => error.status === 503 && /^speech_/.test(error.code ?? "");

/** The one ear of this page. */
export const hearing = new Hearing();
