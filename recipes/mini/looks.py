"""Pictures that the resting tower has looked at once: what stage 3 of Clearsight Mini (choices.py) practises on.

The tower costs more than a short conversation does. Its features are kept, so that every picture can be asked about
again and again, each time with other choices, and so that the connector can be fitted in seconds.

    python -m recipes.mini.looks --out runs/mini/looks        # stopped, it goes on

Most pictures show one icon. Seeds lie beyond those of the other stages, and held-out looks are not at the pictures of
recipes.mini.evaluate.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import track
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from clearsight import mini
from clearsight.data.worlds.scene import Scene, Split
from clearsight.models.connector import pixel_shuffle
from clearsight.models.presets import MINI
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import cut, normalise, plan
from recipes.mini.primer import charts, icons, shapes, tables, words

WORLDS = {"icons": icons, "shapes": shapes, "charts": charts, "words": words, "tables": tables}
SHARES = (0.68, 0.17, 0.06, 0.06, 0.03)
SEVERAL_ICONS = 0.4  # share of the pictures with several icons that stay: one icon is what is to be named
FIRST: dict[Split, int] = {"train": 10_000_000, "eval": 1_000_000}
SHARD = 256  # pictures a file
SEEDS = 1000  # a file has to itself
AT_ONCE = 8
AXES = "axes.safetensors"
RANK = 768  # directions of the folded features in which the connector moves


@dataclass(frozen=True)
class Seen:
    """A picture by the world and the seed that draw it, and whether it shows one icon and nothing else."""

    world: str
    seed: int
    split: Split
    one_icon: bool

    def scene(self) -> Scene:
        return WORLDS[self.world].sample(self.seed, self.split)


class Looks:
    """The looks of a split in a folder: `seen` (N), `features` (N, P, D) float16."""

    def __init__(self, folder: Path, split: Split):
        files = sorted(folder.glob(f"{split}-*.safetensors"))
        self.seen = [seen for file in files for seen in _names(file, split)]
        self.features = (
            torch.cat([load_file(file)["features"] for file in files]) if files else torch.zeros(0, 0, 0)
        )


def fold(features_NPD: Tensor) -> Tensor:
    """What the connector projects: (N, I, F) fp32."""
    return pixel_shuffle(features_NPD.float(), MINI.scale_factor)


def _names(file: Path, split: Split) -> list[Seen]:
    with safe_open(file, "pt") as opened:
        return [
            Seen(world, seed, split, alone) for world, seed, alone in json.loads(opened.metadata()["seen"])
        ]


def _chosen(number: int, split: Split) -> Iterator[Seen]:
    """What a file's pictures are."""
    first = FIRST[split] + number * SEEDS
    rng = random.Random(first)
    for seed in range(first, first + SEEDS):
        world = rng.choices(list(WORLDS), SHARES)[0]
        scene = WORLDS[world].sample(seed, split)
        one_icon = any(question.skill == "icon of ten" for question in scene.questions)
        if world != "icons" or one_icon or rng.random() < SEVERAL_ICONS:
            yield Seen(world, seed, split, one_icon)


@torch.inference_mode()
def look(folder: Path, split: Split, count: int, processor: Processor) -> None:
    """Add files until there are `count` looks."""
    model = mini.load(torch.float32)
    files = [folder / f"{split}-{number:04d}.safetensors" for number in range(count // SHARD)]
    for number in track([n for n, file in enumerate(files) if not file.exists()], f"looking ({split})"):
        seen = [seen for seen, _ in zip(_chosen(number, split), range(SHARD), strict=False)]
        features = []
        for start in range(0, SHARD, AT_ONCE):
            pictures = [one.scene().picture for one in seen[start : start + AT_ONCE]]
            tiles = [
                cut(picture, plan(*picture.size, processor.tile_settings, "low")) for picture in pictures
            ]
            features.append(model.vision_model(normalise(torch.cat(tiles), processor.tile_settings)).half())
        partial = files[number].with_suffix(".new")
        names = json.dumps([(one.world, one.seed, one.one_icon) for one in seen])
        save_file({"features": torch.cat(features)}, partial, {"seen": names})
        partial.replace(files[number])


@torch.no_grad()
def find_axes(folder: Path) -> None:
    """Write the principal axes of the looks' folded features."""
    torch.manual_seed(0)
    features = Looks(folder, "train").features
    some = fold(features[torch.randperm(len(features))[:1000]]).flatten(0, 1)
    save_file({"axes": principal_axes(some, RANK)}, folder / AXES)


@torch.no_grad()
def principal_axes(folded_LF: Tensor, rank: int) -> Tensor:
    """Principal axes (R, F) of folded features, scaled so that each gives numbers of deviation 1.

    Features are dominated by a few directions; a step of equal size along each of these axes is what lets the
    connector learn in seconds without its tokens growing.
    """
    _, lengths, axes = torch.svd_lowrank(folded_LF - folded_LF.mean(0), q=rank, niter=2)
    deviations = lengths / len(folded_LF) ** 0.5
    return (axes / deviations.clamp(min=1e-3 * deviations[0])).T.contiguous()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the looks")
    parser.add_argument("--count", type=int, default=6144, help="pictures to train on; 200 KB each")
    parser.add_argument("--held-out", type=int, default=512, help="pictures to validate with")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    look(arguments.out, "eval", arguments.held_out, mini.processor())
    look(arguments.out, "train", arguments.count, mini.processor())
    find_axes(arguments.out)


if __name__ == "__main__":
    main()
