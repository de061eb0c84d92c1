"""Flip bits in real training steps, and see which of the flips that matter are noticed, by what, and at which cost.

    python -m clearsight.training.drill --flips 500

A small vision-language model learns to name colours in made-up pictures and to go on with made-up text. After a clean
run, in which every alarm is a false one, it is taken back to one of several moments again and again, one bit is flipped
(see `faults`), and the step and the five behind it are compared with the clean ones. Nothing is done about alarms here:
a flip that is noticed still runs its course, so that what it would have cost is known.

Noticed by: `guards` (the verdict is to skip, roll back or stop where the clean run went on), `replay` (a micro-batch
computed twice), `at rest` (checksums before and after the time between updates), `balance` (sums of the optimiser's
step), the checks of a run (see `checks`).
The last three look at every n-th step only, so that of the flips that they alone notice, one in n is noticed. Clipping
a gradient's norm is a soft answer that clean steps get as well, and is no alarm.

Left out: replicas, of which one process has none, guards of time, and an accelerator's mixed kernels. The last line is
JSON.
"""

import argparse
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from clearsight.data.loader import IGNORED, Batch
from clearsight.models.config import ModelConfig
from clearsight.models.vlm import VisionLanguageModel
from clearsight.training.checksums import bit_checksums
from clearsight.training.config import Checks
from clearsight.training.drill_model import LARGER, LARGER_ROWS, MODEL, batch_of
from clearsight.training.facts import StepFacts
from clearsight.training.faults import POSITIONS, SITES, Fault
from clearsight.training.guards import Guards, Policy
from clearsight.training.learner import initialise
from clearsight.training.replay import Replayer
from clearsight.training.replicas import AtRest
from clearsight.training.update_sums import UpdateSums

RATE = 1e-3
BEHIND = 5  # steps behind the fault that are watched
MATTERS = 0.01  # relative change of a loss, or of the update's norm, from which a flip matters
MOMENTS = 8  # of the clean run that flips start from
ALARMS = ("skip", "rollback", "stop")
CHECKED = ("replay", "at rest", "balance")
CLEAN_EVERY = 10  # steps between two checks of a clean run; guards judge every step


def intervals(checks: Checks) -> dict[str, int]:
    """Steps between two at which each check is made."""
    return {"replay": checks.replay_every, "at rest": checks.at_rest_every, "balance": checks.balance_every}


@dataclass
class Moment:
    """Where flips start from: the state before a step of the clean run, and what the clean run did from there."""

    step: int
    weights: list[Tensor]
    moments: list[dict[str, Tensor]]
    guards: dict[str, Any]
    losses: list[float]
    alarms: list[bool]
    updated: list[Tensor]  # weights after the first step
    sums: Tensor  # checksums of all state after the first step


@dataclass(frozen=True)
class Outcome:
    """What one flip did, and what noticed it."""

    fault: Fault
    loss_change: float  # relative, the largest of the steps watched
    update_change: float  # norm of the difference over the norm of the clean update
    noticed: frozenset[str]

    @property
    def matters(self) -> bool:
        return not self.loss_change <= MATTERS

    @property
    def matters_to_update(self) -> bool:
        return self.matters or not self.update_change <= MATTERS

    def chance(self, checks: Checks) -> float:
        """Of being noticed when checks run as often as `checks` says."""
        if "guards" in self.noticed:
            return 1.0
        every = intervals(checks)
        return max((1 / every[name] for name in self.noticed), default=0.0)


