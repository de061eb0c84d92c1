"""Steps as graphs: what fills a step up changes nobody's scores; on a GPU, replays equal what they replay."""

import pytest
import torch

from clearsight.engine.batch import FlatBatch
from clearsight.engine.gather import Gather, StepInputs
from clearsight.engine.graphs import CONTEXT, filled_up
from clearsight.engine.paged import PagedDecoder
from clearsight.models.vlm import VisionLanguageModel

BLOCK = 4


def read(decoder: PagedDecoder, lengths: list[int], width: int) -> list[list[int]]:
    """Fill blocks with the beginnings of sequences; returns each one's blocks, with room for one more token."""
    tables, free = [], 0
    for length in lengths:
        blocks = list(range(free, free + length // BLOCK + 1))
        free += len(blocks)
        tables.append(blocks)
        batch = FlatBatch.of([(range(length), blocks)], [length - 1], BLOCK)
        decoder.forward(torch.randn(length, width, dtype=torch.float64), batch)
    return tables


def next_tokens(lengths: list[int], tables: list[list[int]]) -> FlatBatch:
    pieces = [(range(n, n + 1), blocks) for n, blocks in zip(lengths, tables, strict=True)]
    return FlatBatch.of(pieces, range(len(lengths)), BLOCK)


@pytest.mark.parametrize("lengths", [[5], [3, 9, 14], [1, 1, 1, 1, 40]])
def test_a_step_that_is_filled_up_gives_the_same_scores(
    model: VisionLanguageModel, lengths: list[int]
) -> None:
    torch.manual_seed(0)
    width = model.config.text.hidden_size
    decoder = PagedDecoder(model, 40, BLOCK)
    batch = next_tokens(lengths, read(decoder, lengths, width))
    inputs = StepInputs(
        torch.randn(len(lengths), width, dtype=torch.float64),
        batch.positions_N,
        batch.slots_N.long(),
        batch.rows_M.long(),
        Gather.of(batch, BLOCK, torch.device("cpu")),
    )
    padded = filled_up(inputs, 40 * BLOCK)
    assert padded.gather.single_slots_SL is not None
    assert padded.gather.single_slots_SL.shape[1] % CONTEXT == 0
    with torch.inference_mode():
        scores, own = decoder._compute(padded), decoder._compute(inputs)
    assert scores.isfinite().all()
    torch.testing.assert_close(scores[: len(lengths)], own)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_replayed_steps_equal_computed_ones(model: VisionLanguageModel) -> None:
    torch.manual_seed(0)
    on_gpu = model.to("cuda")
    try:
        decoder = PagedDecoder(on_gpu, 40, BLOCK)
        width = model.config.text.hidden_size
        batch = next_tokens([3, 9, 14], read(decoder, [3, 9, 14], width))
        for _ in range(3):  # captured, then replayed
            embeds = torch.randn(3, width, dtype=torch.float64)
            replayed = decoder.forward(embeds, batch)
            graphs, decoder._graphs = decoder._graphs, None
            torch.testing.assert_close(replayed, decoder.forward(embeds, batch))
            decoder._graphs = graphs
    finally:
        model.to("cpu")
