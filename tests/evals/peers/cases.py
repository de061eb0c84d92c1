"""What both are asked: cases as lmms-eval's worker takes them, and what we make of each.

A metric of ours is set beside a function of lmms-eval where it knows that convention by name, or where both have one
definition; then the cases stay where that is so.
"""

import random
import unicodedata
from collections.abc import Callable
from typing import Any

from clearsight.evals.metrics.anls import anls
from clearsight.evals.metrics.bleu import corpus_bleu
from clearsight.evals.metrics.boxes import box_overlap
from clearsight.evals.metrics.edit_rates import character_errors, word_errors
from clearsight.evals.metrics.exact import exact_match, ocrbench
from clearsight.evals.metrics.multiple_choice import multiple_choice
from clearsight.evals.metrics.pope import pope
from clearsight.evals.metrics.relaxed import relaxed_accuracy
from clearsight.evals.metrics.scored import Scored, ratio
from clearsight.evals.metrics.vqa import vqa_accuracy
from peers.replies import CHOICES, answer, lettered, reply

Case = dict[str, Any]
WORDS = (
    *("a", "the", "dog", "cat", "red", "ball", "grass", "on"),
    *("runs", "two", "man", "rides", "bike", "with", "hat", "2"),
)


def people(rng: random.Random) -> Case:
    """What ten people said, more or less the same, and a reply."""
    right = answer(rng)
    said = [right if rng.random() < 0.6 else reply(rng, right) for _ in range(10)]
    return {"answers": [right] * 10 if rng.random() < 0.15 else said, "reply": reply(rng, right)}


def several(rng: random.Random) -> Case:
    """Answers that are right alike."""
    right = answer(rng)
    return {
        "answers": [right, *(answer(rng) for _ in range(rng.choice((0, 0, 1, 2))))],
        "reply": reply(rng, right),
    }


def single(rng: random.Random) -> Case:
    right = answer(rng)
    return {"answers": [right], "reply": reply(rng, right)}


def choice(rng: random.Random, among: tuple[tuple[str, ...], ...] = CHOICES) -> Case:
    choices = rng.choice(among)
    right = rng.randrange(len(choices))
    return {"right": right, "choices": choices, "reply": lettered(rng, right, choices)}


def of_four(rng: random.Random) -> Case:
    """MMStar's have four each."""
    return choice(rng, tuple(one for one in CHOICES if len(one) == 4))


def written(rng: random.Random) -> Case:
    return several(rng) | {"dataset": rng.choice(("HME100k", "IIIT5K"))}


def yes_or_no(rng: random.Random) -> Case:
    right = rng.choice(("yes", "no", "Yes", "No"))
    bare = rng.choice(("yes", "no", "Yes", "NO", " yes\n", "yes", right, right))
    return {"answers": [right], "reply": bare if rng.random() < 0.6 else reply(rng, right)}


def spoken(rng: random.Random) -> Case:
    """Lines in lower case, without words of punctuation alone, which lmms-eval drops."""
    while True:
        right = " ".join(answer(rng) for _ in range(rng.randint(1, 5))).lower()
        said = reply(rng, right).strip().lower()
        if right.strip() and all(map(_says_something, (right + " " + said).split())):
            return {"answers": [right], "reply": said}


def unspaced(rng: random.Random) -> Case:
    """Without blanks, which lmms-eval does not count as characters."""
    line = spoken(rng)
    return {"answers": ["".join(line["answers"][0].split())], "reply": "".join(line["reply"].split())}


def box(rng: random.Random) -> Case:
    """One box in square brackets with its corners in order, or none; lmms-eval reads no other."""
    right = _box(rng)
    near = [round(min(0.999, max(0, side + rng.gauss(0, 0.05))), 3) for side in right]
    found = near if near[0] < near[2] and near[1] < near[3] else _box(rng)
    said = rng.choice(("{}", "The box is {}.", "{} ", "```json\n{}\n```", "Here: {}!")).format(found)
    return {
        "box": right,
        "reply": said if rng.random() < 0.9 else rng.choice(("", "I see none.", "[]", "left")),
    }


