"""The page that is left of a run must hold its facts for every reader, with eyes or without, and need nothing else."""

import math
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from clearsight.training.facts import StepFacts
from clearsight.training.guards import Verdict
from clearsight.training.plots import Plot, PlotsMissing, Series, smooth, thinned
from clearsight.training.record import Record, RecordError
from clearsight.training.report import write_report
from clearsight.training.tensorboard import Scalars, write_scalars

FACTS = StepFacts(
    step=1,
    loss=2.0,
    grad_norm=1.0,
    seconds=2.0,
    data_wait=0.5,
    tokens=1000,
    labelled=500,
    samples=4,
    tiles=8,
    flops=2e12,
    rates={"text": 1e-3, "vision": 1e-4},
    corpora={"/data/charts": 3, "/data/shapes": 1},
    activations={"text": 1.0},
)


class Page(HTMLParser):
    """What is on a page: elements with their attributes, ids, headings, text."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Page:
    out = tmp_path_factory.mktemp("run")
    record = Record(out)
    record.config(
        {"name": "first <run>", "seed": 7, "schedule": {"steps": 60}}, {"torch": "2"}, {"peak_flops": 2e12}
    )
    record.event("start", 0, seconds=1.0, world_size=2, resumed_from=None)
    for step in range(1, 61):
        facts, verdict = replace(FACTS, step=step, loss=4 - step / 30), Verdict()
        if step == 20:
            facts, verdict = (
                replace(facts, loss=math.nan),
                Verdict("skip", "non_finite", "The loss is <nan>."),
            )
        if step == 30:
            facts, verdict = replace(facts, grad_norm=9.0), Verdict("clip", "gradient_norm", "large", 1.5)
        record.samples(step, [(0, step)])
        record.step(facts, verdict, {"loss": facts.loss.hex(), "weights": "ab12"})
    record.event("validation", 60, loss=2.125, tokens=100, seconds=1.0)
    record.event("end", 60, cause="finished")
    return Page(write_report(out).read_text())


def test_the_page_needs_no_other_file_and_runs_nothing(page):
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "img")
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)


def test_every_plot_has_words_and_a_table(page):
    plots = page.all("svg")
    assert len(plots) == 9
    for plot in plots:
        assert plot["role"] == "img" and len(plot["aria-label"] or "") > 20
    assert len(page.all("figcaption")) == len(plots)
    assert len(page.all("details")) == len(plots) - 1  # the bars' table is always open
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in cell for cell in page.all("th"))


def test_headings_are_in_order_and_ids_are_unique(page):
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1 and levels.count(1) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"] == "en"


def test_what_pictures_refer_to_inside_is_there(page):
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for _, attributes in page.elements:
        for value in attributes.values():
            if value and "url(#" in value:
                assert value.split("url(#")[1].split(")")[0] in ids
            if value and value.startswith("#"):
                assert value[1:] in ids


def test_the_facts_are_on_the_page(page):
    for fact in (
        "60 of 60 steps, 60,000 tokens",
        "Validation loss 2.125",
        "MFU 50.0%",
        "The loss is <nan>.",  # as text, not as an element
        "first <run>",
        "1 steps were taken with a clipped gradient",
        "ab12",
        "finished",
        "seed",
    ):
        assert fact in page.text, fact


def test_plots_take_their_colours_from_the_page(page):
    styles = " ".join(attributes.get("style") or "" for _, attributes in page.elements)
    assert "var(--one)" in styles and "currentColor" in styles
    assert "#0a0b" not in styles and "#010203" not in styles  # placeholders


def test_a_run_that_has_only_begun_has_a_page(tmp_path):
    record = Record(tmp_path)
    record.event("start", 0)
    assert "No step of this run was recorded yet" in write_report(tmp_path).read_text()
    record.step(
        replace(FACTS, rates={}, corpora={}, activations={}, loss=math.nan, grad_norm=math.inf), Verdict(), {}
    )
    assert "1 steps" in write_report(tmp_path).read_text()


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(RecordError):
        write_report(tmp_path)


def test_without_matplotlib_one_is_told_what_to_install(tmp_path, monkeypatch):
    Record(tmp_path).step(FACTS, Verdict(), {})
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotsMissing, match="pip install"):
        write_report(tmp_path)


def test_a_long_curve_is_thinned_and_keeps_its_spikes():
    x = [float(i) for i in range(100_000)]
    y = [1.0] * len(x)
    y[54_321], y[77_777] = 50.0, math.nan
    kept_x, kept_y = thinned(x, y)
    assert len(kept_x) <= 1500 and max(kept_y) == 50.0
    assert kept_x == sorted(kept_x) and kept_x[kept_y.index(50.0)] == 54_321


def test_an_average_is_not_drawn_to_zero_nor_lost_to_a_nan():
    assert smooth([2.0, math.nan, 2.0]) == pytest.approx([2.0, 2.0, 2.0])
    assert math.isnan(smooth([math.nan])[0])


def test_the_words_of_a_plot_say_where_it_begins_and_ends():
    plot = Plot(
        "Loss", "nats", (Series("loss", [1, 2, 3], [3.0, 1.0, 2.0]), Series("skipped", [2], [1.0], "X"))
    )
    assert plot.words == "Loss: loss from 3 to 2, between 1 and 3; skipped at 1 steps."


# --- TensorBoard


def scalars_of(folder) -> dict[str, dict[int, float]]:
    """Event files as TensorBoard reads them: a session's start at a step voids what is there from that step on."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, dict[int, float]] = {}
    for path in sorted(folder.iterdir()):
        data, place = path.read_bytes(), 0
        while place < len(data):
            length = int.from_bytes(data[place : place + 8], "little")
            event = Event.FromString(data[place + 12 : place + 12 + length])
            place += 16 + length
            if event.session_log.status == 1:
                found = {
                    tag: {s: v for s, v in values.items() if s < event.step} for tag, values in found.items()
                }
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def test_event_files_hold_the_scalars_of_the_record(tmp_path):
    record = Record(tmp_path)
    for step in range(1, 4):
        record.step(replace(FACTS, step=step, loss=float(step)), Verdict(), {})
    record.event("validation", 3, loss=2.5)
    found = scalars_of(write_scalars(tmp_path))
    assert found["loss/training"] == {1: 1.0, 2: 2.0, 3: 3.0}
    assert found["loss/validation"] == {3: 2.5}
    assert found["speed/tokens_per_second"][1] == 500.0
    assert found["rate/vision"][2] == pytest.approx(1e-4)


def test_steps_that_are_done_again_void_the_earlier_ones(tmp_path):
    for steps, loss in ((range(1, 301), 3.0), (range(201, 251), 2.0)):  # the second attempt
        with Scalars(tmp_path) as show:
            for step in (*steps, 240):  # and a rollback in it
                show("step", {"facts": replace(FACTS, step=step, loss=loss)})
    losses = scalars_of(tmp_path / "tensorboard")["loss/training"]
    assert list(losses) == list(range(1, 241))
    assert losses[200] == 3.0 and losses[201] == 2.0
