// What the page knows, in one store. Views read it and are drawn anew on `change`; features listen to
//   answer-start {message}   answer-text {message, text: all so far}   answer-end {message, status}
// and call send, stop, regenerate, edit. Nothing else talks to the server about conversations.

import { announceAlert, announceLog, announceStatus, clearAlert, stillWorking } from "./announcer.js";
import { follow, plainText } from "./answers.js";
import * as api from "./api.js";
import { Attachments } from "./attachments.js";
import * as branches from "./branches.js";
import { keepDraft, readDraft } from "./drafts.js";
import { afterDraw } from "./frames.js";
import { Library } from "./library.js";
import { spokenText } from "./markdown.js";
import { preferences } from "./preferences.js";
import { errorWords, t } from "./strings.js";

export class App extends EventTarget {
  ready = false; // the first look at the session is over
  session = null; // who is logged in: {user, scopes}; null for nobody
  route = { name: "chat", id: null };
  online = navigator.onLine;
  models = [];
  conversation = null; // the one that is open, without its messages; null for a new one
  messages = []; // the turns that are shown, in order; the whole tree is in `all`
  all = new Map(); // every turn of the open conversation by id
  settings = {}; // of a conversation that does not exist yet
  answering = null; // the answer that is being received
  sending = false; // from sending until the server has kept the turn
  interrupted = false; // the connection of the answer is lost and tried again
  draft = "";
  editing = null; // id of the turn whose text is being changed
  sidebarOpen = false; // on narrow screens, where it covers the page
  dialog = null; // {kind, ...}: what views/dialogs.js shows above the page
  menu = null; // {anchor, label, items}: what views/menu.js shows beside a button
  #chosen = new Map();
  #listening = null; // AbortController of the answer that is being received

  constructor() {
    super();
    this.library = new Library(this);
    this.pictures = new Attachments(this);
    for (const kind of ["online", "offline"]) {
      window.addEventListener(kind, () => this.setOnline(kind === "online"));
    }
  }

  /** Show a dialog; null closes it. */
  showDialog(dialog) {
    this.dialog = dialog;
    this.change();
  }

  /** Show a small menu beside the button that asked for it. */
  showMenu(anchor, label, items) {
    this.menu = { anchor, label, items };
    this.change();
  }

  /** Uncover the sidebar and focus its search, or close it for null. */
  openSidebar(focus) {
    this.sidebarOpen = focus !== null;
    this.change();
    afterDraw(() => document.getElementById(focus === null ? "menu-button" : focus)?.focus());
  }

  /** To an empty conversation. */
  startNew() {
    this.sidebarOpen = false;
    if (this.route.name === "chat" && this.route.id === null) {
      this.change();
      afterDraw(() => document.getElementById("composer-text")?.focus());
    } else location.hash = "#/";
  }

  /** Tell the views that something is different. */
  change() {
    this.dispatchEvent(new CustomEvent("change"));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
    this.change();
  }

  /** Show and announce what went wrong; the session's end leads to the page for those who are not logged in. */
  fail(error) {
    if (error.name === "AbortError") return;
    if (error.status === 401) this.session = null;
    if (error.status === 0) this.setOnline(false);
    announceAlert(errorWords(error));
    if (!(error instanceof api.ApiError)) console.error(error);
    this.change();
  }

  setOnline(online) {
    if (online !== this.online) announceStatus(online ? t.backOnline : t.offlineShort);
    this.online = online;
    if (!online) this.#lookForServer();
    this.change();
  }

