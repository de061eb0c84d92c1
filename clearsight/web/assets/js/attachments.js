// Pictures that wait in the composer: uploaded as soon as they are added, in the order they are shown.

import { announceAlert, announceStatus } from "./announcer.js";
import * as api from "./api.js";
import { errorWords, t } from "./strings.js";

const MOST = 20;
let number = 0;

/**
 * Each is {id, name, blob, url, width, height, sha256, original, alt, warnings, marks, state, error}: `url` shows it,
 * `sha256` names it once `state` is "ready" (before: "uploading"; or "failed" with `error` in words), `original` is the
 * hash of the picture without marks, `marks` what the server takes as marks, `warnings` its sentences about the picture.
 */
export class Attachments {
  list = [];
  #app;

  constructor(app) {
    this.#app = app;
  }

  get uploading() {
    return this.list.some((one) => one.state === "uploading");
  }

  ready() {
    return this.list.filter((one) => one.state === "ready");
  }

  /** Add files in order; resolves with their attachments when all are uploaded or refused. */
  async add(files) {
    const taken = [...files].slice(0, MOST - this.list.length);
    if (taken.length < files.length) announceAlert(t.tooManyPictures(MOST));
    const added = taken.map((file) => ({
      id: `attachment-${++number}`,
      name: file.name || t.picture,
      blob: file,
      url: URL.createObjectURL(file),
      width: 0,
      height: 0,
      sha256: null,
      original: null,
      alt: "",
      warnings: [],
      marks: [],
      state: "uploading",
      error: "",
    }));
    this.list = [...this.list, ...added];
    this.#app.change();
    await Promise.all(added.map((one) => this.#upload(one)));
    const good = added.filter((one) => one.state === "ready").length;
    if (good) announceStatus(t.picturesAdded(good, this.list.length));
    return added;
  }

  /** Change one: a new `blob` is uploaded in place of the old, other fields are taken as they are. */
  async update(id, changes) {
    const one = this.list.find((attachment) => attachment.id === id);
    if (!one) return null;
    Object.assign(one, changes);
    if (changes.blob) {
      URL.revokeObjectURL(one.url);
      one.url = URL.createObjectURL(changes.blob);
      one.state = "uploading";
      this.#app.change();
      await this.#upload(one);
    }
    this.#app.change();
    return one;
  }

  async #upload(one) {
    try {
      const about = await api.uploadImage(one.blob);
      const { sha256, width, height, warnings } = about;
      Object.assign(one, { sha256, width, height, warnings, alt: about.alt ?? "", state: "ready", error: "" });
    } catch (error) {
      Object.assign(one, { state: "failed", error: errorWords(error) });
      announceAlert(t.uploadFailed(one.name, one.error));
    }
    this.#app.change();
  }

  retry(id) {
    const one = this.list.find((attachment) => attachment.id === id);
    if (one?.state !== "failed") return;
    one.state = "uploading";
    this.#app.change();
    this.#upload(one);
  }

  remove(id) {
    const one = this.list.find((attachment) => attachment.id === id);
    if (!one) return;
    this.list = this.list.filter((attachment) => attachment !== one);
    this.release([one]);
    announceStatus(t.pictureRemoved(this.list.length));
    this.#app.change();
  }

  /** Put one a place earlier (-1) or later (1). */
  move(id, step) {
    const index = this.list.findIndex((attachment) => attachment.id === id);
    const target = index + step;
    if (index < 0 || target < 0 || target >= this.list.length) return;
    const list = [...this.list];
    [list[index], list[target]] = [list[target], list[index]];
    this.list = list;
    announceStatus(t.pictureMoved(target + 1, list.length));
    this.#app.change();
  }

  /** Take all out of the composer, to be sent. */
  take() {
    const taken = this.list;
    this.list = taken.filter((one) => one.state === "failed");
    return taken.filter((one) => one.state !== "failed");
  }

  /** Put them back, because sending failed. */
  restore(taken) {
    this.list = [...taken, ...this.list];
    this.#app.change();
  }

  /** Free what shows them. */
  release(gone) {
    for (const one of gone) URL.revokeObjectURL(one.url);
  }
}
