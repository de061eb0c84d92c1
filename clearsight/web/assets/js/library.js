// The list of one's conversations, and what is done to a whole one: search, rename, pin, share, delete.

import { announceStatus } from "./announcer.js";
import * as api from "./api.js";
import { t } from "./strings.js";

const SEARCH_MS = 250;

export class Library {
  list = [];
  query = "";
  loaded = false;
  nextCursor = null;
  #app;
  #timer = 0;
  #latest = 0;

  constructor(app) {
    this.#app = app;
  }

  /** Read the first page anew. */
  async refresh() {
    const number = ++this.#latest;
    try {
      const page = await api.get(`/v1/conversations?limit=40&query=${encodeURIComponent(this.query)}`);
      if (number !== this.#latest) return;
      this.list = page.data;
      this.nextCursor = page.next_cursor;
      this.loaded = true;
      const open = this.list.find((one) => one.id === this.#app.conversation?.id);
      if (open) this.#app.conversation = { ...this.#app.conversation, ...open };
      this.#app.change();
    } catch (error) {
      this.#app.fail(error);
    }
  }

  async more() {
    if (!this.nextCursor) return;
    const cursor = encodeURIComponent(this.nextCursor);
    try {
      const page = await api.get(
        `/v1/conversations?limit=40&query=${encodeURIComponent(this.query)}&cursor=${cursor}`,
      );
      this.list = [...this.list, ...page.data];
      this.nextCursor = page.next_cursor;
      this.#app.change();
    } catch (error) {
      this.#app.fail(error);
    }
  }

  /** Search titles and messages while it is typed; how many were found is announced. */
  search(query) {
    this.query = query;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.refresh();
      if (this.query) announceStatus(t.found(this.list.length, this.nextCursor !== null));
    }, SEARCH_MS);
  }

  /** Change title, pinned or settings. */
  async change(id, changes) {
    try {
      const changed = await api.patch(`/v1/conversations/${id}`, changes);
      if (this.#app.conversation?.id === id) this.#app.conversation = changed;
      await this.refresh();
      return true;
    } catch (error) {
      this.#app.fail(error);
      return false;
    }
  }

  async remove(id) {
    try {
      await api.remove(`/v1/conversations/${id}`);
      this.list = this.list.filter((one) => one.id !== id);
      announceStatus(t.deleted);
      if (this.#app.route.id === id) location.hash = "#/";
      this.#app.change();
    } catch (error) {
      this.#app.fail(error);
    }
  }

  /** A secret link under which it can be read; null when that failed. */
  async share(id) {
    try {
      const { url } = await api.post(`/v1/conversations/${id}/share`);
      this.#mark(id, true);
      return url;
    } catch (error) {
      this.#app.fail(error);
      return null;
    }
  }

  async unshare(id) {
    try {
      await api.remove(`/v1/conversations/${id}/share`);
      this.#mark(id, false);
      announceStatus(t.notSharedAnyMore);
    } catch (error) {
      this.#app.fail(error);
    }
  }

  #mark(id, shared) {
    this.list = this.list.map((one) => (one.id === id ? { ...one, shared } : one));
    if (this.#app.conversation?.id === id) this.#app.conversation = { ...this.#app.conversation, shared };
    this.#app.change();
  }
}
