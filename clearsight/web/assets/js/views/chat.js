// A conversation: its bar, its turns, and the composer below them.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { t } from "../strings.js";
import { composer } from "./composer.js";
import { conversationItems } from "./conversation_menu.js";
import { emptyState } from "./empty.js";
import { icon, iconButton } from "./icon.js";
import { messageView } from "./message.js";
import { atEnd, scrolled, toEnd } from "./scrolling.js";

export function chat(app) {
  const { conversation, messages } = app;
  const empty = !messages.length && app.route.id === null && !app.sending;
  return html`
    <header class="bar">
      <span class="only-narrow">${iconButton({ name: "menu", label: t.openMenu, id: "menu-button", run: () => app.openSidebar("search-box") })}</span>
      <h1 class="bar-title" dir="auto">${conversation?.title || t.untitled}</h1>
      ${conversation ? bar(app, conversation) : newBar(app)}
    </header>
    <main id="main">
      <div class="scroll" @scroll=${(event) => scrolled(app, event)}>
        ${empty
          ? emptyState(app)
          : html`<div class="turns">
              ${repeat(
                messages,
                (message) => message.id,
                (message) => messageView(app, message),
              )}
              ${app.sending ? html`<p class="thinking" aria-hidden="true"><span></span>${t.thinking}</p>` : nothing}
            </div>`}
      </div>
      <div class="below">
        ${atEnd() || empty
          ? nothing
          : html`<button type="button" class="to-end icon-button" aria-label=${t.toEnd} title=${t.toEnd} @click=${toEnd}>${icon("down")}</button>`}
        ${composer(app)}
      </div>
    </main>
  `;
}

function bar(app, conversation) {
  return html`
    ${conversation.shared ? html`<span class="tag">${t.shared}</span>` : nothing}
    ${iconButton({ name: "share", label: t.share, run: () => app.showDialog({ kind: "share", conversation }) })}
    ${iconButton({
      name: "more",
      label: t.moreFor(conversation.title || t.untitled),
      run: (event) =>
        app.showMenu(event.currentTarget, conversation.title || t.untitled, conversationItems(app, conversation, { settings: true })),
    })}
  `;
}

const newBar = (app) =>
  iconButton({
    name: "settings",
    label: t.conversationSettings,
    run: () => app.showDialog({ kind: "conversation", conversation: null }),
  });

let depth = 0;

/** Pictures that are dropped anywhere on the page go into the composer. */
export function dragging(app) {
  const files = (event) => app.route.name === "chat" && [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (on) => document.body.classList.toggle("dragging", on);
  return {
    enter: (event) => files(event) && ((depth += 1), show(true)),
    over: (event) => files(event) && event.preventDefault(),
    leave: (event) => files(event) && (depth = Math.max(0, depth - 1)) === 0 && show(false),
    drop: (event) => {
      if (!files(event)) return;
      event.preventDefault();
      depth = 0;
      show(false);
      app.addFiles(pictures(event.dataTransfer.files));
    },
  };
}

/** The files that may be pictures; the server looks into them. */
export const pictures = (files) =>
  [...files].filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif|tiff?|bmp|webp)$/i.test(file.name));
