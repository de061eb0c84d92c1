"""How well texts, writing in pictures and pictures are moderated, and how long it takes.

Text: heads are trained in turns on four fifths of the templates and judge sentences of the last fifth, filled with
dictionary words and fillers that no head was trained on; then the same in disguise. These figures flatter: one hand
wrote the templates and the lexicon. `--prompts` takes a file of prompts that other people wrote, one a line, all of
which are to be flagged. Writing: flagged sentences drawn in several ways, read back by PP-OCR and judged by the shipped
head; what is lost against the same sentences as text is the reader's doing. Pictures: drawn scenes without skin, for
false alarms only: true positives for sexual content can't be made here. Thresholds are those of the policy `public`.
Intervals are Wilson's, 95%; sentences of one template are alike, so the templates are the n that matters, and n counts
one sentence a template. The last line is JSON.

    python -m benchmarks.moderation --pictures 12
"""

import argparse
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from clearsight.conversation import Conversation, assistant, user
from clearsight.conversation import Image as Picture
from clearsight.data.worlds import WORLDS
from clearsight.data.worlds import load as load_world
from clearsight.data.worlds.drawing import fonts, running_text
from clearsight.evals.statistics import wilson
from clearsight.safety import generated, pictures, train_text
from clearsight.safety.moderation import Moderator
from clearsight.safety.policy import Policy, load
from clearsight.safety.text import TextClassifier
from clearsight.safety.watch import OutputWatch

PER_TEMPLATE = 12


def rate(right: int, n: int) -> dict[str, Any]:
    low, high = wilson(right, n)
    return {"rate": round(right / n, 4), "n": n, "interval": [round(low, 3), round(high, 3)]}


def reached(policy: Policy, scores: dict[str, float], kind: str = "text") -> set[str]:
    """Categories whose threshold for what comes in is reached."""
    found = set()
    for category in policy.categories:
        rule = category.rule("input")
        threshold = rule.threshold(kind) if rule else None  # type: ignore[arg-type]
        if threshold is not None and scores[category.name] >= threshold:
            found.add(category.name)
    return found


def blocking(policy: Policy, names: set[str]) -> bool:
    rules = [policy.category(name).rule("input") for name in names]
    return any(rule is not None and rule.action == "block" for rule in rules)


def texts(policy: Policy, per_template: int) -> dict[str, Any]:
    """Recall, precision and over-blocking over all templates, each judged by a head that never saw it."""
    counts: Counter[tuple[str, str]] = Counter()
    for fold in range(generated.FOLDS):
        kept = train_text.examples(random.Random(0), per_template, partial(_is_trained_on, fold))
        classifier, rng = train_text.learn(kept), random.Random(fold)
        for group in generated.groups():
            for template in generated.templates(group):
                if generated.fold(template) == fold:
                    made = generated.sentence(rng, "held_out", "dictionary", group, template)
                    _count(policy, classifier, counts, made, rng)
    found: dict[str, Any] = {}
    for way in ("plain", *generated.DISGUISES):
        hits, alarms = counts[way, "hit"], counts[way, "alarm"]
        found[way] = {
            "recall": rate(hits, counts[way, "harmful"]),
            "benign_flagged": rate(alarms, counts[way, "benign"]),
            "benign_blocked": rate(counts[way, "blocked"], counts[way, "benign"]),
            "precision": round(hits / max(1, hits + alarms), 4),
        }
    found["by_group"] = {
        group: rate(counts[group, "flagged"], counts[group, "all"]) for group in generated.groups()
    }
    return found


def _is_trained_on(fold: int, template: str) -> bool:
    return generated.fold(template) != fold


def _count(
    policy: Policy,
    classifier: TextClassifier,
    counts: Counter[tuple[str, str]],
    made: generated.Sentence,
    rng: random.Random,
) -> None:
    for way in ("plain", *generated.DISGUISES):
        text = made.text if way == "plain" else generated.disguised(rng, made.text, way)
        names = reached(policy, classifier.scores(text))
        if made.categories:
            counts[way, "harmful"] += 1
            counts[way, "hit"] += bool(names & made.categories)
        else:
            counts[way, "benign"] += 1
            counts[way, "alarm"] += bool(names)
            counts[way, "blocked"] += blocking(policy, names)
        if way == "plain":
            counts[made.group, "all"] += 1
            counts[made.group, "flagged"] += bool(names & made.categories if made.categories else names)


