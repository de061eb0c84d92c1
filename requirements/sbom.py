"""Writes a CycloneDX list of what this environment has of the server's requirements:

    python requirements/sbom.py > clearsight.cdx.json

`cyclonedx-py` (the package cyclonedx-bom) has to be on the path; install it into an environment of its own. What is
installed besides (tests, tools) is left out: the walk begins at Clearsight and the extras of the lock, and follows what
each package asks for.
"""

import json
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("scale", "safety", "heic")


def needed() -> set[str]:
    """Names of all packages that the server needs here."""
    seen: set[str] = set()
    waiting: list[tuple[str, frozenset[str]]] = [("clearsight", frozenset(EXTRAS))]
    while waiting:
        name, extras = waiting.pop()
        seen.add(canonicalize_name(name))
        try:
            lines = requires(name) or ()
        except PackageNotFoundError:
            continue
        for need in map(Requirement, lines):
            applies = need.marker is None or any(
                need.marker.evaluate({"extra": one}) for one in ("", *extras)
            )
            if applies and canonicalize_name(need.name) not in seen:
                waiting.append((need.name, frozenset(need.extras)))
    return seen


def main() -> int:
    tool = shutil.which("cyclonedx-py")
    if tool is None:
        print("cyclonedx-py is not on the path; install it with: pipx install cyclonedx-bom", file=sys.stderr)
        return 1
    command = [tool, "environment", "--output-reproducible", "--output-format", "JSON", sys.executable]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        print(ended.stderr.strip(), file=sys.stderr)
        return 1
    document = json.loads(ended.stdout)
    names = needed()
    document["components"] = [
        one for one in document["components"] if canonicalize_name(one["name"]) in names
    ]
    kept = {one["bom-ref"] for one in document["components"]}
    document["dependencies"] = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", ()) if ref in kept]}
        for one in document["dependencies"]
        if one["ref"] in kept
    ]
    json.dump(document, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
