"""Which choice a reply names (AI2D, MMMU, MMStar, MathVista).

A reply names a choice by its letter, standing as a letter ("B", "(b)", "B. roots", "The answer is B",
"\\boxed{B}"), or by its text. An article is no letter: "A dog" is not A. What names no choice, or two, is unread;
it is never guessed.

Conventions in use: `lmms-eval ai2d` takes "B. ..." or a reply that is the letter and nothing else; `mmmu` searches
for letters anywhere, the last one winning, and guesses when it finds none (counted here as the chance of the
guess); `mmstar` looks at the first characters alone; `lmms-eval mmstar` (0.7.3) takes the letter that stands
first, else last, else behind a phrase such as "the answer is", else with a bracket or mark, else any capital from
A to D (here as far as the choices go, if they are more). https://github.com/MMMU-Benchmark/MMMU, https://arxiv.org/abs/2403.20330
"""

import re
import string
from collections.abc import Sequence

from clearsight.data.verify import plain
from clearsight.evals.metrics.exact import same_but_for_punctuation
from clearsight.evals.metrics.scored import Scored

_SAYS = re.compile(
    r"(?:\b(?:answer|option|choice)(?: is| would be| should be)?\s*[:=]?[*_]*\s*(?:option |choice )?"
    r"|\bi (?:choose|pick|select)\s+(?:option )?)"
    r"(?P<mark>[(\[*\"'`]*)(?P<letter>[A-Za-z])(?P<end>[)\].:,*\"'`]*)(?=\s|$)",
    re.IGNORECASE,
)


def multiple_choice(reply: str, right: int, choices: Sequence[str]) -> Scored:
    """`right` is the number of the right choice, from 0."""
    named = chosen(reply, choices)
    letter = chr(65 + right)
    under = {
        "lmms-eval ai2d": float(_ai2d(reply, letter)),
        "mmmu": _mmmu(reply, right, choices),
        "mmstar": float(_mmstar(reply, letter)),
        "lmms-eval mmstar": float(_mmstar_of_lmms_eval(reply, len(choices)) == letter),
    }
    if named is None:
        return Scored.unread(" ".join(reply.split())[:80], under)
    return Scored(float(named == right), True, f"{chr(65 + named)}. {choices[named]}", under)


def chosen(reply: str, choices: Sequence[str]) -> int | None:
    """The number of the one choice that a reply names; None for none or several."""
    text = reply.strip().strip("*_` \"'")
    if not text:
        return None
    same = [i for i, choice in enumerate(choices) if plain(choice) == plain(text)]
    if len(same) == 1:
        return same[0]
    return _first_known(_by_opening(text, choices), _by_saying(text, choices), _by_text(text, choices))


_CONTRADICTS = -1


def _first_known(*found: int | None) -> int | None:
    """The first that is known; nothing at all if that one contradicts itself."""
    first = next((one for one in found if one is not None), None)
    return None if first == _CONTRADICTS else first


def _by_opening(text: str, choices: Sequence[str]) -> int | None:
    """A letter alone or at the beginning: "B", "(b)", "B.", "B) roots", "B: roots"."""
    alone = re.fullmatch(r"[(\[]?([A-Za-z])[)\].:]*", text)
    if alone:
        return _index(alone[1], choices)
    opening = re.match(r"(?:[(\[]([A-Za-z])[)\]][.:]?|([A-Z])[.):])[*_`]*\s+(?=\S)", text) or re.match(
        r"()([A-Z])\s+", text
    )
    number = _index(opening[1] or opening[2], choices) if opening else None
    if opening is None or number is None:
        return None
    rest = plain(text[opening.end() :].split("\n")[0])
    others = [i for i, choice in enumerate(choices) if plain(choice) == rest]
    if others:
        return number if number in others else _CONTRADICTS
    return None if opening[0].rstrip() == opening[2] else number  # "A dog" has no mark behind its A


