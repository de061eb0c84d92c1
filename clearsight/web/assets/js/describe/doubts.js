// Words of an answer that other answers don't bear out: shown with a dotted line, and spoken with "(unsure)".

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { t } from "../strings.js";

/** The pieces of a text in order: {text, unsure}. Places are counted in characters of Unicode, as the server does. */
export function pieces(text, doubts) {
  const signs = [...text];
  const found = [];
  let at = 0;
  for (const { start, end } of doubts) {
    if (start > at) found.push({ text: signs.slice(at, start).join(""), unsure: false });
    found.push({ text: signs.slice(start, end).join(""), unsure: true });
    at = end;
  }
  if (at < signs.length) found.push({ text: signs.slice(at).join(""), unsure: false });
  return found;
}

/** A text as it is spoken: "the can says 7 (unsure) percent". */
export const spokenWithDoubts = (text, doubts) =>
  pieces(text, doubts)
    .map((piece) => (piece.unsure ? `${piece.text} ${t.unsure}` : piece.text))
    .join("");

/** A text as it is shown. */
export const withDoubts = (text, doubts) =>
  pieces(text, doubts).map((piece) =>
    piece.unsure ? html`<span class="doubt">${piece.text}<span class="unseen"> ${t.unsure}</span></span>` : html`${piece.text}`,
  );

/** What the dots mean, in a sentence. */
export const explanation = (doubts, samples) => (samples ? html`<p class="faint">${doubts.length ? t.doubtsExplained(samples) : t.doubtsNone(samples)}</p>` : nothing);

/**
 * Mark doubtful words in text that is drawn already (Markdown): each is looked for after the one before. `root` is
 * marked once for a set of doubts; what was marked before is taken back.
 */
export function markDrawn(root, doubts) {
  const key = JSON.stringify(doubts);
  if (root.dataset.doubts === key && (root.querySelector(".doubt") || !doubts.length)) return;
  root.dataset.doubts = key;
  for (const old of root.querySelectorAll(".doubt")) old.replaceWith(old.firstChild);
  root.normalize();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let node = walker.nextNode();
  for (const { text } of doubts) {
    let place = -1;
    while (node && (place = wordAt(node.data, text)) < 0) node = walker.nextNode();
    if (!node) return;
    const word = node.splitText(place);
    node = word.splitText(text.length);
    const mark = document.createElement("span");
    mark.className = "doubt";
    const unseen = document.createElement("span");
    unseen.className = "unseen";
    unseen.textContent = ` ${t.unsure}`;
    word.replaceWith(mark);
    mark.append(word, unseen);
    walker.currentNode = node;
  }
}

/** Where a text stands as whole words, or -1. */
function wordAt(data, text) {
  const isWord = (sign) => /[\p{L}\p{N}]/u.test(sign ?? "");
  for (let place = data.indexOf(text); place >= 0; place = data.indexOf(text, place + 1)) {
    if (!isWord(data[place - 1]) && !isWord(data[place + text.length])) return place;
  }
  return -1;
}
