// One description: what is asked of the server and what has come back so far. See POST /v1/describe for the events.

import { announceLog, announceStatus, clearAlert, stillWorking } from "../announcer.js";
import * as api from "../api.js";
import { errorWords, t } from "../strings.js";
import { spokenWithDoubts } from "./doubts.js";

const SHORT_WRITING = 160; // characters that are read out with the description; longer writing waits until it is asked for

const nothingYet = () => ({ text: "", writing: null, reader: "", advice: [], cautions: [], doubts: [], samples: 0, checked: true });

export class Describing {
  state = "idle"; // idle, looking, checking, done, failed
  url = ""; // of the picture
  conversation = null; // its id
  error = "";
  result = nothingYet();
  #app;
  #last = null; // id of the newest answer
  #stop = null;

  constructor(app) {
    this.#app = app;
  }

  get busy() {
    return this.state === "looking" || this.state === "checking";
  }

  #set(values) {
    Object.assign(this, values);
    this.#app.change();
  }

  /** Describe a picture that was taken or chosen. */
  async begin(file) {
    this.stop();
    if (this.url) URL.revokeObjectURL(this.url);
    this.conversation = this.#last = null;
    this.#set({ url: URL.createObjectURL(file) });
    await this.#receive(async (signal) => {
      const { sha256 } = await api.uploadImage(file);
      const { model } = this.#app.effective;
      const body = { image: { type: "image", sha256 }, keep: true, ...(model ? { model } : {}) };
      return api.events(await api.request("POST", "/v1/describe", { body, signal }));
    });
    this.#app.library.refresh();
  }

  /** "detail" or "read": another turn about the same picture. */
  async goOn(task) {
    const { conversation } = this;
    if (this.busy || !conversation) return;
    const { advice, writing, reader } = this.result;
    await this.#receive(async (signal) => {
      const content = [{ type: "text", text: t.describeTurns[task] }];
      return api.ask(conversation, { content, parent_id: this.#last }, signal);
    });
    if (this.state !== "done" || !this.#last) return;
    Object.assign(this.result, { advice, writing, reader });
    this.#set({});
  }

  stop() {
    if (!this.busy) return;
    this.#stop?.abort();
    if (this.conversation && this.#last) api.post(`/v1/conversations/${this.conversation}/messages/${this.#last}/stop`).catch(() => {});
    this.#set({ state: this.result.text ? "done" : "idle" });
    announceStatus(t.describeStopped);
  }

  async #receive(open) {
    const stop = (this.#stop = new AbortController());
    clearAlert();
    this.#set({ state: "looking", error: "", result: nothingYet() });
    announceStatus(t.describeLooking);
    const silent = stillWorking(t.stillWorking);
    let own = false; // whether cautions and doubts come by themselves
    try {
      for await (const event of await open(stop.signal)) {
        own ||= event.type === "quality";
        this.#take(event);
      }
      if (!own) await this.#check(stop.signal);
      if (stop.signal.aborted) return;
      this.#set({ state: "done" });
      announceLog(this.spoken);
    } catch (error) {
      if (stop.signal.aborted) return;
      this.#set({ state: "failed", error: errorWords(error) });
      this.#app.fail(error);
    } finally {
      silent();
    }
  }

  #take(event) {
    const { result } = this;
    if (event.type === "quality") result.advice = event.findings.map((finding) => finding.advice);
    else if (event.type === "conversation") this.conversation = event.id;
    else if (event.type === "answer") this.#last = event.message.id;
    else if (event.type === "delta") result.text = [...result.text].slice(0, event.at).join("") + event.text;
    else if (event.type === "done") {
      if (event.message.status === "failed") throw new api.ApiError(500, event.message.details.error ?? t.answerFailed);
      this.state = "checking";
      announceStatus(t.describeChecking);
    } else if (event.type === "writing") Object.assign(result, { writing: event.text, reader: event.by });
    else if (event.type === "cautions") result.cautions = event.cautions.map((one) => one.advice);
    else if (event.type === "doubts") Object.assign(result, { doubts: event.doubts, samples: event.samples });
    else if (event.type === "error") result.checked = false;
    this.#app.change();
  }

  async #check(signal) {
    try {
      const path = `/v1/conversations/${this.conversation}/messages/${this.#last}/check`;
      const response = await api.request("POST", path, { body: {}, signal });
      const { cautions, doubts, samples } = (await response.json()).details;
      Object.assign(this.result, { cautions: cautions.map((one) => one.advice), doubts, samples });
    } catch (error) {
      if (signal.aborted) throw error;
      this.result.checked = false;
    }
  }

  /** All of it as it is read out: what is wrong with the picture first. */
  get spoken() {
    const { advice, text, writing, doubts, cautions, checked } = this.result;
    const read = writing ? [writing.length > SHORT_WRITING ? t.muchWriting(writing.split(/\s+/).length) : t.spokenWriting(writing)] : [];
    return [...advice, spokenWithDoubts(text, doubts), ...read, ...cautions, ...(checked ? [] : [t.notChecked])].join(" ");
  }

  /** Read out what is written in the picture: what the recogniser found, or else what the model makes of it. */
  read() {
    if (this.result.writing === null) return this.goOn("read");
    announceLog(this.result.writing || t.noWriting);
    return undefined;
  }
}
