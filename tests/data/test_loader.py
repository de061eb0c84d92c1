"""Training must see the same samples in the same order whatever the workers do, and no sample may see another."""

import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import TINY_BYTES, byte_processor

from clearsight.data import examples
from clearsight.data.loader import IGNORED, PADDING, Loader, costs, pack
from clearsight.data.packing import FirstFit, Plan, Shape
from clearsight.data.shards import Corpus, write_manifest, write_shard
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor


@pytest.fixture(scope="module")
def processor() -> Processor:
    return byte_processor()


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    torch.manual_seed(0)
    config = replace(TINY_BYTES, text=replace(TINY_BYTES.text, max_position_embeddings=4096))
    return VisionLanguageModel(config).eval()


@torch.inference_mode()
def scores(model: VisionLanguageModel, batch) -> torch.Tensor:
    tiles = batch.tiles_NCSS.float() / 127.5 - 1
    return model(
        batch.input_ids_BT, tiles, position_ids=batch.position_ids_BT, segment_ids=batch.segment_ids_BT
    )


@pytest.fixture(scope="module")
def corpora(tmp_path_factory) -> list[Corpus]:
    made = []
    for name, first, count in (("a", 0, 23), ("b", 100, 9)):
        folder = tmp_path_factory.mktemp(name)
        records = list(examples.shown("shapes", "train", first, count))
        write_manifest(folder, [write_shard(folder / "s-00000.tar", records)], {})
        made.append(Corpus(folder))
    return made


def loader(corpora, processor, **options) -> Loader:
    options = {
        "row_tokens": 1200,
        "row_tiles": 6,
        "rows": 2,
        "window": 24,
        "weights": [2, 1],
        "seed": 5,
    } | options
    return Loader(corpora, processor, **options)


def first(loader: Loader, count: int) -> list:
    found = []
    for batch in loader:
        found.append(batch)
        if len(found) == count:
            return found
    raise AssertionError


def same(a, b) -> bool:
    tensors = ("input_ids_BT", "labels_BT", "segment_ids_BT", "position_ids_BT", "tiles_NCSS")
    return (
        a.samples == b.samples
        and a.state == b.state
        and all(torch.equal(getattr(a, t), getattr(b, t)) for t in tensors)
    )


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_changes_neither_order_nor_content(corpora, processor, workers) -> None:
    for a, b in zip(
        first(loader(corpora, processor), 24),
        first(loader(corpora, processor, workers=workers), 24),
        strict=True,
    ):
        assert same(a, b)


def ledger(loader: Loader, count: int) -> Iterator[str]:
    """A line a batch: the hash of everything in it, and the state behind it."""
    for number, batch in enumerate(loader, 1):
        digest = hashlib.sha256(repr(batch.samples).encode())
        for tensor in (batch.input_ids_BT, batch.labels_BT, batch.segment_ids_BT, batch.tiles_NCSS):
            digest.update(tensor.numpy().tobytes())
        yield json.dumps([digest.hexdigest(), batch.state]) + "\n"
        if number == count:
            return


def test_a_run_killed_at_twenty_points_goes_on_as_if_it_had_not(corpora, processor, tmp_path) -> None:
    """SIGKILL at random moments, each time going on from the last whole line of what the killed process wrote."""
    count, rng = 60, random.Random(1)
    whole = list(ledger(loader(corpora, processor), count))
    path = tmp_path / "ledger"
    path.touch()
    kills = 0
    while len(lines := path.read_text().splitlines(keepends=True)) < count:
        if lines and not lines[-1].endswith("\n"):
            lines.pop()
            path.write_text("".join(lines))
        process = os.fork()
        if process == 0:
            try:
                state = json.loads(lines[-1])[1] if lines else None
                workers = kills % 7 == 3
                with path.open("a", buffering=1) as file:
                    for line in ledger(
                        loader(corpora, processor, state=state, workers=workers), count - len(lines)
                    ):
                        file.write(line)
            finally:
                os._exit(0)
        wanted = len(lines) + rng.randint(1, 3)
        while kills < 20 and path.read_text().count("\n") < wanted:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.02)
        if kills < 20:
            os.kill(process, signal.SIGKILL)
            kills += 1
        os.waitpid(process, 0)
    assert kills == 20
    assert path.read_text().splitlines(keepends=True) == whole


