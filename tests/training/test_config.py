"""A mistyped setting must never be taken for another, or for none."""

import pytest

from clearsight.training.config import Config, ConfigError, changed, from_json, to_json
from clearsight.training.recipe import read_recipe


def test_settings_are_changed_by_path_and_converted_to_their_types():
    config = changed(
        Config(),
        ["schedule.steps=5_000", "optimizer.text=1e-3", "model.trained=text,vision", "parallel.compile=yes"],
    )
    assert config.schedule.steps == 5000
    assert config.optimizer.text == 1e-3
    assert config.model.trained == ("text", "vision")
    assert config.parallel.compile is True
    assert Config().schedule.steps == 200  # the original is as it was
    assert from_json(to_json(config), Config()) == config


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("schedule.step=3", "did you mean schedule.steps?"),
        ("rows=3", "did you mean data.rows?"),
        ("schedule=3", "set one of its fields"),
        ("schedule.steps.more=3", "single setting"),
        ("schedule.steps=1.5", "not a whole number"),
        ("schedule.steps=0", "at least 1"),
        ("optimizer.kind=sgd", "not one of adamw, muon"),
        ("data.row_tokens=0", "data.row_tokens is at least 1"),
        ("parallel.compile=maybe", "not true or false"),
        ("model.trained=ears", "there are vision, connector, text"),
        ("data.rows=3", "no multiple"),
        ("guards.non_finite=clap", "choose one of"),
        ("seed", "part.field=value"),
    ],
)
def test_what_can_not_be_meant_is_refused_with_what_to_write(setting, said):
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        changed(Config(), [setting])


def test_a_batch_that_can_not_be_divided_among_the_ranks_is_refused():
    config = changed(Config(), ["data.rows_per_step=8", "data.rows=2"])
    assert [config.micro_batches(ranks) for ranks in (1, 2, 4)] == [4, 2, 1]
    with pytest.raises(ConfigError, match="3"):
        config.micro_batches(3)


def test_a_missing_or_broken_recipe_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="There is no recipe"):
        read_recipe(tmp_path / "none.py")
    (tmp_path / "broken.py").write_text("recipe = 1 / 0")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        read_recipe(tmp_path / "broken.py")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ConfigError, match="no function recipe"):
        read_recipe(tmp_path / "empty.py")
    with pytest.raises(ConfigError, match=r"did you mean .*broken\.py"):
        read_recipe(tmp_path / "brken.py")


@pytest.mark.parametrize("name", ["finetune", "mini/tower", "mini/bridge"])
def test_recipes_that_come_along_can_be_read(name):
    from pathlib import Path

    assert read_recipe(Path("recipes") / f"{name}.py").config.name == name
