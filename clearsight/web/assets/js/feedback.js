// Thumbs and reports: what is said about an answer goes to whoever runs the server.

import { html } from "../vendor/lit-html/lit-html.js";
import { announceStatus } from "./announcer.js";
import * as api from "./api.js";
import { t } from "./strings.js";
import { iconButton } from "./views/icon.js";

const given = new Map(); // message id -> good or not

export const feedback = {
  /** Buttons below an answer. */
  buttons(app, message) {
    const ask = (good) => () => app.showDialog({ kind: "feedback", message, good });
    return html`
      ${iconButton({ name: "good", label: t.good, pressed: given.get(message.id) === true, run: ask(true) })}
      ${iconButton({ name: "bad", label: t.bad, pressed: given.get(message.id) === false, run: ask(false) })}
      ${iconButton({ name: "flag", label: t.report, run: () => app.showDialog({ kind: "report", message }) })}
    `;
  },

  async send(app, message, good, comment, consent) {
    try {
      await api.post("/v1/feedback", { message_id: message.id, good, comment, consent });
      given.set(message.id, good);
      announceStatus(t.thanks);
    } catch (error) {
      app.fail(error);
    }
    app.change();
  },

  async report(app, message, category, comment) {
    try {
      await api.post("/v1/reports", { subject: message.id, category, comment });
      announceStatus(t.thanks);
    } catch (error) {
      app.fail(error);
    }
    app.change();
  },
};