def test_iterating_again_goes_on_behind_the_last_batch_that_was_given(corpora, processor) -> None:
    whole = first(loader(corpora, processor), 8)
    again = loader(corpora, processor, workers=1)  # the worker has worked ahead
    assert all(same(a, b) for a, b in zip(first(again, 3) + first(again, 5), whole, strict=True))


def test_a_state_of_another_run_is_refused_by_name(corpora, processor) -> None:
    state = first(loader(corpora, processor), 1)[0].state
    with pytest.raises(ValueError, match="seed"):
        loader(corpora, processor, state=state, seed=6)
    with pytest.raises(ValueError, match="corpora"):
        loader(corpora[::-1], processor, state=state)


def test_ranks_share_a_step_without_sharing_a_sample(corpora, processor) -> None:
    ranks = [first(loader(corpora, processor, rank=r, world_size=2, rows=1), 12) for r in range(2)]
    whole = first(loader(corpora, processor), 12)
    for a, b, both in zip(*ranks, whole, strict=True):
        assert a.samples + b.samples == both.samples
        assert abs(len(a.tiles_NCSS) - len(b.tiles_NCSS)) <= 3


def test_every_sample_is_seen_once_an_epoch_and_shares_are_kept(corpora, processor) -> None:
    one = loader(corpora[:1], processor, weights=[1], window=23)
    seen = [s for batch in first(one, 30) for row in batch.samples for s in row]
    assert len(set(seen[: len(corpora[0])])) >= len(corpora[0]) - 6  # some wait for the next window
    counts = np.bincount([record for _, record in seen], minlength=23)
    assert counts.max() - counts.min() <= 2
    mixed = [s for batch in first(loader(corpora, processor), 30) for row in batch.samples for s in row]
    assert np.mean([corpus == 0 for corpus, _ in mixed]) == pytest.approx(2 / 3, abs=0.06)


def test_labels_are_the_replies_and_costs_are_what_preparing_gives(corpora, processor) -> None:
    counted = costs(corpora[1], processor)
    for number in range(len(corpora[1])):
        sample = processor.prepare(corpora[1][number].conversation, add_generation_prompt=False)
        assert (len(sample.input_ids_T), len(sample.tiles_NCSS)) == tuple(counted[number])
    batch = first(loader(corpora, processor), 1)[0]
    learned = batch.labels_BT != IGNORED
    assert learned.any() and not learned[batch.segment_ids_BT == PADDING].any()
    assert torch.equal(batch.labels_BT[learned], batch.input_ids_BT[learned])
    image = batch.input_ids_BT == processor.image_token_id
    assert int(image.sum()) == len(batch.tiles_NCSS) * processor.tile_settings.tokens_per_tile
    assert (batch.position_ids_BT[:, 0] == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(0, 9)), min_size=1, max_size=80), st.integers(0, 9)
)
def test_rows_hold_what_they_may_and_nothing_is_lost_or_doubled(sizes, seed) -> None:
    table = np.array(sizes)
    plan = Plan([table], [1.0], Shape(100, 9, 1, window=len(sizes)), seed)
    seen: list[tuple[int, int]] = []
    for step, _ in plan:
        for row in step:
            assert row and sum(table[r, 0] for _, r in row) <= 100 and sum(table[r, 1] for _, r in row) <= 9
            seen += row
        if len(seen) >= 3 * len(sizes):
            break
    counts = np.bincount([record for _, record in seen], minlength=len(sizes))
    assert counts.min() >= 1 and counts.max() <= 5


def test_samples_too_long_for_a_row_are_left_out_and_counted() -> None:
    plan = Plan([np.array([[50, 1], [500, 1], [50, 99]])], [1.0], Shape(100, 9, 1, window=8), 0)
    assert plan.left_out == [2]
    with pytest.raises(ValueError, match="no sample"):
        Plan([np.array([[500, 1]])], [1.0], Shape(100, 9, 1), 0)


