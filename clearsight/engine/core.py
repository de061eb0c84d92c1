"""The engine without its thread: sequences come in, a step at a time is carried out, events go out.

Everything here happens in one thread and depends on nothing but what was added and when, so that tests can replay any
order of arrivals, cancellations and full caches.
"""

import logging
import time

import numpy as np
from torch import Tensor

from clearsight.decoding.choice import logprob
from clearsight.decoding.text import TokenEvent
from clearsight.engine.blocks import BlockPool
from clearsight.engine.metrics import Metrics
from clearsight.engine.pictures import Picture
from clearsight.engine.runner import Runner
from clearsight.engine.scheduler import Limits, Scheduler, Step, Work
from clearsight.engine.sequence import Sequence
from clearsight.engine.stream import Cancelled

log = logging.getLogger(__name__)


class Core:
    """Scheduler, blocks and runner of one engine."""

    def __init__(self, runner: Runner, pool: BlockPool, limits: Limits, *, prefix_cache: bool = True):
        self.runner = runner
        self.pool = pool
        self.scheduler = Scheduler(pool, limits, prefix_cache=prefix_cache, features_of=runner.has_features)
        self.metrics = Metrics()

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self.scheduler.waiting or self.scheduler.running)

    def add(self, sequence: Sequence) -> None:
        self.metrics.requests += 1
        self.scheduler.add(sequence)

    def cancel(self, sequence: Sequence, why: str = "the answer was cancelled") -> None:
        """Free what it holds now; no harm if it has ended."""
        if not sequence.finished:
            self.metrics.cancelled += 1
            self._end(sequence, Cancelled(why))
            self._observe()

    def cancel_all(self, why: str) -> None:
        for sequence in [*self.scheduler.running, *self.scheduler.waiting]:
            self.cancel(sequence, why)

    def fail_all(self, error: Exception) -> None:
        """End everything that is there with this error."""
        for sequence in [*self.scheduler.running, *self.scheduler.waiting]:
            self._fail(sequence, error)

    def step(self) -> None:
        """Plan one step, carry it out, deliver what came of it. One sequence's failure ends that sequence alone."""
        began = time.monotonic()
        step = self.scheduler.plan()
        for picture, count in step.tiles:
            self._encode(picture, count)
        step.work = [work for work in step.work if not work.sequence.finished]
        if step.work:
            self._compute(step)
        self.metrics.steps += 1
        self.metrics.step_seconds += time.monotonic() - began
        self._observe()

    def _encode(self, picture: Picture, count: int) -> None:
        try:
            self.runner.encode(picture, count)
            self.metrics.tiles_encoded += count
        except Exception as error:
            for sequence in [*self.scheduler.running, *self.scheduler.waiting]:
                if picture in sequence.pictures:
                    self._fail(sequence, error)

    def _compute(self, step: Step) -> None:
        try:
            scores_MV = self.runner.forward(step.work)
        except Exception as error:
            log.exception("a step of the engine failed")
            for work in step.work:
                self._fail(work.sequence, error)
            return
        likeliest = _likeliest(scores_MV)
        row = 0
        for work in step.work:
            if not work.chooses:
                self.scheduler.computed(work, 0)
                continue
            rows = range(row, row + 1 + len(work.proposed))
            row = rows.stop
            try:
                ended = self._choose(
                    work, scores_MV[rows.start : rows.stop], likeliest[rows.start : rows.stop]
                )
            except Exception as error:
                self._fail(work.sequence, error)
                continue
            if ended:
                self._end(work.sequence)

    def _choose(self, work: Work, scores_PV: Tensor, greedy: list[int | None]) -> bool:
        """Choose one token, and one more for each proposal that was right; whether the answer ended.

        scores (P, V): a row for the next token and one after each proposal; `greedy` their likeliest tokens, None where
        scores are not numbers.
        """
        sequence, events = work.sequence, list[TokenEvent]()
        plain = sequence.chooser.sampling.is_plain_greedy
        for scores_V, likeliest, proposed in zip(scores_PV, greedy, [*work.proposed, None], strict=True):
            if plain and likeliest is not None:  # found for all rows at once
                token = sequence.chooser.take(likeliest)
            else:
                token = sequence.chooser(scores_V)
            told = None
            if sequence.max_logprobs is not None:
                told = logprob(scores_V, token, sequence.max_logprobs, self.runner.processor.tokenizer)
            events.append(sequence.text.push(token, told, complete=sequence.chooser.complete))
            sequence.tokens.append(token)
            if token != proposed or events[-1].finish_reason is not None:
                break
        accepted = len(events) - 1
        if work.proposed:
            sequence.lookup.judged(len(work.proposed), accepted)
            self.metrics.proposed_tokens += len(work.proposed)
            self.metrics.accepted_tokens += accepted
        self.scheduler.computed(work, accepted)
        self._deliver(sequence, events)
        return events[-1].finish_reason is not None

    def _deliver(self, sequence: Sequence, events: list[TokenEvent]) -> None:
        now = time.monotonic()
        self.metrics.time_event(now, sequence.submitted, sequence.last_event, len(events))
        sequence.last_event = now
        for event in events:
            sequence.deliver(event, None if event.finish_reason is None else sequence.usage)
        if events[-1].finish_reason is not None:
            self.metrics.count(sequence.usage)

    def _fail(self, sequence: Sequence, error: Exception) -> None:
        self.metrics.failed += 1
        self._end(sequence, error)

    def _end(self, sequence: Sequence, error: Exception | None = None) -> None:
        """Free what an answer holds, and tell its reader if it did not end by itself."""
        self.scheduler.remove(sequence)
        if error is not None:
            sequence.deliver(error, sequence.usage)

    def _observe(self) -> None:
        metrics, features = self.metrics, self.runner.features
        metrics.waiting, metrics.running = len(self.scheduler.waiting), len(self.scheduler.running)
        metrics.blocks_free, metrics.blocks_known = self.pool.num_free, self.pool.num_known
        metrics.preemptions = self.scheduler.preemptions
        metrics.feature_hits, metrics.feature_misses = features.hits, features.misses


def _likeliest(scores_MV: Tensor) -> list[int | None]:
    """The likeliest token of each row, the first of equals; None where the scores are not numbers.

    On the CPU by NumPy, which needs a tenth of PyTorch's time: 0.03 ms a row instead of 0.3.
    """
    if not len(scores_MV):
        return []
    if scores_MV.device.type == "cpu":
        scores = scores_MV.numpy()
        found = scores.argmax(-1)
        greatest = scores[np.arange(len(scores)), found]  # the greatest of a row with a nan is nan, here too
        sound = np.isfinite(greatest)
    else:
        greatest_M, found = scores_MV.max(-1)
        sound = greatest_M.isfinite()
    return [token if fine else None for token, fine in zip(found.tolist(), sound.tolist(), strict=True)]
