"""The pipeline as a whole: what it removes, what it keeps, that it goes on after a kill and runs on a cluster alike."""

import json
import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("daft")

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.curation import (
    CurationError,
    Options,
    Report,
    curate,
    kept_records,
    optional_models,
    steps,
    write_report,
)
from clearsight.data.curation.extras import ExtraMissing, require
from clearsight.data.curation.mixing import mixture
from clearsight.data.curation.planted import FOUND_BY, OPTIONS, PlantedSet, plant, score
from clearsight.data.curation.store import record_of, row_of
from clearsight.data.record import Provenance, Record
from clearsight.data.verify import Truth
from clearsight.data.worlds import load

PER_KIND = 8


@pytest.fixture(scope="module")
def planted() -> PlantedSet:
    return plant(PER_KIND, 60, 60, worlds=("shapes",))


@pytest.fixture(scope="module")
def curated(planted: PlantedSet, tmp_path_factory: pytest.TempPathFactory) -> Report:
    out = tmp_path_factory.mktemp("curated") / "out"
    return curate(planted.records, out, OPTIONS, evaluation_sets={"exam": planted.evaluation})


def picture(seed: int) -> Image:
    return Image(pixels=load("shapes").sample(seed, "train").picture)


def record(*parts, answer: str = "Red.", source: str = "here", licence: str = "MIT", **more) -> Record:
    return Record(Conversation((user(*parts), assistant(answer))), Provenance(source, licence), **more)


def test_every_planted_defect_is_found_and_no_clean_record_is_lost(
    planted: PlantedSet, curated: Report
) -> None:
    for one in score(planted, curated):
        assert one.planted == PER_KIND
        assert one.found >= PER_KIND - 1, one  # chance may take one of so few; the full set holds the bar
    lost = [row for row in curated.removed_rows() if not planted.kinds[row]]
    assert not lost


def test_a_record_travels_through_rows_unchanged() -> None:
    truth = Truth("text", "Red.")
    for one in (record(picture(0), "Which colour?", truths=(truth,)), record("Hello?", rejected="No.")):
        assert record_of(row_of(0, one)) == one


def test_what_is_kept_is_the_input_in_its_order_with_its_measures(
    planted: PlantedSet, curated: Report
) -> None:
    kept = list(kept_records(curated.folder))
    removed = curated.removed_rows()
    assert [one.id for one in kept] == [
        one.id for row, one in enumerate(planted.records) if row not in removed
    ]
    assert len(kept) == curated.after
    assert kept[0].tags["curation"]["words"] > 0 and kept[0].tags["curation"]["sharpness"]


def test_counts_of_the_steps_add_up(planted: PlantedSet, curated: Report) -> None:
    assert curated.before == len(planted.records)
    for before, after in zip(curated.steps, curated.steps[1:], strict=False):
        assert before.after == after.before
    for step in curated.steps:
        assert sum(step.reasons.values()) == step.removed
    json.dumps(curated.to_json())


def test_steps_that_can_not_run_say_so(curated: Report) -> None:
    skipped = {step.name: step.skipped for step in curated.steps if step.skipped}
    assert skipped == {"ocr": "ocr_share is 0", "relevance": "no scorer is given", "nsfw": "nsfw is off"}


class Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.counts: dict[str, int] = {}
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        found = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag == "img" and (not found.get("alt") or not found["src"].startswith("data:")):
            self.faults.append(str(found)[:80])
        if tag in ("script", "link", "iframe"):
            self.faults.append(tag)


def test_the_report_is_one_page_that_can_be_read_by_ear(curated: Report, tmp_path: Path) -> None:
    page = write_report(curated, tmp_path / "report.html").read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    assert not outline.faults
    assert outline.counts["img"] > 10
    assert outline.counts["caption"] == outline.counts["table"] == 3
    assert outline.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert "prefers-color-scheme: dark" in page and 'lang="en"' in page