def test_first_fit_takes_the_first_row_with_room() -> None:
    rows = FirstFit(10, 2)
    assert [rows.place(*need) for need in ((6, 1), (6, 1), (4, 1), (3, 0), (1, 2), (1, 0))] == [
        0,
        1,
        0,
        1,
        2,
        1,
    ]


def test_no_token_of_a_packed_row_depends_on_another_sample(corpora, processor, model) -> None:
    """Change everything of one sample, words and pixels: the scores of the others must not move by a bit."""
    prepared = [processor.prepare(corpora[0][i].conversation, add_generation_prompt=False) for i in range(3)]
    batch = pack([prepared], sum(s.num_tokens for s in prepared) + 5, processor.end_of_turn_id)
    before = scores(model, batch)
    for victim in range(3):
        changed = pack([prepared], batch.input_ids_BT.shape[1], processor.end_of_turn_id)
        mine = changed.segment_ids_BT == victim + 1
        words = mine & (changed.input_ids_BT < 256)
        changed.input_ids_BT[words] = (changed.input_ids_BT[words] * 7 + 3) % 256
        first_tile = sum(len(s.tiles_NCSS) for s in prepared[:victim])
        tiles = slice(first_tile, first_tile + len(prepared[victim].tiles_NCSS))
        changed.tiles_NCSS[tiles] = 255 - changed.tiles_NCSS[tiles]
        after = scores(model, changed)
        others = ~mine & (batch.segment_ids_BT != PADDING)
        assert torch.equal(before[others], after[others])
        assert not torch.allclose(before[mine], after[mine])


def test_a_packed_sample_scores_as_it_does_alone(corpora, processor, model) -> None:
    prepared = [processor.prepare(corpora[0][i].conversation, add_generation_prompt=False) for i in range(3)]
    together = scores(
        model, pack([prepared], sum(s.num_tokens for s in prepared) + 9, processor.end_of_turn_id)
    )[0]
    start = 0
    for sample in prepared:
        alone = scores(model, pack([[sample]], sample.num_tokens, processor.end_of_turn_id))[0]
        torch.testing.assert_close(together[start : start + sample.num_tokens], alone, atol=1e-4, rtol=1e-4)
        start += sample.num_tokens


def test_rows_of_a_step_do_not_depend_on_how_they_are_divided(corpora, processor):
    def rows(**options) -> list[list[list[tuple[int, int]]]]:
        """Samples of three steps, row by row."""
        ranks = [
            first(loader(corpora, processor, rank=rank, **options), 3 * options["micro_batches"])
            for rank in range(options["world_size"])
        ]
        steps = []
        for step in range(3):
            parts = range(step * options["micro_batches"], (step + 1) * options["micro_batches"])
            assert [batch.ends_step for batch in ranks[0]][parts[0] : parts[-1] + 1] == [
                part == parts[-1] for part in parts
            ]
            steps.append([row for part in parts for batches in ranks for row in batches[part].samples])
        return steps

    whole = rows(rows=4, micro_batches=1, world_size=1)
    assert rows(rows=1, micro_batches=4, world_size=1) == whole
    assert rows(rows=2, micro_batches=1, world_size=2) == whole
    assert rows(rows=1, micro_batches=2, world_size=2) == whole


def test_a_loader_goes_on_behind_the_last_whole_step(corpora, processor):
    whole = first(loader(corpora, processor, rows=1, micro_batches=2), 8)
    stopped = loader(corpora, processor, rows=1, micro_batches=2)
    batch = first(stopped, 3)[-1]  # in the middle of the second step
    again = first(stopped, 2)
    assert [batch.samples for batch in again] == [batch.samples for batch in whole[2:4]]
    resumed = loader(corpora, processor, rows=1, micro_batches=2, state=batch.state)
    assert [batch.samples for batch in first(resumed, 2)] == [batch.samples for batch in whole[4:6]]
