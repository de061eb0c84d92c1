// What is said of a Markdown text: no signs, no addresses, code by its length, tables row by row, formulas in words. A
// text that still grows gives only what can't change any more: an open link or a table without its end waits.

import { marked } from "../../vendor/marked/marked.esm.js";
import { isTame } from "../markdown.js";
import { t } from "../strings.js";
import { formulaWords } from "./formula_words.js";
import { splitSentences, takeSentences } from "./sentences.js";

/** The sentences of a finished text. */
export const sentencesOf = (markdown) => splitSentences(speakable(markdown));

/** The sentences at the beginning of a growing text that will stay as they are. */
export function settledSentences(markdown) {
  if (!isTame(markdown)) return [];
  const [text, ended] = settled(markdown);
  const said = speakable(text);
  return ended ? splitSentences(said) : takeSentences(said)[0];
}

/** A Markdown text as it is said: paragraphs apart, so that a pause is made between them. */
export function speakable(markdown) {
  if (!isTame(markdown)) return markdown;
  return marked.lexer(markdown).map(block).filter(Boolean).join("\n\n");
}

function block(token) {
  switch (token.type) {
    case "code":
      return t.saidCode(token.text.split("\n").length, (token.lang ?? "").split(/\s/)[0]);
    case "table":
      return table(token);
    case "list":
      return token.items.map((item, index) => listItem(token, item, index)).join("\n\n");
    case "blockquote":
      return t.saidQuote(token.tokens.map(block).filter(Boolean).join("\n\n"));
    case "displayFormula":
      return closed(formulaWords(token.tex));
    case "html":
      return token.text.replace(/<[^>]*>/g, " ").trim();
    case "heading":
    case "paragraph":
    case "text":
      return closed(token.tokens ? inline(token.tokens) : token.text);
    default:
      return "";
  }
}

function listItem(list, item, index) {
  const said = item.tokens.map(block).filter(Boolean).join("\n\n");
  const number = list.ordered ? `${Number(list.start) + index}. ` : "";
  return `${number}${item.task ? `${t.task(item.checked)}: ` : ""}${said}`;
}

function table({ header, rows }) {
  const names = header.map((cell) => inline(cell.tokens));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => [names[column], inline(cell.tokens)].filter(Boolean).join(": "))
      .filter(Boolean)
      .join(", "),
  );
  return [t.saidTable(rows.length, names.filter(Boolean).join(", ")), ...lines.map(closed)].join("\n\n");
}

function inline(tokens) {
  return tokens
    .map((token) => {
      switch (token.type) {
        case "link":
          return link(token);
        case "image":
          return t.saidPicture(token.text);
        case "formula":
        case "displayFormula":
          return ` ${formulaWords(token.tex)} `;
        case "br":
          return "\n";
        case "html":
          return " ";
        case "checkbox":
          return "";
        case "codespan":
          return token.text;
        default:
          return token.tokens ? inline(token.tokens) : (token.text ?? "");
      }
    })
    .join("");
}

function link({ href, text, tokens }) {
  const said = inline(tokens).trim();
  if (said && said !== href && !/^(https?:\/\/|www\.)\S+$/.test(text)) return said;
  try {
    return t.saidLink(new URL(href).hostname.replace(/^www\./, "") || href.replace(/^mailto:/, ""));
  } catch {
    return said;
  }
}

/** With a full stop, so that headings and items end with a pause. */
const closed = (text) => (/[\p{L}\p{N})\]"'”’%]$/u.test(text.trim()) ? `${text.trim()}.` : text.trim());

/** The part of a growing text that is settled, and whether its last block has ended. */
function settled(markdown) {
  const tokens = marked.lexer(markdown);
  while (tokens.at(-1)?.type === "space") tokens.pop();
  const last = tokens.at(-1);
  const before = tokens
    .slice(0, -1)
    .map((token) => token.raw)
    .join("");
  if (!last || !["paragraph", "text"].includes(last.type) || /[|]|^\s*[-=*_~`$\\#>+\d]/m.test(last.raw)) return [before, true];
  const open = openMark(last.raw);
  return [before + last.raw.slice(0, open).trimEnd() + (open === last.raw.length ? /\s*$/.exec(last.raw)[0] : " …"), false];
}

/** Where in a paragraph something begins that is not closed yet: a link, emphasis, code, a formula; else its length. */
function openMark(text) {
  const open = new Map();
  for (const { 0: mark, index } of text.matchAll(/\\[^\n]|`+|\*+|_+|~~|\$+|!?\[|\]\([^)\s]*(?:\s[^)]*)?\)?|\]|</g)) {
    if (mark.startsWith("\\") && !"([".includes(mark[1])) continue;
    if (mark.endsWith("[") && !mark.startsWith("\\")) open.set("[", index);
    else if (mark.startsWith("](")) mark.endsWith(")") && open.delete("[");
    else if (mark === "]") index + 1 < text.length && open.delete("[");
    else if (mark === "<") !text.slice(index).includes(">") && open.set("<", index);
    else if (open.has(mark)) open.delete(mark);
    else open.set(mark, index);
  }
  return Math.min(text.length, ...open.values());
}

/** The text of a drawn element as it is said, with the words marked as doubtful named as such. */
export function speakableElement(element) {
  const copy = element.cloneNode(true);
  for (const unheard of copy.querySelectorAll("button, .frame-bar, [aria-hidden='true'], script, style")) unheard.remove();
  for (const doubtful of copy.querySelectorAll(".doubtful")) doubtful.replaceWith(t.saidUnsure(doubtful.textContent.trim()));
  for (const end of copy.querySelectorAll("p, li, h1, h2, h3, h4, h5, h6, tr, dd, dt, blockquote, .block")) {
    const said = end.textContent.trim();
    if (said) end.append(/[\p{L}\p{N}]$/u.test(said) ? ".\n\n" : "\n\n");
  }
  for (const cell of copy.querySelectorAll("td, th")) if (cell.nextElementSibling) cell.append(", ");
  return copy.textContent.replace(/[^\S\n]+/g, " ").replace(/\s*\n\s*\n\s*/g, "\n\n").trim();
}
