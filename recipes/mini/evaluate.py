"""How well the bundled model sees, on pictures it can't have seen: the table in the README.

Every skill of the worlds, on held-out seeds, fonts, words, drawings, wordings and colour values. Beside each score
stand two controls that see nothing: the model itself asked about a plain grey picture, and the commonest answer
of the skill given every time. Intervals are Wilson's, 95%. A skill counts as seen when its interval lies above both.
The engine answers, greedily, in the weights that users get; right is what equals the answer letter for letter and
then ends.

    python -m recipes.mini.evaluate --count 500 --write
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image as PILImage
from rich.progress import Progress, TextColumn

from clearsight import mini
from clearsight.conversation import Conversation, Image, user
from clearsight.data.worlds.scene import SIZE, Question, Scene
from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine, EngineConfig, Stream
from clearsight.evals.statistics import wilson
from recipes.mini.documents import fill
from recipes.mini.primer import charts, icons, shapes, tables, words

WORLDS: tuple[ModuleType, ...] = (words, shapes, icons, charts, tables)
SCORES = Path("docs/mini_scores.json")
README = Path("README.md")
PICTURES_AT_ONCE = 16
LONGEST_BLIND = 48  # tokens


class Grader:
    """Right or wrong for questions about pictures, and for the same ones about a grey picture."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.grey = Image(pixels=PILImage.new("RGB", (SIZE, SIZE), (128, 128, 128)), detail="low")
        self._blind: dict[str, tuple[str, bool]] = {}  # what is said without a picture, and whether it ended

    def grade(self, pictures: Iterable[tuple[Scene, list[Question]]]) -> Counter[str]:
        """By skill: how often it was asked and for which answer, and was right with and without the picture."""
        pairs = [(scene, question) for scene, questions in pictures for question in questions]
        seen = [self._ask(Image(pixels=scene.picture, detail="low"), q.text, q.answer) for scene, q in pairs]
        new = sorted({question.text for _, question in pairs} - self._blind.keys())
        unseen = {text: self._ask(self.grey, text) for text in new}
        for text, stream in unseen.items():
            answer = stream.result()
            self._blind[text] = answer.text, answer.finish_reason == "stop"
        counts: Counter[str] = Counter()
        for (_, question), stream in zip(pairs, seen, strict=True):
            answer = stream.result()
            counts[f"{question.skill}|n"] += 1
            counts[f"{question.skill}|answer|{question.answer}"] += 1
            counts[f"{question.skill}|right"] += (answer.text, answer.finish_reason) == (
                question.answer,
                "stop",
            )
            counts[f"{question.skill}|blind"] += self._blind[question.text] == (question.answer, True)
        return counts

    def _ask(self, image: Image, text: str, answer: str | None = None) -> Stream:
        """`answer` bounds the reply: one that is longer is wrong already."""
        longest = LONGEST_BLIND
        if answer is not None:
            longest = 1 + len(self.engine.processor.tokenizer.encode_text(answer))
        return self.engine.submit(Conversation((user(image, text),)), Sampling(max_tokens=longest))


def asked(world: ModuleType, count: int) -> Iterator[tuple[Scene, list[Question]]]:
    """Held-out pictures of a world, until every skill it teaches has been asked often enough."""
    asked_so_far: Counter[str] = Counter()
    skills = {q.skill for seed in range(200) for q in world.sample(seed, "eval").questions}
    seed = 0
    while any(asked_so_far[skill] < count for skill in skills):
        scene = world.sample(seed, "eval")
        seed += 1
        questions = [q for q in scene.questions if asked_so_far[q.skill] < count]
        if questions:
            asked_so_far.update(q.skill for q in questions)
            yield scene, questions


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500, help="questions a skill, at least")
    parser.add_argument("--parts", type=Path, help="folder with parts.safetensors; default: the bundled ones")
    parser.add_argument(
        "--weights", default="auto", help="how the engine computes: auto, int8, float32, model"
    )
    parser.add_argument("--write", action="store_true", help=f"write {SCORES} and the table in {README}")
    arguments = parser.parse_args()
    config = EngineConfig(weights=arguments.weights)
    model = mini.load(torch.float32, folder=arguments.parts)
    counts: Counter[str] = Counter()
    with (
        Engine(model, mini.processor(), config) as engine,
        Progress(*Progress.get_default_columns(), TextColumn("{task.fields[done]}")) as progress,
    ):
        grader = Grader(engine)
        for world in WORLDS:
            task = progress.add_task(world.__name__.rpartition(".")[2], total=None, done="")
            pictures, done = asked(world, arguments.count), 0
            while some := list(islice(pictures, PICTURES_AT_ONCE)):
                counts += grader.grade(some)
                done += len(some)
                progress.update(task, done=f"{done} pictures")
    scores = summary(counts)
    print(table(scores))
    if arguments.write:
        SCORES.write_text(json.dumps(scores, indent=1) + "\n")
        fill(README, "evaluate", table(scores))


def summary(counts: Counter[str]) -> dict[str, dict[str, Any]]:
    """skill -> n, score and interval; the blind control's; the share of the commonest answer."""
    skills: dict[str, Counter[str]] = defaultdict(Counter)
    for key, value in counts.items():
        skill, _, kind = key.partition("|")
        skills[skill][kind] = value
    scores = {}
    for skill, c in sorted(skills.items(), key=lambda item: -item[1]["right"] / item[1]["n"]):
        commonest = max(value for kind, value in c.items() if kind.startswith("answer|"))
        scores[skill] = {
            "n": c["n"],
            "score": round(c["right"] / c["n"], 4),
            "interval": [round(bound, 4) for bound in wilson(c["right"], c["n"])],
            "blind": round(c["blind"] / c["n"], 4),
            "blind_interval": [round(bound, 4) for bound in wilson(c["blind"], c["n"])],
            "commonest_answer": round(commonest / c["n"], 4),
        }
    return scores


def table(scores: dict[str, dict[str, Any]]) -> str:
    """Markdown, best skill first; none is left out."""
    lines = [
        "| skill | n | right (95% interval) | blind control (95% interval) | commonest answer | seen |",
        "|---|---:|---|---|---:|---|",
    ]
    for skill, s in scores.items():
        seen = s["interval"][0] > max(s["blind_interval"][1], s["commonest_answer"])
        lines.append(
            f"| {skill} | {s['n']} | {_share(s['score'], s['interval'])} | {_share(s['blind'], s['blind_interval'])} "
            f"| {s['commonest_answer']:.1%} | {'yes' if seen else 'not shown'} |"
        )
    return "\n".join(lines)


def _share(score: float, interval: list[float]) -> str:
    return f"{score:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"


if __name__ == "__main__":
    main()
