"""Which samples share a row, and which rows share a step: planned from costs alone, before anything is decoded.

Samples come in a mixed, shuffled, endless order. A window of them is packed into rows of at most `row_tokens` tokens
and `row_tiles` tiles (first fit, longest first); rows that are not full enough wait for the next window. The rows of a
window are grouped into steps of `rows_per_step` rows with like numbers of tiles, so that the ranks that share a step
encode equally many pictures. Everything follows from the seed and the costs: every rank plans the same, whatever
the number of its workers, and a plan goes on from its state as if it had never stopped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FULL = 0.9  # a row filled less than this waits for the next window, once
Sample = tuple[int, int]  # corpus, record


@dataclass(frozen=True)
class Shape:
    """Limits of a row and how many rows make a step over all ranks."""

    row_tokens: int
    row_tiles: int
    rows_per_step: int
    window: int = 2048  # samples looked at together

    def __post_init__(self) -> None:
        for name in ("row_tokens", "row_tiles", "rows_per_step", "window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)}")


@dataclass
class PlanState:
    """Where a plan is; JSON-ready through `vars`. Saved with a checkpoint, it makes the rest of the run the same.

    `drawn` counts the samples taken from each corpus before the present window, `waiting` holds the samples carried
    into it, `done` the steps already given out of it.
    """

    drawn: list[int]
    waiting: list[list[int]] = field(default_factory=list)
    done: int = 0
    steps: int = 0


class NothingFits(ValueError):
    """No sample of a corpus fits into a row."""

    def __init__(self, corpus: int, costs: np.ndarray, shape: Shape):
        self.corpus = corpus
        self.tokens, self.tiles = (int(least) for least in costs.min(0)) if len(costs) else (0, 0)
        super().__init__(
            f"no sample of corpus {corpus} fits into {shape.row_tokens} tokens and {shape.row_tiles} tiles; the "
            f"shortest takes {self.tokens} and {self.tiles}"
        )


class Plan:
    """Endless steps; each is a list of `rows_per_step` rows, each row a list of samples.

    costs: for each corpus an int array (records, 2) of tokens and tiles. weights: shares of the samples, any scale.
    Samples that don't fit into a row of their own are left out; `left_out` counts them a corpus.

    Raises NothingFits when no sample of a corpus fits into a row.
    """

    def __init__(
        self,
        costs: Sequence[np.ndarray],
        weights: Sequence[float],
        shape: Shape,
        seed: int,
        state: dict[str, Any] | None = None,
    ):
        if len(costs) != len(weights) or not costs or min(weights) <= 0:
            raise ValueError("every corpus needs a weight above 0")
        self.costs, self.shape, self.seed = costs, shape, seed
        self.shares = np.array(weights, dtype=float) / sum(weights)
        fits = [(c[:, 0] <= shape.row_tokens) & (c[:, 1] <= shape.row_tiles) for c in costs]
        self.usable = [np.flatnonzero(f) for f in fits]
        self.left_out = [int((~f).sum()) for f in fits]
        for number, usable in enumerate(self.usable):
            if not len(usable):
                raise NothingFits(number, costs[number], shape)
        self.state = PlanState(**state) if state else PlanState([0] * len(costs))
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def __iter__(self) -> Iterator[tuple[list[list[Sample]], dict[str, Any]]]:
        """(step, state to go on behind it) forever."""
        while True:
            steps, waiting, drawn = self._window()
            while self.state.done < len(steps):
                step = steps[self.state.done]
                self.state.done += 1
                self.state.steps += 1
                yield step, self._snapshot()
            self.state = PlanState(drawn, [list(sample) for sample in waiting], 0, self.state.steps)

    def _snapshot(self) -> dict[str, Any]:
        state = self.state
        return {
            "drawn": [*state.drawn],
            "waiting": [[*s] for s in state.waiting],
            "done": state.done,
            "steps": state.steps,
        }

    # --- order

    def _draw(self, drawn: list[int]) -> Sample:
        """The next sample: of the corpus that is furthest behind its share, in that corpus's shuffled order."""
        total = sum(drawn) + 1
        corpus = int(np.argmax(self.shares * total - np.array(drawn)))
        usable = self.usable[corpus]
        epoch, place = divmod(drawn[corpus], len(usable))
        drawn[corpus] += 1
        return corpus, int(usable[self._order(corpus, epoch)[place]])

    def _order(self, corpus: int, epoch: int) -> np.ndarray:
        if (corpus, epoch) not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k[0] != corpus or k[1] >= epoch - 1}
            generator = np.random.default_rng([self.seed, corpus, epoch])
            self._orders[corpus, epoch] = generator.permutation(len(self.usable[corpus]))
        return self._orders[corpus, epoch]

    # --- packing

    def _window(self) -> tuple[list[list[list[Sample]]], list[Sample], list[int]]:
        """The steps of the present window, the samples that wait for the next one, and what was drawn by its end."""
        drawn = [*self.state.drawn]
        old: list[Sample] = [(a, b) for a, b in self.state.waiting]
        samples = old + [self._draw(drawn) for _ in range(self.shape.window)]
        rows = self._rows(samples, set(range(len(old))))
        generator = np.random.default_rng([self.seed, 1 << 20, *drawn])
        whole = len(rows.packed) // self.shape.rows_per_step * self.shape.rows_per_step
        by_tiles = sorted(rows.packed, key=lambda row: (self._tiles(row), row))
        # which rows stay over is left to chance, not to their size
        over = set(generator.choice(len(by_tiles), len(by_tiles) - whole, replace=False).tolist())
        waiting = rows.waiting + [s for place in sorted(over) for s in by_tiles[place]]
        kept = [row for place, row in enumerate(by_tiles) if place not in over]
        steps = [kept[i : i + self.shape.rows_per_step] for i in range(0, whole, self.shape.rows_per_step)]
        for step in steps:
            generator.shuffle(step)  # type: ignore[arg-type]  # a rank must not always get the fullest row
        generator.shuffle(steps)  # type: ignore[arg-type]
        return steps, waiting, drawn

    def _tiles(self, row: list[Sample]) -> int:
        return sum(int(self.costs[corpus][record, 1]) for corpus, record in row)

    def _rows(self, samples: list[Sample], must_go: set[int]) -> "_Rows":
        """First fit, longest first. Rows that are not full and hold none of `must_go` wait."""
        cost = np.array([self.costs[corpus][record] for corpus, record in samples], dtype=np.int64)
        order = sorted(range(len(samples)), key=lambda i: (-int(cost[i, 0]), i))
        rows: list[list[int]] = []
        room = FirstFit(self.shape.row_tokens, self.shape.row_tiles)
        for i in order:
            row = room.place(int(cost[i, 0]), int(cost[i, 1]))
            if row == len(rows):
                rows.append([])
            rows[row].append(i)
        packed, waiting = [], []
        for row_samples in rows:
            filled = max(
                cost[row_samples, 0].sum() / self.shape.row_tokens,
                cost[row_samples, 1].sum() / self.shape.row_tiles,
            )
            # in the order in which they were drawn, not by length
            row_samples.sort()
            if filled >= FULL or must_go.intersection(row_samples):
                packed.append([samples[i] for i in row_samples])
            else:
                waiting += [samples[i] for i in row_samples]
        return _Rows(packed, waiting)


@dataclass
class _Rows:
    packed: list[list[Sample]]
    waiting: list[Sample]


class FirstFit:
    """First-fit bin packing in two dimensions: `place` names the first row with room for both, or a new one."""

    def __init__(self, tokens: int, tiles: int):
        self.limits = np.array([tokens, tiles])
        self.room = np.zeros((64, 2), dtype=np.int64)
        self.rows = 0

    def place(self, tokens: int, tiles: int) -> int:
        need = np.array([tokens, tiles])
        fitting = np.flatnonzero((self.room[: self.rows] >= need).all(1))
        row = int(fitting[0]) if len(fitting) else self.rows
        if row == self.rows:
            if row == len(self.room):
                self.room = np.concatenate([self.room, np.zeros_like(self.room)])
            self.room[row] = self.limits
            self.rows += 1
        self.room[row] -= need
        return row
