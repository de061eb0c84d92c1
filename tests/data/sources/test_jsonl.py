"""Other people's JSON: every common shape, and what goes wrong with it, named by line."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from clearsight.conversation import Conversation, Image, Text, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.sources import jsonl
from clearsight.data.sources.contract import SourceError, Tally
from clearsight.data.sources.rows import Columns
from clearsight.data.verify import Truth


@pytest.fixture
def folder(tmp_path: Path, drawn) -> Path:
    (tmp_path / "images").mkdir()
    for colour in ("red", "blue"):
        (tmp_path / f"images/{colour}.png").write_bytes(drawn(colour))
    (tmp_path / "secret.png").write_bytes(drawn("black"))
    return tmp_path


def write(folder: Path, *rows: object, name: str = "data.jsonl") -> Path:
    path = folder / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def read(folder: Path, *rows: object, **options) -> list[Record]:
    return list(jsonl.records(write(folder, *rows), folder / "images", **options))


def outline(record: Record) -> list[tuple[str, list[str]]]:
    return [
        (m.role, [p.text if isinstance(p, Text) else "[picture]" for p in m.parts])
        for m in record.conversation.messages
    ]


LLAVA = {
    "id": "1",
    "image": "red.png",
    "conversations": [
        {"from": "human", "value": "<image>\nWhich colour?"},
        {"from": "gpt", "value": "Red."},
        {"from": "human", "value": "Sure?"},
        {"from": "gpt", "value": "Yes."},
    ],
}


def test_llava(folder: Path) -> None:
    (record,) = read(folder, LLAVA, licence="CC-BY-4.0")
    assert outline(record) == [
        ("user", ["[picture]", "Which colour?"]),
        ("assistant", ["Red."]),
        ("user", ["Sure?"]),
        ("assistant", ["Yes."]),
    ]
    assert record.provenance == Provenance("data.jsonl", "CC-BY-4.0", uri="data.jsonl:1")


def test_pictures_stand_where_they_are_mentioned(folder: Path) -> None:
    turns = [
        {"from": "human", "value": "Compare <image> with\n<image>\nplease."},
        {"from": "gpt", "value": "One is <image> in HTML."},
    ]
    (record,) = read(folder, {"images": ["red.png", "blue.png"], "conversations": turns})
    assert outline(record) == [
        ("user", ["Compare ", "[picture]", " with", "[picture]", "please."]),
        ("assistant", ["One is <image> in HTML."]),
    ]
    red, blue = record.conversation.images
    assert (red.data, blue.data) == tuple((folder / f"images/{c}.png").read_bytes() for c in ("red", "blue"))


def test_sharegpt_with_a_system_turn_and_pictures_nobody_places(folder: Path) -> None:
    turns = [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "What is this?"},
        {"from": "gpt", "value": "A wall."},
    ]
    (record,) = read(folder, {"conversations": turns, "images": ["red.png"]})
    assert outline(record)[:2] == [("system", ["Be brief."]), ("user", ["[picture]", "What is this?"])]


def test_openai_messages_with_a_data_uri(folder: Path, drawn) -> None:
    uri = "data:image/png;base64," + base64.b64encode(drawn("green")).decode()
    content = [
        {"type": "text", "text": "Left: "},
        {"type": "image_url", "image_url": {"url": uri}},
        {"type": "text", "text": " right: "},
        {"type": "image_url", "image_url": {"url": "blue.png"}},
    ]
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": "Green and blue."}]
    (record,) = read(folder, {"messages": messages})
    assert outline(record)[0] == ("user", ["Left: ", "[picture]", " right: ", "[picture]"])
    assert record.conversation.images[0].data == drawn("green")


def test_clearsights_own_records_come_back_the_same(folder: Path, drawn) -> None:
    image = Image(data=drawn("red"))
    mine = Record(
        Conversation((user(image, "Which colour?"), assistant("red"))),
        Provenance("mine", "MIT", uri="7"),
        (Truth("text", "red"),),
        ("colour",),
        rejected="blue",
    )
    (folder / f"images/{image.sha256}.png").write_bytes(drawn("red"))
    (record,) = read(folder, mine.to_json())
    assert record == mine


def test_question_and_answer_with_choices_several_answers_and_a_worse_one(folder: Path) -> None:
    rows = [
        {"image": "red.png", "question": "Which?", "choices": ["blue", "red"], "answer": 1},
        {"image": "red.png", "question": "Which?", "choices": ["blue", "red"], "answer": "B"},
        {"image": "red.png", "question": "Which?", "answers": ["red", "crimson", "red"]},
        {"image": "red.png", "question": "Which?", "chosen": "red", "rejected": "blue"},
        {"question": "What is 2 + 2?", "answer": 4},
    ]
    by_number, by_letter, several, preferred, alone = read(folder, *rows)
    assert by_number.conversation == by_letter.conversation
    assert outline(by_number)[0][1][1] == "Which?\nA. blue\nB. red"
    assert by_number.truths == (Truth("choice", "red", choices=("blue", "red")),)
    assert several.truths == (Truth("text", "red", alternatives=("crimson",)),)
    assert preferred.rejected == "blue"
    assert outline(alone) == [("user", ["What is 2 + 2?"]), ("assistant", ["4"])]


def test_columns_can_be_named(folder: Path) -> None:
    columns = Columns(images="foto", question="frage", answer="antwort")
    (record,) = read(folder, {"foto": "red.png", "frage": "Farbe?", "antwort": "rot"}, columns=columns)
    assert outline(record) == [("user", ["[picture]", "Farbe?"]), ("assistant", ["rot"])]
    with pytest.raises(SourceError, match="no column 'foto'"):
        read(folder, LLAVA, columns=columns)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("{broken", r"data\.jsonl, line 1: not JSON"),
        ("[" * 100_000, r"data\.jsonl, line 1: not JSON"),
        ({"a": 1, "b": 2}, r"line 1: unknown shape: no conversations.*among a, b"),
        ("3", "line 1: unknown shape: an object is expected, not int"),
    ],
)
def test_a_file_that_is_not_understood_is_an_error_with_line_and_cause(
    folder: Path, row: object, sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        read(folder, row)


BAD_ROWS = {
    "malformed": {"conversations": "text"},
    "unknown role": {"conversations": [{"from": "parrot", "value": "x"}]},
    "no answer": {"conversations": [{"from": "human", "value": "x"}]},
    "empty text": {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": " "}]},
    "pictures missing": LLAVA | {"image": None},
    "picture missing": LLAVA | {"image": "absent.png"},
    "picture outside the folder": LLAVA | {"image": "../secret.png"},
    "remote picture": LLAVA | {"image": "https://example.org/a.png"},
    "unknown shape": {"nothing": "here"},
    "not JSON": '{"a": ',
}


def test_later_rows_that_are_bad_are_left_out_with_line_and_cause(folder: Path) -> None:
    tally = Tally()
    records = read(folder, LLAVA, *BAD_ROWS.values(), LLAVA, tally=tally)
    assert [record.provenance.uri for record in records] == [
        "data.jsonl:1",
        f"data.jsonl:{len(BAD_ROWS) + 2}",
    ]
    assert tally.left_out == dict.fromkeys(BAD_ROWS, 1)
    for line, cause in enumerate(BAD_ROWS, 2):
        assert f"line {line}" in tally.examples[cause][0]
    with pytest.raises(SourceError, match="line 2: malformed"):
        read(folder, LLAVA, *BAD_ROWS.values(), tally=Tally(strict=True))


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/hostname", "out/secret.png", "..\\secret.png", "a/../../secret.png"]
)
def test_a_data_file_cannot_read_outside_its_image_folder(folder: Path, name: str) -> None:
    (folder / "images/out").symlink_to(folder)
    tally = Tally()
    assert len(read(folder, LLAVA, LLAVA | {"image": name}, tally=tally)) == 1
    assert tally.left_out == {"picture outside the folder": 1}


def test_a_list_is_read_a_piece_at_a_time_with_its_lines(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(jsonl, "_CHUNK", 7)
    rows = [LLAVA | {"id": str(i), "note": "Ünïcode\n" * i} for i in range(5)]
    path = folder / "data.json"
    path.write_text("\n" + json.dumps(rows, indent=1, ensure_ascii=False))
    records = list(jsonl.records(path, folder / "images"))
    lines = path.read_text().splitlines()
    starts = [number for number, line in enumerate(lines, 1) if line == " {"]
    assert [record.provenance.uri for record in records] == [f"data.json:{line}" for line in starts]
    path.write_text(path.read_text()[:-40])
    with pytest.raises(SourceError, match=r"data\.json, line \d+"):
        list(jsonl.records(path, folder / "images"))
    path.write_text("[]")
    assert list(jsonl.records(path)) == []


def test_compressed_files_and_marks_at_the_beginning(folder: Path) -> None:
    path = folder / "data.jsonl.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(LLAVA).encode()))
    assert len(list(jsonl.records(path, folder / "images"))) == 1
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="can't be read to its end"):
        list(jsonl.records(path, folder / "images"))


def test_reading_goes_on_where_it_stopped(folder: Path) -> None:
    rows = [
        LLAVA
        | {"conversations": [{**LLAVA["conversations"][0], "value": f"{i}?"}, {"from": "gpt", "value": "x"}]}
        for i in range(6)
    ]
    rows[1] = {"odd": 1}
    whole = read(folder, *rows)
    tally = Tally()
    reading = jsonl.records(folder / "data.jsonl", folder / "images", tally=tally)
    first = [next(reading), next(reading)]
    rest = jsonl.records(folder / "data.jsonl", folder / "images", skip=tally.position)
    assert [*first, *rest] == whole


def test_missing_file_or_folder(folder: Path) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        jsonl.records(folder / "absent.jsonl")
    with pytest.raises(SourceError, match="There is no image folder"):
        jsonl.records(write(folder, LLAVA), folder / "absent")
