"""How well the bundled model sees, on pictures it can't have seen: the table in the README.

Every skill of the worlds, on held-out seeds, fonts, words, drawings, wordings and colour values. Beside each score
stand two controls that see nothing: the model itself asked about a plain grey picture, and the commonest answer
of the skill given every time. Intervals are Wilson's, 95%. A skill counts as seen when its interval lies above both.
An answer is right when greedy decoding would give it letter for letter; that is checked in one pass, token by
token, against what the model would have chosen.

    torchrun --nproc-per-node 2 -m recipes.mini.evaluate --count 500 --write
"""

import argparse
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.distributed as dist
from PIL import Image as PILImage
from rich.progress import Progress, TextColumn

from clearsight import mini
from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.worlds.scene import SIZE, Question, Scene
from clearsight.evals.statistics import wilson
from clearsight.models.text import KVCache
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import normalise
from clearsight.training import parallel
from clearsight.training.config import Parallel
from recipes.mini.primer import charts, icons, shapes, tables, words

WORLDS: tuple[ModuleType, ...] = (words, shapes, icons, charts, tables)
SCORES = Path("docs/mini_scores.json")
README = Path("README.md")
START, END = "<!-- scores of recipes.mini.evaluate -->", "<!-- end of scores -->"


class Grader:
    """Greedy right or wrong for many questions about one picture, whose tokens are read once."""

    def __init__(self, model: VisionLanguageModel, processor: Processor):
        self.model, self.processor = model, processor

    def look(self, picture: PILImage.Image) -> tuple[KVCache, list[int]]:
        """The cache after the picture, and the ids in it."""
        conversation = _asked_once(Image(pixels=picture), Question("", "?", "?"))
        prepared = self.processor.prepare(conversation, add_generation_prompt=False, detail="low")
        ids = prepared.input_ids_T.tolist()
        around = self.processor.tokenizer.special("<fake_token_around_image>")
        prefix = ids[: len(ids) - ids[::-1].index(around)]
        cache = self.model.new_cache(1, len(prefix))
        tiles = normalise(prepared.tiles_NCSS, self.processor.tile_settings)
        self.model(torch.tensor([prefix]), tiles, cache=cache, logits_to_keep=1)
        return cache, prefix

    def grade(
        self, cache: KVCache, prefix: list[int], questions: list[Question], picture: PILImage.Image
    ) -> list[bool]:
        """Whether greedy decoding after the picture gives each question's answer and then ends the turn."""
        return [wanted == said for wanted, said in self.replies(cache, prefix, questions, picture)]

    def replies(
        self, cache: KVCache, prefix: list[int], questions: list[Question], picture: PILImage.Image
    ) -> list[tuple[list[int], list[int]]]:
        """For each question the ids of its answer, up to the end of the turn, and those that greedy decoding gives:
        as far as both agree, and one further."""
        rows, learned = [], []
        image = Image(pixels=picture)
        for question in questions:
            ids, mask = self._ids(image, question)
            assert ids[: len(prefix)] == prefix
            rows.append(ids[len(prefix) :])
            learned.append(mask[len(prefix) :])
        longest = max(map(len, rows))
        batch = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        hidden = self.model.hidden_states(batch, cache=cache.repeated(len(rows)))
        found = []
        for row, mask, states in zip(rows, learned, hidden, strict=True):
            places = [place for place, is_reply in enumerate(mask) if is_reply]
            wanted = [row[place] for place in places]
            chosen = self.model.logits(states[[place - 1 for place in places]]).argmax(-1).tolist()
            agree = next(
                (i for i, pair in enumerate(zip(wanted, chosen, strict=True)) if len({*pair}) > 1), None
            )
            found.append((wanted, chosen if agree is None else chosen[: agree + 1]))
        return found

    def wanted(self, question: Question) -> list[int]:
        """Ids of a question's answer, up to the end of the turn."""
        ids, mask = self._ids(Image(pixels=PILImage.new("RGB", (SIZE, SIZE))), question)
        return [token for token, is_reply in zip(ids, mask, strict=True) if is_reply]

    def _ids(self, image: Image, question: Question) -> tuple[list[int], list[bool]]:
        """Ids and what of them is the reply; the picture itself has been read before."""
        conversation = _asked_once(image, question)
        plans = self.processor.plan_images(conversation, detail="low")
        tokenizer = self.processor.tokenizer
        return self.processor.template.encode(conversation, plans, tokenizer, add_generation_prompt=False)


