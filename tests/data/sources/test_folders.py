"""A person's own folder of pictures: every way to say what they show, and files that are in the way."""

import json
from pathlib import Path

import pytest

from clearsight.data.sources import folders
from clearsight.data.sources.contract import SourceError, Tally


def answers(records) -> dict[str, str]:
    return {record.provenance.uri: record.conversation.messages[-1].text for record in records}


def test_captions_beside_pictures_and_folder_names_become_answers(tmp_path: Path, drawn) -> None:
    (tmp_path / "golden_retriever").mkdir()
    kinds = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
    for name in ("a.jpg", "b.png", "c.png", "golden_retriever/1.webp", "golden_retriever/2.jpg"):
        (tmp_path / name).write_bytes(drawn(format=kinds[name.split(".")[1]]))
    (tmp_path / "a.txt").write_text("A red wall.\n")
    (tmp_path / "b.json").write_text(json.dumps({"caption": "A red door."}))
    (tmp_path / "c.json").write_text(json.dumps({"question": "Which colour?", "answer": "red"}))
    found = list(folders.records(tmp_path, licence="MIT", source="mine"))
    assert answers(found) == {
        "a.jpg": "A red wall.",
        "b.png": "A red door.",
        "c.png": "red",
        "golden_retriever/1.webp": "golden retriever",
        "golden_retriever/2.jpg": "golden retriever",
    }
    assert {record.provenance.licence for record in found} == {"MIT"}
    assert {record.provenance.source for record in found} == {"mine"}
    labelled = found[-1]
    assert labelled.truths[0].answer == "golden retriever"
    assert labelled.skills == ("name",)


@pytest.mark.parametrize("table", ["captions.csv", "metadata.jsonl"])
def test_a_table_names_the_pictures_in_its_folder(tmp_path: Path, drawn, table: str) -> None:
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(drawn())
    rows = [("one.png", "A wall, red."), ("two.png", 'A "door".')]
    if table.endswith("csv"):
        text = 'file_name,caption\none.png,"A wall, red."\ntwo.png,"A ""door""."\n'
    else:
        text = "".join(json.dumps({"file_name": name, "text": caption}) + "\n" for name, caption in rows)
    (tmp_path / table).write_text(text)
    assert answers(folders.records(tmp_path)) == dict(rows)


def test_broken_and_foreign_files_are_counted_and_never_stop_the_reading(tmp_path: Path, drawn) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/good.jpg").write_bytes(drawn(format="JPEG", size=(300, 300)))
    (tmp_path / "cat/cut.jpg").write_bytes(drawn(format="JPEG", size=(300, 300))[:500])
    (tmp_path / "cat/cut.png").write_bytes(drawn(size=(300, 300))[:-30])
    (tmp_path / "cat/notes.doc").write_bytes(b"not a picture")
    (tmp_path / "cat/empty.png").write_bytes(b"")
    (tmp_path / "cat/.hidden.png").write_bytes(drawn())
    (tmp_path / "cat/loop").symlink_to(tmp_path)
    (tmp_path / "cat/gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "alone.png").write_bytes(drawn())
    (tmp_path / "wrong.png").write_bytes(drawn())
    (tmp_path / "wrong.json").write_text("{not json")
    tally = Tally()
    assert list(answers(folders.records(tmp_path, tally=tally))) == ["cat/good.jpg"]
    assert tally.records == 1
    assert tally.left_out == {
        "unusable picture": 4,
        "unreadable file": 1,
        "no caption": 1,
        "broken caption file": 1,
    }
    assert "alone.png" in str(tally)
    assert "1 records; left out 7" in str(tally)


def test_reading_goes_on_where_it_stopped_also_past_broken_files(tmp_path: Path, drawn) -> None:
    (tmp_path / "x").mkdir()
    for number in range(6):
        (tmp_path / f"x/{number}.png").write_bytes(
            drawn(size=(10 + number, 10)) if number != 2 else b"broken"
        )
    whole = [record.id for record in folders.records(tmp_path)]
    tally = Tally()
    reading = folders.records(tmp_path, tally=tally)
    first = [next(reading).id for _ in range(3)]
    assert tally.position == 4
    assert first + [record.id for record in folders.records(tmp_path, skip=tally.position)] == whole


def test_a_strict_reading_stops_at_the_first_broken_file(tmp_path: Path, drawn) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/1.png").write_bytes(drawn())
    (tmp_path / "x/2.png").write_bytes(b"broken")
    with pytest.raises(SourceError, match=r"2\.png.*not a picture"):
        list(folders.records(tmp_path, tally=Tally(strict=True)))


def test_a_folder_that_is_not_there_or_of_no_use_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no folder"):
        folders.records(tmp_path / "absent")
    (tmp_path / "notes.doc").write_bytes(b"text")
    with pytest.raises(SourceError, match=r"Nothing in .* is usable"):
        list(folders.records(tmp_path))


def test_a_table_with_a_broken_line_names_it(tmp_path: Path, drawn) -> None:
    (tmp_path / "a.png").write_bytes(drawn())
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "x"}\n{"file_name"\n')
    with pytest.raises(SourceError, match=r"metadata\.jsonl, line 2: not JSON"):
        folders.records(tmp_path)