class Run:
    """A training run that can be taken back to any of its moments."""

    def __init__(self, dtype: torch.dtype, config: ModelConfig = MODEL):
        torch.manual_seed(0)
        self.dtype = dtype
        self.model = VisionLanguageModel(config)
        initialise(self.model)
        self.parameters = [*self.model.parameters()]
        self.names: dict[Tensor, str] = {p: name for name, p in self.model.named_parameters()}
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=RATE, betas=(0.9, 0.95), weight_decay=0.01, fused=True
        )
        self.guards = Guards(Policy())
        self.rest, self.sums, self.replayer = (
            AtRest(CLEAN_EVERY),
            UpdateSums(CLEAN_EVERY),
            Replayer(CLEAN_EVERY),
        )

    # --- a step, as the trainer takes it

    def gradients(self, batch: Batch, pixels: Tensor, fault: Fault | None = None) -> dict[str, Tensor]:
        """The loss and gradients of a batch, which are left in `.grad` too; a fault may strike meanwhile."""
        self.optimizer.zero_grad()
        none = Fault("", "", "", 0)
        learned = batch.labels_BT[:, 1:] != IGNORED
        learned &= batch.segment_ids_BT[:, 1:] == batch.segment_ids_BT[:, :-1]
        with (
            (fault or none).during("forward", self.model),
            torch.autocast("cpu", self.dtype, enabled=self.dtype != torch.float32),
        ):
            loss = self.model(
                batch.input_ids_BT,
                pixels,
                position_ids=batch.position_ids_BT,
                segment_ids=batch.segment_ids_BT,
                labels=batch.labels_BT,
                reduction="sum",
            )
        with (fault or none).during("backward", self.model):
            (loss / learned.sum()).backward()
        found = {"loss": (loss / learned.sum()).detach()}
        return found | {f"grad:{self.names[p]}": p.grad for p in self.parameters if p.grad is not None}

    def step(self, step: int, fault: Fault | None = None) -> tuple[float, str, set[str]]:
        """Take a step whatever the guards say; returns the loss, the verdict's action, and what was noticed besides."""
        batch = batch_of(step)
        pixels = batch.tiles_NCSS.float() / 127.5 - 1
        if fault is not None and fault.stage == "at rest" and fault.kind != "gradient":
            fault.strike(self.model, self.optimizer, pixels)
        noticed = {"at rest"} if self.rest.before_update(self.state()) else set()
        loss = float(self.gradients(batch, pixels, fault)["loss"])
        self.sums.before(step if fault is None else 0, [self.optimizer], self.names)  # 0 is always due
        norm = float(torch.nn.utils.get_total_norm(p.grad for p in self.parameters if p.grad is not None))
        verdict = self.guards.judge(
            StepFacts(step, loss, norm, 1.0, 0.0, batch.num_tokens, 1, 1, len(pixels), 1.0)
        )
        scale = 1.0 if verdict.max_norm is None else min(1.0, verdict.max_norm / norm)
        if scale < 1:
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(scale)
        if fault is not None and (fault.kind, fault.stage) == ("gradient", "at rest"):
            fault.strike(self.model, self.optimizer, pixels)
        self.optimizer.step()
        if fault is not None and fault.stage == "optimiser":
            fault.strike(self.model, self.optimizer, pixels)
        if self.sums.after([self.optimizer], self.names, scale):
            noticed.add("balance")
        self.rest.after_update(step, self.state())
        return loss, verdict.action, noticed

    def state(self) -> Iterable[tuple[str, Tensor]]:
        """Everything that lies between updates."""
        for parameter in self.parameters:
            yield f"weight/{self.names[parameter]}", parameter
            for kind, value in self.optimizer.state.get(parameter, {}).items():
                yield f"{kind}/{self.names[parameter]}", value

    # --- clean steps

    def moment(self, step: int) -> Moment:
        """Note the state before `step`, and take it and those behind it."""
        noted = Moment(
            step,
            [p.detach().clone() for p in self.parameters],
            [
                {kind: value.clone() for kind, value in self.optimizer.state[p].items()}
                for p in self.parameters
            ],
            self.guards.state_dict(),
            [],
            [],
            [],
            torch.empty(0),
        )
        for ahead in range(1 + BEHIND):
            loss, action, _ = self.step(step + ahead)
            noted.losses.append(loss)
            noted.alarms.append(action in ALARMS)
            if not ahead:
                noted.updated = [p.detach().clone() for p in self.parameters]
                noted.sums = bit_checksums(tensor for _, tensor in self.state())
        return noted

    @torch.no_grad()
    def back_to(self, moment: Moment) -> None:
        for parameter, weight, state in zip(self.parameters, moment.weights, moment.moments, strict=True):
            parameter.copy_(weight)
            for kind, value in state.items():
                self.optimizer.state[parameter][kind].copy_(value)
        self.guards.load_state_dict(moment.guards)
        self.rest.after_update(0, self.state())

    # --- a flip

    def flipped(self, fault: Fault, moment: Moment) -> Outcome:
        """Let a fault strike the moment's step, and follow it."""
        noticed = set()
        if self._replayed(fault, moment):
            noticed.add("replay")
        self.back_to(moment)
        losses = []
        for ahead in range(1 + BEHIND):
            loss, action, checks = self.step(moment.step + ahead, fault if not ahead else None)
            losses.append(loss)
            noticed |= checks
            if action in ALARMS and not moment.alarms[ahead]:
                noticed.add("guards")
            if not ahead:
                update_change = self._update_change(moment)
                if torch.equal(bit_checksums(tensor for _, tensor in self.state()), moment.sums):
                    break  # nothing came of it, and nothing will
        change = max(
            abs(loss - clean) / abs(clean) if math.isfinite(loss) else math.inf
            for loss, clean in zip(losses, moment.losses, strict=False)
        )
        return Outcome(fault, change, update_change, frozenset(noticed))

    def _replayed(self, fault: Fault, moment: Moment) -> bool:
        """Whether a replay notices a fault that strikes its first run, or lies in the memory that both runs read."""
        self.back_to(moment)
        batch = batch_of(moment.step)
        pixels = batch.tiles_NCSS.float() / 127.5 - 1
        if fault.stage == "at rest" and fault.kind != "gradient":
            fault.strike(self.model, self.optimizer, pixels)
        runs = iter([fault])
        return self.replayer.check(lambda: self.gradients(batch, pixels, next(runs, None))) is not None

    @torch.no_grad()
    def _update_change(self, moment: Moment) -> float:
        difference = update = 0.0
        for now, clean, was in zip(self.parameters, moment.updated, moment.weights, strict=True):
            difference += float((now.double() - clean.double()).square().sum())
            update += float((clean.double() - was.double()).square().sum())
        return math.sqrt(difference / update)


