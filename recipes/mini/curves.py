"""Learning curves of stage 4 of Clearsight Mini, skill by skill, and how much compute each would still need.

Every checkpoint of a run, and what it started from, answers the same questions of held-out seeds. An answer is right
when every token of it is the likeliest one behind those before, which is when greedy decoding gives it letter for
letter; its loss is what it surprises by, in nats, so e^-loss is the chance that sampling gives it. A law loss =
a C^b + c is fitted to the losses over compute C (clearsight.training.ladder), and says at which C the loss would be
that of the wanted share of right answers: -log(share). With three to six points of one run, whose learning rate falls
besides, it is a hint at the order of magnitude and no more.

    python -m recipes.mini.curves --run runs/mini/tuning --write      # docs/training/mini_curves.json and .svg
"""

import argparse
import json
import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.progress import track
from torch import Tensor

from clearsight import mini
from clearsight.data import worlds
from clearsight.data.worlds.scene import Question, rng_for
from clearsight.evals.statistics import wilson
from clearsight.models.text import TextLayer
from clearsight.models.vision import VisionLayer
from clearsight.models.vlm import IGNORED
from clearsight.training import ladder, learner
from clearsight.training.checkpoint import Checkpoints
from clearsight.training.config import from_json
from clearsight.training.record import read_run
from clearsight.training.resting import rest_in_int8
from recipes.mini.choices import ANY_PICTURE, behind_pictures, encoded_turns
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.documents import fill
from recipes.mini.lessons import Vocabulary
from recipes.mini.tuning import (
    Row,
    Tuned,
    build,
    recipe,
    sees,
    tile_of,
)

OUT, CARD = Path("docs/training"), Path("docs/model_card.md")
FIRST_SEED = 4_000_000  # beyond those of suites and validation
QUESTIONS = 8  # a picture, at most
ROWS = 6  # at once
CHARTED = ("charts", "plots", "histograms", "heat_maps", "tables")
# Skills, and what share of right answers a GPU run is asked for at the least.
WANTED = {
    "read out": 0.9,
    "charts and tables": 0.75,
    "name": 0.6,
    "count": 0.85,
    "say that it is not there": 0.9,
    "follow marks": 0.85,
    "point and frame": 0.7,
    "tell yes from no": 0.85,
    "everything else": 0.75,
}


def skill_of(world: str, question: Question) -> str:
    if question.kind in ("not shown", "can't be read"):
        return "say that it is not there"
    if question.kind in ("point", "box"):
        return "point and frame"
    if world == "marks":
        return "follow marks"
    if question.kind == "verbatim":
        return "read out"
    if any(word in world for word in CHARTED):
        return "charts and tables"
    if question.kind == "number" and ("count" in question.skill or "how many" in question.skill):
        return "count"
    if question.kind == "yes or no":
        return "tell yes from no"
    if (world, question.skill) in (
        ("icons", "what is shown"),
        ("flags", "country"),
        ("shapes", "shape of colour"),
    ):
        return "name"
    return "everything else"


@torch.inference_mode()
def asked(tuned: Tuned, scenes: int, tokens: int) -> list[tuple[Tensor, list[Row], list[list[str]]]]:
    """Batches of folded features, rows, and the skill of each row's branches; the tower looks once."""
    processor = mini.processor()
    rows, skills, looks = [], [], []
    for name in track(worlds.WORLDS, "drawing"):
        for seed in range(FIRST_SEED, FIRST_SEED + scenes):
            scene = worlds.load(name).sample(seed, "eval")
            pictures = [ANY_PICTURE] * len(scene.pictures)
            of_skill: dict[str, int] = defaultdict(int)
            encoded, told = [], []
            for question in rng_for("curves", seed, "eval").sample(scene.questions, len(scene.questions)):
                skill = skill_of(name, question)
                of_skill[skill] += 1
                one = encoded_turns(processor, pictures, [(question.text, question.answer)])
                room = tokens - sum(len(e[0]) for e in encoded)
                if of_skill[skill] <= 2 and len(encoded) < QUESTIONS and len(one[0]) <= room:
                    encoded.append(one)
                    told.append(skill)
            if encoded:
                rows.append(Row.of(behind_pictures(processor, encoded[0][0]), encoded, tokens))
                skills.append(told)
                tiles = [tile_of(processor.tile_settings, picture) for picture in scene.pictures]
                looks.append(tuned.look(torch.cat(tiles)))
    return [
        (torch.cat(looks[i : i + ROWS]), rows[i : i + ROWS], skills[i : i + ROWS])
        for i in range(0, len(rows), ROWS)
    ]


