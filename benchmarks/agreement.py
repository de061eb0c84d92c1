"""Does low agreement between answers foretell a wrong one?

Each question is answered once greedily, as a user gets it, and `--samples` times at a temperature over the same read
prompt. The lowest support of the first answer's words (clearsight.describing.agreement) is held against whether that
answer is right. AUROC is the probability that a wrong answer has less support than a right one, ties as one half
(Hanley and McNeil, 1982); 0.5 is chance. The interval is a bootstrap over pictures. Beside it, from the same answers,
the model's own mean log-probability. The last line is JSON.

    python -m benchmarks.agreement --count 3
"""

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from clearsight.data.verify import verify
from clearsight.decoding.sampling import Sampling
from clearsight.describing.agreement import DOUBTFUL, SAMPLES, TEMPERATURE, answer_support
from clearsight.engine import Engine, EngineConfig
from clearsight.evals.suites import mini

SUITABLE = ("text", "yes or no", "number", "choice", "verbatim", "list", "set", "time")
DRAWS = 1000
NAMED = 10  # right and wrong answers that a kind needs to be told by itself


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """P(score of a positive > score of a negative), ties one half; NaN without both."""
    values, marks = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    high, low = values[marks], np.sort(values[~marks])
    if not len(high) or not len(low):
        return math.nan
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / 2 / len(low))


def interval(scores: Sequence[float], wrong: Sequence[bool], clusters: Sequence[Hashable]) -> list[float]:
    """95% of bootstrap draws over clusters."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for place, cluster in enumerate(clusters):
        groups[cluster].append(place)
    members, rng, found = list(groups.values()), np.random.default_rng(0), []
    for _ in range(DRAWS):
        chosen = [place for pick in rng.integers(len(members), size=len(members)) for place in members[pick]]
        value = auroc([scores[place] for place in chosen], [wrong[place] for place in chosen])
        if not math.isnan(value):
            found.append(value)
    return [round(float(np.quantile(found, share)), 3) for share in (0.025, 0.975)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2, help="questions of a skill")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600, help="stop asking after this time")
    parser.add_argument("--model", default="mini")
    arguments = parser.parse_args()

    items = [one for one in mini.suite(arguments.count).items() if one.truth.kind in SUITABLE]
    np.random.default_rng(0).shuffle(items)  # type: ignore[arg-type]
    engine = Engine.load(arguments.model, EngineConfig(threads=arguments.threads))
    support, logprob, wrong, kinds, clusters = [], [], [], [], []
    once = several = 0.0
    began = time.monotonic()
    for item in items:
        if time.monotonic() - began > arguments.seconds:
            break
        start = time.monotonic()
        first = engine.submit(item.conversation, Sampling(max_tokens=item.max_tokens, logprobs=0)).result()
        once += time.monotonic() - start
        start = time.monotonic()
        sampling = Sampling(temperature=arguments.temperature, max_tokens=item.max_tokens, seed=1)
        streams = engine.submit_many(item.conversation, sampling, arguments.samples)
        others = [stream.result().text for stream in streams]
        several += time.monotonic() - start
        support.append(answer_support(first.text, others))
        chosen = [one.logprob for one in first.logprobs or ()]
        logprob.append(sum(chosen) / max(len(chosen), 1))
        wrong.append(not verify(item.truth, first.text).right)
        kinds.append(item.truth.kind)
        clusters.append(item.cluster)
    engine.close()

    n = len(wrong)
    doubted = [value < DOUBTFUL for value in support]
    told = {
        "n": n,
        "wrong": sum(wrong),
        "samples": arguments.samples,
        "temperature": arguments.temperature,
        "auroc": round(auroc([-value for value in support], wrong), 3),
        "interval": interval([-value for value in support], wrong, clusters),
        "auroc_logprob": round(auroc([-value for value in logprob], wrong), 3),
        "doubted": sum(doubted),
        "doubted_and_wrong": sum(d and w for d, w in zip(doubted, wrong, strict=True)),
        "doubted_and_right": sum(d and not w for d, w in zip(doubted, wrong, strict=True)),
        "cost": round(several / once, 2),
    }
    print(f"{n} questions, {told['wrong']} answered wrongly; {arguments.samples} more answers at "
          f"{arguments.temperature}, for {told['cost']} times the first one's time")  # fmt: skip
    print("\nlowest support   answers   wrong")
    for low in np.arange(0, 1.01, 1 / arguments.samples):
        here = [w for value, w in zip(support, wrong, strict=True) if abs(value - low) < 1e-6]
        if here:
            print(f"          {low:5.2f} {len(here):9} {sum(here) / len(here):7.0%}")
    print(f"\n{'kind':<14}{'n':>5}{'wrong':>7}{'AUROC':>8}")
    for kind in sorted(set(kinds)):
        mine = [place for place, one in enumerate(kinds) if one == kind]
        bad = [wrong[place] for place in mine]
        if min(sum(bad), len(bad) - sum(bad)) >= NAMED:
            value = auroc([-support[place] for place in mine], bad)
            print(f"{kind:<14}{len(mine):>5}{sum(bad):>7}{value:>8.2f}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
