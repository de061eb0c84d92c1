"""What lets a reader of report.html find answers: by group and skill, by right, wrong or unread, and by a word.

The form is hidden until the script shows it, so without a script the page is whole and says nothing of filters. The
script reads and hides what is on the page already; it loads nothing, and the page's policy lets it load nothing.
"""

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence

STATES = ("wrong", "unread", "right")

STYLE = """
[hidden] { display: none !important; }
#filters { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .6rem 0;
  background: Canvas; border-bottom: 1px solid var(--line); }
#filters label { display: block; font-size: .9rem; }
#filters select, #filters input, #filters button { font: inherit; max-width: 18rem; min-height: 2.2rem; }
#filters output { flex-basis: 100%; color: var(--quiet); }
@media (min-height: 40rem) and (min-width: 40rem) {
  #filters { position: sticky; top: 0; }
  html { scroll-padding-top: 8rem; }
}
"""

SCRIPT = """
(() => {
  const form = document.getElementById("filters");
  const told = form.querySelector("output");
  const rows = [...document.querySelectorAll("tr[data-skill]")];
  const answers = [...document.querySelectorAll("article[data-state]")];
  const groups = [...document.querySelectorAll("details.group")];
  const words = new Map([...rows, ...answers].map((one) => [one, null]));
  const MANY = 60;

  const says = (one, word) => {
    if (words.get(one) === null)
      words.set(one, (one.dataset.search ?? one.textContent).toLowerCase());
    return words.get(one).includes(word);
  };

  const show = () => {
    const [kind, name] = [form.place.value.slice(0, 1), form.place.value.slice(1)];
    const word = form.word.value.trim().toLowerCase();
    const state = form.state.value;
    const here = (one) => !kind || (kind === "g" ? one.dataset.group : one.dataset.skill) === name;
    const skills = new Set();
    let found = 0, listed = 0;
    for (const one of answers) {
      one.hidden = !(here(one) && (!state || one.dataset.state === state) && (!word || says(one, word)));
      if (!one.hidden) { found += 1; skills.add(one.dataset.skill); }
    }
    for (const one of rows) {
      const stated = !state || one.dataset.states.split(" ").includes(state);
      one.hidden = !(here(one) && stated && (!word || says(one, word) || skills.has(one.dataset.skill)));
      listed += !one.hidden;
    }
    const filtered = Boolean(kind || word || state);
    for (const one of groups) {
      const left = one.querySelectorAll("article:not([hidden])").length;
      one.hidden = filtered && !left;
      one.open = filtered && found <= MANY && left > 0;
      one.querySelector(".left").textContent = filtered ? ` (${left} of these found)` : "";
    }
    told.textContent = (rows.length ? `${listed} of ${rows.length} skills and ` : "")
      + `${found} of ${answers.length} answers${filtered ? " found" : " on this page"}.`;
  };

  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 150); });
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
})();
"""


def policy() -> str:
    """A page's content security policy: this script and nothing else, no request of any kind."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "form-action 'none'; base-uri 'none'"
    )


def form(skills: Mapping[str, Sequence[str]]) -> str:
    """The form, hidden; `skills` are the names of each group's."""
    places = "".join(
        f'<optgroup label="{html.escape(group)}">{_option("g" + group, "all of " + group)}'
        + "".join(_option("s" + skill, skill) for skill in sorted(some))
        + "</optgroup>"
        for group, some in sorted(skills.items())
        if group
    )
    states = "".join(_option(state, state) for state in STATES)
    return (
        '<form id="filters" role="search" aria-label="Find skills and answers" hidden>'
        '<div><label for="place">Group or skill</label>'
        f'<select id="place" name="place">{_option("", "all")}{places}</select></div>'
        '<div><label for="state">Answers</label>'
        f'<select id="state" name="state">{_option("", "all")}{states}</select></div>'
        '<div><label for="word">Word</label>'
        '<input id="word" name="word" type="search" autocomplete="off" spellcheck="false"></div>'
        '<button type="reset">Show all</button>'
        '<output role="status" aria-live="polite"></output></form>'
    )


def _option(value: str, text: str) -> str:
    return f'<option value="{html.escape(value)}">{html.escape(text)}</option>'
