"""Writes docs/conformance.md from a run of the official client's tests:

python -m tests.server.conformance
"""

import ast
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = (HERE / "test_conformance.py", HERE / "test_audio.py")
PAGE = HERE.parents[1] / "docs" / "conformance.md"
BEGIN = """# Conformance with the official client

The unmodified `openai` package (version {version}) talks to a real server with the bundled model; each line is a test
in [tests/server](../tests/server). Written by `python -m tests.server.conformance`, which runs them.

"""
SECTIONS = {"test_conformance.py": "Chat, responses, files, moderations, errors", "test_audio.py": "Audio"}


class Outcomes:
    """What became of each test, by its name."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("::")[2].partition("[")[0]
        if report.when == "call" or report.failed:
            self.passed[name] = self.passed.get(name, True) and report.passed


def claims(path: Path) -> dict[str, str]:
    """What each test of a file shows: the first line of its docstring, or its name in words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            text = ast.get_docstring(node) or node.name.removeprefix("test_").replace("_", " ")
            found[node.name] = text.splitlines()[0]
    return found


def page(outcomes: dict[str, bool]) -> str:
    """The page for these outcomes."""
    text = BEGIN.format(version=version("openai"))
    for path in FILES:
        text += f"## {SECTIONS[path.name]}\n\n| what | works |\n|---|---|\n"
        for name, claim in claims(path).items():
            text += f"| {claim} | {'yes' if outcomes.get(name) else 'no'} |\n"
        text += "\n"
    return text.rstrip() + "\n"


def main() -> None:
    outcomes = Outcomes()
    pytest.main([*map(str, FILES), "-q", "-p", "no:cacheprovider"], plugins=[outcomes])
    PAGE.write_text(page(outcomes.passed), encoding="utf-8")
    failed = [name for name, passed in outcomes.passed.items() if not passed]
    print(f"{PAGE}: {len(outcomes.passed) - len(failed)} of {len(outcomes.passed)} work")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
