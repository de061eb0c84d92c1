"""The folder that fetched weights live in, and the rules that keep it whole.

An entry is a folder. It is built in a staging folder of the same file system, flushed to the disk, checked,
and renamed into place, so that an entry either is there and right or is not there. Each entry has a lock;
whoever holds it owns the entry's staging folder, so anything found in it was left by a process that died
and is swept. `verified.json` beside the files keeps their hashes, sizes and dates: as long as size and
date agree, a start does not hash a hundred megabytes again.
"""

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

MARKER = "verified.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR}


class WeightsError(RuntimeError):
    """Weights that cannot be had; the message is a sentence with what to do next."""


def cache_folder() -> Path:
    """`$CLEARSIGHT_CACHE`, or the user's cache folder of this system. It need not exist yet."""
    chosen = os.environ.get("CLEARSIGHT_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs  # not there on a bare training node, which sets CLEARSIGHT_CACHE

    return Path(platformdirs.user_cache_dir("clearsight"))


def is_offline(offline: bool | None) -> bool:
    """An explicit wish, or else CLEARSIGHT_OFFLINE or HF_HUB_OFFLINE set to 1, true, yes or on."""
    if offline is not None:
        return offline
    names = ("CLEARSIGHT_OFFLINE", "HF_HUB_OFFLINE")
    return any(os.environ.get(name, "").lower() in ("1", "true", "yes", "on") for name in names)


@contextmanager
def disk_errors_explained(what: str, folder: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into a WeightsError; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(what, folder) from error
        if error.errno in _DENIED:
            raise WeightsError(
                f"The cache folder {folder} cannot be written to, so {what} cannot be kept: give yourself "
                "write access, or set CLEARSIGHT_CACHE to a folder of your own."
            ) from error
        raise


def disk_full(what: str, folder: Path, needed: int | None = None) -> WeightsError:
    """The error for a full disk; `needed` in bytes if known."""
    amount = f" {needed / 1e6:.0f} MB are needed." if needed else ""
    return WeightsError(
        f"No space left for {what} in {folder}.{amount} Free some space, or set CLEARSIGHT_CACHE to a "
        "folder on a larger disk, and run the same command again."
    )


def require_space(what: str, folder: Path, needed: int) -> None:
    """Raise WeightsError unless the disk under `folder` has `needed` bytes free."""
    if shutil.disk_usage(folder).free < needed:
        raise disk_full(what, folder, needed)


@contextmanager
def claimed(entry: Path, what: str) -> Iterator[Path]:
    """Hold the lock of `entry` and give an empty staging folder, removed at the end whatever happens.

    A second process waits here, says so once on stderr, and should look again whether the entry has
    appeared. Staging folders that dead processes left, of any entry, are swept.
    """
    cache = cache_folder()
    with disk_errors_explained(what, cache):
        staging = cache / "staging"
        staging.mkdir(parents=True, exist_ok=True)
        key = _key(entry)
        _sweep(staging, except_key=key)
        lock = FileLock(staging / f"{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"Waiting for another process that is fetching {what} ...", file=sys.stderr, flush=True)
            lock.acquire()
        try:
            shutil.rmtree(staging / key, ignore_errors=True)
            (staging / key).mkdir(exist_ok=True)
            yield Path(tempfile.mkdtemp(dir=staging / key))
        finally:
            _remove(staging / key)
            lock.release()


def _remove(folder: Path) -> None:
    """Remove a folder into which a program that is just ending may still write for a moment."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def commit(built: Path, entry: Path, digests: dict[str, str], archive_sha256: str) -> None:
    """Flush the folder `built`, write its marker, and put it in the place of `entry` in one rename."""
    write_marker(built, digests, archive_sha256)
    for path in [*built.rglob("*"), built]:
        _flush(path)
    entry.parent.mkdir(parents=True, exist_ok=True)
    if entry.exists():
        shutil.rmtree(entry)
    os.replace(built, entry)
    _flush(entry.parent)


def write_marker(entry: Path, digests: dict[str, str], archive_sha256: str) -> None:
    """Note size (bytes), date (ns) and SHA-256 of each file of `entry`, and the SHA-256 of its wheel."""
    files = {}
    for name, digest in digests.items():
        status = (entry / name).stat()
        files[name] = [status.st_size, status.st_mtime_ns, digest]
    text = json.dumps({"archive_sha256": archive_sha256, "files": files}, indent=1)
    temporary = entry / f".{MARKER}.{os.getpid()}"
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, entry / MARKER)


def check_entry(entry: Path, pinned: str | None, *, whole_wheel: bool, again: bool = False) -> str:
    """Whether `entry` is `absent`, `good` or `damaged`.

    `pinned` is the wanted SHA-256 of its one file, or of the wheel it was unpacked from. Files whose size
    and date are as noted are not hashed, unless `again`.
    """
    try:
        noted = json.loads((entry / MARKER).read_text(encoding="utf-8"))
        files: dict[str, list] = noted["files"]
        archive = noted["archive_sha256"]
        hashes = [archive] if whole_wheel else [digest for _, _, digest in files.values()]
        if pinned is not None and hashes != [pinned]:
            return "damaged"
        moved = False
        for name, (size, date, digest) in files.items():
            status = (entry / name).stat()
            if status.st_size != size:
                return "damaged"
            if again or status.st_mtime_ns != date:
                moved = True
                if sha256_of(entry / name) != digest:
                    return "damaged"
    except (OSError, ValueError, KeyError, TypeError):
        return "damaged" if entry.exists() else "absent"
    if moved:
        with suppress(OSError):  # a cache that may only be read: the next start hashes again
            write_marker(entry, {name: digest for name, (_, _, digest) in files.items()}, archive)
    return "good"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(entry: Path) -> str:
    return hashlib.sha256(str(entry).encode()).hexdigest()[:16]


def _sweep(staging: Path, except_key: str) -> None:
    """Remove staging folders whose lock nobody holds: their process is gone."""
    for folder in staging.iterdir():
        if not folder.is_dir() or folder.name == except_key:
            continue
        lock = FileLock(staging / f"{folder.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _flush(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows does not open folders
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
