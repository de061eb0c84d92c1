"""What is carried home from a borrowed machine must be enough to go on from."""

import json
import shutil

import pytest
import torch
from tiny_runs import losses, train

from clearsight.training.checkpoint import CheckpointError, Checkpoints, Parts, damage
from clearsight.training.record import read_run
from clearsight.training.take_home import pack


def test_a_run_goes_on_from_a_small_copy_in_small_files(recipe, tmp_path):
    settings = ("schedule.steps=12", "checkpoints.every=6", "checkpoints.keep=5")
    train(recipe, tmp_path / "whole", *settings)
    checkpoint = Checkpoints(tmp_path / "whole" / "checkpoints").path(6)
    home = pack(checkpoint, tmp_path / "home", file_bytes=200_000)
    files = sorted(home.glob("*.safetensors"))
    assert len(files) > 1
    assert all(file.stat().st_size <= 200_000 for file in files)
    assert sum(f.stat().st_size for f in files) < 0.75 * sum(
        f.stat().st_size for f in checkpoint.glob("*.safetensors")
    )
    with Parts(checkpoint) as before, Parts(home) as after:
        assert set(before) == set(after)
        for key in before:
            if key.startswith("weight/"):
                assert torch.equal(before.whole(key), after.whole(key))
            else:
                torch.testing.assert_close(
                    after.whole(key).float(), before.whole(key).float(), rtol=2**-8, atol=0
                )

    shutil.copytree(home, tmp_path / "elsewhere" / "checkpoints" / home.name)
    train(recipe, tmp_path / "elsewhere", *settings)
    assert [s.facts.step for s in read_run(tmp_path / "elsewhere").steps] == list(range(7, 13))
    assert losses(tmp_path / "elsewhere") == pytest.approx(losses(tmp_path / "whole")[6:], rel=1e-3)


def test_a_damaged_checkpoint_is_not_carried_home(recipe, tmp_path):
    train(recipe, tmp_path, "schedule.steps=2")
    checkpoint = Checkpoints(tmp_path / "checkpoints").path(2)
    note = checkpoint / "rank-00000.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"of": 2}))
    assert damage(checkpoint) is not None
    with pytest.raises(CheckpointError, match="pack another"):
        pack(checkpoint, tmp_path / "home")
