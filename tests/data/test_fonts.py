"""Fonts: enough of them, in many scripts, none shared between the splits, and the first lessons' pool left alone."""

import itertools
from typing import get_args

import pytest
from PIL import features

from clearsight.data.worlds.drawing import fonts, scripts
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.texts import prose

SPLITS: tuple[Split, ...] = get_args(Split)


def _files(split: Split) -> set[str]:
    groups = [fonts.latin_files(split), *(fonts.script_files(split, script) for script in fonts.SCRIPTS)]
    return {path for group in groups for family in group for path in family}


def test_two_hundred_fonts_are_found_and_no_file_serves_both_splits() -> None:
    train, evaluation = _files("train"), _files("eval")
    assert len(train | evaluation) >= 200
    assert not train & evaluation


def test_no_family_of_evaluation_begins_like_one_of_training() -> None:
    """A prefix within another would put one design's cuts into both splits."""
    for a, b in itertools.permutations(fonts.FAMILIES, 2):
        if a.split != b.split:
            assert not a.prefix.startswith(b.prefix), (a, b)


@pytest.mark.parametrize("split", SPLITS)
def test_every_script_can_be_set_and_shaped(split) -> None:
    assert features.check("raqm"), (
        "Pillow was built without raqm: Arabic and Devanagari would be drawn wrongly"
    )
    for script in fonts.SCRIPTS:
        assert fonts.script_files(split, script), script


def test_further_families_do_not_change_what_the_first_lessons_are_drawn_with() -> None:
    prefixes = tuple(family.prefix for family in fonts.FIRST_FAMILIES)
    for split in SPLITS:
        names = [path.rsplit("/", 1)[-1] for family in fonts.font_files(split) for path in family]
        assert all(name.startswith(prefixes) for name in names)
        assert fonts.latin_files(split)[: len(fonts.font_files(split))] == fonts.font_files(split)


@pytest.mark.parametrize("split", SPLITS)
def test_a_font_for_code_is_equally_wide_everywhere(split) -> None:
    files = [path for family in fonts.monospaced_files(split) for path in family]
    assert len(files) >= 5
    for path in files:
        assert len({fonts.sized(path, 20).getlength(character) for character in "iMw0.("}) == 1, path


@pytest.mark.parametrize("split", SPLITS)
def test_every_word_of_a_script_is_drawn_by_every_font_that_may_be_chosen_for_it(split) -> None:
    assert scripts.WORDS.keys() == fonts.SCRIPTS.keys()
    for script in fonts.SCRIPTS:
        words = scripts.script_words(split, script)
        assert len(words) >= 10
        for path in itertools.chain(*fonts.script_files(split, script)):
            assert all(scripts.draws(path, word) for word in words), (script, path)


def test_no_word_is_written_in_both_splits() -> None:
    for name in (*scripts.WORDS, *scripts.ACCENTED):
        assert not set(scripts.script_words("train", name)) & set(scripts.script_words("eval", name))
    for items in (prose.NOUNS, prose.ADJECTIVES, prose.VERBS, prose.PLACES, prose.SURNAMES, prose.TASKS):
        assert not set(prose.of_split("train", items)) & set(prose.of_split("eval", items))
