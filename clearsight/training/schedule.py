"""The learning rate over a run: warm-up, stay, decay (https://arxiv.org/abs/2405.18392)."""

import math

from clearsight.training.config import Schedule


def share_of_peak(schedule: Schedule, step: int) -> float:
    """The factor on the peak rate for `step` (from 1 to `schedule.steps`): in [0, 1]."""
    if step <= schedule.warmup:
        return step / schedule.warmup
    falling = round(schedule.decay * schedule.steps)
    progress = (step - (schedule.steps - falling)) / falling if falling else 0.0
    if progress <= 0:
        return 1.0
    left = {
        "linear": 1 - progress,
        "cosine": 0.5 * (1 + math.cos(math.pi * progress)),
        "sqrt": 1 - math.sqrt(progress),
    }[schedule.shape]
    return schedule.floor + (1 - schedule.floor) * left
