"""What to do about a step, decided from what was measured before it is taken: go, clip, skip, roll back or stop.

    guards = Guards(Policy())
    verdict = guards.judge(facts)     # before the optimiser's step, on every rank alike
    verdict.action, verdict.reason    # "skip", "The loss of 7.31 lies 14.2 standard deviations above ..."

Losses and gradient norms are held against a running mean and variance of the steps that were good; what is skipped
does not enter them, so that a fault does not teach the guards to accept it. Norms are compared by their logarithms:
how far they scatter is a share of their size, and far more so in small models, of which plain deviations clipped one
step in ten (docs/LOG.md). A fault that does not go away is met
with more: skips that pile up end in a rollback, rollbacks that pile up end the run with the reason.

Pure arithmetic on figures that are the same on every rank: no clock, no randomness, no communication, and the whole
state fits in JSON, so that ranks agree and a resumed run judges as the uninterrupted one would have.

Left out: who carries a verdict out (the trainer), and ranks that no longer answer (see heartbeat).
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from statistics import median
from typing import Any

from clearsight.training.facts import StepFacts

_FADING = 0.9995  # a step, of the largest rise of the loss: half of it after 1,386 steps
_FAR = 4.0  # standard deviations
SEVERITY = ("go", "clip", "skip", "rollback", "stop")
_MEANT = {  # what can be done about each guard's finding
    "non_finite": ("skip", "rollback", "stop", "off"),
    "loss_spike": ("warn", "skip", "rollback", "stop", "off"),
    "gradient_norm": ("warn", "clip", "skip", "rollback", "stop", "off"),
    "dead_activations": ("warn", "rollback", "stop", "off"),
    "exploding_activations": ("warn", "skip", "rollback", "stop", "off"),
    "stalled_loader": ("warn", "stop", "off"),
    "straggling_rank": ("warn", "stop", "off"),
    "falling_throughput": ("warn", "stop", "off"),
}


@dataclass(frozen=True)
class Policy:
    """What each guard does, and from where on. Raises ValueError for an action that a guard can't take."""

    non_finite: str = "skip"
    loss_spike: str = "skip"
    gradient_norm: str = "clip"
    dead_activations: str = "warn"
    exploding_activations: str = "rollback"
    stalled_loader: str = "warn"
    straggling_rank: str = "warn"
    falling_throughput: str = "warn"

    warmup: int = 25  # good steps before anything is held against its running mean
    loss_decay: float = 0.98  # of the running means: a loss has half its weight after 34 more,
    norm_decay: float = 0.97  # a norm, or the activations of a part, after 23 more

    loss_z: float = 12.0  # standard deviations above the mean that make a spike,
    loss_rise: float = 0.5  # if they are also this share of the mean,
    loss_beyond: float = 2.5  # and this multiple of the largest rise among good steps, which fades in time
    norm_z: float = 2.5  # standard deviations above the mean, of logarithms, from which a norm is clipped

    non_finite_in_row: int = 3  # so many steps in a row are rolled back
    spikes: int = 3  # so many spikes within `spike_window` steps are rolled back
    spike_window: int = 50
    rollbacks: int = 2  # one more within `rollback_window` steps ends the run
    rollback_window: int = 1000

    dead_ratio: float = 0.01  # a part is dead below this share of its usual activations
    exploding_ratio: float = 20.0  # and explodes above this multiple of them
    activations_in_row: int = 3  # steps for which it must last

    window: int = 50  # steps over which time is looked at
    wait_share: float = 0.2  # of the time spent waiting for data
    straggling_ratio: float = 1.3  # a rank's time over the ranks' median
    throughput_share: float = 0.7  # of the best median throughput so far
    warn_again: int = 200  # steps between two warnings of one guard

    def __post_init__(self) -> None:
        for guard, meant in _MEANT.items():
            action = getattr(self, guard)
            if action not in meant:
                raise ValueError(f"the guard {guard} can't {action!r}; choose one of {', '.join(meant)}")
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, str) and value <= 0:
                raise ValueError(f"{item.name} of the guards is above 0, not {value}")
        if max(self.loss_decay, self.norm_decay) >= 1:
            raise ValueError("the decays of the guards are below 1")


