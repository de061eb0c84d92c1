"""Truths and the judges that hold an answer against them: one implementation for evaluation, reward and data checks.

`verify(truth, answer)` gives a score in [0, 1], whether the answer counts as right, and a reason in words. Answers
are judged as people write them: "Five.", "5" and "There are five." are one number. Judges are strict where an
answer hedges: two different numbers, both yes and no, or every choice at once are wrong.

Points and boxes are written as whole thousandths of the picture's width and height, from its top left corner:
"(412, 250)" and "(100, 200, 300, 400)" for left, top, right, bottom.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "text",  # a name or short phrase: equal to the answer or one of its alternatives
    "verbatim",  # a transcription: every character counts, runs of white space are one
    "yes or no",
    "number",  # value is a number; within `tolerance` (absolute)
    "choice",  # one of `choices`, by its text or its letter
    "list",  # value is a sequence of names, in order
    "set",  # value is a sequence of names, in any order
    "point",  # value is the box (left, top, right, bottom) in thousandths that the point must lie in
    "box",  # value is a box in thousandths; right from an overlap (IoU) of a half
    "time",  # value is minutes since midnight or noon on a dial of twelve hours; within `tolerance` minutes
    "not shown",  # the question rests on something that is not in the picture; the answer must say so
    "can't be read",  # what is asked for is there, but not legible; the answer must say so
]
KINDS: tuple[str, ...] = get_args(Kind)

NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
    "twenty",
)


@dataclass(frozen=True)
class Truth:
    """What is known about the right answer. `answer` is how a person would say it; the rest is for the judge."""

    kind: Kind
    answer: str
    value: Any = None
    choices: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind of answer {self.kind!r}; use one of {', '.join(KINDS)}")

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, JSON-ready."""
        found: dict[str, Any] = {"kind": self.kind, "answer": self.answer}
        if self.value is not None:
            found["value"] = self.value
        for name in ("choices", "alternatives"):
            if getattr(self, name):
                found[name] = list(getattr(self, name))
        if self.tolerance:
            found["tolerance"] = self.tolerance
        return found

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Truth":
        return cls(
            kind=value["kind"],
            answer=value["answer"],
            value=value.get("value"),
            choices=tuple(value.get("choices", ())),
            alternatives=tuple(value.get("alternatives", ())),
            tolerance=value.get("tolerance", 0.0),
        )


@dataclass(frozen=True)
class Verdict:
    """`score` in [0, 1]; `right` is what counts as a right answer; `reason` says why, for people."""

    score: float
    right: bool
    reason: str = field(compare=False)

    @classmethod
    def of(cls, right: bool, reason: str) -> "Verdict":
        return cls(float(right), right, reason)


def verify(truth: Truth, answer: str) -> Verdict:
    """Judge an answer. Never raises for a strange answer: that is simply wrong."""
    said = unicodedata.normalize("NFC", answer).strip()
    if not said:
        return Verdict(0.0, False, "the answer is empty")
    refused = "not shown" if says_not_shown(said) else "can't be read" if says_unreadable(said) else ""
    if truth.kind in ("not shown", "can't be read"):
        return Verdict.of(refused == truth.kind, f"it says {refused or 'something that was asked in vain'}")
    if refused and truth.kind not in ("verbatim", "yes or no") and not _is_refusal_text(truth):
        return Verdict(0.0, False, f"it says {refused}, and an answer is there")
    return _JUDGES[truth.kind](truth, said)


# ---------------------------------------------------------------------------------------------------
# Reading what people write

NOT_SHOWN = "That is not shown in the picture."
CANT_BE_READ = "That can't be read."
_NOT_SHOWN = re.compile(
    r"\b(not|n't|nothing|none|no such|never|isn't|aren't|doesn't|does not)\b.{0,40}"
    r"\b(shown?|there|present|appear\w*|visible|contain\w*|exist\w*|given|listed"
    r"|in the (picture|image|photo|chart|table))\b"
    r"|\bthere (is|are) (no|none)\b|\bno \w+( \w+)? (is|are) (shown|visible|there)\b",
    re.IGNORECASE,
)
_UNREADABLE = re.compile(
    r"\b(can't|cannot|can not|could not|couldn't|not|un|im|too \w+ to)\b.{0,25}"
    r"\b(be read|read(able)?|legible|make out|made out|be made out|recogni[sz]e\w*)\b"
    r"|\b(unreadable|illegible|too (blurred|blurry|small|dark|faint|noisy))\b",
    re.IGNORECASE,
)


