// The frame of the page: skip links, sidebar, and the view that the address names.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { views } from "../extensions.js";
import { focusComposer, focusLast } from "../shortcuts.js";
import { t } from "../strings.js";
import { chat, dragging } from "./chat.js";
import { icon } from "./icon.js";
import { settingsPage } from "./settings.js";
import { sidebar } from "./sidebar.js";

const narrow = window.matchMedia("(max-width: 56rem)");

function skipTo(run) {
  return (event) => {
    event.preventDefault();
    run();
  };
}

export function shell(app) {
  const covered = app.sidebarOpen && narrow.matches;
  const drag = dragging(app);
  const last = app.messages.findLast((message) => message.role === "assistant");
  return html`
    <div class="skip">
      ${app.route.name === "chat"
        ? html`<a href="#composer-text" @click=${skipTo(focusComposer)}>${t.skipToComposer}</a>`
        : html`<a href="#main" @click=${skipTo(() => document.querySelector("main h1")?.focus())}>${t.skipToMain}</a>`}
      ${app.route.name === "chat" && last
        ? html`<a href="#m-${last.id}" @click=${skipTo(focusLast)}>${t.skipToLast}</a>`
        : nothing}
    </div>
    <div
      class="frame-of-page ${app.sidebarOpen ? "sidebar-open" : ""}"
      @dragenter=${drag.enter}
      @dragover=${drag.over}
      @dragleave=${drag.leave}
      @drop=${drag.drop}
      @keydown=${(event) => {
        if (event.key === "Escape" && covered && !app.dialog && !app.menu) app.openSidebar(null);
      }}
    >
      ${sidebar(app)}
      <div class="veil" ?hidden=${!covered} @click=${() => app.openSidebar(null)}></div>
      <div class="column" ?inert=${covered}>
        ${app.online ? nothing : html`<p class="offline">${icon("offline")}<span>${t.offline}</span></p>`}
        ${page(app)}
      </div>
      <div class="drop-hint" aria-hidden="true"><span>${icon("picture")} ${t.dropHere}</span></div>
    </div>
  `;
}

function page(app) {
  if (app.route.name === "settings") return settingsPage(app);
  const own = views.get(app.route.name);
  return own ? own.render(app) : chat(app);
}

