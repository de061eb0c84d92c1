"""Under each of lmms-eval's conventions we give every reply the value that lmms-eval's own code gives it.

Replies are drawn from seeds, nasty ones among them (peers/replies.py), and judged twice: by our metrics, and by
unmodified lmms-eval in an environment of its own (peers/worker.py). They must agree reply by reply.
"""

import contextlib
import json
import math
import random
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from peers import cases, environment

from benchmarks.engine_peers.environments import Missing
from clearsight.evals.metrics.cider import cider
from clearsight.evals.metrics.pope import pope, pope_summary
from clearsight.evals.metrics.scored import total
from clearsight.evals.statistics import clustered_error, paired

pytestmark = pytest.mark.peer
COUNT = 4000  # replies of each metric
WORKER = Path(environment.__file__).with_name("worker.py")


class Judge:
    """lmms-eval in a process of its own; importing it takes longer than judging a thousand replies."""

    def __init__(self, interpreter: str, log: IO[bytes]):
        self.log = log
        command = [interpreter, str(WORKER)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )

    def values(self, asked: list[dict[str, Any]]) -> list[Any]:
        writer = threading.Thread(target=self._write, args=(asked,))
        writer.start()
        lines = [self.process.stdout.readline() for _ in asked]
        writer.join()
        self.log.seek(0)
        assert all(lines), self.log.read()[-2000:].decode()
        return [json.loads(line) for line in lines]

    def _write(self, asked: list[dict[str, Any]]) -> None:
        with contextlib.suppress(BrokenPipeError):
            for case in asked:
                self.process.stdin.write(json.dumps(case) + "\n")
            self.process.stdin.flush()


@pytest.fixture(scope="module")
def lmms_eval() -> Iterator[Judge]:
    try:
        interpreter = environment.interpreter()
    except Missing as reason:
        pytest.skip(f"lmms-eval can't be had here: {reason}")
    with tempfile.TemporaryFile() as log:
        judge = Judge(interpreter, log)
        yield judge
        judge.process.kill()
        judge.process.wait()


@pytest.mark.parametrize("metric", cases.PAIRS)
def test_every_reply_is_worth_what_lmms_eval_says(lmms_eval: Judge, metric: str) -> None:
    asked = cases.drawn(metric, COUNT)
    said = lmms_eval.values(asked)
    ours = [cases.PAIRS[metric][1](case) for case in asked]
    guessed = [i for i, value in enumerate(said) if value is None]
    assert not guessed or metric == "mmmu"
    for i in guessed:
        said[i] = 1 / len(asked[i]["choices"])
    apart = [
        (case, mine, other)
        for case, mine, other in zip(asked, ours, said, strict=True)
        if not math.isclose(mine, other, abs_tol=1e-12)
    ]
    print(
        f"{metric}: {COUNT - len(apart)} of {COUNT} agree, mean {sum(ours) / COUNT:.3f}, {len(guessed)} guesses"
    )
    assert not apart, f"{len(apart)} of {COUNT} differ, such as {apart[:5]}"
    assert 0.1 < sum(ours) / COUNT < 0.9, "right and wrong ones both must be there"
    assert COUNT - len(guessed) >= 2000


def test_cider_of_each_caption_is_that_of_the_coco_code(lmms_eval: Judge) -> None:
    rng = random.Random("clearsight cider")
    asked = [cases.caption(rng) for _ in range(COUNT)]
    [said] = lmms_eval.values([{"metric": "cider", "cases": asked}])
    ours = cider([case["reply"] for case in asked], [case["answers"] for case in asked])["CIDEr-D"]
    assert ours == pytest.approx(said, rel=1e-9, abs=1e-9) and max(ours) > 1


def test_figures_of_pope_are_lmms_evals_when_every_reply_is_yes_or_no(lmms_eval: Judge) -> None:
    rng = random.Random("clearsight pope together")
    asked = [
        {"answers": [rng.choice(("yes", "no"))], "reply": rng.choice(("Yes", "no", "yes "))}
        for _ in range(COUNT)
    ]
    [said] = lmms_eval.values([{"metric": "pope together", "cases": asked}])
    ours = pope_summary(total(pope(case["reply"], case["answers"] == ["yes"]) for case in asked))
    assert {name: ours[name] for name in said} == pytest.approx(said, rel=1e-12)


def test_the_clustered_error_is_theirs_but_for_the_small_sample_correction(lmms_eval: Judge) -> None:
    """Ours multiplies by clusters / (clusters - 1); theirs corrects the part within questions alone."""
    rng = random.Random("clearsight clusters")
    asked = []
    for number in range(200):
        n = rng.randint(10, 300)
        scores = [rng.choice((0, 1, 1, rng.random())) for _ in range(n)]
        clusters = [i if number % 4 == 0 else rng.randrange(max(2, n // 4)) for i in range(n)]
        asked.append({"metric": "clustered stderr", "scores": scores, "clusters": clusters})
    for case, said in zip(asked, lmms_eval.values(asked), strict=True):
        scores, groups, n = case["scores"], len(set(case["clusters"])), len(case["scores"])
        ours = clustered_error(scores, case["clusters"])
        if groups == n:
            assert ours == pytest.approx(said, rel=1e-12)
        within = sum((score - sum(scores) / n) ** 2 for score in scores) / (n * n * (n - 1))
        assert math.sqrt(ours**2 * (groups - 1) / groups + within) == pytest.approx(said, rel=1e-12)


def test_the_interval_of_a_difference_is_theirs(lmms_eval: Judge) -> None:
    """Student's quantile is a series here: within a thousandth for ten questions or more."""
    rng = random.Random("clearsight paired")
    asked = []
    for _ in range(200):
        n = rng.randint(10, 300)
        first, second = ([rng.choice((0, 1, rng.random())) for _ in range(n)] for _ in range(2))
        asked.append({"metric": "paired ttest", "first": first, "second": second})
    for case, (difference, error, low, high) in zip(asked, lmms_eval.values(asked), strict=True):
        ours = paired(case["first"], case["second"])
        assert ours.difference == pytest.approx(difference, abs=1e-12)
        assert (ours.high - ours.low, ours.low + ours.high) == pytest.approx(
            (high - low, low + high), rel=1e-3
        )
        assert error > 0