def says_not_shown(answer: str) -> bool:
    """Whether an answer says that what it was asked about is not in the picture."""
    answer = answer.replace("’", "'")
    return bool(_NOT_SHOWN.search(answer)) and not says_unreadable(answer)


def says_unreadable(answer: str) -> bool:
    """Whether an answer says that something is there but can't be read."""
    return bool(_UNREADABLE.search(answer.replace("’", "'")))


def plain(text: str) -> str:
    """Lower case, one space between words, no article in front, no closing full stop or quotes."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    text = " ".join(text.split()).strip(" .,;:!\"'“”`")
    return re.sub(r"^(the|a|an) (?=\w)", "", text)


def numbers_in(answer: str) -> list[float]:
    """Numbers written in digits (with thousands separators) or, up to twenty, in words; in order."""
    found = []
    words = "|".join(NUMBER_WORDS)
    for match in re.finditer(
        rf"[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?|\b(?:{words})\b", answer, re.IGNORECASE
    ):
        token = match[0].lower()
        if token in NUMBER_WORDS:
            found.append(float(NUMBER_WORDS.index(token)))
            continue
        token = token.replace("−", "-")
        if token[0] in "-+" and match.start() > 0 and answer[match.start() - 1].isalnum():
            token = token[1:]  # "3-4" is two positive numbers
        token = re.sub(r",(?=\d{3}(\D|$))", "", token).rstrip(",").split(",")[0]
        try:
            found.append(float(token))
        except ValueError:
            continue
    return found


def names_in(answer: str) -> list[str]:
    """An enumeration's items, plain: split at commas, semicolons, line ends, arrows and a last "and"."""
    answer = re.sub(r"(?m)^\s*(?:[-*•]|\d+[.)])\s+", "", answer)
    answer = re.sub(r",?\s+and\s+(?=[^,;\n]+$)", ", ", answer.strip().rstrip("."))
    return [plain(item) for item in re.split(r"\s*(?:,|;|\n|→|->)\s*", answer) if plain(item)]


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum(max(0.0, c[2] - c[0]) * max(0.0, c[3] - c[1]) for c in (a, b))
    return width * height / (areas - width * height) if areas > width * height else 0.0


def edit_distance(a: str, b: str) -> int:
    """Least number of inserted, deleted and replaced characters (Levenshtein, 1966)."""
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (left != right)))
        previous = current
    return previous[-1]


# ---------------------------------------------------------------------------------------------------
# Judges, one a kind


def _text(truth: Truth, said: str) -> Verdict:
    wanted = {plain(text) for text in (truth.answer, *truth.alternatives)}
    right = plain(said) in wanted or (said in (truth.answer, *truth.alternatives))
    return Verdict.of(right, f"{plain(said)!r} against {truth.answer!r}")


def _verbatim(truth: Truth, said: str) -> Verdict:
    wanted, got = " ".join(truth.answer.split()), " ".join(said.split())
    if wanted == got:
        return Verdict(1.0, True, "every character is right")
    distance = edit_distance(wanted, got)
    rate = distance / max(1, len(wanted))
    return Verdict(max(0.0, 1 - rate), False, f"{distance} of {len(wanted)} characters differ")


def _yes_or_no(truth: Truth, said: str) -> Verdict:
    words = set(re.findall(r"[a-z']+", said.lower()))
    yes, no = (
        bool(words & {"yes", "yeah", "true", "correct"}),
        bool(words & {"no", "nope", "false", "incorrect"}),
    )
    if yes == no:
        return Verdict(0.0, False, "it says neither yes nor no, or both")
    return Verdict.of(yes == (plain(truth.answer) == "yes"), "it says " + ("yes" if yes else "no"))


