"""Writes requirements/server.lock: python requirements/lock.py [--upgrade]

Without --upgrade versions stay where they are, as far as pyproject.toml allows. `uv` has to be on the path; install it
into an environment of its own.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("scale", "safety", "heic")


def main() -> int:
    uv = shutil.which("uv")
    if uv is None:
        print("uv is not on the path; install it with: pipx install uv", file=sys.stderr)
        return 1
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as without:
        without.write("torch; sys_platform == 'never'\n")
        without.flush()
        command = [
            *(uv, "pip", "compile", "--no-config", "pyproject.toml", "requirements/torch.in"),
            *(option for extra in EXTRAS for option in ("--extra", extra)),
            *("--override", without.name, "--universal", "--python-version", "3.11"),
            *(
                "--no-emit-package",
                "torch",
                "--generate-hashes",
                "--no-annotate",
                "--quiet",
                "--output-file",
                "requirements/server.lock",
            ),
            *("--custom-compile-command", "python requirements/lock.py"),
            *sys.argv[1:],
        ]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
