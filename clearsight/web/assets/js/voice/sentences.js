// Where a sentence ends when a text is spoken: the rules of clearsight/speech/sentences.py once more, because the page
// cuts an answer while it streams. tests/web/test_voice.py gives both the same cases and the same random texts.

export const LONGEST = 240; // characters, some 15 seconds of speech

const NEVER_LAST = new Set(
  (
    "mr mrs ms dr prof st mt no nos fig figs vs e.g i.e approx ca cf al gen sen rep rev hon sgt " +
    "capt lt col dept vol pp ed eds est"
  ).split(" "),
);
const END = /(?<mark>[.!?…]+|[。！？｡]+)["'”’»)\]」』]*/gu;
const BREAK = /\n[^\S\n]*\n\s*|\n[^\S\n]*(?=(?:[-*•–]|\d{1,3}[.)])\s)/gu;
const LOOK_BACK = 24; // characters, more than any abbreviation has
const LIST_NUMBER = /^\s*(?:\d{1,3}|[A-Za-z])$/;
const LAST_WORD = /[^\s(["'“‘]*$/;
const INITIALS = /^(?:[A-Za-z]\.)*[A-Z]$/;
const CUTS = [/[;:；：]\s*/g, /[,，、]\s*|\s[–—-]\s/g, /\s+/g];

/** The sentences of a finished text, in order, without the white space around them; none is empty. */
export function splitSentences(text, longest = LONGEST) {
  const [ready, rest] = takeSentences(text, longest);
  return [...ready, ...pieces(rest, longest)];
}

/**
 * [sentences that are surely complete in a text that is still growing, what is left of it]. The last one is never
 * surely complete, as more may follow its full stop.
 */
export function takeSentences(text, longest = LONGEST) {
  const ready = [];
  const pauses = [...text.matchAll(BREAK)].map((found) => ({ start: found.index, end: found.index + found[0].length }));
  let start = 0;
  for (;;) {
    while (pauses.length && pauses[0].end <= start) pauses.shift();
    const end = nextEnd(text, start, pauses[0]);
    if (end === null) return [ready, text.slice(start)];
    ready.push(...pieces(text.slice(start, end), longest));
    start = end;
  }
}

/** Where the sentence that begins at `start` ends for certain, white space included; null when it may go on. */
function nextEnd(text, start, pause) {
  const limit = pause ? pause.start : text.length;
  const within = text.slice(0, limit);
  END.lastIndex = start;
  for (let found = END.exec(within); found; found = END.exec(within)) {
    if (!endsSentence(text, start, found, limit)) continue;
    const after = found.index + found[0].length;
    const next = after + /^\s*/.exec(text.slice(after))[0].length;
    return next < text.length ? next : null;
  }
  return pause && pause.end < text.length ? pause.end : null;
}

function endsSentence(text, start, found, limit) {
  const { mark } = found.groups;
  const end = found.index + found[0].length;
  if ("。！？｡".includes(mark[0])) return true;
  if (end < limit && !/\s/.test(text[end])) return false; // 3.5, example.org, ?!)
  const following = [...text.slice(end, limit).trimStart().slice(0, 2)][0] ?? "";
  if (/\p{Lowercase}/u.test(following)) return false; // "Stop!" he said
  if (mark !== ".") return true;
  const before = text.slice(Math.max(start, found.index - LOOK_BACK), found.index);
  if (found.index - start < LOOK_BACK && LIST_NUMBER.test(before)) return false;
  const word = LAST_WORD.exec(before)[0];
  if (NEVER_LAST.has(word.toLowerCase()) || INITIALS.test(word)) {
    return following === "" && end === limit && limit < text.length; // a blank line ends it all the same
  }
  return true;
}

/** A sentence on one line, cut into pieces of at most `longest` characters. */
function pieces(sentence, longest) {
  let rest = sentence.split(/\s+/).filter(Boolean).join(" ");
  const found = [];
  while (rest.length > longest) {
    const cut = lastCut(rest, longest);
    found.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  return [...found, rest].filter(Boolean);
}

/** The last place up to `longest`, and not in the first third, where a pause does the least harm. */
function lastCut(text, longest) {
  const within = text.slice(0, longest);
  for (const cut of CUTS) {
    cut.lastIndex = Math.floor(longest / 3);
    let place = null;
    for (let found = cut.exec(within); found; found = cut.exec(within)) place = found.index + found[0].length;
    if (place !== null) return place;
  }
  return longest;
}