# --- what the drill consists of


@dataclass(frozen=True)
class Clean:
    """Steps without a flip, and the alarms among them; a clip of the gradient's norm is no alarm."""

    steps: int
    alarms: int
    clips: int
    losses: tuple[float, float]  # of the first and the last hundred steps


def clean_steps(run: Run, count: int, progress: Callable[[str, int, int], None]) -> Clean:
    """Train without a flip, judged by the guards at every step and by the checks at every tenth."""
    losses, alarms, clips = [], 0, 0
    for step in range(1, count + 1):
        replayed = None
        if run.replayer.due(step):
            batch = batch_of(step)
            pixels = batch.tiles_NCSS.float() / 127.5 - 1
            replayed = run.replayer.check(lambda batch=batch, pixels=pixels: run.gradients(batch, pixels))  # type: ignore[misc]
        loss, action, noticed = run.step(step)
        losses.append(loss)
        alarms += action in ALARMS or bool(noticed) or replayed is not None
        clips += action == "clip"
        if step % 50 == 0:
            progress("clean steps", step, count)
    return Clean(count, alarms, clips, (statistics.mean(losses[:100]), statistics.mean(losses[-100:])))


def flips(
    run: Run, first: int, count: int, seed: int, progress: Callable[[str, int, int], None]
) -> list[Outcome]:
    """Flips of all sites and positions in turn, from moments of the clean run behind step `first`."""
    moments = []
    for _ in range(MOMENTS):
        moments.append(run.moment(first + 1))
        first += 1 + BEHIND
    chance = random.Random(seed)
    faults = [(*site, position) for site in SITES for position in POSITIONS]
    outcomes = []
    for number in range(count):
        kind, stage, position = faults[number % len(faults)]
        fault = Fault(kind, stage, position, chance.randrange(1 << 30))
        outcomes.append(run.flipped(fault, chance.choice(moments)))
        if number % 10 == 9:
            progress("flips", number + 1, count)
    return outcomes


def costs(dtype: torch.dtype, checks: Checks, repeats: int = 7) -> dict[str, float]:
    """Seconds of a larger model's step without checks, and what each check adds to the steps it is made in; medians."""
    run, batch = Run(dtype, LARGER), batch_of(0, LARGER_ROWS)
    pixels = batch.tiles_NCSS.float() / 127.5 - 1
    run.gradients(batch, pixels)
    rest, sums = AtRest(1), UpdateSums(1)

    def seconds(work: Callable[[], Any]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    taken: dict[str, list[float]] = {name: [] for name in ("step", *CHECKED)}
    for _ in range(repeats):
        computing = seconds(lambda: run.gradients(batch, pixels))
        signing = seconds(lambda: bit_checksums(p.grad for p in run.parameters if p.grad is not None))
        before = seconds(lambda: sums.before(1, [run.optimizer], run.names))
        updating = seconds(run.optimizer.step)
        after = seconds(lambda: sums.after([run.optimizer], run.names))
        taken["step"].append(computing + updating)
        taken["replay"].append(computing + 2 * signing)
        taken["balance"].append(before + after)
        noting = seconds(lambda: rest.after_update(1, run.state()))
        taken["at rest"].append(noting + seconds(lambda: rest.before_update(run.state())))
    found = {name: statistics.median(values) for name, values in taken.items()}
    found["share_every_step"] = sum(found[name] for name in CHECKED) / found["step"]
    every = intervals(checks)
    found["share_default"] = sum(found[name] / every[name] for name in CHECKED) / found["step"]
    return found


def upper_bound(events: int, trials: int) -> float:
    """The rate of a Poisson process that gives `events` or fewer in so many trials with a chance of 5%."""
    low, high = 0.0, 10.0 + 3 * events
    for _ in range(60):
        mean = (low + high) / 2
        at_most = sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(events + 1))
        low, high = (mean, high) if at_most > 0.05 else (low, mean)
    return high / trials


