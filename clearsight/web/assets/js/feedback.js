// Thumbs and reports. A server that takes none answers 404, and the buttons are gone.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { announceStatus } from "./announcer.js";
import * as api from "./api.js";
import { t } from "./strings.js";
import { iconButton } from "./views/icon.js";

const given = new Map(); // message id -> good or not
let thumbs = true;
let reports = true;

export const feedback = {
  /** Buttons below an answer. */
  buttons(app, message) {
    const ask = (good) => () => app.showDialog({ kind: "feedback", message, good });
    return html`
      ${thumbs
        ? html`${iconButton({ name: "good", label: t.good, pressed: given.get(message.id) === true, run: ask(true) })}
          ${iconButton({ name: "bad", label: t.bad, pressed: given.get(message.id) === false, run: ask(false) })}`
        : nothing}
      ${reports ? iconButton({ name: "flag", label: t.report, run: () => app.showDialog({ kind: "report", message }) }) : nothing}
    `;
  },

  async send(app, message, good, comment, consent) {
    try {
      await api.post("/v1/feedback", { message_id: message.id, good, comment, consent });
      given.set(message.id, good);
      announceStatus(t.thanks);
    } catch (error) {
      if (error.status === 404) thumbs = false;
      app.fail(error);
    }
    app.change();
  },

  async report(app, message, category, comment) {
    try {
      await api.post("/v1/reports", { subject: message.id, category, comment });
      announceStatus(t.thanks);
    } catch (error) {
      if (error.status === 404) reports = false;
      app.fail(error);
    }
    app.change();
  },

  /** Find out what the server takes, before buttons are shown that lead nowhere. */
  async look() {
    const exists = async (path) => {
      const response = await fetch(path, { method: "GET" }).catch(() => null);
      return response !== null && response.status !== 404;
    };
    [thumbs, reports] = await Promise.all([exists("/v1/feedback"), exists("/v1/reports")]);
  },
};
