"""What people look at while a run goes on must be true of it, and looking must not slow it down."""

import io
import json
import math
import threading
import time
from dataclasses import replace

from rich.console import Console

from clearsight.training.facts import StepFacts
from clearsight.training.goodput import CAUSES, goodput, share
from clearsight.training.guards import Verdict
from clearsight.training.record import RECORD, Record, read_run
from clearsight.training.watching import Progress, Screen, sparkline, watch

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
    flops=4e12,
    rates={"text": 1e-3},
    corpora={"/data/charts": 3, "/data/shapes": 1},
)


def console(terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=120, force_terminal=terminal, highlight=False)


def text_of(shown: Console) -> str:
    file = shown.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def rendered(screen: Screen) -> str:
    shown = console()
    shown.print(screen.render())
    return text_of(shown)


def write(out, steps, peak: float = 0.0) -> Record:
    record = Record(out)
    record.config({"schedule": {"steps": 10}}, {}, {"peak_flops": peak})
    record.event("start", 0)
    for step in steps:
        record.step(replace(FACTS, step=step, loss=3 - step / 10), Verdict(), {})
    return record


def test_a_sparkline_rises_where_values_rise_and_marks_what_is_no_number():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1.0, math.nan, 2.0]) == "▁×█"
    assert len(sparkline([1.0] * 1000, 40)) == 40
    assert sparkline([]) == "" and sparkline([math.inf]) == "×"


def test_the_screen_tells_where_the_run_is_and_how_fast(tmp_path):
    write(tmp_path, range(1, 5), peak=4e12)
    shown = rendered(Screen.of(read_run(tmp_path)))
    assert "step 4 of 10" in shown and "40%" in shown
    assert "2.6000" in shown
    assert "500 tokens/s, MFU 50.0%" in shown
    assert "25.0% of the time" in shown
    assert "charts 75%, shapes 25%" in shown


def test_an_unknown_machine_has_no_mfu_but_flops(tmp_path):
    write(tmp_path, range(1, 5))
    assert "2 TFLOP/s" in rendered(Screen.of(read_run(tmp_path)))


def test_guards_and_rollbacks_are_told(tmp_path):
    record = write(tmp_path, range(1, 5))
    record.step(replace(FACTS, step=5, loss=math.nan), Verdict("skip", "non_finite", "The loss is nan."), {})
    record.event("rollback", 5, to=3)
    shown = rendered(Screen.of(read_run(tmp_path)))
    assert "The loss is nan." in shown and "went back to step 3" in shown
    assert "step 3 of 10" in shown


def test_a_run_of_another_process_is_followed_to_its_end(tmp_path):
    record = write(tmp_path, range(1, 3))
    shown = console()
    follower = threading.Thread(target=watch, args=(tmp_path,), kwargs={"every": 0.05, "console": shown})
    follower.start()
    time.sleep(0.2)
    record.step(replace(FACTS, step=3, loss=1.2345), Verdict(), {})
    record.event("end", 3, cause="finished")
    follower.join(5)
    assert not follower.is_alive()
    assert "step 2/10" in text_of(shown) and "loss 1.2345" in text_of(shown)


def test_a_log_gets_plain_lines_now_and_then_and_the_last_one_always(tmp_path):
    shown = console()
    with Progress(tmp_path, every=100, console=shown) as show:
        show("phase", {"text": "loading the model"})
        for step in range(1, 101):
            show("step", {"facts": replace(FACTS, step=step), "verdict": Verdict(), "steps": 100})
    lines = text_of(shown).splitlines()
    assert lines[0] == "loading the model"
    assert [line.split(",")[0] for line in lines[1:]] == ["step 1/100", "step 100/100"]
    assert "\x1b" not in text_of(shown)


def test_a_terminal_is_drawn_on_without_slowing_steps(tmp_path):
    shown = console(terminal=True)
    with Progress(tmp_path, console=shown) as show:
        spent = 0.0
        for step in range(1, 201):
            verdict = Verdict() if step != 50 else Verdict("skip", "loss_spike", "The loss is [high].")
            began = time.perf_counter()
            show("step", {"facts": replace(FACTS, step=step), "verdict": verdict, "steps": 200})
            spent += time.perf_counter() - began
            time.sleep(0.005)
    assert "step 200 of 200" in text_of(shown) and "[high]" in text_of(shown)
    assert spent / 200 < 1e-3


def test_a_rollback_takes_the_curve_back(tmp_path):
    screen = Screen("run", steps=10)
    for step in (1, 2, 3, 4, 3):
        screen.take(replace(FACTS, step=step, loss=float(step)), "go")
    assert screen.losses == [1, 2, 3]


# --- where the time went


def at(moment: float, **line) -> str:
    return json.dumps({"attempt": 1, "time": moment} | line) + "\n"


def step_at(moment: float, step: int, attempt: int = 1, action: str = "go", seconds: float = 10.0) -> str:
    facts = replace(FACTS, step=step, seconds=seconds, data_wait=1.0).to_json()
    return at(moment, attempt=attempt, action=action, **facts)


def test_every_second_of_a_run_has_one_cause(tmp_path):
    lines = [
        at(120.0, event="start", step=0, seconds=20.0),  # the process began at 100
        step_at(135.0, 1),  # from 125: compiled first
        step_at(145.0, 2, action="skip"),
        at(148.0, event="checkpoint", step=2, seconds=3.0, blocking_seconds=3.0),
        step_at(158.0, 3),
        step_at(168.0, 4),  # and then a rank hangs
        at(1005.0, event="start", attempt=2, step=2, seconds=5.0),  # began at 1000
        at(1004.0, event="guard", guard="hung rank", attempt=2, step=4, seconds=600.0),
        step_at(1015.0, 3, attempt=2),
        step_at(1025.0, 4, attempt=2),
        at(1027.0, event="end", attempt=2, step=4, seconds=0.0),
    ]
    (tmp_path / RECORD).write_text("".join(lines))
    spent = goodput(read_run(tmp_path))
    assert spent == {
        "training": 27.0,
        "data wait": 4.0,
        "checkpoint": 3.0,
        "validation": 0.0,
        "start-up": 25.0 + 5.0,
        "recomputed": 20.0,
        "skipped": 9.0,
        "hang": 600.0,
        "down": 232.0,
        "unaccounted": 2.0,
    }
    assert sum(spent.values()) == 927.0 and list(spent) == list(CAUSES)
    assert abs(sum(share(spent).values()) - 1) < 1e-12


def test_a_run_that_never_took_a_step_has_no_goodput(tmp_path):
    (tmp_path / RECORD).write_text(at(1.0, event="start", step=0, seconds=1.0))
    assert goodput(read_run(tmp_path)) == {} and share({}) == {}