def lower_bound(successes: int, trials: int) -> float:
    """The rate that gives so many successes or more in so many trials with a chance of 5%."""
    ways = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in range(trials + 1)
    ]
    low, high = 0.0, 1.0
    for _ in range(50):
        rate = (low + high) / 2
        hit, miss = math.log(rate), math.log1p(-rate)
        at_least = sum(
            math.exp(ways[k] + k * hit + (trials - k) * miss) for k in range(successes, trials + 1)
        )
        low, high = (rate, high) if at_least < 0.05 else (low, rate)
    return low


def summary(outcomes: list[Outcome], checks: Checks) -> dict[str, Any]:
    """Detection rates over the flips that matter to the loss, to loss or update, and over all; None of none.

    `every_step` is with all checks at every step, `every_step_at_least` holds with 95% confidence, `default` is what
    the intervals of `checks` lead one to expect, `guards` is without any check.
    """

    def rates(of: list[Outcome]) -> dict[str, float | int | None]:
        if not of:
            return {
                "flips": 0,
                "every_step": None,
                "every_step_at_least": None,
                "default": None,
                "guards": None,
            }
        noticed = sum(bool(o.noticed) for o in of)
        return {
            "flips": len(of),
            "every_step": noticed / len(of),
            "every_step_at_least": lower_bound(noticed, len(of)),
            "default": sum(o.chance(checks) for o in of) / len(of),
            "guards": sum("guards" in o.noticed for o in of) / len(of),
        }

    return {
        "loss": rates([o for o in outcomes if o.matters]),
        "loss_or_update": rates([o for o in outcomes if o.matters_to_update]),
        "all": rates(outcomes),
    }


def table(outcomes: list[Outcome], title: str, group_of: Callable[[Outcome], str]) -> Table:
    """One row a group and one of all: how many flips matter, and by what these were noticed."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("")
    for column in ("flips", "matter", "noticed", "guards", *CHECKED, "of all"):
        shown.add_column(column, justify="right")
    for name in [*dict.fromkeys(map(group_of, outcomes)), "all"]:
        of = [o for o in outcomes if name in (group_of(o), "all")]
        matter = [o for o in of if o.matters]
        counts = [len(of), len(matter), sum(bool(o.noticed) for o in matter)]
        counts += [sum(by in o.noticed for o in matter) for by in ("guards", *CHECKED)]
        shown.add_row(name, *map(str, counts), f"{sum(bool(o.noticed) for o in of) / len(of):.0%}")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--clean", type=int, default=10_000, help="steps without a flip, for false alarms")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of products")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    notes = Console(stderr=True)
    with notes.status("") as status:

        def progress(what: str, done: int, total: int) -> None:
            status.update(f"{what}: {done} of {total}")

        dtype, checks = torch.bfloat16 if options.precision == "bf16" else torch.float32, Checks()
        run = Run(dtype)
        clean = clean_steps(run, options.clean, progress)
        outcomes = flips(run, options.clean, options.flips, options.seed, progress)
        cost = costs(dtype, checks)

    console = Console(highlight=False, width=100)
    by_site = "By tensor and stage; checks at every step"
    console.print(table(outcomes, by_site, lambda o: f"{o.fault.kind}, {o.fault.stage}"))
    console.print(table(outcomes, "By bit", lambda o: o.fault.position))
    found = summary(outcomes, checks)
    false_alarms = {
        "steps": clean.steps,
        "alarms": clean.alarms,
        "per_10000": 1e4 * clean.alarms / clean.steps,
        "per_10000_at_most": 1e4 * upper_bound(clean.alarms, clean.steps),
        "clips": clean.clips,
    }
    if found["loss"]["flips"]:
        console.print(
            "Of the {flips} flips that change a loss by more than 1%, {every_step:.1%} are noticed with checks at "
            "every step (at least {every_step_at_least:.1%} with 95% confidence), {default:.1%} at the default "
            "intervals, and {guards:.1%} by the guards alone.".format(**found["loss"])
        )
    console.print(
        f"Loss {clean.losses[0]:.2f} to {clean.losses[1]:.2f} in {clean.steps} clean steps, with {clean.alarms} alarms "
        f"(below {false_alarms['per_10000_at_most']:.1f} in 10,000 with 95% confidence) and {clean.clips} clips.\n"
        f"A step takes {cost['step'] * 1e3:.1f} ms; all checks at every step add {cost['share_every_step']:.1%}, "
        f"at the default intervals {cost['share_default']:.2%}."
    )
    missed = [
        {**vars(o.fault), "loss_change": min(o.loss_change, 1e9)}
        for o in outcomes
        if o.matters and not o.noticed
    ]
    print(
        json.dumps(
            {
                "detection": found,
                "missed": missed,
                "false_alarms": false_alarms,
                "cost": cost,
                "precision": options.precision,
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
