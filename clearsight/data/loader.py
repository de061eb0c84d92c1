"""From shards to packed batches: the same batches in the same order for any number of workers, and after any stop.

    corpora = [Corpus("runs/data/first")]
    loader = Loader(corpora, processor, row_tokens=2048, rows=4, workers=2)
    for batch in loader:
        ...                       # batch.state goes into the checkpoint
    loader = Loader(..., state=batch.state)   # goes on behind that batch

What a sample costs (tokens and tiles) is counted once a corpus and processor and kept beside the shards. Rows are
planned from it (see packing), so that workers only do the work and have no say in the order.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from clearsight.conversation import Detail
from clearsight.data.packing import Plan, Sample, Shape
from clearsight.data.shards import Corpus
from clearsight.processing.processor import ModelInput, Processor

IGNORED = -100  # label of what is not learned
PADDING = 0  # segment of what fills a row up
Part = tuple[
    list[list[Sample]], slice, dict[str, Any], bool
]  # a step, its rows, state behind it, whether it ends


@dataclass
class Batch:
    """Packed rows. Shape suffixes: B rows, T tokens, N tiles, C channels, S tile side.

    `segment_ids_BT` counts samples from 1 within a row and is PADDING behind them: no token may attend across
    segments. `labels_BT` is the token itself where it is learned, else IGNORED. `position_ids_BT` restart with every
    segment. Tiles are in reading order over the rows. `samples` names (corpus, record) for each segment of each
    row, `step_samples` those of the whole step over all ranks, for a ledger. A step may come in several parts: `state`
    is where to go on behind it, `ends_step` says whether this is its last part.
    """

    input_ids_BT: Tensor  # int64
    labels_BT: Tensor  # int64
    segment_ids_BT: Tensor  # int64
    position_ids_BT: Tensor  # int64
    tiles_NCSS: Tensor  # uint8
    samples: list[list[Sample]]
    step_samples: list[Sample] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    ends_step: bool = True

    @property
    def num_tokens(self) -> int:
        """Tokens that belong to samples."""
        return int((self.segment_ids_BT != PADDING).sum())

    def pin_memory(self) -> "Batch":
        for name in ("input_ids_BT", "labels_BT", "segment_ids_BT", "position_ids_BT", "tiles_NCSS"):
            setattr(self, name, getattr(self, name).pin_memory())
        return self


def pack(rows: Sequence[Sequence[ModelInput]], row_tokens: int, pad_id: int) -> Batch:
    """Put samples side by side into rows of `row_tokens` tokens. Raises ValueError when a row does not hold them."""
    shape = (len(rows), row_tokens)
    ids = torch.full(shape, pad_id)
    labels = torch.full(shape, IGNORED)
    segments = torch.full(shape, PADDING)
    positions = torch.zeros(shape, dtype=torch.int64)
    for row, samples in enumerate(rows):
        start = 0
        for number, sample in enumerate(samples, 1):
            end = start + sample.num_tokens
            if end > row_tokens:
                raise ValueError(f"{end} tokens don't fit into a row of {row_tokens}")
            ids[row, start:end] = sample.input_ids_T
            labels[row, start:end] = torch.where(sample.assistant_mask_T, sample.input_ids_T, IGNORED)
            segments[row, start:end] = number
            positions[row, start:end] = torch.arange(sample.num_tokens)
            start = end
        positions[row, start:] = torch.arange(row_tokens - start)
    return Batch(ids, labels, segments, positions, torch.cat([s.tiles_NCSS for row in rows for s in row]), [])


class Loader:
    """Endless packed batches of a mix of corpora, for one rank of `world_size`.

    `rows` is the number of rows of this rank's batch; a row holds `row_tokens` tokens and `row_tiles` tiles at most.
    With `micro_batches` a step comes as so many batches. The rows of a step are the same however they are divided among
    ranks and micro-batches. `weights` are the corpora's shares of the samples (default: their sizes). `state` is a
    former batch's, of the same corpora, seed, and rows of a step; ValueError says which of them differs.
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        processor: Processor,
        *,
        row_tokens: int,
        rows: int,
        micro_batches: int = 1,
        row_tiles: int = 64,
        weights: Sequence[float] | None = None,
        detail: Detail | None = None,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        workers: int = 0,
        window: int = 2048,
        state: dict[str, Any] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ):
        self.source = _Rows(corpora, processor, detail, row_tokens)
        self.workers = workers
        # this rank's rows of a step, micro-batch by micro-batch
        self.mine = [
            slice((part * world_size + rank) * rows, (part * world_size + rank + 1) * rows)
            for part in range(micro_batches)
        ]
        self.costs = [costs(corpus, processor, detail, progress=progress) for corpus in corpora]
        self.identity: dict[str, Any] = {
            "corpora": [corpus_identity(corpus) for corpus in corpora],
            "processor": fingerprint(processor, detail),
            "weights": [float(w) for w in weights or [len(corpus) for corpus in corpora]],
            "shape": [row_tokens, row_tiles, rows * micro_batches * world_size, window],
            "seed": seed,
        }
        if state is not None:
            different = [name for name, value in self.identity.items() if state["identity"][name] != value]
            if different:
                raise ValueError(
                    f"this loader's {' and '.join(different)} differ from those of the run that is continued; "
                    "give the same, or start a new run"
                )
        self.shape, self.seed = Shape(row_tokens, row_tiles, rows * micro_batches * world_size, window), seed
        self.reached = state and state["plan"]
        self.left_out = self._plan().left_out  # samples of each corpus that are too long for a row

    def _plan(self) -> Plan:
        return Plan(self.costs, self.identity["weights"], self.shape, self.seed, self.reached)

    def __iter__(self) -> Iterator[Batch]:
        """Batches behind the last step that was given whole."""
        parts = DataLoader(
            self.source,
            batch_size=None,
            sampler=self._parts(),  # type: ignore[arg-type]  # any iterable will do
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            worker_init_fn=_one_thread if self.workers else None,
        )
        for batch in parts:
            if batch.ends_step:
                self.reached = batch.state
            batch.state = {"identity": self.identity, "plan": batch.state}
            yield batch

    def _parts(self) -> Iterator[Part]:
        for step, state in self._plan():
            for number, rows in enumerate(self.mine, 1):
                yield step, rows, state, number == len(self.mine)


