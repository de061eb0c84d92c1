// Icons out of one file of symbols, drawn for Clearsight. They are never the only name of anything.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";

const SHEET = new URL("../../icons.svg", import.meta.url).href;

export const icon = (name) =>
  html`<svg class="icon" aria-hidden="true" focusable="false"><use href="${SHEET}#${name}"></use></svg>`;

/** A button that shows an icon and is named by its words. */
export const iconButton = ({ name, label, run, kind = "quiet", disabled = false, pressed = null, id = null }) => html`
  <button
    type="button"
    class="icon-button ${kind}"
    id=${id ?? nothing}
    aria-label=${label}
    title=${label}
    ?disabled=${disabled}
    aria-pressed=${pressed ?? nothing}
    @click=${run}
  >
    ${icon(name)}
  </button>
`;