def test_text_of_a_record_can_not_run_in_the_report(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> " * 20
    report = curate([record("What?", answer=evil, source="<b>")], tmp_path / "out")
    assert "<script>" not in write_report(report, tmp_path / "report.html").read_text()


def test_one_picture_asked_about_twice_is_kept_and_a_resized_one_is_not(tmp_path: Path) -> None:
    shown = load("shapes").sample(1, "train").picture
    smaller = Image(pixels=shown.resize((300, 300)))
    records = [
        record(Image(pixels=shown), "How many shapes are there?"),
        record(Image(pixels=shown), "Which shape is the largest?"),
        record(smaller, "Is anything blue to be seen?"),
        record(smaller, picture(2), "Which of the two pictures has more shapes?"),
    ]
    report = curate(records, tmp_path / "out")
    assert report.removed_rows() == {2: ("pictures", "a copy of an earlier picture")}


def test_masked_records_stay_and_say_nothing_about_anyone(tmp_path: Path) -> None:
    records = [record("Who wrote this letter to the office?", answer="It was jo.doe@gmail.com who did.")]
    report = curate(records, tmp_path / "out", Options(personal_data="mask"))
    (kept,) = kept_records(tmp_path / "out")
    assert report.after == 1
    assert kept.conversation.messages[1].text == "It was [e-mail address] who did."


def test_an_answer_that_is_not_in_the_picture_is_removed(tmp_path: Path, monkeypatch) -> None:
    """The reader is replaced: what is tested is the step, and the reader has a test of its own."""
    monkeypatch.setattr(
        optional_models, "read_text", lambda data: "Fresh fish\nMonday to Friday, call jo@web.de"
    )
    truths = (Truth("verbatim", "Fresh fish"),), (Truth("verbatim", "Old books"),)
    records = [
        record(picture(i), f"What is written? ({i})", answer=t[0].answer, truths=t)
        for i, t in enumerate(truths)
    ]
    report = curate(records, tmp_path / "out", Options(ocr_share=1.0))
    assert report.removed_rows() == {
        0: ("personal", "e-mail address in the picture"),
        1: ("ocr", "the answer is not what is written"),
    }


def test_a_scorer_and_the_decency_model_remove_what_they_judge_badly(tmp_path: Path, monkeypatch) -> None:
    records = [record(picture(i), "What is this?", answer=f"Thing number {i}.") for i in range(3)]
    low = row_of(0, records[1])["pictures"][0]
    monkeypatch.setattr(optional_models, "nsfw_score", lambda data: 0.9 if data == low else 0.1)
    options = Options(nsfw=True, relevance_share=1.0, least_relevance=0.5)
    report = curate(records, tmp_path / "out", options, scorer=lambda: _likes_thing_two)
    assert {row: by[0] for row, by in report.removed_rows().items()} == {0: "relevance", 1: "relevance"}
    report = curate(records, tmp_path / "other", Options(nsfw=True))
    assert report.removed_rows() == {1: ("nsfw", "an indecent picture")}


def _likes_thing_two(conversation: Conversation) -> float:
    return float("2" in conversation.messages[-1].text)


def test_an_interrupted_run_goes_on_with_the_step_it_was_in(
    planted: PlantedSet, curated: Report, tmp_path: Path, monkeypatch
) -> None:
    out, exam = tmp_path / "out", {"exam": planted.evaluation}
    broken = [
        steps.Step(s.name, s.title, _interrupt if s.name == "contamination" else s.run) for s in steps.STEPS
    ]
    with monkeypatch.context() as patch:
        patch.setattr(steps, "STEPS", broken)
        with pytest.raises(KeyboardInterrupt):
            curate(planted.records, out, OPTIONS, evaluation_sets=exam)
    times = {path: path.stat().st_mtime_ns for path in (out / "stages").rglob("*.parquet")}
    report = curate(_untouchable(), out, OPTIONS, evaluation_sets=exam)
    assert report.removed_rows() == curated.removed_rows()
    assert all(path.stat().st_mtime_ns == when for path, when in times.items() if ".new" not in str(path))


def _interrupt(run, folder) -> None:
    (folder / "half.parquet").write_bytes(b"half")
    raise KeyboardInterrupt


def _untouchable():
    raise AssertionError("the records were read once already")
    yield


def test_a_folder_of_another_curation_is_refused(tmp_path: Path) -> None:
    curate([record("Hello there, what is new?")], tmp_path / "out")
    with pytest.raises(CurationError, match="other options"):
        curate([], tmp_path / "out", Options(licences="any"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(CurationError, match="not empty"):
        curate([], tmp_path / "full")


def test_nothing_in_and_nothing_left_are_no_errors(tmp_path: Path) -> None:
    assert curate([], tmp_path / "none").after == 0
    report = curate([record("Hello?", licence="unknown")], tmp_path / "refused")
    assert (report.before, report.after) == (1, 0)
    assert list(kept_records(tmp_path / "refused")) == []
    assert "0 of 1" in write_report(report, tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"simlar_text": 0.5}, "similar_text"),
        ({"similar_text": 1.5}, "between 0 and 1"),
        ({"personal_data": "burn"}, "drop, mask or keep"),
        ({"mixing": {"a": -1.0}}, "not negative"),
    ],
)
def test_options_that_make_no_sense_are_named(wrong: dict, said: str) -> None:
    with pytest.raises(CurationError, match=said):
        Options.from_json(wrong)
    assert Options.from_json(OPTIONS.to_json()) == OPTIONS


