// Markdown of a model or a stranger, drawn safely and while it grows. Nothing of it is trusted: HTML is shown as text,
// pictures become their words, addresses other than http, https and mailto lose their link, characters that turn text
// around are left out, and text that would take long to parse is shown as it is.

import { marked } from "../vendor/marked/marked.esm.js";
import "../vendor/dompurify/purify.min.js";
import { announceStatus } from "./announcer.js";
import { typeset } from "./formulas.js";
import { t } from "./strings.js";

const LONGEST = 200_000; // characters; longer texts are shown as they are
const LONGEST_LINE = 20_000;
const DEEPEST = 24; // levels of lists and quotes that begin in one line
const INDENTED = 200; // spaces before a line
const NESTED = new RegExp(`^[ \\t]*(?:(?:[-*+>]|\\d{1,9}[.)])[ \\t]*){${DEEPEST + 1}}`, "m");
const PUNCTUATED = /[*_[\]`~<(!\\$]{200}/; // runs that make any parser go back and forth
const UNWANTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e]/g; // controls, and overrides of direction

const TAGS = "a blockquote br code del em h3 h4 h5 h6 hr input li ol p pre span strong table tbody td th thead tr ul";
const POLICY = {
  ALLOWED_TAGS: TAGS.split(" "),
  ALLOWED_ATTR: ["href", "title", "start", "type", "checked", "disabled", "class", "align", "aria-label"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["start", "type", "checked", "disabled", "align", "aria-label"],
  RETURN_DOM_FRAGMENT: true,
};

const escape = (text) =>
  text.replace(/[&<>"']/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[one]);

const formula = (name, level, start, rule, display) => ({
  name,
  level,
  start: (source) => source.search(start),
  tokenizer(source) {
    const found = rule.exec(source);
    if (found) return { type: name, raw: found[0], tex: (found[1] ?? found[2]).trim(), display };
    return undefined;
  },
  renderer: ({ tex }) => `<code class="formula${display ? " display" : ""}">${escape(tex)}</code>${display ? "\n" : ""}`,
});

marked.use({
  gfm: true,
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ text }) => `<span class="no-picture">${escape(t.pictureNotLoaded(text))}</span>`,
    heading({ tokens, depth }) {
      const level = Math.min(depth + 2, 6); // a message's own heading is h2
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    code: ({ text, lang }) => `<pre><code class="language-${escape((lang ?? "").slice(0, 40))}">${escape(text)}\n</code></pre>\n`,
    checkbox: ({ checked }) => `<input type="checkbox" disabled${checked ? " checked" : ""} aria-label="${t.task(checked)}"> `,
  },
  extensions: [
    formula("displayFormula", "block", /\$\$|\\\[/, /^(?:\$\$([^$]{1,4000}?)\$\$|\\\[([^]{1,4000}?)\\\])[ \t]*(?:\n|$)/, true),
    formula("formula", "inline", /\\\(|\$(?=[^\s$])/, /^(?:\\\(([^\n]{1,1000}?)\\\)|\$(?=[^\s$])([^$\n]{1,1000}?[^\s$\\]|[^\s$\\])\$(?![\d$]))/, false),
  ],
});

const purifier = globalThis.DOMPurify;
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    if (node.hasAttribute("href")) {
      node.setAttribute("target", "_blank");
      node.setAttribute("rel", "noopener noreferrer nofollow");
      node.setAttribute("referrerpolicy", "no-referrer");
    }
  }
  if (node.hasAttribute?.("class") && !/^(formula( display)?|no-picture|language-[\w+#.-]*)$/.test(node.className)) {
    node.removeAttribute("class");
  }
  if (node.tagName === "INPUT" && node.getAttribute("type") !== "checkbox") node.remove();
});

/** Whether a text would be parsed in good time. */
export function isTame(text) {
  if (text.length > LONGEST || NESTED.test(text) || PUNCTUATED.test(text)) return false;
  return text.split("\n").every((line) => line.length <= LONGEST_LINE && !line.startsWith(" ".repeat(INDENTED)));
}

/** The blocks of a text: {raw, fragment()}, to be compared with those drawn before. Never raises. */
function blocks(source) {
  const text = source.replace(UNWANTED, "");
  if (!isTame(text)) return [{ raw: text, fragment: () => asItIs(text) }];
  try {
    const tokens = marked.lexer(text);
    level(tokens);
    return tokens
      .filter((token) => token.type !== "space" && token.type !== "def")
      .map((token) => ({
        raw: token.type === "heading" ? `${token.depth} ${token.raw}` : token.raw,
        fragment: () => {
          try {
            return finished(purifier.sanitize(marked.parser([token]), POLICY));
          } catch {
            return asItIs(token.raw);
          }
        },
      }));
  } catch {
    return [{ raw: text, fragment: () => asItIs(text) }];
  }
}

/** Headings without gaps: the highest that a text uses comes right below the message's own. */
function level(tokens) {
  const headings = tokens.filter((token) => token.type === "heading");
  const depths = [...new Set(headings.map((token) => token.depth))].sort();
  for (const heading of headings) heading.depth = depths.indexOf(heading.depth) + 1;
}

function asItIs(text) {
  const fragment = document.createDocumentFragment();
  const whole = document.createElement("p");
  whole.className = "as-it-is";
  whole.dir = "auto";
  whole.textContent = text;
  fragment.append(whole);
  return fragment;
}

/** Sanitised nodes with what the page adds: directions, scrolling tables, copy buttons. */
function finished(fragment) {
  for (const node of fragment.querySelectorAll("p, h3, h4, h5, h6, li, td, th, blockquote")) node.dir = "auto";
  for (const cell of fragment.querySelectorAll("[align]")) {
    cell.classList.add(`align-${cell.getAttribute("align")}`);
    cell.removeAttribute("align");
  }
  for (const head of fragment.querySelectorAll("th")) head.scope = "col";
  for (const table of fragment.querySelectorAll("table")) table.replaceWith(framed(table, t.table, () => tableText(table)));
  for (const code of fragment.querySelectorAll("pre")) {
    code.dir = "ltr";
    const language = /language-(\S+)/.exec(code.firstElementChild?.className ?? "")?.[1];
    code.replaceWith(framed(code, language || t.code, () => code.textContent.replace(/\n$/, "")));
  }
  return fragment;
}

/** A table or code in a frame that scrolls by itself and has a button to copy it. */
function framed(content, name, text) {
  const frame = document.createElement("div");
  frame.className = "frame";
  const bar = document.createElement("div");
  bar.className = "frame-bar";
  const label = document.createElement("span");
  label.textContent = name;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small";
  button.textContent = t.copy;
  button.setAttribute("aria-label", t.copyThis(name));
  button.addEventListener("click", () => copyText(text(), button));
  bar.append(label, button);
  const scroll = document.createElement("div");
  scroll.className = "frame-scroll";
  scroll.tabIndex = 0; // what scrolls has to be reachable by keyboard
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", name);
  scroll.append(content.cloneNode(true));
  frame.append(bar, scroll);
  return frame;
}

const tableText = (table) =>
  [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()).join("\t")).join("\n");

/** Put text on the clipboard and say so; `button` shows it for a moment. */
export async function copyText(text, button = null) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    announceStatus(t.notCopied);
    return;
  }
  announceStatus(t.copied);
  if (!button) return;
  const before = button.textContent;
  button.textContent = t.copiedShort;
  setTimeout(() => (button.textContent = before), 1500);
}

/** The words of a Markdown text without its signs, for a screen reader or a voice. */
export function spokenText(source) {
  const words = blocks(source).map((block) => {
    const fragment = block.fragment();
    for (const bar of fragment.querySelectorAll(".frame-bar")) bar.remove();
    for (const cell of fragment.querySelectorAll("td, th")) cell.append(cell.nextElementSibling ? ", " : ".\n");
    for (const item of fragment.querySelectorAll("li")) item.append("\n");
    return fragment.textContent.trim();
  });
  return words.join("\n").replace(/\n{2,}/g, "\n").trim();
}

/**
 * <clear-prose>: draws `text`; only blocks that changed are drawn anew, so that what is being read stays where it is,
 * selected and focused. At most once a frame.
 */
export class ClearProse extends HTMLElement {
  #text = "";
  #raw = [];
  #waiting = false;

  get text() {
    return this.#text;
  }

  set text(text) {
    if (text === this.#text) return;
    this.#text = text;
    if (!this.isConnected || !this.#raw.length) return this.#draw();
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#draw();
    });
  }

  #draw() {
    const found = blocks(this.#text);
    let same = 0;
    while (same < found.length && found[same].raw === this.#raw[same]) same += 1;
    while (this.children.length > same) this.lastElementChild.remove();
    for (const block of found.slice(same)) {
      const holder = document.createElement("div");
      holder.className = "block";
      holder.append(block.fragment());
      this.append(holder);
      if (holder.querySelector(".formula")) typeset(holder);
    }
    this.#raw = found.map((block) => block.raw);
  }
}

customElements.define("clear-prose", ClearProse);
