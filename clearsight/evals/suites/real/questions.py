"""The suite: each question with its truth. A skill is its group, and within it the kind of picture."""

from clearsight.evals.suites import files
from clearsight.evals.suites.real.provenance import FOLDER, PICTURES
from clearsight.evals.suites.suite import Suite

ABOUT = "Questions about photographs, screens, charts, pages, maps and games that others made, by hand."
PUBLIC = (
    "Pictures and answers are public: a model may have seen the packages they come from, or this repository."
)


def suite() -> Suite:
    """All questions, two or three of each picture."""
    return Suite("real", files.load(FOLDER / "questions.jsonl", PICTURES).items, ABOUT, notes=(PUBLIC,))
