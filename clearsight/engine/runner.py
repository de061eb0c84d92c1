"""Carries out a step: tiles to features, tokens to scores.

Shape suffixes: N new tokens, D channels, I image tokens a tile, M rows whose scores are wanted, V vocabulary.
"""

from collections.abc import Sequence as Items
from typing import Protocol

import torch
from torch import Tensor

from clearsight.engine.batch import FlatBatch
from clearsight.engine.pictures import FeatureCache, Picture
from clearsight.engine.scheduler import Work
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import normalise


class Decoder(Protocol):
    """Computes new tokens over paged keys and values."""

    block_size: int

    def forward(self, embeds_ND: Tensor, batch: FlatBatch) -> Tensor:
        """Scores (M, V) fp32 of the rows wanted."""


class Encoder(Protocol):
    """Computes features of tiles."""

    def __call__(self, tiles_NCSS: Tensor) -> Tensor:
        """Normalised tiles (N, C, S, S) fp32 -> features (N, I, D)."""


class Runner:
    """The network's three parts as the engine uses them: table of embeddings, tower, decoder."""

    def __init__(
        self,
        processor: Processor,
        embeddings_VD: Tensor,
        encoder: Encoder,
        decoder: Decoder,
        features: FeatureCache,
    ):
        self.processor = processor
        self.embeddings_VD = embeddings_VD
        self.encoder = encoder
        self.decoder = decoder
        self.features = features

    @torch.inference_mode()
    def encode(self, picture: Picture, count: int) -> None:
        """Encode the next `count` tiles of a picture. Raises ImageError for a picture that can't be used."""
        tiles = picture.cut_tiles(self.processor)
        first = picture.plan.num_tiles - picture.tiles_left
        piece = tiles[first : first + count].to(self.embeddings_VD.device)
        picture.parts.append(self.encoder(normalise(piece, self.processor.tile_settings)))
        if not picture.tiles_left:
            picture.features_NID = torch.cat(picture.parts)
            picture.parts.clear()
            picture.tiles_NCSS = None
            self.features.put(picture.span.name, picture.features_NID)

    def has_features(self, picture: Picture) -> bool:
        """Whether a picture's features are there, from the cache if need be."""
        if picture.features_NID is None:
            shape = (picture.plan.num_tiles, picture.plan.tokens_per_tile, self.embeddings_VD.shape[1])
            picture.features_NID = self.features.get(picture.span.name, shape)
            if picture.features_NID is not None:
                picture.parts.clear()
                picture.tiles_NCSS = None
        return picture.features_NID is not None

    @torch.inference_mode()
    def forward(self, work: Items[Work]) -> Tensor:
        """Scores (M, V): a row for each sequence that chooses, and one for each of its proposals, in order."""
        return self.decoder.forward(self._embed(work), _batch(work, self.decoder.block_size))

    def _embed(self, work: Items[Work]) -> Tensor:
        ids = [id_ for one in work for id_ in _new_tokens(one)]
        embeds_ND = self.embeddings_VD[torch.tensor(ids, device=self.embeddings_VD.device)]
        row = 0
        for one in work:
            first, last = one.sequence.computed, one.sequence.computed + one.count
            for picture in one.sequence.pictures:
                _place(embeds_ND, row, first, last, picture)
            row += one.count + len(one.proposed)
        return embeds_ND


def _new_tokens(work: Work) -> list[int]:
    first = work.sequence.computed
    return work.sequence.tokens[first : first + work.count] + work.proposed


def _place(embeds_ND: Tensor, row: int, first: int, last: int, picture: Picture) -> None:
    """Put a picture's features where its tokens are among tokens `first` to `last`, which begin at `row`."""
    span = picture.span
    if span.start >= last or span.start + span.length <= first:
        return
    assert picture.features_NID is not None, "a picture's tokens are computed before its features are there"
    rows_D = picture.features_NID.flatten(0, 1)
    used = 0
    for start, length in picture.runs:
        begin, end = max(start, first), min(start + length, last)
        if begin < end:
            piece = rows_D[used + begin - start : used + end - start]
            embeds_ND[row + begin - first : row + end - first] = piece.to(embeds_ND.dtype)
        used += length


def _batch(work: Items[Work], block_size: int) -> FlatBatch:
    pieces, rows, last = [], list[int](), 0
    for one in work:
        first = one.sequence.computed
        places = range(first, first + one.count + len(one.proposed))
        pieces.append((places, one.sequence.blocks))
        last += len(places)
        if one.chooses:
            rows += range(last - 1 - len(one.proposed), last)
    return FlatBatch.of(pieces, rows, block_size)
