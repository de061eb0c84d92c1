// The list of conversations, with search and what is done to each.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { live } from "../../vendor/lit-html/directives/live.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { inOrder, sidebarLinks } from "../extensions.js";
import { t } from "../strings.js";
import { conversationItems } from "./conversation_menu.js";
import { icon, iconButton } from "./icon.js";

export function sidebar(app) {
  const { list, query, nextCursor, loaded } = app.library;
  const pinned = list.filter((one) => one.pinned);
  const others = list.filter((one) => !one.pinned);
  return html`
    <nav class="sidebar" aria-label=${t.menu}>
      <div class="sidebar-top">
        <p class="brand">${icon("logo")} ${t.product}</p>
        <span class="only-narrow">${iconButton({ name: "close", label: t.closeMenu, run: () => app.openSidebar(null) })}</span>
      </div>
      <div class="sidebar-links">
        <button type="button" class="side-link" @click=${() => app.startNew()}>${icon("new")}<span>${t.newConversation}</span></button>
        ${inOrder(sidebarLinks).map((one) => one.render(app))}
      </div>
      <div class="search">
        ${icon("search")}
        <input
          id="search-box"
          type="search"
          aria-label=${t.search}
          placeholder=${t.search}
          .value=${live(query)}
          @input=${(event) => app.library.search(event.target.value)}
        />
      </div>
      <div class="conversations">
        ${pinned.length ? group(app, t.pinned, pinned) : nothing}
        ${others.length ? group(app, pinned.length ? t.recent : null, others) : nothing}
        ${loaded && !list.length ? html`<p class="faint">${query ? t.nothingFound : t.noConversations}</p>` : nothing}
        ${nextCursor ? html`<button type="button" class="quiet" @click=${() => app.library.more()}>${t.more}</button>` : nothing}
      </div>
      <div class="sidebar-bottom">
        <a class="side-link" href="#/settings" aria-current=${app.route.name === "settings" ? "page" : nothing}>
          ${icon("settings")}<span>${t.settings}</span>
        </a>
        <button type="button" class="side-link" @click=${() => app.showDialog({ kind: "shortcuts" })}>
          ${icon("keyboard")}<span>${t.shortcuts}</span>
        </button>
      </div>
    </nav>
  `;
}

const group = (app, title, list) => html`
  ${title ? html`<h2 class="group-title">${title}</h2>` : nothing}
  <ul class="plain">
    ${repeat(
      list,
      (one) => one.id,
      (one) => entry(app, one),
    )}
  </ul>
`;

function entry(app, one) {
  const title = one.title || t.untitled;
  const here = app.route.name === "chat" && app.route.id === one.id;
  return html`
    <li class="entry ${here ? "here" : ""}">
      <a href="#/c/${one.id}" aria-current=${here ? "page" : nothing} dir="auto">
        ${title}${one.shared ? html`<span class="unseen"> (${t.shared})</span>` : nothing}
      </a>
      ${iconButton({
        name: "more",
        label: t.moreFor(title),
        run: (event) => app.showMenu(event.currentTarget, title, conversationItems(app, one)),
      })}
    </li>
  `;
}
