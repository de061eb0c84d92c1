"""Policies: what a person who writes one is told when it is wrong."""

from pathlib import Path

import pytest

from clearsight.safety.moderation import Moderator
from clearsight.safety.policy import (
    CATEGORIES,
    OPENAI_CATEGORIES,
    PolicyError,
    Rule,
    from_table,
    load,
    merged,
)

SMALL = {
    "name": "small",
    "description": "for tests",
    "categories": {
        "hate": {
            "description": "d",
            "behaviour": "decline",
            "input": {"action": "block", "text": 0.5},
        }
    },
}


@pytest.mark.parametrize("name", ["private", "public"])
def test_shipped_policies_judge_every_category_of_what_comes_in_and_goes_out(name: str) -> None:
    policy = load(name)
    assert {category.name for category in policy.categories} == set(CATEGORIES)
    for category in policy.categories:
        for stage in ("input", "output"):
            rule = category.rule(stage)
            assert rule is not None and rule.threshold("text") is not None, category.name
        assert category.benign_examples


def test_categories_are_those_of_the_openai_api() -> None:
    from openai.types.moderation import Categories

    assert {field.alias or name for name, field in Categories.model_fields.items()} == set(OPENAI_CATEGORIES)


def test_private_blocks_less_than_public_and_requires_nothing() -> None:
    private, public = load("private"), load("public")

    def blocked(policy) -> set[str]:
        return {c.name for c in policy.categories if c.rule("input").action == "block"}

    assert blocked(private) < blocked(public)
    assert private.requires == ()


def test_an_unknown_key_is_refused_with_the_nearest_name() -> None:
    table = merged(SMALL, {"categories": {"hate": {"input": {"text-in-pictures": 0.5}}}})
    with pytest.raises(
        PolicyError, match=r"categories.hate.input has no 'text-in-pictures'; did you mean 'text-in-picture'"
    ):
        from_table(table)
    with pytest.raises(PolicyError, match="did you mean 'harassment'"):
        from_table({**SMALL, "categories": {"harasment": {}}})
    with pytest.raises(PolicyError, match="there is no policy publik; name one of private, public"):
        load("publik")


@pytest.mark.parametrize("value", [0, 1.2, True, "high", -0.1])
def test_a_threshold_that_is_no_probability_is_refused(value: object) -> None:
    table = merged(SMALL, {"categories": {"hate": {"input": {"text": value}}}})
    with pytest.raises(PolicyError, match="not a number above 0 and up to 1"):
        from_table(table)


def test_a_wrong_action_is_refused_with_the_nearest_one() -> None:
    table = merged(SMALL, {"categories": {"hate": {"input": {"action": "anotate"}}}})
    with pytest.raises(PolicyError, match="did you mean 'annotate'"):
        from_table(table)


def test_an_organisations_file_changes_only_what_it_names(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[categories.medical.input]\naction = "block"\n')
    policy, shipped = load("public", own), load("public")
    rule, before = policy.category("medical").rule("input"), shipped.category("medical").rule("input")
    assert rule == Rule("block", before.thresholds)
    assert [c for c in policy.categories if c.name != "medical"] == [
        c for c in shipped.categories if c.name != "medical"
    ]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("name = ")
    with pytest.raises(PolicyError, match=r"bad\.toml is not TOML"):
        load(bad)
    with pytest.raises(PolicyError, match="can't be read"):
        load(tmp_path / "absent.toml")


def test_a_policy_that_requires_a_missing_part_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearsight.data.curation.extras.find_spec", lambda name: None)
    with pytest.raises(PolicyError, match="requires reading, which is missing here; pip install"):
        Moderator("public")
    absent = Moderator("private").parts()
    assert absent and not any(part.available for part in absent)
    assert all("pip install" in part.install for part in absent)


def test_a_hash_list_for_a_category_whose_pictures_are_not_judged_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[hash-lists]]\nfile = "list.txt"\ncategory = "hate"\n')
    with pytest.raises(PolicyError, match="does not judge pictures"):
        load("private", own)
