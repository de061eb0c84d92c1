"""Pictures: known ones are found again, what is written counts, and what could not be looked at is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from clearsight import bundled
from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.curation import extras
from clearsight.data.worlds.drawing import fonts, running_text
from clearsight.safety import pictures
from clearsight.safety.moderation import Moderator
from clearsight.safety.policy import Policy, PolicyError, load

pytest.importorskip("pdqhash")

PHOTO = Path(bundled.__file__).parent / "sample.png"


def scene(seed: int, size: int = 320) -> PILImage.Image:
    """A smooth picture of many colours, no two alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return PILImage.fromarray(coarse).resize((size, size), PILImage.Resampling.BICUBIC)


def sign(*lines: str) -> PILImage.Image:
    font = fonts.font_file("DejaVuSans")
    picture = PILImage.new("RGB", (620, 60 + 50 * len(lines)), "white")
    for number, line in enumerate(lines):
        running_text.set_words(picture, 20, 60 + 50 * number, line.split(), font, 32, (10, 10, 10))
    return picture


def listed_policy(tmp_path: Path, *hashed: PILImage.Image) -> Path:
    lines = ["# a list", ""]
    lines += [f"{pictures.pdq(picture)[0].tobytes().hex()},note" for picture in hashed]  # type: ignore[index]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    own = tmp_path / "own.toml"
    own.write_text('[[hash-lists]]\nfile = "list.txt"\ncategory = "sexual/minors"\n')
    return own


def without_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading takes seconds; tests that are about something else do without, as if it were not installed."""
    found = extras.find_spec
    monkeypatch.setattr(
        "clearsight.data.curation.extras.find_spec", lambda name: None if name == "rapidocr" else found(name)
    )


def test_a_listed_picture_is_blocked_when_resized_recompressed_turned_or_mirrored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_reading(monkeypatch)
    known = PILImage.open(PHOTO).convert("RGB")
    moderator = Moderator(load("private", listed_policy(tmp_path, known)))
    changed = [
        known,
        known.resize((known.width // 2, known.height // 2)),
        known.transpose(PILImage.Transpose.ROTATE_90),
        known.transpose(PILImage.Transpose.FLIP_LEFT_RIGHT),
    ]
    path = tmp_path / "a.jpg"
    known.save(path, quality=30)
    changed.append(PILImage.open(path))
    for picture in changed:
        verdict = moderator.picture(picture.convert("RGB"))
        assert verdict.blocked and verdict.categories["sexual/minors"]
    assert [moderator.picture(scene(seed)).blocked for seed in range(2, 22)] == [False] * 20


def test_the_distance_of_a_match_is_31_bits_and_no_more() -> None:
    listed = pictures.HashList(["00" * 32])
    for bits, near in ((31, True), (32, False)):
        row = np.packbits(np.arange(256) < bits)[None]
        assert (listed.distance(row) <= pictures.MATCHING_DISTANCE) is near
        assert listed.distance(row) == bits
    assert pictures.HashList([]).distance(np.zeros((8, 32), np.uint8)) == 256


def test_a_plain_picture_is_no_match_for_anything() -> None:
    assert pictures.pdq(PILImage.new("RGB", (300, 300), "white")) is None


def test_a_broken_hash_list_names_the_line(tmp_path: Path) -> None:
    own = listed_policy(tmp_path)
    (tmp_path / "list.txt").write_text("ff" * 32 + "\nnothex\n")
    with pytest.raises(PolicyError, match=r"line 2 of the hash list .*list\.txt"):
        Moderator(load("private", own))


def reading_policy(folder: Path) -> Policy:
    """The private policy, with an eye on what is written in pictures."""
    own = folder / "reading.toml"
    rule = "[categories.{name}.input]\naction = 'annotate'\ntext = 0.6\ntext-in-picture = 0.6\n"
    own.write_text(rule.format(name="illicit") + rule.format(name='"illicit/violent"'))
    return load("private", own)


def test_what_could_not_be_looked_at_is_said_and_not_taken_for_clean(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("clearsight.data.curation.extras.find_spec", lambda name: None)
    moderator = Moderator(reading_policy(tmp_path))
    verdict = moderator.picture(scene(3))
    assert verdict.unjudged == ("reading", "sexual-pictures")
    assert verdict.to_openai()["category_applied_input_types"]["sexual"] == []
    assert moderator.text("call 555 0100").unjudged == ("private-numbers",)
    assert moderator.text("hello").unjudged == ()


def test_a_picture_is_looked_at_once_and_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    without_reading(monkeypatch)
    monkeypatch.setattr("clearsight.safety.moderation.KEPT_PICTURES", 3)
    moderator = Moderator("private")
    looked = []
    look = moderator._look
    monkeypatch.setattr(moderator, "_look", lambda pixels: looked.append(pixels) or look(pixels))
    for seed in (1, 1, 1, 2, 3, 4, 4, 1):
        moderator.picture(scene(seed, 40))
    assert len(looked) == 5  # 1, 2, 3, 4, and 1 again after it had to make room
    assert len(moderator._kept) == 3


def test_a_policy_that_looks_at_no_writing_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearsight.experts.reading.written", lambda pixels: pytest.fail("it was read"))
    moderator = Moderator("private")
    assert "reading" not in moderator.picture(scene(1)).unjudged


def test_text_in_a_picture_is_judged_as_text_alone_and_with_the_message(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    moderator = Moderator(reading_policy(tmp_path))
    whole = moderator.picture(sign("how do i make", "zorvex at home"))
    assert "illicit" in {trigger.category for trigger in whole.triggers}
    assert whole.to_openai()["category_applied_input_types"]["illicit"] == ["image"]
    part = Image(pixels=sign("zorvex"))
    alone = moderator.conversation(Conversation((user(part, "What is this?"),)))
    assert not alone.categories["illicit"]
    joined = moderator.conversation(Conversation((user("How do I make this at home:", part),)))
    assert joined.categories["illicit"]
    assert {trigger.kind for trigger in joined.triggers} == {"text-in-picture"}
    first, second = (
        Image(pixels=sign("give me a recipe", "to make")),
        Image(pixels=sign("kravodite in", "my kitchen")),
    )
    split = moderator.conversation(Conversation((user(first), assistant("Yes?"), user(second))))
    assert split.categories["illicit/violent"]
    assert not moderator.picture(sign("garden party", "on sunday")).flagged
