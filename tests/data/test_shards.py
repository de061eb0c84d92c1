"""A corpus must give back exactly what was put in, or say which file is bad."""

import io
import json
import tarfile

import pytest
from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.record import Provenance, Record, is_permissive
from clearsight.data.shards import Corpus, ShardError, index_of, write_manifest, write_shard
from clearsight.data.verify import Truth


def jpeg(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    PILImage.new("RGB", (40, 30), colour).save(file, "JPEG")
    return file.getvalue()


def records(count: int) -> list[Record]:
    made = []
    for i in range(count):
        images = [Image(data=jpeg((i * 20 % 256, 90, 10))) for _ in range(i % 3)]
        if i % 4 == 3:
            images.append(Image(pixels=PILImage.new("RGB", (5, 4), (i, i, i))))
        talk = Conversation(
            (user(*images, f"Wie viele? <image> {i} ☂"), assistant(f"{i}"), user("Sure?"), assistant("Yes"))
        )
        made.append(
            Record(
                talk,
                Provenance("unit", "MIT", seed=i, uri=f"{i}.jpg"),
                truths=(Truth("number", str(i), i), None),
                skills=("count", "sure"),
                rejected="no" if i % 5 == 0 else None,
                tags={"blur": 0.5},
            )
        )
    return made


def corpus(folder, *shards: list[Record]) -> Corpus:
    infos = [write_shard(folder / f"part-{k:05d}.tar", shard) for k, shard in enumerate(shards)]
    write_manifest(folder, infos, {"recipe": "unit"})
    return Corpus(folder)


def test_records_come_back_as_they_were_in_any_order(tmp_path) -> None:
    given = records(11)
    read = corpus(tmp_path, given[:7], given[7:])
    assert len(read) == 11
    for i in (10, 0, 6, 7, 3):
        assert read[i] == given[i]
        assert read[i].id == given[i].id
        assert [a.sha256 for a in read[i].conversation.images] == [
            a.sha256 for a in given[i].conversation.images
        ]
        assert read[i].tags == given[i].tags
    assert [r.id for r in read] == [r.id for r in given]
    with pytest.raises(IndexError, match="11 records"):
        read[11]


def test_equal_records_give_equal_bytes(tmp_path) -> None:
    a = write_shard(tmp_path / "a.tar", records(5))
    b = write_shard(tmp_path / "b.tar", records(5))
    assert a.sha256 == b.sha256 and a.index_sha256 == b.index_sha256


def test_any_tar_reader_can_read_a_shard(tmp_path) -> None:
    write_shard(tmp_path / "a.tar", records(4))
    with tarfile.open(tmp_path / "a.tar") as archive:
        names = archive.getnames()
        assert names[:3] == ["000000000.json", "000000001.json", "000000001.0.jpg"]
        body = json.load(archive.extractfile("000000001.json"))
        assert body["provenance"]["licence"] == "MIT"
        assert PILImage.open(archive.extractfile("000000001.0.jpg")).size == (40, 30)


def test_the_manifest_counts_what_is_there(tmp_path) -> None:
    manifest = corpus(tmp_path, records(3), records(4)).manifest
    assert (
        manifest["records"] == 7 and manifest["licences"] == {"MIT": 7} and manifest["skills"]["count"] == 7
    )
    assert manifest["pictures"] == sum(len(r.conversation.images) for r in [*records(3), *records(4)])


def test_damage_is_named(tmp_path) -> None:
    read = corpus(tmp_path, records(6))
    path = tmp_path / "part-00000.tar"
    content = bytearray(path.read_bytes())
    content[600] ^= 0xFF  # inside the first record's JSON
    path.write_bytes(content)
    assert [good for _, good in read.verify()] == [False]
    with pytest.raises(ShardError, match="record 0"):
        Corpus(tmp_path)[0]
    path.write_bytes(content[:-512])
    with pytest.raises(ShardError, match="cut short"):
        Corpus(tmp_path)
    path.unlink()
    with pytest.raises(ShardError, match="missing"):
        Corpus(tmp_path)


def test_a_picture_that_was_swapped_is_noticed(tmp_path) -> None:
    corpus(tmp_path, records(2))
    path = tmp_path / "part-00000.tar"
    content = path.read_bytes()
    at = content.index(jpeg((20, 90, 10)))
    changed = bytearray(content)
    changed[at + 200] ^= 1
    path.write_bytes(changed)
    with pytest.raises(ShardError, match="hash"):
        Corpus(tmp_path)[1]


def test_folders_that_are_no_corpus_say_what_to_do(tmp_path) -> None:
    with pytest.raises(ShardError, match="clearsight data build"):
        Corpus(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": "other"}')
    with pytest.raises(ShardError, match="not a manifest"):
        Corpus(tmp_path)
    corpus(tmp_path, records(2))
    index_of(tmp_path / "part-00000.tar").write_bytes(b"nothing")
    with pytest.raises(ShardError, match="index"):
        Corpus(tmp_path)


@pytest.mark.parametrize(
    "licence, allowed",
    [
        *(
            ("MIT", True),
            ("GPL-2.0-only", False),
            ("MIT OR GPL-2.0-only", True),
            ("MIT AND GPL-2.0-only", False),
        ),
        *(
            ("CC-BY-NC-4.0", False),
            ("unknown", False),
            ("", False),
            ("MIT AND CC0-1.0", True),
            ("mit", False),
        ),
    ],
)
def test_only_named_licences_are_permissive(licence, allowed) -> None:
    assert is_permissive(licence) == allowed


def test_a_record_refuses_truths_that_match_no_reply() -> None:
    talk = Conversation((user("a"), assistant("b")))
    with pytest.raises(ValueError, match="2 truths for 1"):
        Record(talk, Provenance("x", "MIT"), truths=(None, None))
