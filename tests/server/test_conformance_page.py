"""docs/conformance.md says what the tests of the official client say."""

from tests.server.conformance import FILES, PAGE, claims


def test_the_page_has_a_line_for_each_test_and_no_other() -> None:
    told = [
        line.split("|")[1].strip()
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if "| yes |" in line
    ]
    assert told == [claim for path in FILES for claim in claims(path).values()]
