// A small list of buttons beside the button that opened it: the browser's popover, so Escape and a click elsewhere
// close it and focus goes back.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { icon } from "./icon.js";

export function menu(app) {
  const { label = "", items = [] } = app.menu ?? {};
  return html`
    <div id="menu" class="menu" popover role="dialog" aria-label=${label} @toggle=${(event) => closed(app, event)}>
      ${items.map((item) =>
        item
          ? html`<button type="button" class="menu-item ${item.kind ?? ""}" @click=${() => choose(app, item)}>
              ${icon(item.icon)}<span>${item.label}</span>
            </button>`
          : nothing,
      )}
    </div>
  `;
}

function choose(app, item) {
  app.menu = null;
  document.getElementById("menu").hidePopover();
  item.run();
}

function closed(app, event) {
  if (event.newState === "closed") app.menu = null;
}

/** Open what was asked for, beside its button and inside the window. */
export function syncMenu(app) {
  const element = document.getElementById("menu");
  if (!element || !app.menu || element.matches(":popover-open")) return;
  element.showPopover();
  const from = app.menu.anchor.getBoundingClientRect();
  const own = element.getBoundingClientRect();
  const left = Math.max(8, Math.min(from.left, window.innerWidth - own.width - 8));
  const below = from.bottom + 4 + own.height <= window.innerHeight;
  element.style.left = `${left}px`;
  element.style.top = `${Math.max(8, below ? from.bottom + 4 : from.top - own.height - 4)}px`;
  element.querySelector("button")?.focus();
}
