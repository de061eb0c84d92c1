"""Tables of replies with their scores, as Markdown.

Golden tables show single replies; generated ones the mean over many replies of one form, so that it can be seen by how
much the conventions differ on it.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from clearsight.data.verify import Truth
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.metrics.scored import Scored

Reply = Callable[[Truth, random.Random], str]


def golden(metric: str, rows: Iterable[tuple[str, Truth, str]]) -> str:
    """One reply a row; the third of each is how the right answer is written down here."""
    scored = [(reply, right, by_name(metric).score(reply, truth)) for reply, truth, right in rows]
    conventions = list(scored[0][2].under)
    lines = [
        [code(reply), right, "unread" if not one.parsed else short(one.score)]
        + [short(one.under[name]) for name in conventions]
        for reply, right, one in scored
    ]
    return table(["reply", "right answer", "here", *(f"`{name}`" for name in conventions)], lines)


def generated(metric: str, truths: Sequence[Truth], forms: Mapping[str, Reply]) -> str:
    """The mean score of each form of reply over the truths, and the share that is unread."""
    lines = []
    for title, form in forms.items():
        rng = random.Random(title)
        scored = [by_name(metric).score(form(truth, rng), truth) for truth in truths]
        lines.append([title, *_means(scored)])
    conventions = [f"`{name}`" for name in by_name(metric).score("x", truths[0]).under]
    return table([f"reply ({len(truths)} each)", "here", "unread", *conventions], lines)


def _means(scored: Sequence[Scored]) -> list[str]:
    names = list(scored[0].under)
    means = [sum(one.score for one in scored) / len(scored)]
    under = [sum(one.under[name] for one in scored) / len(scored) for name in names]
    unread = sum(not one.parsed for one in scored) / len(scored)
    return [short(means[0]), f"{unread:.0%}", *map(short, under)]


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def code(text: str) -> str:
    return "(nothing)" if not text else "`" + text.replace("|", "\\|").replace("\n", " / ") + "`"
