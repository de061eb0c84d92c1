// The button that closes the notice of an error; the notice itself is the alert region of the page.

import { html } from "../../vendor/lit-html/lit-html.js";
import { clearAlert } from "../announcer.js";
import { t } from "../strings.js";
import { icon } from "./icon.js";

export const alertBar = () => html`
  <button type="button" class="alert-close icon-button quiet" aria-label=${t.dismiss} title=${t.dismiss} @click=${clearAlert}>
    ${icon("close")}
  </button>
`;
