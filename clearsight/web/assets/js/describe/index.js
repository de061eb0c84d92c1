// Describe for me, and "How sure is this?" on answers about pictures.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { announceStatus } from "../announcer.js";
import * as api from "../api.js";
import { messageActions, sidebarLinks, views } from "../extensions.js";
import { app } from "../state.js";
import { t } from "../strings.js";
import { icon } from "../views/icon.js";
import { markDrawn } from "./doubts.js";
import { describeView } from "./view.js";

views.set("describe", { title: t.describe, render: describeView });

sidebarLinks.push({
  order: 10,
  render: () => html`<a class="side-link" href="#/describe" aria-current=${app.route.name === "describe" ? "page" : nothing}>${icon("eye")}<span>${t.describe}</span></a>`,
});

const checking = new Set(); // ids of messages

messageActions.push({
  order: 30,
  render: (_, message) => {
    if (message.role !== "assistant" || message.status !== "complete" || !isAboutPicture(message)) return nothing;
    const { doubts, samples } = message.details ?? {};
    if (checking.has(message.id)) return html`<span class="usage">${t.howSureWorking}</span>`;
    if (samples) return html`<span class="usage">${summary(doubts, samples)}</span>`;
    return html`<button type="button" class="quiet small" ?disabled=${app.busy} @click=${() => check(message)}>${t.howSure}</button>`;
  },
});

function isAboutPicture(message) {
  for (let here = message; here; here = app.all.get(here.parent_id)) if (here.content.some((part) => part.type === "image")) return true;
  return false;
}

const summary = (doubts, samples) => (doubts.length ? t.howSureDoubts(doubts.map((one) => one.text)) : t.doubtsNone(samples));

async function check(message) {
  checking.add(message.id);
  announceStatus(t.howSureWorking);
  app.change();
  try {
    const { system } = app.effective;
    const path = `/v1/conversations/${message.conversation_id}/messages/${message.id}/check`;
    const { details } = await api.post(path, { settings: system ? { system } : {} });
    message.details = details;
    announceStatus([summary(details.doubts, details.samples), ...details.cautions.map((one) => one.advice)].join(" "));
    document.getElementById(`m-${message.id}`)?.focus();
  } catch (error) {
    app.fail(error);
  } finally {
    checking.delete(message.id);
    app.change();
  }
}

app.addEventListener("change", () =>
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      for (const message of app.messages) {
        const doubts = message.details?.doubts;
        const prose = doubts && document.querySelector(`#m-${CSS.escape(message.id)} clear-prose`);
        if (prose) markDrawn(prose, doubts);
      }
    }),
  ),
);
