"""Where a sentence ends when a text is spoken: the one place that decides it.

Speech starts with the first sentence while the rest is still being made, so what is cut off has to be whole: not
between "Dr." and "Smith", nor within 3.5, nor after the "2." of a list. The rules are for English abbreviations and for
the marks of all scripts. A line break within a paragraph is a space; a blank line, or the start of an item of a list,
ends a sentence. A piece longer than `longest` is cut at the best place there is, because nothing is heard before all
of it is computed.
"""

import re
from collections import deque

LONGEST = 240  # characters, some 15 seconds of speech

NEVER_LAST = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "st", "mt", "no", "nos", "fig", "figs", "vs"),
        *("e.g", "i.e", "approx", "ca", "cf", "al", "gen", "sen", "rep", "rev", "hon", "sgt"),
        *("capt", "lt", "col", "dept", "vol", "pp", "ed", "eds", "est"),
    )
)
"""Abbreviations that something always follows."""

_END = re.compile(r"""(?P<mark>[.!?…]+|[。！？｡]+)["'”’»)\]」』]*""")
_BREAK = re.compile(r"\n[^\S\n]*\n\s*|\n[^\S\n]*(?=(?:[-*•–]|\d{1,3}[.)])\s)")
_SPACE = re.compile(r"\s*")
_LOOK_BACK = 24  # characters, more than any abbreviation has
_LIST_NUMBER = re.compile(r"\s*(?:\d{1,3}|[A-Za-z])\Z")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘]*\Z")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Z]\Z")
_CUTS = (re.compile(r"[;:；：]\s*"), re.compile(r"[,，、]\s*|\s[–—-]\s"), re.compile(r"\s+"))


def split_sentences(text: str, longest: int = LONGEST) -> list[str]:
    """The sentences of a finished text, in order, without the white space around them; none is empty."""
    ready, rest = take_sentences(text, longest)
    return ready + _pieces(rest, longest)


def take_sentences(text: str, longest: int = LONGEST) -> tuple[list[str], str]:
    """The sentences that are surely complete in a text that is still growing, and what is left of it.

    What is left has to be put before what comes next. The last sentence is never surely complete, as more may follow
    its full stop.
    """
    ready: list[str] = []
    start = 0
    pauses = deque(_BREAK.finditer(text))
    while True:
        while pauses and pauses[0].end() <= start:
            pauses.popleft()
        end = _next_end(text, start, pauses[0] if pauses else None)
        if end is None:
            return ready, text[start:]
        ready += _pieces(text[start:end], longest)
        start = end


def _next_end(text: str, start: int, pause: re.Match[str] | None) -> int | None:
    """Where the sentence that starts at `start` ends for certain, white space included; `pause` is the next break."""
    limit = pause.start() if pause else len(text)
    for match in _END.finditer(text, start, limit):
        if _ends_sentence(text, start, match, limit):
            following = _SPACE.match(text, match.end())
            assert following is not None
            return following.end() if following.end() < len(text) else None  # more may come
    return pause.end() if pause and pause.end() < len(text) else None


def _ends_sentence(text: str, start: int, match: re.Match[str], limit: int) -> bool:
    mark, end = match["mark"], match.end()
    if mark[0] in "。！？｡":
        return True
    if end < limit and not text[end].isspace():
        return False  # 3.5, example.org, ?!)
    following = text[end:limit].lstrip()[:1]
    if following.islower():
        return False  # "Stop!" he said
    if mark != ".":
        return True
    before = text[max(start, match.start() - _LOOK_BACK) : match.start()]
    if match.start() - start < _LOOK_BACK and _LIST_NUMBER.match(before):
        return False
    found = _LAST_WORD.search(before)
    word = found.group() if found else ""
    if word.casefold() in NEVER_LAST or _INITIALS.match(word):
        return following == "" and end == limit < len(text)  # a blank line ends it all the same
    return True


def _pieces(sentence: str, longest: int) -> list[str]:
    """A sentence on one line, cut into pieces of at most `longest` characters."""
    rest = " ".join(sentence.split())
    pieces = []
    while len(rest) > longest:
        cut = _cut(rest, longest)
        pieces.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [piece for piece in [*pieces, rest] if piece]


def _cut(text: str, longest: int) -> int:
    """The last place up to `longest`, and not in the first third, where a pause does the least harm."""
    for pattern in _CUTS:
        places = [match.end() for match in pattern.finditer(text, longest // 3, longest)]
        if places:
            return places[-1]
    return longest
