"""The task of most runs: packed conversations about pictures, loss on the replies."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clearsight.data.loader import IGNORED, Batch, Loader
from clearsight.data.packing import NothingFits
from clearsight.data.shards import Corpus
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.tiles import normalise
from clearsight.training import learner
from clearsight.training.config import Config, ConfigError
from clearsight.training.corpora import open_corpus
from clearsight.training.flops import batch_flops
from clearsight.training.parallel import World
from clearsight.training.task import Counts, Show, Task


class Conversations(Task[Batch]):
    """Tower, connector and decoder learn from corpora of conversations, as `config.model` and `config.data` say."""

    model: VisionLanguageModel

    def __init__(self, config: Config, out: Path, world: World, show: Show):
        if not config.data.corpora:
            raise ConfigError(
                "data.corpora is empty; give --set data.corpora=mine.jsonl, or several with commas"
            )
        self.config, self.out, self.world, self.show = config, out, world, show
        self.model, self.processor = learner.load(config.model)
        learner.prepare(self.model, config.model)
        self.watched = {
            "vision": self.model.vision_model,
            "connector": self.model.connector,
            "text": self.model.text_model,
        }
        self.corpora = config.data.corpora
        self._opened = [self._corpus(what) for what in self.corpora]

    def batches(self, state: dict[str, Any] | None) -> Iterator[Batch]:
        data = self.config.data
        loader = self._loader(
            self._opened,
            self.corpora,
            micro_batches=self.config.micro_batches(self.world.data_ranks),
            weights=data.weights or None,
            seed=data.seed,
            workers=data.workers,
            state=state,
        )
        return iter(loader)

    def held_out(self) -> Iterator[Batch] | None:
        if not self.config.validation.corpora:
            return None
        names = self.config.validation.corpora
        return iter(self._loader([self._corpus(what) for what in names], names))

    def loss(self, batch: Batch) -> Tensor:
        device = self.world.device
        return self.model(
            batch.input_ids_BT.to(device, non_blocking=True),
            normalise(batch.tiles_NCSS.to(device, non_blocking=True), self.processor.tile_settings),
            position_ids=batch.position_ids_BT.to(device, non_blocking=True),
            segment_ids=batch.segment_ids_BT.to(device, non_blocking=True),
            labels=batch.labels_BT.to(device, non_blocking=True),
            reduction="sum",
        )

    def count(self, batch: Batch) -> Counts:
        segments = batch.segment_ids_BT
        same = segments[:, 1:] == segments[:, :-1]
        labelled = int(((batch.labels_BT[:, 1:] != IGNORED) & same).sum())
        lengths = [int(n) for row in segments for n in torch.bincount(row)[1:]]
        tiles, learns = len(batch.tiles_NCSS), self.config.model
        flops = batch_flops(
            self.model.config, lengths, tiles, labelled, frozenset(learns.trained), learns.rank
        )
        return Counts(labelled, batch.num_tokens, len(lengths), tiles, flops.total)

    def write(self, checkpoint: Path, folder: Path) -> None:
        learner.export(self.config, checkpoint, folder)

    def facts(self) -> dict[str, Any]:
        """`records`: how many of each corpus fit into a row (tells of those that don't); `ahead`: how many may be drawn
        before their turn."""
        left_out = self._loader(self._opened, self.corpora).left_out
        for what, count in zip(self.corpora, left_out, strict=True):
            if count:
                self.show(
                    "note", {"text": f"{count} samples of {what} are longer than a row and are left out"}
                )
        records = [len(corpus) - count for corpus, count in zip(self._opened, left_out, strict=True)]
        return {"records": records, "ahead": 2 * self.config.data.window}

    def _corpus(self, what: str) -> Corpus:
        """Rank 0 makes what has to be made; the others wait for it."""
        folder = self.out / "corpora"

        def progress(what: str, done: int, total: int | None) -> None:
            self.show("progress", {"text": f"reading {what}", "done": done, "total": total})

        corpus = open_corpus(what, folder, progress) if self.world.leads else None
        self.world.barrier()
        return corpus or open_corpus(what, folder)

    def _loader(self, corpora: list[Corpus], names: Sequence[str], **options: Any) -> Loader:
        data = self.config.data
        try:
            return Loader(
                corpora,
                self.processor,
                row_tokens=data.row_tokens,
                row_tiles=data.row_tiles,
                rows=data.rows,
                detail=None if data.detail == "own" else data.detail,
                rank=self.world.data_rank,
                world_size=self.world.data_ranks,
                window=data.window,
                progress=lambda done, total: self.show(
                    "progress", {"text": "counting tokens", "done": done, "total": total}
                ),
                **options,
            )
        except NothingFits as error:
            raise ConfigError(
                f"no sample of {names[error.corpus]} fits into a row of {data.row_tokens} tokens and {data.row_tiles} "
                f"tiles: the shortest takes {error.tokens} tokens and {error.tiles} tiles. Set data.row_tokens or "
                "data.row_tiles higher"
            ) from error
