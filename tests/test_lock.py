"""requirements/server.lock: fits pyproject.toml, is complete, and names every file by its hash."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements.lock import EXTRAS

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements/server.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONTAINERFILE = (ROOT / "deploy/server/Containerfile").read_text(encoding="utf-8")


def pins() -> dict[str, list[Requirement]]:
    """Pinned versions by name; a package may have several, for different Pythons."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^([a-z0-9].*?)(?: \\)?$", LOCK, re.M):
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def version(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


def wanted() -> list[Requirement]:
    lines = [*PROJECT["dependencies"]]
    for extra in EXTRAS:
        lines += PROJECT["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def test_what_the_project_asks_for_is_pinned_to_a_version_that_it_takes() -> None:
    known = pins()
    for requirement in wanted():
        if requirement.name == "torch":
            continue
        locked = known.get(canonicalize_name(requirement.name))
        assert locked, f"{requirement.name} is not in the lock; run requirements/lock.py"
        for pin in locked:
            assert requirement.specifier.contains(version(pin)), f"{pin} is not {requirement.specifier}"


def test_the_container_installs_a_torch_that_the_project_takes() -> None:
    (torch,) = [one for one in wanted() if one.name == "torch"]
    installed = re.findall(r"^ARG TORCH=torch==(\S+)$", CONTAINERFILE, re.M)
    assert len(installed) == 1 and torch.specifier.contains(installed[0])
    assert not re.search(r"^(torch|nvidia-\S+|triton)==", LOCK, re.M)


def test_every_pin_has_hashes_and_comes_from_the_index() -> None:
    for block in re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", LOCK, flags=re.M).strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]
        assert " @ " not in block
    assert len(LOCK) < 500_000


def test_nothing_that_a_pinned_package_needs_is_missing() -> None:
    """Walks the packages of this environment: what they need here has to be in the lock, too."""
    known = pins()
    environment = {**default_environment(), "extra": ""}
    seen: set[str] = set()
    waiting = [(one.name, one.extras) for one in wanted()]
    while waiting:
        name, extras = waiting.pop()
        name = canonicalize_name(name)
        if name in seen and not extras:
            continue
        seen.add(name)
        assert name == "torch" or name in known, f"{name} is not in the lock; run requirements/lock.py"
        try:
            needs = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:
            continue
        for need in needs:
            chosen = [{**environment, "extra": extra} for extra in ("", *extras)]
            applies = need.marker is None or any(need.marker.evaluate(one) for one in chosen)
            if applies and canonicalize_name(need.name) not in seen:
                waiting.append((need.name, need.extras))
    assert len(seen) > 40
