"""A build must end in the same corpus however often it was killed on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clearsight.data.build import BuildError, Recipe, Stream, Worlds, build, read_recipe
from clearsight.data.shards import Corpus

RECIPE = """
from clearsight.conversation import Conversation, assistant, user
from clearsight.data.build import Recipe, Stream, Worlds
from clearsight.data.record import Provenance, Record

def facts():
    for i in range(50):
        licence = "GPL-2.0-only" if i % 10 == 3 else "MIT"
        yield Record(Conversation((user(f"{i} + 1?"), assistant(str(i + 1)))), Provenance("sums", licence))

RECIPE = Recipe(
    parts=(Worlds(count=COUNT, mix={"shapes": 1.0}), Stream("sums", facts)), records_per_shard=SIZE
)
"""


def recipe(folder: Path, count: int, size: int) -> Path:
    path = folder / "recipe.py"
    path.write_text(RECIPE.replace("COUNT", str(count)).replace("SIZE", str(size)))
    return path


def test_a_build_holds_what_the_recipe_says_and_refuses_other_licences(tmp_path) -> None:
    path = recipe(tmp_path, 10, 4)
    seen = []
    manifest = build(path, tmp_path / "out", workers=2, progress=lambda *a: seen.append(a))
    assert manifest["records"] == 55 and manifest["sources"] == {"sums": 45, "worlds.shapes": 10}
    assert manifest["refused"] == {"sums: GPL-2.0-only": 5}
    assert manifest["licences_allowed"] == "permissive"
    assert ("worlds", 10, 10) in seen
    corpus = Corpus(tmp_path / "out")
    assert all(good for _, good in corpus.verify())
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.suffix == ".json") == ["manifest.json"]
    assert [r.provenance.seed for r in corpus if r.provenance.seed is not None] == list(range(10))
    everything = build(path, tmp_path / "any", workers=1, licences="any")
    assert everything["records"] == 60 and everything["refused"] == {}


def test_workers_change_nothing(tmp_path) -> None:
    path = recipe(tmp_path, 9, 3)
    one, two = (build(path, tmp_path / str(n), workers=n) for n in (1, 2))
    assert one == two


def test_a_killed_build_goes_on_and_ends_in_the_same_bytes(tmp_path) -> None:
    path = recipe(tmp_path, 60, 6)
    whole = build(path, tmp_path / "whole", workers=2)
    command = (
        "from clearsight.data.build import build; from pathlib import Path; import sys;"
        "build(Path(sys.argv[1]), Path(sys.argv[2]), workers=2)"
    )
    out = tmp_path / "killed"
    kept = 0
    for wanted in (1, 4):
        process = subprocess.Popen([sys.executable, "-c", command, path, out], start_new_session=True)
        while process.poll() is None and len(list(out.glob("*.tar"))) < wanted + kept:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kept = len(list(out.glob("*.tar")))
        assert not (out / "manifest.json").exists()
    before = {p.name: p.stat().st_mtime_ns for p in out.glob("*.tar")}
    assert build(path, out, workers=2) == whole
    untouched = [name for name, date in before.items() if (out / name).stat().st_mtime_ns == date]
    assert len(untouched) >= len(before) - 2  # a shard whose note was not yet written is made again
    assert not list(out.glob(".*"))
    assert build(path, out) == whole  # and once more: nothing to do


def test_another_recipe_does_not_go_on_in_the_same_folder(tmp_path) -> None:
    build(recipe(tmp_path, 4, 4), tmp_path / "out", workers=1)
    with pytest.raises(BuildError, match="another corpus"):
        build(recipe(tmp_path, 5, 4), tmp_path / "out", workers=1)


@pytest.mark.parametrize(
    "content, says",
    [
        (None, "no recipe"),
        ("RECIPE = 3", "sets no RECIPE"),
        ("1/0", "ZeroDivisionError"),
        ("x = (", "SyntaxError"),
    ],
)
def test_a_recipe_that_cannot_be_run_is_explained(tmp_path, content, says) -> None:
    path = tmp_path / "r.py"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BuildError, match=says):
        read_recipe(path)


def test_recipes_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="no world"):
        Worlds(count=1, mix={"dragons": 1})
    with pytest.raises(ValueError, match="same name"):
        Recipe(parts=(Stream("a", list), Stream("a", list)))
    with pytest.raises(ValueError, match="at least one"):
        Recipe(parts=())


def test_a_stream_that_fails_half_way_stops_the_build_with_its_error(tmp_path) -> None:
    path = tmp_path / "r.py"
    path.write_text(
        "from clearsight.data.build import Recipe, Stream\n"
        "def broken():\n    raise OSError('the disk is gone')\n    yield\n"
        "RECIPE = Recipe(parts=(Stream('s', broken),))\n"
    )
    with pytest.raises(OSError, match="the disk is gone"):
        build(path, tmp_path / "out", workers=1)
