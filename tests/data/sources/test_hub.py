"""Data sets of the hub: a folder laid out like one, and a real server on loopback that answers as the hub does."""

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearsight.data.sources import hub
from clearsight.data.sources.contract import SourceError, Tally

pytest.importorskip("datasets")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = "---\nlicense: cc-by-4.0\nlanguage: [en]\n---\n# A data set\n"


def table(drawn, count: int = 5) -> bytes:
    rows = [
        {
            "images": [{"bytes": drawn("red", size=(10 + i, 10)), "path": None}],
            "texts": [{"user": f"{i}?", "assistant": str(i)}],
        }
        for i in range(count)
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=2)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path, drawn, monkeypatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    (tmp_path / "set/data").mkdir(parents=True)
    (tmp_path / "set/data/train-00000-of-00001.parquet").write_bytes(table(drawn))
    (tmp_path / "set/README.md").write_text(CARD)
    return tmp_path / "set"


def test_a_folder_is_read_like_a_data_set_of_the_hub(folder: Path, drawn) -> None:
    whole = list(hub.records(str(folder), permissive=True))
    assert [record.conversation.messages[1].text for record in whole] == list("01234")
    assert whole[3].conversation.images[0].data == drawn("red", size=(13, 10)), (
        "never decoded and encoded again"
    )
    assert (whole[3].provenance.licence, whole[3].provenance.uri) == ("CC-BY-4.0", "train:3")
    tally = Tally()
    reading = hub.records(str(folder), tally=tally)
    first = [next(reading), next(reading)]
    assert [*first, *hub.records(str(folder), skip=tally.position)] == whole


def test_class_numbers_become_names(tmp_path: Path, drawn, monkeypatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    for name in ("cat", "dog"):
        (tmp_path / "set/train" / name).mkdir(parents=True)
        (tmp_path / "set/train" / name / "1.png").write_bytes(drawn())
    found = [record.truths[0].answer for record in hub.records(str(tmp_path / "set"))]
    assert sorted(found) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: mit\n---\n", "MIT"),
        ("---\nlicense: [apache-2.0, cc-by-sa-4.0]\n---\n", "Apache-2.0 AND CC-BY-SA-4.0"),
        ("---\nlicense:\n- odc-by\n---\n", "ODC-By-1.0"),
        ("---\nlicense: other\n---\n", "unknown"),
        ("---\nlicense: [mit, cc]\n---\n", "unknown"),
        ("---\nlanguage: en\n---\nlicense: mit\n", "unknown"),
        ("---\n: [\n---\n", "unknown"),
        ("# No front matter\n", "unknown"),
    ],
)
def test_the_licence_is_what_the_card_states_and_nothing_more(card: str, licence: str) -> None:
    assert hub.card_licence(card) == licence


def test_a_permissive_build_refuses_what_is_not_stated_to_be_permissive(folder: Path) -> None:
    (folder / "README.md").write_text("no front matter")
    with pytest.raises(SourceError, match="states no licence, and only permissive ones are wanted"):
        hub.records(str(folder), permissive=True)
    assert next(hub.records(str(folder))).provenance.licence == "unknown"
    assert next(hub.records(str(folder), permissive=True, licence="MIT")).provenance.licence == "MIT"
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    with pytest.raises(SourceError, match=r"CC-BY-NC-4\.0, which is not permissive"):
        hub.records(str(folder), permissive=True)


def test_a_name_without_a_commit_is_refused() -> None:
    for revision in ("", "main", "v1"):
        with pytest.raises(SourceError, match="needs a revision"):
            hub.records("owner/name", revision=revision)


def test_a_split_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"can't be read.*nonsense"):
        hub.records(str(folder), split="nonsense")


def test_without_the_library_the_command_to_install_it_is_given(folder: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(SourceError, match="pip install datasets"):
        hub.records(str(folder))


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as reading one data set takes."""

    files: dict[str, bytes]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        file = path.removeprefix(f"/datasets/owner/name/resolve/{COMMIT}/")
        if path == f"/api/datasets/owner/name/revision/{COMMIT}":
            names = [{"rfilename": name} for name in self.files]
            self.answer(json.dumps({"id": "owner/name", "sha": COMMIT, "siblings": names}).encode())
        elif path == f"/api/datasets/owner/name/tree/{COMMIT}":
            self.answer(json.dumps([self.about(name) for name in self.files]).encode())
        elif file in self.files:
            self.answer(self.files[file])
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound" if "owner/name" in path else "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def about(self, name: str) -> dict:
        data = self.files[name]
        return {"type": "file", "oid": hashlib.sha1(data).hexdigest(), "size": len(data), "path": name}

    def answer(self, body: bytes) -> None:
        wanted, whole = self.headers.get("Range"), len(body)
        self.send_response(206 if wanted else 200)
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            body = body[int(first) : int(last or whole) + 1]
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(body) - 1}/{whole}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def address(drawn) -> Iterator[str]:
    Hub.files = {"README.md": CARD.encode(), "train-00000-of-00001.parquet": table(drawn)}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


READING = """
import sys
from clearsight.data.sources import hub
from clearsight.data.sources.contract import SourceError
for name in sys.argv[2:]:
    try:
        for record in hub.records(name, revision=sys.argv[1], permissive=True, skip=3):
            print(record.provenance.source, record.provenance.licence, record.conversation.messages[1].text)
    except SourceError as error:
        print("SourceError:", error)
"""


def read(address: str, tmp_path: Path, *names: str) -> list[str]:
    """What a fresh process prints: `datasets` reads its settings when it is imported."""
    variables = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
        "HF_HUB_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", READING, COMMIT, *names],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_data_set_is_streamed_from_the_hub_at_its_commit(address: str, tmp_path: Path) -> None:
    three, four, absent = read(address, tmp_path, "owner/name", "owner/absent")
    assert three == "owner/name@0123456789ab CC-BY-4.0 3"
    assert four == "owner/name@0123456789ab CC-BY-4.0 4"
    assert absent.startswith("SourceError: The hub has no data set owner/absent")


@pytest.mark.slow  # the library itself tries again for a while
def test_no_network_is_called_no_network(tmp_path: Path) -> None:
    (said,) = read("http://127.0.0.1:9", tmp_path, "owner/name")
    assert said.startswith("SourceError: The hub can't be reached for owner/name")