@torch.inference_mode()
def answered(
    tuned: Tuned, batches: list[tuple[Tensor, list[Row], list[list[str]]]], what: str
) -> dict[str, dict[str, float]]:
    """Of each skill: n, how many answers are right, mean loss of an answer."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: {"n": 0, "right": 0, "nats": 0.0})
    for folded, rows, skills in track(batches, what):
        ids, labels, branches, positions = (
            torch.stack([getattr(row, name) for row in rows])
            for name in ("ids_T", "labels_T", "branches_T", "positions_T")
        )
        x_BTD = tuned.model.embed(ids, tuned.connector(folded, 0.0))
        hidden = tuned.hidden(x_BTD, positions, sees(branches))
        learned = (labels[:, 1:] != IGNORED).nonzero(as_tuple=True)
        scores, wanted = tuned.model.logits(hidden[:, :-1][learned]), labels[:, 1:][learned]
        losses = F.cross_entropy(scores, wanted, reduction="none").tolist()
        right = (scores.argmax(-1) == wanted).tolist()
        answers: dict[tuple[int, int], list[tuple[float, bool]]] = defaultdict(list)
        for row, branch, loss, hit in zip(
            learned[0].tolist(), branches[:, 1:][learned].tolist(), losses, right, strict=True
        ):
            answers[row, branch].append((loss, hit))
        for (row, branch), tokens in answers.items():
            one = found[skills[row][branch - 1]]
            one["n"] += 1
            one["right"] += all(hit for _, hit in tokens)
            one["nats"] += sum(loss for loss, _ in tokens)
    return {name: one | {"nats": one["nats"] / one["n"]} for name, one in found.items()}


def needed(points: list[dict[str, float]], share: float) -> float | None:
    """FLOPs at which the loss of an answer would be -log(share) by the law of those spent; None where it never is."""
    runs = [ladder.Run(str(i), p["flops"], p["nats"]) for i, p in enumerate(points) if p["flops"]]
    try:
        law = ladder.fit(runs)
    except ladder.LadderError:
        return None
    left = (-math.log(share) - law.floor) / law.scale
    if left <= 0 or law.slope >= 0:
        return None
    return law.unit * left ** (1 / law.slope)


def draw(curves: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    for axes, (name, points) in zip(figure.subplots(3, 3).flat, curves.items(), strict=False):
        steps = [p["step"] for p in points]
        shares = [p["right"] / p["n"] for p in points]
        low, high = zip(*(wilson(p["right"], p["n"]) for p in points), strict=True)
        axes.fill_between(steps, low, high, alpha=0.2)
        axes.plot(steps, shares, marker="o")
        axes.axhline(WANTED[name], linestyle=":", color="black")
        axes.set(title=f"{name} (n {points[0]['n']:.0f})", ylim=(0, 1))
        axes.grid(alpha=0.3)
    figure.supxlabel("step")
    figure.supylabel("right, letter for letter; dotted: wanted")
    figure.savefig(path)


def table(curves: dict[str, Any]) -> str:
    """Markdown, a line for each skill."""
    lines = [
        "| skill | n | right before | right after (95% interval) | loss of an answer, nats | wanted | compute for it |",
        "|---|---:|---:|---|---|---:|---|",
    ]
    for name, points in curves.items():
        first, last = points[0], points[-1]
        low, high = wilson(last["right"], last["n"])
        flops = needed(points, WANTED[name])
        more = "none by this law" if flops is None else f"{flops / last['flops']:,.0f} times this stage"
        lines.append(
            f"| {name} | {last['n']:.0f} | {first['right'] / first['n']:.1%} | {last['right'] / last['n']:.1%} "
            f"({low:.1%} to {high:.1%}) | {first['nats']:.2f} to {last['nats']:.2f} | {WANTED[name]:.0%} | {more} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="a run of recipes/mini/tuning.py")
    parser.add_argument(
        "--start", help="folder of the parts that the run started from, where mini is another one since"
    )
    parser.add_argument("--scenes", type=int, default=14, help="of each world")
    parser.add_argument("--every", type=int, default=130, help="steps between the checkpoints that are asked")
    parser.add_argument("--write", action="store_true", help=f"write mini_curves.json and .svg to {OUT}")
    arguments = parser.parse_args()
    use_on_cpu("cpu")
    record = read_run(arguments.run)
    config = from_json(record.config, recipe())
    if arguments.start:
        config = replace(config, model=replace(config.model, start=arguments.start))
    processor = mini.processor()
    tuned = build(config, processor, Vocabulary(processor)).eval()
    for layer in [module for module in tuned.modules() if isinstance(module, VisionLayer | TextLayer)]:
        rest_in_int8(layer)
    batches = asked(tuned, arguments.scenes, config.task.row_tokens)
    spent = {0: 0.0}
    for step in record.steps:
        spent[step.facts.step] = spent[max(spent)] + step.facts.flops
    curves: dict[str, list[dict[str, float]]] = {name: [] for name in WANTED}

    def add(step: int) -> None:
        for name, one in answered(tuned, batches, f"step {step}").items():
            curves[name].append({"step": step, "flops": spent[step], **one})

    add(0)
    checkpoints = Checkpoints(arguments.run / "checkpoints")
    for step in (step for step in checkpoints.steps() if step % arguments.every == 0):
        learner.fill(tuned, checkpoints.path(step))
        add(step)
    print(table(curves))
    if arguments.write:
        OUT.mkdir(exist_ok=True)
        (OUT / "mini_curves.json").write_text(json.dumps(curves, indent=1) + "\n")
        draw(curves, OUT / "mini_curves.svg")
        fill(CARD, "curves", table(curves))


if __name__ == "__main__":
    main()