class Blind:
    """Grades the model about a grey picture. The same question has the same reply there, which is found out once, token
    by token as answers are held against it."""

    def __init__(self, grader: Grader):
        self.grader = grader
        self.picture = PILImage.new("RGB", (SIZE, SIZE), (128, 128, 128))
        self.cache, self.prefix = grader.look(self.picture)
        self.said: dict[str, list[int]] = {}  # question -> how the reply begins

    def grade(self, questions: list[Question]) -> list[bool]:
        unsettled = [question for question in questions if self._settled(question) is None]
        if unsettled:
            replies = self.grader.replies(self.cache, self.prefix, unsettled, self.picture)
            for question, (_, said) in zip(unsettled, replies, strict=True):
                self.said[question.text] = max(self.said.get(question.text, []), said, key=len)
        return [bool(self._settled(question)) for question in questions]

    def _settled(self, question: Question) -> bool | None:
        """Whether the answer is right, if that is known."""
        said, wanted = self.said.get(question.text, []), self.grader.wanted(question)
        if said[: len(wanted)] == wanted:
            return True
        return None if wanted[: len(said)] == said else False


def _asked_once(image: Image, question: Question) -> Conversation:
    return Conversation((user(image, question.text), assistant(question.answer)))


def asked(
    world: ModuleType, count: int, rank: int, world_size: int
) -> Iterator[tuple[Scene, list[Question]]]:
    """Held-out pictures of a world, until every skill it teaches has been asked often enough here."""
    share = math.ceil(count / world_size)
    asked_so_far: Counter[str] = Counter()
    skills = {q.skill for seed in range(200) for q in world.sample(seed, "eval").questions}
    seed = rank
    while any(asked_so_far[skill] < share for skill in skills):
        scene = world.sample(seed, "eval")
        seed += world_size
        questions = [q for q in scene.questions if asked_so_far[q.skill] < share]
        if questions:
            asked_so_far.update(q.skill for q in questions)
            yield scene, questions


@torch.inference_mode()
def grades(
    grader: Grader, blind: Blind, pictures: Iterator[tuple[Scene, list[Question]]]
) -> Iterator[Counter[str]]:
    """Of each picture, by skill: how often it was asked and for which answer, and was right with and without it."""
    for scene, questions in pictures:
        cache, prefix = grader.look(scene.picture)
        seen = grader.grade(cache, prefix, questions, scene.picture)
        counts: Counter[str] = Counter()
        for question, right, guessed in zip(questions, seen, blind.grade(questions), strict=True):
            counts[f"{question.skill}|n"] += 1
            counts[f"{question.skill}|answer|{question.answer}"] += 1
            counts[f"{question.skill}|right"] += right
            counts[f"{question.skill}|blind"] += guessed
        yield counts


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500, help="questions a skill, at least")
    parser.add_argument("--parts", type=Path, help="folder with parts.safetensors; default: the bundled ones")
    parser.add_argument("--write", action="store_true", help=f"write {SCORES} and the table in {README}")
    arguments = parser.parse_args()
    here = parallel.join(Parallel(device="cpu"))
    rank, world_size = here.rank, here.size
    model, processor = mini.load(folder=arguments.parts), mini.processor()
    grader = Grader(model, processor)
    blind = Blind(grader)
    counts: Counter[str] = Counter()
    with Progress(
        *Progress.get_default_columns(), TextColumn("{task.fields[done]}"), disable=rank > 0
    ) as progress:
        for world in WORLDS:
            task = progress.add_task(world.__name__.rpartition(".")[2], total=None, done="")
            pictures = asked(world, arguments.count, rank, world_size)
            for number, graded in enumerate(grades(grader, blind, pictures), 1):
                counts += graded
                progress.update(task, done=f"{number} pictures here")
    counts = gathered(counts)
    if rank == 0:
        scores = summary(counts)
        print(table(scores))
        if arguments.write:
            SCORES.write_text(json.dumps(scores, indent=1) + "\n")
            write_table(table(scores))
    parallel.leave()


def gathered(counts: Counter[str]) -> Counter[str]:
    """The sum of every process's counts."""
    if not dist.is_initialized():
        return counts
    everyone: list[Counter[str] | None] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, counts)
    return sum((part for part in everyone if part), Counter())


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


def write_table(markdown: str) -> None:
    text = README.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n{markdown}\n{END}{after}")


if __name__ == "__main__":
    main()