  async #lookForServer() {
    while (!this.online) {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const response = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
      if (response?.ok && !this.online) this.setOnline(true);
    }
  }

  // Pictures that wait in the composer; see attachments.js.
  get attachments() {
    return this.pictures.list;
  }
  addFiles(files) {
    return this.pictures.add(files);
  }
  updateAttachment(id, changes) {
    return this.pictures.update(id, changes);
  }

  /** The settings that the next answer is made with. */
  get effective() {
    const own = this.conversation?.settings ?? this.settings;
    const { model, system, temperature, maxTokens } = preferences;
    return {
      model: own.model ?? (model && this.models.some((one) => one.id === model) ? model : this.models[0]?.id ?? ""),
      system: own.system ?? system,
      temperature: own.temperature ?? temperature,
      max_tokens: own.max_tokens ?? (maxTokens || null),
    };
  }

  /** Open a conversation, or a new one for null. An answer that is still being made is listened to. */
  async open(id) {
    this.#leave();
    this.draft = readDraft(id);
    if (id === null) return this.change();
    try {
      const { messages, ...conversation } = await api.get(`/v1/conversations/${id}`);
      if (this.route.id !== id) return;
      this.conversation = conversation;
      this.all = new Map(messages.map((message) => [message.id, message]));
      this.#walk();
      this.change();
      const last = this.messages.at(-1);
      if (last?.status === "streaming") this.#receive(last, null);
    } catch (error) {
      this.fail(error);
    }
  }

  #leave() {
    this.#listening?.abort();
    this.#listening = null;
    this.conversation = null;
    this.messages = [];
    this.all = new Map();
    this.settings = {};
    this.#chosen = new Map();
    this.answering = null;
    this.sending = false;
    this.interrupted = false;
    this.editing = null;
    clearAlert();
  }

  #walk() {
    this.messages = branches.path(this.all, this.#chosen);
  }

  setDraft(text) {
    this.draft = text;
    keepDraft(this.conversation?.id ?? null, text);
    this.change();
  }

  /** Send a turn with the pictures that wait, and receive the answer. */
  async send(text = this.draft) {
    const pictures = this.pictures.ready();
    if (this.busy || (!text.trim() && !pictures.length)) return;
    if (this.pictures.uploading) return announceStatus(t.stillUploading);
    const content = pictures.map(({ sha256, original, marks }) => ({
      type: "image",
      sha256,
      ...(original && original !== sha256 ? { original } : {}),
      ...(marks?.length ? { marks } : {}),
    }));
    if (text.trim()) content.push({ type: "text", text });
    const parent = this.messages.at(-1)?.id ?? null;
    const before = this.conversation?.id ?? null;
    this.draft = "";
    keepDraft(before, "");
    const taken = this.pictures.take();
    const sent = await this.#ask({ content, ...(parent ? { parent_id: parent } : {}) });
    if (sent) return this.pictures.release(taken);
    this.pictures.restore(taken);
    this.setDraft(text);
  }

  /** Another answer to the same turn. `messageId` is the answer's or the turn's. */
  async regenerate(messageId) {
    if (this.busy) return;
    const message = this.all.get(messageId);
    await this.#ask({ reply_to: message.role === "assistant" ? message.parent_id : message.id });
  }

  /** The same turn in other words, as a sister; its pictures stay. */
  async edit(messageId, text) {
    const message = this.all.get(messageId);
    if (this.busy || !message) return;
    const pictures = message.content.filter((part) => part.type === "image");
    if (!text.trim() && !pictures.length) return;
    const content = [...pictures, ...(text.trim() ? [{ type: "text", text }] : [])];
    this.editing = null;
    await this.#ask({ content, ...(message.parent_id ? { parent_id: message.parent_id } : {}) });
  }

  /** End the answer where it is; what there is of it stays. */
  async stop() {
    const message = this.answering;
    if (!message) return;
    try {
      await api.post(`/v1/conversations/${message.conversation_id}/messages/${message.id}/stop`);
    } catch (error) {
      this.fail(error);
    }
  }

  get busy() {
    return this.sending || this.answering !== null;
  }

  /** Show the sister that is `step` further. */
  turn(messageId, step) {
    const { ids, index } = branches.sisters(this.all, this.all.get(messageId));
    const next = ids[index + step];
    if (!next || this.busy) return;
    branches.choose(this.all, this.#chosen, next);
    this.#walk();
    announceStatus(t.nowShowing(index + step + 1, ids.length));
    this.change();
  }

  sisters(message) {
    return branches.sisters(this.all, message);
  }

  #add(message) {
    this.all.set(message.id, message);
    branches.choose(this.all, this.#chosen, message.id);
    this.#walk();
  }

  async #ask(body) {
    clearAlert();
    this.sending = true;
    this.change();
    const stop = (this.#listening = new AbortController());
    try {
      if (!this.conversation) {
        this.conversation = await api.post("/v1/conversations", { settings: this.settings });
        this.route = { name: "chat", id: this.conversation.id };
        history.replaceState(null, "", `#/c/${this.conversation.id}`);
      }
      const { id } = this.conversation;
      const settings = Object.fromEntries(
        Object.entries(this.effective).filter(([, value]) => value !== null && value !== ""),
      );
      const stream = api.ask(id, { ...body, settings }, stop.signal);
      for (;;) {
        const { value: event, done } = await stream.next();
        if (done) throw new api.ApiError(0, "");
        this.#add(event.message);
        if (event.type === "answer") {
          this.#receive(event.message, stream);
          this.library.refresh();
          return true;
        }
        this.change();
      }
    } catch (error) {
      if (stop.signal.aborted) return true;
      this.sending = false;
      return this.#afterLoss(error, body);
    }
  }

  /** The connection was lost while sending: perhaps the turn was kept and is being answered already. */
  async #afterLoss(error, body) {
    if (error instanceof api.ApiError && error.status > 0) {
      this.fail(error);
      return body.content === undefined;
    }
    const known = new Set(this.all.keys());
    try {
      const { messages } = await api.get(`/v1/conversations/${this.conversation.id}`);
      for (const message of messages) if (!known.has(message.id)) this.#add(message);
      const last = this.messages.at(-1);
      if (last && !known.has(last.id)) {
        if (last.status === "streaming") this.#receive(last, null);
        this.change();
        return true;
      }
    } catch {
      // not reachable now either: what was typed goes back into the box
    }
    this.fail(error);
    return [...known].length !== this.all.size;
  }

  async #receive(message, stream) {
    const stop = (this.#listening = stream && this.#listening ? this.#listening : new AbortController());
    this.sending = false;
    this.answering = message;
    announceStatus(t.answerStarted);
    const silent = stillWorking(t.stillWorking);
    this.#tell("answer-start", { message });
    try {
      const ended = await follow(message, stream, {
        signal: stop.signal,
        heard: (text) => {
          message.content = [{ type: "text", text }];
          this.#tell("answer-text", { message, text });
        },
        broken: (lost) => {
          if (lost === this.interrupted) return;
          this.interrupted = lost;
          announceStatus(lost ? t.connectionLost : t.connectionBack);
          this.change();
        },
      });
      silent();
      this.#end(Object.assign(message, ended));
    } catch (error) {
      if (stop.signal.aborted) return;
      silent();
      message.status = "failed";
      this.#end(message);
      this.fail(error);
    } finally {
      silent();
    }
  }

  #end(message) {
    this.answering = null;
    this.interrupted = false;
    this.#tell("answer-end", { message, status: message.status });
    announceStatus(t.ended[message.status] ?? t.ended.complete);
    const text = spokenText(plainText(message));
    if (message.status === "failed") announceAlert(message.details?.error ?? t.answerFailed);
    else if (text && preferences.announce === "whole") announceLog(text);
    this.library.refresh();
  }

  /** Read the last answer out once more. */
  repeat() {
    const last = this.messages.findLast((message) => message.role === "assistant");
    if (last) announceLog(spokenText(plainText(last)));
    else announceStatus(t.noAnswerYet);
  }
}

/** The one store of this page. */
export const app = new App();