def test_a_missing_library_says_what_to_install() -> None:
    with pytest.raises(ExtraMissing, match=r"pip install 'clearsight\[curation\]'"):
        require("no_such_library_anywhere", "for this test")


def test_mixing_meets_wishes_and_repeats_no_source_too_often() -> None:
    records = [("big", 1, 10)] * 90 + [("small", 0, 5)] * 10
    plain = mixture(records, {}, 4.0)
    assert [share.factor for share in plain] == [1.0, 1.0]
    wished = {share.source: share for share in mixture(records, {"big": 1, "small": 1}, 4.0)}
    assert wished["small"].factor == 4.0  # 5 were wished
    assert wished["big"].factor == pytest.approx(60 / 90)
    assert mixture(records, {"big": 1}, 4.0)[1].factor == 0
    assert (wished["big"].pictures, wished["small"].words) == (90, 50)


CURATE = """
import sys
from clearsight.data.curation.planted import OPTIONS, plant
from clearsight.data.curation import curate
planted = plant({per_kind}, 60, 60, worlds=("shapes",))
{before}
curate(planted.records, sys.argv[1], OPTIONS, evaluation_sets={{"exam": planted.evaluation}}, runner="{runner}")
{after}
"""

CLUSTER = """
import ray
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False)
assert sum(node["Alive"] for node in ray.nodes()) == 2
"""


@pytest.mark.slow
def test_two_workers_of_a_cluster_give_what_one_process_gives(curated: Report, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    code = CURATE.format(
        per_kind=PER_KIND, before=CLUSTER, runner="ray", after="ray.shutdown()\ncluster.shutdown()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=True, timeout=1800)
    report = Report.from_folder(tmp_path / "out")
    assert report.removed_rows() == curated.removed_rows()
    assert [one.id for one in kept_records(tmp_path / "out")] == [
        one.id for one in kept_records(curated.folder)
    ]


@pytest.mark.slow
def test_a_killed_process_leaves_a_folder_that_goes_on(
    planted: PlantedSet, curated: Report, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code = CURATE.format(per_kind=PER_KIND, before="", runner="native", after="")
    process = subprocess.Popen([sys.executable, "-c", code, str(out)], start_new_session=True)
    try:
        deadline = time.monotonic() + 1200
        while not (out / "stages" / "pictures.new").exists() and not (out / "stages" / "pictures").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    report = curate(_untouchable(), out, OPTIONS, evaluation_sets={"exam": planted.evaluation})
    assert report.removed_rows() == curated.removed_rows()


def test_every_kind_of_defect_names_a_step_that_exists() -> None:
    assert {step for step, _ in FOUND_BY.values()} <= {step.name for step in steps.STEPS}


@pytest.mark.slow
def test_the_reader_reads_a_drawn_line_and_tells_it_from_another() -> None:
    pytest.importorskip("rapidocr")
    sheet = PILImage.new("RGB", (640, 160), "white")
    ImageDraw.Draw(sheet).text((30, 50), "Fresh fish 42", fill="black", font=ImageFont.load_default(60))
    seen = optional_models.read_text(row_of(0, record(Image(pixels=sheet)))["pictures"][0])
    assert optional_models.agreement("Fresh fish 42", seen) > 0.85  # a digit may be read twice
    assert optional_models.agreement("Old books", seen) < 0.6


def test_answers_in_scripts_that_the_reader_does_not_know_are_not_held_against_it() -> None:
    assert all(map(optional_models.readable, ("Fresh fish", "新鲜的鱼", "42")))
    assert not any(map(optional_models.readable, ("Свежая рыба", "سمك طازج")))
