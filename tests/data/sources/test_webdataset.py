"""Tar shards as others write them, and as Clearsight itself does."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.shards import write_shard
from clearsight.data.sources import webdataset
from clearsight.data.sources.contract import SourceError, Tally
from clearsight.data.sources.webdataset import expand
from clearsight.data.verify import Truth


def save(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def answers(records) -> list[str]:
    return [record.conversation.messages[-1].text for record in records]


def test_braces_mean_what_the_shell_makes_of_them() -> None:
    assert expand("data-{008..011}.tar") == [f"data-{n}.tar" for n in ("008", "009", "010", "011")]
    assert expand("{a,b}/{1..2}.tar") == ["a/1.tar", "a/2.tar", "b/1.tar", "b/2.tar"]
    assert expand("{9..11}") == ["9", "10", "11"]
    assert expand("plain.tar") == ["plain.tar"]
    assert expand("odd{x}.tar") == ["odd{x}.tar"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_every_kind_of_sample(tmp_path: Path, drawn, name: str) -> None:
    turns = [{"from": "human", "value": "<image>\nColour?"}, {"from": "gpt", "value": "Red."}]
    files = {
        "x/0001.jpg": drawn(format="JPEG"),
        "x/0001.txt": b"A caption.\n",
        "x/0001.json": json.dumps({"width": 3, "caption": "Another.", "url": "https://example.org"}).encode(),
        "x/0002.json": json.dumps({"caption": "Beside a picture.", "image": "0002.png"}).encode(),
        "x/0002.PNG": drawn(),
        "y/0002.webp": drawn(format="WEBP"),
        "y/0002.cls": b"1\n",
        "0003.png": drawn(),
        "0003.cls": b"a dog",
        "0004.png": drawn(),
        "0004.json": json.dumps({"image": "0004.png", "conversations": turns}).encode(),
        "0005.0.png": drawn("red"),
        "0005.1.png": drawn("blue"),
        "0005.json": json.dumps({"question": "Same?", "answer": "no"}).encode(),
    }
    found = list(webdataset.records(save(tmp_path / name, files), classes=("a cat", "a cow"), licence="MIT"))
    assert answers(found) == ["A caption.", "Beside a picture.", "a cow", "a dog", "Red.", "no"]
    assert [record.provenance.uri for record in found][:3] == [
        f"{name}/{k}" for k in ("x/0001", "x/0002", "y/0002")
    ]
    assert found[2].truths == (Truth("text", "a cow"),)
    assert [image.data for image in found[-1].conversation.images] == [drawn("red"), drawn("blue")]


def test_clearsights_own_shards_come_back_the_same(tmp_path: Path, drawn) -> None:
    mine = [
        Record(
            Conversation((user(Image(data=drawn(c)), Image(data=drawn("white")), "Colour?"), assistant(c))),
            Provenance("mine", "MIT", uri=c),
            (Truth("text", c),),
            ("colour",),
        )
        for c in ("red", "blue")
    ]
    write_shard(tmp_path / "train-00000.tar", mine)
    assert list(webdataset.records(tmp_path)) == mine


def test_samples_that_are_bad_are_counted(tmp_path: Path, drawn) -> None:
    files = {
        "1.png": drawn(),
        "1.txt": b"Fine.",
        "2.png": b"broken",
        "2.txt": b"x",
        "3.txt": b"no picture",
        "4.png": drawn(),
        "5.png": drawn(),
        "5.json": b"{",
        "6.png": drawn(),
        "6.cls": b"7",
        "7.png": drawn(),
        "7.txt": b" ",
    }
    tally = Tally()
    assert answers(webdataset.records(save(tmp_path / "a.tar", files), tally=tally)) == ["Fine."]
    assert tally.left_out == {
        "unusable picture": 1,
        "no picture": 1,
        "no caption": 1,
        "broken caption file": 1,
        "no name": 1,
        "empty text": 1,
    }


def test_a_shard_that_breaks_off_gives_what_it_has_and_the_next_one_is_read(tmp_path: Path, drawn) -> None:
    files = {f"{n}.{kind}": data for n in range(5) for kind, data in (("png", drawn()), ("txt", b"%d" % n))}
    save(tmp_path / "a-0.tar", files)
    data = (tmp_path / "a-0.tar").read_bytes()
    (tmp_path / "a-0.tar").write_bytes(data[: data.index(b"3.png") + 600])
    save(tmp_path / "a-1.tar", {"9.png": drawn(), "9.txt": b"9"})
    tally = Tally()
    assert answers(webdataset.records(str(tmp_path / "a-{0..1}.tar"), tally=tally)) == ["0", "1", "2", "9"]
    assert tally.left_out == {"broken shard": 1}
    assert "a-0.tar" in tally.examples["broken shard"][0]


def test_a_giant_file_is_not_read_into_memory(tmp_path: Path, drawn, monkeypatch) -> None:
    monkeypatch.setattr(webdataset, "LARGEST_MEMBER", 1000)
    files = {"1.png": bytes(2000), "1.txt": b"x", "2.png": drawn(), "2.txt": b"y"}
    tally = Tally()
    assert answers(webdataset.records(save(tmp_path / "a.tar", files), tally=tally)) == ["y"]
    assert tally.left_out == {"file too large": 1}


def test_reading_goes_on_where_it_stopped(tmp_path: Path, drawn) -> None:
    for shard in range(2):
        files = {}
        for n in range(4):
            files |= {f"{n}.png": drawn(), f"{n}.txt": b"%d-%d" % (shard, n) if n != 1 else b""}
        save(tmp_path / f"a-{shard}.tar", files)
    whole = answers(webdataset.records(tmp_path))
    for stop in range(1, 6):
        tally = Tally()
        reading = webdataset.records(tmp_path, tally=tally)
        first = answers(next(reading) for _ in range(stop))
        assert first + answers(webdataset.records(tmp_path, skip=tally.position)) == whole


def test_a_shard_that_is_missing_is_named(tmp_path: Path, drawn) -> None:
    save(tmp_path / "a-0.tar", {"1.png": drawn(), "1.txt": b"x"})
    with pytest.raises(SourceError, match=r"no shard .*a-1\.tar"):
        webdataset.records(str(tmp_path / "a-{0..1}.tar"))
    (tmp_path / "b.tar").write_bytes(b"no tar at all")
    with pytest.raises(SourceError, match=r"Nothing in .* is usable.*damaged"):
        list(webdataset.records(tmp_path / "b.tar"))