def caption(rng: random.Random, references: int = 3) -> Case:
    """Plain words: the COCO code's tokeniser, which needs Java, would leave them as they are."""
    told = [" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) for _ in range(references)]
    words = rng.choice(told).split()
    kept = [rng.choice(WORDS) if rng.random() < 0.2 else word for word in words if rng.random() < 0.9]
    return {
        "answers": told,
        "reply": rng.choice((" ".join(kept), " ".join(kept + kept), " ".join(words), "a dog")),
    }


def captions(rng: random.Random) -> Case:
    """A corpus of one reply, with punctuation and capitals too."""
    case = caption(rng, rng.randint(1, 4))
    marked = [
        f"{text.capitalize()}{rng.choice(('.', ' .', '!', ', 2,500 m.', ''))}" for text in case["answers"]
    ]
    return {
        "cases": [
            {"answers": marked, "reply": reply(rng, case["reply"]) if rng.random() < 0.5 else marked[0]}
        ]
    }


def _box(rng: random.Random) -> list[float]:
    left, top = rng.uniform(0, 0.8), rng.uniform(0, 0.8)
    return [
        round(side, 3) for side in (left, top, left + rng.uniform(0.05, 0.19), top + rng.uniform(0.05, 0.19))
    ]


def _says_something(word: str) -> bool:
    return any(unicodedata.category(one)[0] != "P" for one in word)


def _choice(case: Case) -> Scored:
    return multiple_choice(case["reply"], case["right"], case["choices"])


def _rate(scored: Scored) -> float:
    return ratio(scored.counts["edits"], scored.counts["length"])


def _written(case: Case) -> float:
    return ocrbench(case["reply"], case["answers"], case["dataset"] == "HME100k").under["lmms-eval"]


PAIRS: dict[str, tuple[Callable[[random.Random], Case], Callable[[Case], float]]] = {
    "textvqa": (people, lambda case: vqa_accuracy(case["reply"], case["answers"]).under["lmms-eval"]),
    "vqav2": (people, lambda case: vqa_accuracy(case["reply"], case["answers"]).under["lmms-eval vqav2"]),
    "anls": (several, lambda case: anls(case["reply"], case["answers"]).under["lmms-eval"]),
    "chartqa": (single, lambda case: relaxed_accuracy(case["reply"], case["answers"][0]).under["pix2struct"]),
    "gqa": (single, lambda case: exact_match(case["reply"], case["answers"]).under["lmms-eval"]),
    "ai2d": (choice, lambda case: _choice(case).under["lmms-eval ai2d"]),
    "mmmu": (choice, lambda case: _choice(case).under["mmmu"]),
    "mmstar": (of_four, lambda case: _choice(case).under["lmms-eval mmstar"]),
    "ocrbench": (written, _written),
    "pope": (
        yes_or_no,
        lambda case: pope(case["reply"], case["answers"][0].lower() == "yes").under["lmms-eval"],
    ),
    "wer": (spoken, lambda case: _rate(word_errors(case["reply"], case["answers"][0]))),
    "cer": (unspaced, lambda case: _rate(character_errors(case["reply"], case["answers"][0]))),
    "refcoco": (box, lambda case: box_overlap(case["reply"], tuple(case["box"])).under["mean IoU"]),
    "bleu": (captions, lambda case: _bleu(case["cases"][0])),
}


def _bleu(one: Case) -> float:
    return corpus_bleu([one["reply"].strip()], [one["answers"]])["13a"]


def drawn(metric: str, count: int) -> list[Case]:
    """The same cases each time."""
    rng = random.Random(f"clearsight {metric}")
    return [{"metric": metric, **PAIRS[metric][0](rng)} for _ in range(count)]