def _by_saying(text: str, choices: Sequence[str]) -> int | None:
    """What the reply says last: "The answer is (B)." Also a box, and one letter in brackets."""
    boxed = re.findall(r"\\boxed\{\s*(?:\\text\{)?\s*([A-Za-z])\s*\}", text)
    if boxed:
        return _index(boxed[-1], choices)
    said = None
    for match in _SAYS.finditer(text):
        followed = text[match.end() :].strip()
        if match["letter"].islower() and not match["mark"]:
            continue
        if match["letter"].upper() in "AI" and followed and not match["mark"] and not match["end"]:
            continue  # "The answer is A dog", "The answer I gave"
        number = _index(match["letter"], choices)
        said = number if number is not None else said
    if said is not None:
        return said
    bracketed = {_index(letter, choices) for letter in re.findall(r"\(([A-Z])\)", text)} - {None}
    return bracketed.pop() if len(bracketed) == 1 else None


def _by_text(text: str, choices: Sequence[str]) -> int | None:
    """The one choice whose text stands in the reply as words; "dark blue" is not also "blue"."""
    said = plain(text)
    spans = [
        (match.start(), match.end(), i)
        for i, choice in enumerate(choices)
        if plain(choice)
        for match in re.finditer(rf"(?<!\w){re.escape(plain(choice))}(?!\w)", said)
        if len(plain(choice)) > 1 or plain(choice).isdigit()
    ]
    named = {
        i
        for start, end, i in spans
        if not any(s <= start and end <= e and e - s > end - start for s, e, _ in spans)
    }
    return named.pop() if len(named) == 1 else None


def _index(letter: str, choices: Sequence[str]) -> int | None:
    number = ord(letter.upper()) - 65
    return number if 0 <= number < len(choices) else None


# ---------------------------------------------------------------------------------------------------
# Conventions in use, with what they get wrong


def _ai2d(reply: str, letter: str) -> bool:
    found = re.match(r"\s*([A-Z])\.", reply)
    return same_but_for_punctuation(found[1] if found else reply, letter)


def _mmstar(reply: str, letter: str) -> bool:
    text, wanted = reply.lower().strip().replace("\n", " "), letter.lower()
    return any(
        text.startswith(opening) and text[len(opening) :][:1] == wanted
        for opening in ("", "(", "option ", "the answer is ")
    )


# Where a letter may follow: in the English phrases of lmms-eval, and those of three other languages.
_PHRASES = (
    *(
        f"{before}answer is"
        for before in ("", "the ", "correct ", "the correct ", "best ", "the best ", "my ")
    ),
    *(f"{before}option is" for before in ("correct ", "the correct ", "best ", "the best ")),
    *(f"{before}choice is" for before in ("", "the ", "correct ", "the correct ", "my ")),
    *("i choose", "i select", "i pick"),
    *("옵션", "정답은", "답은", "답:", "答案是", "答案为", "选", "答えは"),
)


def _mmstar_of_lmms_eval(reply: str, count: int) -> str | None:
    letters = tuple(string.ascii_uppercase[: max(4, count)])
    text = reply.strip()
    for mark in ",.!?;:'\"":
        text = text.strip(mark)
    text = f" {text} "
    bare = text.strip()
    if bare[:1] in letters and not bare[1:2].isalpha():
        return bare[:1]
    if bare[-1:] in letters and not bare[-2:-1].isalpha():
        return bare[-1:]
    ends = [text.lower().find(phrase) + len(phrase) for phrase in _PHRASES if phrase in text.lower()]
    places = {letter: max((text.find(letter, end) for end in ends), default=-1) for letter in letters}
    if max(places.values()) >= 0:
        return max(places, key=places.__getitem__)
    for form in ("({})", "{}.", "{}:", "{})", "{} ", "{}"):
        places = {letter: text.rfind(form.format(letter)) for letter in letters}
        if max(places.values()) >= 0:
            return max(places, key=places.__getitem__)
    return None


def _mmmu(reply: str, right: int, choices: Sequence[str]) -> float:
    reply = reply.strip()
    for mark in ",.!?;:'":
        reply = reply.strip(mark)
    text = f" {reply} "
    letters = [chr(65 + i) for i in range(len(choices))]
    for form, place in (("({})", "({})"), ("{} ", " {} "), ("{}.", " {} ")):
        found = [i for i, letter in enumerate(letters) if form.format(letter) in text]
        if found:
            places = [text.rfind(place.format(letters[i])) for i in found]
            return float(found[places.index(max(places))] == right)
    if len(text.split()) > 5:
        found = [i for i, choice in enumerate(choices) if choice.lower() in text.lower()]
        if found:
            places = [text.lower().rfind(choices[i].lower()) for i in found]
            return float(found[places.index(max(places))] == right)
    return 1 / len(choices)