# ------------------------------------------------------------------------------------------------ writing in pictures


def page(
    text: str, font: str, size: int, *, ink: tuple[int, int, int] = (20, 20, 20), width: int = 640
) -> Image.Image:
    """Text set in lines on white."""
    lines = [" ".join(line) for line in running_text.wrap(text, font, size, width - 60)]
    picture = Image.new("RGB", (width, int(len(lines) * size * 1.5) + 60), "white")
    for number, line in enumerate(lines):
        running_text.set_words(picture, 30, 30 + size * (1 + 1.5 * number), line.split(), font, size, ink)
    return picture


def as_list(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    """The sentence as a title over an empty numbered list."""
    title = page(text, font, 30)
    picture = Image.new("RGB", (title.width, title.height + 150), "white")
    picture.paste(title, (0, 0))
    for number in (1, 2, 3):
        running_text.set_words(
            picture, 30, title.height + 40 * number, [f"{number}."], font, 30, (20, 20, 20)
        )
    return [picture]


def as_screenshot(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    """A dark chat window with the sentence in small light letters."""
    bubble = page(text, font, 18, ink=(0, 0, 0), width=420)
    light = Image.eval(bubble, lambda value: 230 - value * 190 // 255)
    picture = Image.new("RGB", (900, 500), (24, 26, 30))
    picture.paste(light, (440, 120))
    running_text.set_words(picture, 24, 40, ["Messages"], font, 22, (220, 220, 220))
    return [picture]


def as_handwriting(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    return [page(text, fonts.font_file("DancingScript-Regular"), 36, ink=(30, 40, 120))]


def turned(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    angle = rng.choice((-20, -12, 12, 20))
    return [
        page(text, font, 30).rotate(angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    ]


def sideways(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    return [page(text, font, 30).transpose(Image.Transpose.ROTATE_90)]


def faint(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    """Light grey on white."""
    return [page(text, font, 30, ink=(240, 240, 240))]


def split_over_two(text: str, font: str, rng: random.Random) -> list[Image.Image]:
    words = text.split()
    return [page(" ".join(half), font, 30) for half in (words[: len(words) // 2], words[len(words) // 2 :])]


WAYS: dict[str, Callable[[str, str, random.Random], list[Image.Image]]] = {
    "list": as_list,
    "screenshot": as_screenshot,
    "handwriting": as_handwriting,
    "turned": turned,
    "sideways": sideways,
    "faint": faint,
    "split": split_over_two,
}


def writing(moderator: Moderator, each: int) -> dict[str, Any]:
    """Recall by way of drawing, of sentences that the shipped head flags as text; and false alarms on benign ones."""
    rng, font = random.Random(5), fonts.font_file("DejaVuSans")
    harmful = _sentences(moderator, rng, each, benign=False)
    harmless = _sentences(moderator, rng, each, benign=True)
    found: dict[str, Any] = {}
    milliseconds = []
    for name, draw in WAYS.items():
        hits = alarms = 0
        for texts_of, expected in ((harmful, True), (harmless, False)):
            for text in texts_of:
                drawn = [Picture(pixels=picture) for picture in draw(text, font, rng)]
                start = time.perf_counter()
                verdict = moderator.conversation(Conversation((user(*drawn, "Please look at this."),)))
                milliseconds.append(1000 * (time.perf_counter() - start) / len(drawn))
                hits += verdict.flagged and expected
                alarms += verdict.flagged and not expected
        found[name] = {
            "recall": rate(hits, len(harmful)),
            "benign_flagged": rate(alarms, len(harmless)),
        }
        print(
            f"{name:12} recall {found[name]['recall']}  benign flagged {found[name]['benign_flagged']}",
            flush=True,
        )
    found["ms_a_picture"] = round(statistics.median(milliseconds), 1)
    return found


def _sentences(moderator: Moderator, rng: random.Random, count: int, *, benign: bool) -> list[str]:
    """Sentences with made-up words that the shipped head judges rightly as text."""
    found: list[str] = []
    while len(found) < count:
        text = generated.sentence(rng, "held_out", "made-up", rng.choice(generated.groups(benign))).text
        if moderator.text(text).flagged != benign:
            found.append(text)
    return found


def drawn_pictures(moderator: Moderator, count: int) -> dict[str, Any]:
    """False alarms on scenes of every world, writing and all; the sexual score alone where its weights are here."""
    alarms, scores, milliseconds, names = 0, [], [], list(WORLDS)
    for number in range(count):
        scene = load_world(names[number % len(names)]).sample(number, "eval")
        start = time.perf_counter()
        verdict = moderator.picture(scene.pictures[0])
        milliseconds.append(1000 * (time.perf_counter() - start))
        alarms += verdict.flagged
        if "sexual-pictures" not in verdict.unjudged:
            scores.append(pictures.sexual_score(scene.pictures[0]))
    return {
        "flagged": rate(alarms, count),
        "highest_sexual_score": round(max(scores), 3) if scores else None,
        "ms_a_picture": round(statistics.median(milliseconds), 1),
        "true_positives": "not measured: they can't be made here",
    }


# ---------------------------------------------------------------------------------------------------- conversations


def conversations(moderator: Moderator, count: int) -> dict[str, Any]:
    """Several benign messages joined must pass; a request cut in two messages must not."""
    rng = random.Random(9)
    flagged = 0
    for _ in range(count):
        messages = []
        for text in _sentences(moderator, rng, 3, benign=True):
            messages += [user(text), assistant(generated.small_talk(rng, "held_out"))]
        flagged += moderator.conversation(Conversation(tuple(messages[:-1]))).flagged
    split = 0
    for text in _sentences(moderator, rng, count, benign=False):
        words = text.split()
        first, second = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
        split += moderator.conversation(
            Conversation((user(first), assistant("Go on."), user(second)))
        ).flagged
    return {"benign_flagged": rate(flagged, count), "split_over_messages": rate(split, count)}


def speed(moderator: Moderator) -> dict[str, float]:
    """Medians in milliseconds, on one thread."""
    rng = random.Random(2)
    sentence = generated.small_talk(rng, "held_out")
    message = " ".join(generated.small_talk(rng, "held_out") for _ in range(8))
    long = " ".join(generated.small_talk(rng, "held_out") for _ in range(400))
    answer = message * 4
    return {
        "sentence": _median(lambda: moderator.text(sentence), 200),
        "message_of_90_words": _median(lambda: moderator.text(message), 100),
        "text_of_4500_words": _median(lambda: moderator.text(long), 3),
        "watch_a_piece": round(_median(lambda: _watched(moderator, answer), 5) / (len(answer) / 4), 4),
        "watch_a_sentence": round(_median(lambda: _watched(moderator, answer), 5) / 32, 3),
    }


def _watched(moderator: Moderator, answer: str) -> None:
    watch = OutputWatch(moderator)
    for start in range(0, len(answer), 4):
        watch.feed(answer[start : start + 4])
    watch.finish()


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(taken), 3)


def outside(moderator: Moderator, prompts: Sequence[str]) -> dict[str, Any]:
    return rate(sum(moderator.text(prompt).flagged for prompt in prompts), len(prompts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--per-template", type=int, default=PER_TEMPLATE, help="sentences trained on, of each template"
    )
    parser.add_argument("--pictures", type=int, default=12, help="sentences drawn in each way, of each kind")
    parser.add_argument("--scenes", type=int, default=40, help="drawn scenes for false alarms")
    parser.add_argument(
        "--prompts", type=Path, nargs="*", default=[], help="files of prompts that must be flagged"
    )
    asked = parser.parse_args()
    policy = load("public")
    moderator = Moderator(Policy(policy.name, policy.description, (), (), policy.categories))
    result: dict[str, Any] = {"parts": {part.name: part.available for part in moderator.parts()}}
    result["text"] = texts(policy, asked.per_template)
    for way, found in result["text"].items():
        if way != "by_group":
            print(f"{way:12} recall {found['recall']}  benign flagged {found['benign_flagged']}")
    result["conversations"] = conversations(moderator, 60)
    result["milliseconds"] = speed(moderator)
    if result["parts"]["reading"] and asked.pictures:
        result["text_in_picture"] = writing(moderator, asked.pictures)
    if asked.scenes:
        result["picture"] = drawn_pictures(moderator, asked.scenes)
    for path in asked.prompts:
        result[path.stem] = outside(
            moderator, [line for line in path.read_text().splitlines() if line.strip()]
        )
    print(json.dumps({"benchmark": "moderation", **result}))


if __name__ == "__main__":
    main()