def _number(truth: Truth, said: str) -> Verdict:
    found = set(numbers_in(said))
    if len(found) != 1:
        return Verdict(0.0, False, f"it names {len(found)} numbers instead of one")
    (value,) = found
    return Verdict.of(
        abs(value - truth.value) <= truth.tolerance + 1e-9, f"{value:g} against {truth.value:g}"
    )


def _choice(truth: Truth, said: str) -> Verdict:
    by_name = [choice for choice in truth.choices if plain(choice) == plain(said)]
    letter = re.fullmatch(r"\(?([A-Z])[).:]?", said.strip())
    if not by_name and letter and ord(letter[1]) - 65 < len(truth.choices):
        by_name = [truth.choices[ord(letter[1]) - 65]]
    if not by_name:
        text = plain(said)
        spans = [
            (m.start(), m.end(), choice)
            for choice in truth.choices
            for m in re.finditer(rf"(?<!\w){re.escape(plain(choice))}(?!\w)", text)
        ]  # "dark blue" said means it, not also "blue"
        by_name = sorted(
            {
                c
                for s, e, c in spans
                if not any(s2 <= s and e <= e2 and e2 - s2 > e - s for s2, e2, _ in spans)
            }
        )
    if len(by_name) != 1:
        return Verdict(0.0, False, f"it names {len(by_name)} of the choices instead of one")
    return Verdict.of(by_name[0] == truth.answer, f"{by_name[0]!r} against {truth.answer!r}")


def _list(truth: Truth, said: str) -> Verdict:
    wanted, got = [plain(item) for item in truth.value], names_in(said)
    same = sum(a == b for a, b in zip(wanted, got, strict=False))
    score = same / max(len(wanted), len(got), 1)
    return Verdict(score, wanted == got, f"{same} of {len(wanted)} stand in their place")


def _set(truth: Truth, said: str) -> Verdict:
    wanted, got = sorted(plain(item) for item in truth.value), sorted(names_in(said))
    both = sum(min(wanted.count(item), got.count(item)) for item in set(wanted))
    score = 2 * both / max(1, len(wanted) + len(got))
    return Verdict(score, wanted == got, f"{both} of {len(wanted)} are named, {len(got) - both} others are")


def _point(truth: Truth, said: str) -> Verdict:
    found = numbers_in(said)
    if len(found) != 2:
        return Verdict(0.0, False, f"a point has two numbers, not {len(found)}")
    left, top, right, bottom = truth.value
    return Verdict.of(
        left <= found[0] <= right and top <= found[1] <= bottom, f"{found} against {truth.value}"
    )


def _box(truth: Truth, said: str) -> Verdict:
    found = numbers_in(said)
    if len(found) != 4:
        return Verdict(0.0, False, f"a box has four numbers, not {len(found)}")
    share = overlap(tuple(found), tuple(truth.value))
    return Verdict(share, share >= 0.5, f"the boxes overlap by {share:.2f}")


def _time(truth: Truth, said: str) -> Verdict:
    match = re.fullmatch(r"\D*?(\d{1,2})[:.](\d{2})\s*(?:o'clock|a\.?m\.?|p\.?m\.?)?\D*", said, re.IGNORECASE)
    if not match or int(match[2]) > 59:
        return Verdict(0.0, False, "it names no time like 3:25")
    minutes = (int(match[1]) % 12) * 60 + int(match[2])
    off = abs(minutes - truth.value % 720)
    off = min(off, 720 - off)
    return Verdict.of(off <= truth.tolerance, f"{off} minutes off")


def _is_refusal_text(truth: Truth) -> bool:
    """A sign in the picture may itself say "not legible"; then repeating it is right."""
    return truth.kind == "text" and (says_not_shown(truth.answer) or says_unreadable(truth.answer))


_JUDGES: dict[str, Callable[[Truth, str], Verdict]] = {
    "text": _text,
    "verbatim": _verbatim,
    "yes or no": _yes_or_no,
    "number": _number,
    "choice": _choice,
    "list": _list,
    "set": _set,
    "point": _point,
    "box": _box,
    "time": _time,
}
