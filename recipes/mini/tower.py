"""Stage 1 of Clearsight Mini: teach the vision tower what lies under every patch.

The worlds know which character, colour and object is under each 14-pixel patch. Learning that directly is much
faster than learning it through the decoder's gradient: 256 targets a picture instead of a few tokens, and no
decoder to run. Pictures are 224-pixel crops of the worlds' 448-pixel pictures, larger than life for the finished
model, with the positions of the crop's place in the whole.

    torchrun --nproc-per-node 2 -m recipes.mini.tower --out runs/mini/tower --minutes 25

One process a core with one thread each is faster on a shared machine than one process with two threads. Without
torchrun it runs as one process. Run again with the same --out to continue from the saved weights.
"""

import argparse
import json
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from clearsight.data.worlds.drawing.icon_drawings import labels
from clearsight.data.worlds.drawing.outlines import SHAPES
from clearsight.data.worlds.drawing.palette import COLOUR_IDS
from clearsight.data.worlds.scene import CHARACTER_IDS, SIZE, Scene, Split, rng_for
from clearsight.models.precision import autocast
from clearsight.models.presets import MINI
from clearsight.models.vision import VisionTower, crop_position_ids
from recipes.mini import crowded
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.parallel import average_gradients, join, leave, minutes_since
from recipes.mini.primer import charts, icons, shapes, tables, words
from recipes.mini.vision_init import initial_tower

CONFIG = replace(MINI.vision, image_size=SIZE)  # a crop has a place in the whole picture
GRID = CONFIG.patches_per_side
SIDE = 16  # patches a side of a training crop
WORLDS = (
    (crowded.page, 0.4),
    (crowded.field, 0.38),
    (words.sample, 0.06),
    (icons.sample, 0.06),
    (shapes.sample, 0.04),
    (charts.sample, 0.03),
    (tables.sample, 0.03),
)


def object_ids() -> dict[str, int]:
    """Objects the dense head tells apart: shapes, bars, icons; 0 is none of them."""
    names = dict.fromkeys((*SHAPES, "bar", *labels()))
    return {name: index + 1 for index, name in enumerate(names)}


class DenseHeads(nn.Module):
    """One linear classifier a kind of truth, on every patch feature. They are thrown away after training."""

    def __init__(self, width: int):
        super().__init__()
        self.kinds = {"character": CHARACTER_IDS, "colour": COLOUR_IDS, "object": object_ids()}
        self.heads = nn.ModuleDict({kind: nn.Linear(width, len(ids) + 1) for kind, ids in self.kinds.items()})

    def truth(self, scene: Scene, grid: int) -> dict[str, np.ndarray]:
        """What lies under each of grid x grid patches, a kind."""
        return {kind: scene.dense(kind, ids, grid) for kind, ids in self.kinds.items()}

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


def batch(
    heads: DenseHeads, first_seed: int, size: int, split: Split
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Crops (size, 3, 224, 224) in [-1, 1], positions of their common place (256,), truth (size, 256) a kind."""
    rng = rng_for("tower", first_seed, split)
    top, left = rng.randint(0, GRID - SIDE), rng.randint(0, GRID - SIDE)
    pixels, truths = [], defaultdict(list)
    for seed in range(first_seed, first_seed + size):
        (sample,) = rng.choices([sample for sample, _ in WORLDS], [share for _, share in WORLDS])
        scene = sample(seed, split)
        truth = heads.truth(scene, GRID)
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
    return (
        pixels_NCSS,
        crop_position_ids(CONFIG, top, left, SIDE),
        {k: torch.stack(v) for k, v in truths.items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/mini/tower"))
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=7e-5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = arguments.device
    use_on_cpu(device)
    rank, world_size = join(device)
    torch.manual_seed(0)
    tower, heads = VisionTower(CONFIG), DenseHeads(CONFIG.hidden_size)
    samples = 0
    if (arguments.out / "tower.safetensors").exists():
        tower.load_state_dict(load_file(arguments.out / "tower.safetensors"))
        heads.load_state_dict(load_file(arguments.out / "heads.safetensors"))
        samples = json.loads((arguments.out / "state.json").read_text())["samples"]
    else:
        tower = initial_tower(CONFIG)
    arguments.out.mkdir(parents=True, exist_ok=True)
    tower.to(device)
    heads.to(device)
    groups = [{"params": tower.parameters(), "rate": 1.0}, {"params": heads.parameters(), "rate": 5.0}]
    optimizer = torch.optim.AdamW(groups, lr=arguments.rate, betas=(0.9, 0.98), weight_decay=0.02)

    start, running, step = time.time(), defaultdict(float), 0
    log = (arguments.out / "log.jsonl").open("a")
    while (spent := minutes_since(start)) < arguments.minutes:
        progress = spent / arguments.minutes
        rate = arguments.rate * min(1.0, (step + 1) / 60) * min(1.0, 4 * (1 - progress) + 0.05)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["rate"]
        pixels, positions, truth = batch(heads, samples + rank * arguments.batch, arguments.batch, "train")
        truth = {kind: value.to(device) for kind, value in truth.items()}
        with autocast(device):
            features = tower(pixels.to(device), positions.to(device))
            losses = heads.losses(features, truth)
        loss = losses["character"] + 0.5 * losses["colour"] + losses["object"]
        loss.backward()
        average_gradients((tower, heads))
        nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        samples += arguments.batch * world_size
        step += 1
        for kind, value in losses.items():
            running[kind] = 0.95 * running[kind] + 0.05 * value.item() if step > 1 else value.item()
        if step % 50 == 0 and rank == 0:
            record = {"samples": samples, "minutes": round(spent, 2), "rate": rate} | {
                k: round(v, 4) for k, v in running.items()
            }
            record["samples_per_second"] = round(
                step * arguments.batch * world_size / (time.time() - start), 2
            )
            if step % 300 == 0:
                record["eval"] = evaluate(tower, heads, device)
                save(arguments.out, tower, heads, samples)
            print(json.dumps(record), flush=True)
            log.write(json.dumps(record) + "\n")
            log.flush()
    if rank == 0:
        save(arguments.out, tower, heads, samples)
        print(json.dumps({"samples": samples, "eval": evaluate(tower, heads, device)}))
    leave()


@torch.no_grad()
def evaluate(tower: VisionTower, heads: DenseHeads, device: str, batches: int = 4) -> dict[str, float]:
    """Patch accuracy on held-out fonts, words, drawings and colours."""
    sums: dict[str, float] = defaultdict(float)
    for index in range(batches):
        pixels, positions, truth = batch(heads, 1_000_000 + index * 100, 24, "eval")
        with autocast(device):
            features = tower(pixels.to(device), positions.to(device))
        for kind, share in heads.accuracy(features, {k: v.to(device) for k, v in truth.items()}).items():
            sums[kind] += share / batches
    return {kind: round(share, 3) for kind, share in sums.items()}


def save(folder: Path, tower: VisionTower, heads: DenseHeads, samples: int) -> None:
    for name, module in (("tower", tower), ("heads", heads)):
        save_file({k: v.cpu().contiguous() for k, v in module.state_dict().items()}, folder / f"{name}.new")
        (folder / f"{name}.new").replace(folder / f"{name}.safetensors")
    (folder / "state.new").write_text(json.dumps({"samples": samples}))
    (folder / "state.new").replace(folder / "state.json")


if __name__ == "__main__":
    main()
