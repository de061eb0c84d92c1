"""Parquet as the hub's data sets have it: pictures in structs and lists, turns in lists of structs."""

from pathlib import Path

import pytest

from clearsight.conversation import Text
from clearsight.data.sources import contract, parquet
from clearsight.data.sources.contract import SourceError, Tally
from clearsight.data.sources.rows import Columns

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def outline(record) -> list[tuple[str, list[str]]]:
    return [
        (m.role, [p.text if isinstance(p, Text) else "[picture]" for p in m.parts])
        for m in record.conversation.messages
    ]


def save(path: Path, rows: list[dict], group: int = 2) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)
    return path


def test_pictures_in_lists_of_structs_and_turns_of_user_and_assistant(tmp_path: Path, drawn) -> None:
    turns = [{"user": "First?", "assistant": "Yes."}, {"user": "Last?", "assistant": "No."}]
    images = [{"bytes": drawn("red"), "path": None}, {"bytes": drawn("blue"), "path": "b.png"}]
    path = save(tmp_path / "a.parquet", [{"images": images, "texts": turns, "source": "chartqa"}])
    (record,) = parquet.records(path, licence="CC-BY-4.0", source="vision@1")
    assert outline(record) == [
        ("user", ["[picture]", "[picture]", "First?"]),
        ("assistant", ["Yes."]),
        ("user", ["Last?"]),
        ("assistant", ["No."]),
    ]
    assert [image.data for image in record.conversation.images] == [drawn("red"), drawn("blue")]
    assert vars(record.provenance) == {
        **vars(record.provenance),
        "source": "vision@1",
        "licence": "CC-BY-4.0",
        "uri": "a.parquet:0",
    }


@pytest.mark.parametrize("kind", ["bytes", "struct", "name", "list"])
def test_a_picture_may_be_bytes_a_struct_a_name_or_a_list(tmp_path: Path, drawn, kind: str) -> None:
    (tmp_path / "p.png").write_bytes(drawn())
    value = {
        "bytes": drawn(),
        "struct": {"bytes": None, "path": "p.png"},
        "name": "p.png",
        "list": [drawn()],
    }[kind]
    path = save(tmp_path / "a.parquet", [{"image": value, "question": "Colour?", "answer": "red"}])
    (record,) = parquet.records(path)
    assert record.conversation.images[0].data == drawn()


def test_only_the_columns_that_are_needed_are_read(tmp_path: Path, drawn, monkeypatch) -> None:
    row = {"foto": drawn(), "frage": "Farbe?", "antwort": "rot", "heavy": "x" * 1000}
    path = save(tmp_path / "a.parquet", [row])
    asked = []
    whole = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile, "iter_batches", lambda *a, **k: asked.append(k["columns"]) or whole(*a, **k)
    )
    columns = Columns(images="foto", question="frage", answer="antwort")
    assert outline(next(parquet.records(path, columns=columns)))[1] == ("assistant", ["rot"])
    assert asked == [["foto", "frage", "antwort"]]
    with pytest.raises(SourceError, match=r"a\.parquet: unknown shape: there is no column 'bild'"):
        list(parquet.records(path, columns=Columns(images="bild")))


def test_skipped_row_groups_are_not_read_and_the_rest_is_the_same(tmp_path: Path, drawn, monkeypatch) -> None:
    rows = [{"question": f"{i}?", "answer": str(i)} for i in range(13)]
    save(tmp_path / "a.parquet", rows[:7], group=3)
    save(tmp_path / "b.parquet", rows[7:], group=4)
    whole = list(parquet.records(tmp_path))
    assert len(whole) == 13
    monkeypatch.setattr(parquet, "_ROWS_AT_ONCE", 2)
    groups = []
    read = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile, "iter_batches", lambda *a, **k: groups.extend(k["row_groups"]) or read(*a, **k)
    )
    for skip in range(15):
        groups.clear()
        assert list(parquet.records(tmp_path, skip=skip)) == whole[skip:]
    groups.clear()
    assert len(list(parquet.records(tmp_path, skip=12))) == 1
    assert groups == [1]


def test_rows_that_are_bad_are_counted_with_their_number(tmp_path: Path, drawn) -> None:
    rows = [
        {"image": drawn(), "caption": "Fine."},
        {"image": b"broken", "caption": "Broken."},
        {"image": drawn(), "caption": ""},
        {"image": None, "caption": "None."},
    ]
    tally = Tally()
    assert len(list(parquet.records(save(tmp_path / "a.parquet", rows), tally=tally))) == 1
    assert tally.left_out == {"unusable picture": 1, "empty text": 1, "unknown shape": 1}
    assert "row 1" in tally.examples["unusable picture"][0]


def test_a_broken_or_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no Parquet file"):
        parquet.records(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(SourceError, match="can't be read as Parquet"):
        list(parquet.records(tmp_path))
    path = save(tmp_path / "b.parquet", [{"question": "x" * 5000, "answer": "y"}] * 10)
    data = bytearray(path.read_bytes())
    data[4:60] = b"\xff" * 56
    path.write_bytes(data)
    with pytest.raises(SourceError, match="damaged at row group 0"):
        list(parquet.records(path))


def test_without_pyarrow_the_command_to_install_it_is_given(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(SourceError, match="pip install pyarrow"):
        parquet.records(tmp_path)


def test_a_library_that_is_broken_itself_is_not_called_missing(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "needs_other.py").write_text("import something_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_nobody_has"):
        contract.require("needs_other", "needs-other", "This")
