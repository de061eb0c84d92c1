"""CHAIR: how many of the things a caption mentions are not in the picture.

    CHAIR_i = things mentioned that are not there / things mentioned
    CHAIR_s = captions that mention one / captions

Rohrbach et al., 2018, https://arxiv.org/abs/1809.02156. A caption that says little hallucinates little, so `recall`
(things there that are mentioned) and `words` always stand beside. Every mention counts, as in the authors' code;
`distinct` counts a thing once a caption, as AMBER does.

A vocabulary gives the forms of each thing: {"dog": ["dog", "puppy"]}. Regular plurals are found too; a longer form
covers a shorter one inside it ("hot dog" mentions no dog).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from clearsight.evals.metrics.scored import Scored, ratio

Vocabulary = Mapping[str, Sequence[str]]


def chair(caption: str, present: Collection[str], vocabulary: Vocabulary) -> Scored:
    """The share of mentions that are right. A caption that mentions nothing has nothing wrong, and nothing to show; an
    empty one is unread."""
    named = mentions(caption, vocabulary)
    wrong = [name for name in named if name not in present]
    covered = set(named) & set(present)
    counts = {
        "mentions": float(len(named)),
        "wrong mentions": float(len(wrong)),
        "things": float(len(set(named))),
        "wrong things": float(len(set(wrong))),
        "captions": 1.0,
        "captions with a wrong thing": float(bool(wrong)),
        "present": float(len(set(present))),
        "covered": float(len(covered)),
        "words": float(len(caption.split())),
    }
    if not caption.strip():
        return Scored(0.0, False, "", {"distinct": 0.0}, counts)
    under = {"distinct": 1 - ratio(len(set(wrong)), len(set(named)))}
    return Scored(1 - ratio(len(wrong), len(named)), True, ", ".join(named), under, counts)


def chair_summary(counts: Mapping[str, float]) -> dict[str, float]:
    """Of the counts of many captions, added up."""
    return {
        "CHAIR_i": ratio(counts["wrong mentions"], counts["mentions"]),
        "CHAIR_i distinct": ratio(counts["wrong things"], counts["things"]),
        "CHAIR_s": ratio(counts["captions with a wrong thing"], counts["captions"]),
        "recall": ratio(counts["covered"], counts["present"]),
        "words": ratio(counts["words"], counts["captions"]),
    }


def mentions(caption: str, vocabulary: Vocabulary) -> list[str]:
    """The names of things mentioned, in order, as often as they are."""
    pattern, names = _compiled(tuple((name, tuple(forms)) for name, forms in vocabulary.items()))
    return [names[" ".join(match[0].lower().split())] for match in pattern.finditer(caption)]


@lru_cache(maxsize=8)
def _compiled(vocabulary: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """One pattern, longest forms first, and the thing that each form stands for."""
    names: dict[str, str] = {}
    for name, forms in vocabulary:
        for form in (name, *forms):
            for written in (form.lower(), plural(form.lower())):
                names.setdefault(written, name)
    longest_first = sorted(names, key=len, reverse=True)
    alternatives = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in longest_first)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE), names


def plural(word: str) -> str:
    """The regular plural."""
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")
