"""What a run leaves behind must be readable after a kill at any moment, and say what was in fact trained."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from clearsight.training.facts import StepFacts
from clearsight.training.guards import Finding, Verdict
from clearsight.training.record import LEDGER, RECORD, Follower, Record, RecordError, read_run


def facts(step: int, loss: float = 2.0, **more) -> StepFacts:
    numbers = {
        "grad_norm": 1.0,
        "seconds": 1.0,
        "data_wait": 0.1,
        "tokens": 100,
        "labelled": 50,
        "samples": 2,
        "tiles": 3,
        "flops": 1e9,
    }
    return StepFacts(step=step, loss=loss, **(numbers | more))


def write(record: Record, steps: range, loss: float = 2.0) -> None:
    for step in steps:
        record.samples(step, [(0, step), (1, 10 * step)])
        record.step(facts(step, loss), Verdict(), {"loss": loss.hex()})


def test_what_was_measured_is_read_back_bit_for_bit(tmp_path):
    measured = facts(
        1,
        0.1 + 0.2,
        rates={"text": 1 / 3},
        corpora={"a": 2},
        activations={"vision": math.inf},
        rank_seconds=(0.7, 1e-9),
    )
    verdict = Verdict("clip", "gradient_norm", "too large", 0.3, (Finding("stalled_loader", "warn", "slow"),))
    record = Record(tmp_path)
    record.config({"seed": 1}, {"torch": "2"}, {"cores": 2})
    record.step(measured, verdict, {"loss": "0x1"})
    run = read_run(tmp_path)
    line = run.steps[0]
    assert line.facts == measured
    assert (line.action, line.guard, line.reason, line.max_norm) == (
        "clip",
        "gradient_norm",
        "too large",
        0.3,
    )
    assert (run.config, run.versions, run.machine) == ({"seed": 1}, {"torch": "2"}, {"cores": 2})
    assert [(e.more["guard"], e.more["action"]) for e in run.events_of("guard")] == [
        ("stalled_loader", "warn")
    ]


def test_a_loss_that_is_no_number_is_kept_and_the_file_stays_json_for_every_reader(tmp_path):
    record = Record(tmp_path)
    record.step(facts(1, math.nan, grad_norm=math.inf), Verdict("skip", "non_finite", "gone"), {})

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    for line in (tmp_path / RECORD).read_text().splitlines():
        json.loads(line, parse_constant=refuse)
    read = read_run(tmp_path).steps[0].facts
    assert math.isnan(read.loss) and read.grad_norm == math.inf


def test_a_run_that_was_killed_goes_on_and_its_later_steps_count(tmp_path):
    first = Record(tmp_path)
    write(first, range(1, 8), loss=2.0)
    first.close()
    second = Record(tmp_path)
    write(second, range(5, 7), loss=1.0)
    run = read_run(tmp_path)
    assert (first.attempt, second.attempt) == (1, 2)
    assert [(s.facts.step, s.attempt) for s in run.steps] == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)]
    # step 7 of the first attempt is void as well: the second one has not come there yet
    assert [s.facts.step for s in run.superseded] == [5, 6, 7]
    assert run.ledger[5].attempt == 2 and 7 not in run.ledger


def test_steps_behind_a_rollback_no_longer_count(tmp_path):
    record = Record(tmp_path)
    write(record, range(1, 6))
    record.event("rollback", 5, to=3)
    assert [s.facts.step for s in read_run(tmp_path).steps] == [1, 2, 3]


@pytest.mark.parametrize("torn", [b'{"step": 9, "los', b"\x00\x00\x00", b'{"event": "end"}'])
def test_a_last_line_torn_by_a_kill_is_left_out_and_mended(tmp_path, torn):
    record = Record(tmp_path)
    write(record, range(1, 4))
    record.close()
    for name in (RECORD, LEDGER):
        with (tmp_path / name).open("ab") as file:
            file.write(torn)
    assert [s.facts.step for s in read_run(tmp_path).steps] == [1, 2, 3]
    again = Record(tmp_path)
    write(again, range(4, 6))
    run = read_run(tmp_path)
    assert again.attempt == 2
    assert [s.facts.step for s in run.steps] == [1, 2, 3, 4, 5]
    assert [line.step for line in run.ledger] == [1, 2, 3, 4, 5]
    assert run.unreadable == 0


def test_damage_in_the_middle_costs_one_line_and_is_counted(tmp_path):
    record = Record(tmp_path)
    write(record, range(1, 5))
    lines = (tmp_path / RECORD).read_bytes().splitlines(keepends=True)
    lines[1] = b"\x00" * 40 + b"\n"
    (tmp_path / RECORD).write_bytes(b"".join(lines))
    run = read_run(tmp_path)
    assert [s.facts.step for s in run.steps] == [1, 3, 4]
    assert run.unreadable == 1


def test_a_follower_reads_each_line_once_and_waits_for_the_rest_of_one(tmp_path):
    record = Record(tmp_path)
    follower = Follower(tmp_path)
    write(record, range(1, 3))
    assert len(follower.poll().steps) == 2
    whole = (tmp_path / RECORD).read_bytes().splitlines(keepends=True)[-1].replace(b'"step":2', b'"step":3')
    with (tmp_path / RECORD).open("ab") as file:
        file.write(whole[:20])
        file.flush()
        assert len(follower.poll().steps) == 2
        file.write(whole[20:])
    assert [s.facts.step for s in follower.poll().steps] == [1, 2, 3]


def test_changed_samples_are_found_by_their_hash(tmp_path):
    record = Record(tmp_path)
    write(record, range(1, 4))
    path = tmp_path / LEDGER
    path.write_text(path.read_text().replace("[1,20]", "[1,21]"))
    assert [line.sound for line in read_run(tmp_path).ledger] == [True, False, True]


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(RecordError, match="no run"):
        read_run(tmp_path)


WRITER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_record import Record, write
    record = Record(Path({out!r}))
    print("writing", flush=True)
    write(record, range({first}, 10**9))
"""


def start_writer(out: Path, first: int) -> subprocess.Popen:
    code = textwrap.dedent(WRITER.format(tests=str(Path(__file__).parent), out=str(out), first=first))
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    return writer


def test_two_processes_can_not_write_one_run(tmp_path):
    writer = start_writer(tmp_path, 1)
    try:
        with pytest.raises(RecordError, match="another process"):
            Record(tmp_path)
    finally:
        writer.kill()
        writer.wait()
    Record(tmp_path)  # a killed writer holds nothing


def test_a_kill_at_any_moment_loses_no_written_step(tmp_path):
    moments = random.Random(0)
    for attempt in range(1, 4):
        steps = read_run(tmp_path).steps if attempt > 1 else []
        writer = start_writer(tmp_path, len(steps) + 1)
        time.sleep(moments.uniform(0.02, 0.1))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        run = read_run(tmp_path)
        numbers = [s.facts.step for s in run.steps]
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > len(steps)
        assert run.unreadable == 0 and all(run.ledger[n].sound for n in numbers)
        assert run.steps[-1].attempt == attempt


def test_a_step_costs_far_less_than_a_millisecond(tmp_path):
    record = Record(tmp_path)
    samples = [(0, n) for n in range(256)]
    times = []
    for step in range(1, 101):
        began = time.perf_counter()
        record.step(facts(step, rank_seconds=(1.0,) * 64), Verdict(), {"loss": "0x1"})
        record.samples(step, samples)
        times.append(time.perf_counter() - began)
    assert sorted(times)[50] < 1e-3
    assert os.path.getsize(tmp_path / RECORD) < 100 * 2000
