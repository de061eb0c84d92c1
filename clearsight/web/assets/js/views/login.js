// For whoever is not logged in: what to do, and a box for the link. No password, no puzzle.

import { html } from "../../vendor/lit-html/lit-html.js";
import { announceAlert } from "../announcer.js";
import { t } from "../strings.js";
import { icon } from "./icon.js";

export function loginPage(app) {
  return html`
    <main class="login" id="main">
      <div class="login-card">
        <p class="brand">${icon("logo")} ${t.product}</p>
        <h1>${t.loginTitle}</h1>
        <p>${t.loginHow}</p>
        <pre class="command"><code>${t.loginCommand}</code></pre>
        <p>${t.loginThen}</p>
        <form @submit=${(event) => submit(app, event)}>
          <label for="login-link">${t.loginPaste}</label>
          <div class="row">
            <input id="login-link" name="link" type="text" autocomplete="off" spellcheck="false" required />
            <button type="submit" class="primary">${t.loginButton}</button>
          </div>
        </form>
      </div>
    </main>
  `;
}

function submit(app, event) {
  event.preventDefault();
  const link = new FormData(event.target).get("link").trim();
  const token = link.includes("#login=") ? link.split("#login=")[1] : link;
  if (!/^[\w-]{20,200}$/.test(token)) return announceAlert(t.loginBad);
  return app.login(token);
}