@dataclass(frozen=True)
class Finding:
    """What one guard found, what its policy does about it, and a sentence with the figures."""

    guard: str
    action: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What happens to a step. `guard` and `reason` are of the finding that decided; warnings stand beside it.

    `max_norm` is given with "clip" alone: the norm that the gradient is scaled down to.
    """

    action: str = "go"  # one of SEVERITY
    guard: str = ""
    reason: str = ""
    max_norm: float | None = None
    warnings: tuple[Finding, ...] = ()

    @property
    def takes_step(self) -> bool:
        return self.action in ("go", "clip")


@dataclass
class Moments:
    """Running mean and variance: plain ones until `decay` has enough steps to forget, exponential ones from there."""

    decay: float
    count: int = 0
    mean: float = 0.0
    variance: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        share = max(1 - self.decay, 1 / self.count)
        away = value - self.mean
        self.mean += share * away
        self.variance = (1 - share) * (self.variance + share * away * away)

    def score(self, value: float) -> float:
        """Standard deviations that `value` lies above the mean; infinite for a rise where nothing ever varied."""
        away, deviation = value - self.mean, math.sqrt(self.variance)
        if deviation > 0:
            return away / deviation
        return math.inf if away > 0 else 0.0


@dataclass
class _State:
    """All that guards remember. Steps are counted as they are judged: their own numbers go back with a rollback."""

    loss: Moments
    norm: Moments  # of logarithms
    judged: int = 0
    largest_rise: float = 0.0  # of a good loss above the mean, fading
    non_finite: int = 0  # in a row
    spikes: list[int] = field(default_factory=list)  # when they were judged
    rollbacks: list[int] = field(default_factory=list)
    activations: dict[str, Moments] = field(default_factory=dict)  # of their logarithms
    unusual: dict[str, int] = field(default_factory=dict)  # steps in a row that a part was dead or exploded
    waits: deque[tuple[float, float]] = field(default_factory=deque)  # seconds waited, seconds
    ranks: deque[tuple[float, ...]] = field(default_factory=deque)  # each rank's share of the ranks' median
    throughput: deque[float] = field(default_factory=deque)
    best_throughput: float = 0.0
    warned: dict[str, int] = field(default_factory=dict)


class Guards:
    """Judges one step after the other. After a rollback the same guards go on: they count the rollbacks."""

    def __init__(self, policy: Policy):
        self.policy = policy
        self._state = _State(Moments(policy.loss_decay), Moments(policy.norm_decay))

    def judge(self, facts: StepFacts) -> Verdict:
        """What happens to this step. Must be asked exactly once a step, in order."""
        self._state.judged += 1
        clipped_to = self._clip_bound(facts.grad_norm)
        findings = [
            *self._non_finite(facts),
            *self._loss_spike(facts),
            *self._gradient_norm(facts, clipped_to),
            *self._activations(facts),
            *self._stalled_loader(facts),
            *self._straggling_rank(facts),
            *self._falling_throughput(facts),
        ]
        deciding = [finding for finding in findings if finding.action != "warn"]
        warnings = tuple(f for f in findings if f.action == "warn" and self._may_warn(f.guard))
        decided = max(deciding, key=lambda f: SEVERITY.index(f.action), default=Finding("", "go", ""))
        if decided.action == "rollback":
            decided = self._roll_back(decided)
        verdict = Verdict(
            decided.action,
            decided.guard,
            decided.reason,
            clipped_to if decided.action == "clip" else None,
            warnings,
        )
        if verdict.takes_step and math.isfinite(facts.loss) and math.isfinite(facts.grad_norm):
            self._learn_loss(facts.loss)
            if facts.grad_norm > 0:
                self._state.norm.add(math.log(facts.grad_norm if clipped_to is None else clipped_to))
        return verdict

    # --- numbers that have run off

    def _non_finite(self, facts: StepFacts) -> list[Finding]:
        state, policy = self._state, self.policy
        wrong = [
            f"{name} is {value}"
            for name, value in (("the loss", facts.loss), ("the gradient's norm", facts.grad_norm))
            if not math.isfinite(value)
        ]
        state.non_finite = state.non_finite + 1 if wrong else 0
        if not wrong or policy.non_finite == "off":
            return []
        said, action = " and ".join(wrong).capitalize(), policy.non_finite
        if action == "skip" and state.non_finite >= policy.non_finite_in_row:
            action, said = "rollback", f"{said}, for {state.non_finite} steps in a row"
        return [Finding("non_finite", action, f"{said}.")]

    def _learn_loss(self, loss: float) -> None:
        """Far losses enter as less far ones, so that none, however large, makes the guard blind to the next."""
        state, policy, usual = self._state, self.policy, self._state.loss
        if usual.count >= policy.warmup:
            rise = min(loss - usual.mean, policy.loss_rise * abs(usual.mean))
            state.largest_rise = max(rise, state.largest_rise * _FADING)
            loss = min(loss, usual.mean + _FAR * math.sqrt(usual.variance))
        usual.add(loss)

    def _loss_spike(self, facts: StepFacts) -> list[Finding]:
        """Losses of small batches have heavy tails, which a deviation does not tell: the rises seen before do."""
        state, policy, usual = self._state, self.policy, self._state.loss
        if policy.loss_spike == "off" or usual.count < policy.warmup or not math.isfinite(facts.loss):
            return []
        score, rise = usual.score(facts.loss), facts.loss - usual.mean
        least = max(policy.loss_rise * abs(usual.mean), policy.loss_beyond * state.largest_rise)
        if score <= policy.loss_z or rise <= least:
            return []
        state.spikes = [at for at in state.spikes if state.judged - at < policy.spike_window]
        state.spikes.append(state.judged)
        said = (
            f"The loss of {facts.loss:.4g} lies {score:.3g} standard deviations above the recent mean of "
            f"{usual.mean:.4g} (± {math.sqrt(usual.variance):.2g})"
        )
        action = policy.loss_spike
        if action == "skip" and len(state.spikes) >= policy.spikes:
            action = "rollback"
            said += f"; it is spike {len(state.spikes)} within {policy.spike_window} steps"
        return [Finding("loss_spike", action, f"{said}.")]

    def _clip_bound(self, norm: float) -> float | None:
        """What a norm is clipped to, if it is: exp(mean + deviation · z_max² / z), which falls as the norm's z rises.

        The reciprocal form of ZClip (arXiv 2504.02507, section 3), of logarithms: the further out, the less a gradient
        is trusted.
        """
        usual, limit = self._state.norm, self.policy.norm_z
        if usual.count < self.policy.warmup or not math.isfinite(norm) or norm <= 0:
            return None
        score = usual.score(math.log(norm))
        if score <= limit:
            return None
        return math.exp(usual.mean + math.sqrt(usual.variance) * limit * limit / score)

    def _gradient_norm(self, facts: StepFacts, bound: float | None) -> list[Finding]:
        if self.policy.gradient_norm == "off" or bound is None:
            return []
        usual = self._state.norm
        typical, factor = math.exp(usual.mean), math.exp(math.sqrt(usual.variance))
        said = (
            f"The gradient's norm of {facts.grad_norm:.4g} is {facts.grad_norm / typical:.3g} times the usual "
            f"{typical:.4g}, where most lie within a factor of {factor:.3g}"
        )
        if self.policy.gradient_norm == "clip":
            said += f"; it is clipped to {bound:.4g}"
        return [Finding("gradient_norm", self.policy.gradient_norm, f"{said}.")]

    def _activations(self, facts: StepFacts) -> list[Finding]:
        """Parts that stay far below or above their usual size. Only usual ones enter what is usual."""
        state, policy, found = self._state, self.policy, []
        for part, size in facts.activations.items():
            usual = state.activations.setdefault(part, Moments(policy.norm_decay))
            typical = math.exp(usual.mean)
            settled = usual.count >= policy.warmup
            dead = size == 0 or (settled and size < typical * policy.dead_ratio)
            exploding = not math.isfinite(size) or (settled and size > typical * policy.exploding_ratio)
            if not dead and not exploding:
                usual.add(math.log(size))
                state.unusual[part] = 0
                continue
            state.unusual[part] = state.unusual.get(part, 0) + 1
            guard = "dead_activations" if dead else "exploding_activations"
            action = getattr(policy, guard)
            if action != "off" and state.unusual[part] >= policy.activations_in_row:
                compared = f" against {typical:.3g} usually" if usual.count else ""
                said = f"What {part} hands on has a root mean square of {size:.3g}{compared}"
                found.append(Finding(guard, action, f"{said}, for {state.unusual[part]} steps in a row."))
        return found

    # --- time that is lost

    def _stalled_loader(self, facts: StepFacts) -> list[Finding]:
        waits = self._state.waits
        _push(waits, (facts.data_wait, facts.seconds), self.policy.window)
        waited, total = sum(w for w, _ in waits), sum(s for _, s in waits)
        if self.policy.stalled_loader == "off" or len(waits) < self.policy.window:
            return []
        if waited <= self.policy.wait_share * total:
            return []
        said = (
            f"{waited / total:.0%} of the last {len(waits)} steps' time was spent waiting for data "
            f"({waited / len(waits):.3g} s of {total / len(waits):.3g} s a step); give the loader more workers."
        )
        return [Finding("stalled_loader", self.policy.stalled_loader, said)]

    def _straggling_rank(self, facts: StepFacts) -> list[Finding]:
        """Looked at once a window: medians of many ranks take their time."""
        ranks, policy = self._state.ranks, self.policy
        if ranks and len(ranks[-1]) != len(facts.rank_seconds):
            ranks.clear()  # the run goes on with another number of ranks
        middle = median(facts.rank_seconds) if facts.rank_seconds else 0.0
        if len(facts.rank_seconds) < 2 or middle <= 0:
            return []
        _push(ranks, tuple(seconds / middle for seconds in facts.rank_seconds), policy.window)
        if policy.straggling_rank == "off" or len(ranks) < policy.window:
            return []
        ratios = [median(of_rank) for of_rank in zip(*ranks, strict=True)]
        ranks.clear()
        slowest = max(range(len(ratios)), key=ratios.__getitem__)
        if ratios[slowest] <= policy.straggling_ratio:
            return []
        said = (
            f"Rank {slowest} needs {ratios[slowest]:.2f} times what the ranks' median needs "
            f"(over {policy.window} steps); all others wait for it. Look at its clocks, its heat and its load."
        )
        return [Finding("straggling_rank", policy.straggling_rank, said)]

    def _falling_throughput(self, facts: StepFacts) -> list[Finding]:
        """Tokens a second of the time in which there was data; waiting for it has a guard of its own."""
        state, policy = self._state, self.policy
        busy = facts.seconds - facts.data_wait
        if busy <= 0:
            return []
        _push(state.throughput, facts.tokens / busy, policy.window)
        if len(state.throughput) < policy.window:
            return []
        now = median(state.throughput)
        state.best_throughput = max(state.best_throughput, now)
        if policy.falling_throughput == "off" or now >= policy.throughput_share * state.best_throughput:
            return []
        said = (
            f"Throughput has fallen to {now:,.0f} tokens/s (median of {policy.window} steps, waiting for data left "
            f"out), {now / state.best_throughput:.0%} of the best so far, {state.best_throughput:,.0f}."
        )
        return [Finding("falling_throughput", policy.falling_throughput, said)]

    # --- what becomes of findings

    def _roll_back(self, finding: Finding) -> Finding:
        """The rollback, or the end of the run when there were too many of late."""
        state, policy = self._state, self.policy
        state.rollbacks = [at for at in state.rollbacks if state.judged - at < policy.rollback_window]
        if len(state.rollbacks) >= policy.rollbacks:
            said = (
                f"{finding.reason} {len(state.rollbacks)} rollbacks within {policy.rollback_window} steps "
                "did not help: look at the data of these steps, the learning rate and the hardware."
            )
            return Finding(finding.guard, "stop", said)
        state.rollbacks.append(state.judged)
        state.non_finite, state.spikes, state.unusual = 0, [], {}
        return finding

    def _may_warn(self, guard: str) -> bool:
        last = self._state.warned.get(guard)
        if last is not None and self._state.judged - last < self.policy.warn_again:
            return False
        self._state.warned[guard] = self._state.judged
        return True

    # --- state

    def state_dict(self) -> dict[str, Any]:
        """All that is remembered, JSON-ready; floats keep every bit."""
        state = self._state
        return {
            "loss": _numbers(state.loss),
            "log_norm": _numbers(state.norm),
            "judged": state.judged,
            "largest_rise": state.largest_rise,
            "non_finite": state.non_finite,
            "spikes": [*state.spikes],
            "rollbacks": [*state.rollbacks],
            "activations": {part: _numbers(usual) for part, usual in state.activations.items()},
            "unusual": {**state.unusual},
            "waits": [[*wait] for wait in state.waits],
            "ranks": [[*of_step] for of_step in state.ranks],
            "throughput": [*state.throughput],
            "best_throughput": state.best_throughput,
            "warned": {**state.warned},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on as the guards that `saved` came from. Meant for a resumed run, not for a rollback."""
        policy = self.policy
        self._state = _State(
            loss=Moments(policy.loss_decay, *saved["loss"]),
            norm=Moments(policy.norm_decay, *saved.get("log_norm", ())),
            judged=saved["judged"],
            largest_rise=saved["largest_rise"],
            non_finite=saved["non_finite"],
            spikes=[*saved["spikes"]],
            rollbacks=[*saved["rollbacks"]],
            activations={
                part: Moments(policy.norm_decay, *usual) for part, usual in saved["activations"].items()
            },
            unusual={**saved["unusual"]},
            waits=deque((waited, seconds) for waited, seconds in saved["waits"]),
            ranks=deque(tuple(of_step) for of_step in saved["ranks"]),
            throughput=deque(saved["throughput"]),
            best_throughput=saved["best_throughput"],
            warned={**saved["warned"]},
        )


def _numbers(moments: Moments) -> Sequence[float]:
    return [moments.count, moments.mean, moments.variance]


def _push(window: deque[Any], value: Any, length: int) -> None:
    window.append(value)
    while len(window) > length:
        window.popleft()