class _Rows(Dataset):
    """The work: rows read, prepared and packed."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        processor: Processor,
        detail: Detail | None,
        row_tokens: int,
    ):
        self.corpora, self.processor, self.detail = corpora, processor, detail
        self.row_tokens = row_tokens

    def __getitem__(self, part: Part) -> Batch:
        step, mine, state, ends_step = part
        rows = step[mine]
        prepared = [
            [
                self.processor.prepare(
                    self.corpora[corpus][record].conversation, add_generation_prompt=False, detail=self.detail
                )
                for corpus, record in row
            ]
            for row in rows
        ]
        batch = pack(prepared, self.row_tokens, self.processor.end_of_turn_id)
        batch.samples, batch.step_samples = (
            [[*row] for row in rows],
            [sample for row in step for sample in row],
        )
        batch.state, batch.ends_step = state, ends_step
        return batch


def _one_thread(worker: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)


# ---------------------------------------------------------------------------------------------------
# What samples cost


def fingerprint(processor: Processor, detail: Detail | None) -> str:
    """Twelve hexadecimal digits that change with anything that changes a sample's tokens or tiles."""
    parts = (
        repr(processor.tile_settings),
        processor.template.jinja,
        processor.tokenizer.identity,
        repr(detail),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def corpus_identity(corpus: Corpus) -> str:
    """Twelve hexadecimal digits of the shards' hashes."""
    hashes = json.dumps([shard["sha256"] for shard in corpus.manifest["shards"]])
    return hashlib.sha256(hashes.encode()).hexdigest()[:12]


def costs(
    corpus: Corpus,
    processor: Processor,
    detail: Detail | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """(records, 2) int32: tokens and tiles of every record; counted on all cores, then kept beside the shards.

    In a folder that can't be written to, they are counted anew each time.
    """
    path = corpus.folder / f"costs-{corpus_identity(corpus)}-{fingerprint(processor, detail)}.npy"
    if path.exists():
        kept = np.load(path, allow_pickle=False)
        if kept.shape == (len(corpus), 2):
            return kept
    portion = 500
    starts = range(0, len(corpus), portion)
    found = []
    if len(corpus) <= portion:
        found = [_count(corpus.folder, processor, detail, 0, len(corpus))]
    else:
        # fresh processes: the tokenizer's own threads do not survive a fork
        with ProcessPoolExecutor(workers or len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
            futures = [
                pool.submit(
                    _count, corpus.folder, processor, detail, first, min(first + portion, len(corpus))
                )
                for first in starts
            ]
            for future in futures:
                found.append(future.result())
                if progress:
                    progress(sum(map(len, found)), len(corpus))
    counted = np.concatenate(found)
    staged = path.with_name(f".{path.name}.{os.getpid()}.npy")
    try:
        np.save(staged, counted)
        os.replace(staged, path)
    except OSError:
        staged.unlink(missing_ok=True)
    return counted


_counted_in: dict[Path, Corpus] = {}


def _count(folder: Path, processor: Processor, detail: Detail | None, first: int, last: int) -> np.ndarray:
    corpus = _counted_in.setdefault(folder, Corpus(folder))
    found = np.zeros((last - first, 2), dtype=np.int32)
    for number in range(first, last):
        conversation = corpus[number].conversation
        plans = processor.plan_images(conversation, detail=detail)
        ids, _ = processor.template.encode(
            conversation, plans, processor.tokenizer, add_generation_prompt=False
        )
        found[number - first] = len(ids), sum(plan.num_tiles for plan in plans)
    return found
