"""The network on its own: sizes, cache, packing, and what it refuses."""

from dataclasses import replace

import pytest
import torch
from tiny_model import TINY

from clearsight.models.connector import pixel_shuffle
from clearsight.models.presets import PRESETS
from clearsight.models.text import RMSNorm, positions_within_segments
from clearsight.models.vlm import VisionLanguageModel

CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    torch.manual_seed(0)
    return VisionLanguageModel(TINY).eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mini", 159_746_496),
        ("smolvlm-256m", 256_484_928),
        ("smolvlm-500m", 507_482_304),
        ("smolvlm-2.2b", 2_246_272_880),
        ("smolvlm2-256m", 256_484_928),
        ("smolvlm2-500m", 507_482_304),
        ("smolvlm2-2.2b", 2_246_272_880),
    ],
)
def test_a_preset_has_the_published_number_of_parameters(name: str, expected: int) -> None:
    with torch.device("meta"):
        model = VisionLanguageModel(PRESETS[name])
    assert sum(parameter.numel() for parameter in model.parameters()) == expected
    assert PRESETS[name].tokens_per_tile == (16 if name == "mini" else 81 if "2.2b" in name else 64)


def test_pixel_shuffle_keeps_neighbouring_patches_together() -> None:
    patches = torch.arange(16).view(1, 16, 1)  # a 4 x 4 grid numbered row by row
    assert pixel_shuffle(patches, 2)[0].tolist() == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [8, 9, 12, 13],
        [10, 11, 14, 15],
    ]
    with pytest.raises(ValueError, match="15 patches"):
        pixel_shuffle(patches[:, :15], 2)


@pytest.mark.parametrize("chunks", [[1] * 9, [5, 4], [3, 1, 5], [1, 8]])
def test_a_cached_continuation_equals_reading_the_whole_at_once(
    model: VisionLanguageModel, chunks: list[int]
) -> None:
    ids = torch.randint(0, 99, (2, sum(chunks)))
    cache = model.new_cache(batch_size=2, capacity=2)  # small, so that it has to grow
    parts = [model(part, cache=cache) for part in ids.split(chunks, dim=1)]
    assert cache.length == ids.shape[1] <= cache.capacity
    torch.testing.assert_close(torch.cat(parts, dim=1), model(ids), **CLOSE)


def test_a_truncated_cache_forgets_the_rest(model: VisionLanguageModel) -> None:
    ids = torch.randint(0, 99, (1, 8))
    cache = model.new_cache()
    model(ids, cache=cache)
    cache.truncate(5)
    torch.testing.assert_close(model(ids[:, 5:], cache=cache), model(ids)[:, 5:], **CLOSE)


def test_packed_examples_answer_as_if_alone(model: VisionLanguageModel) -> None:
    lengths = [4, 1, 6]
    alone = [torch.randint(0, 99, (1, length)) for length in lengths]
    segments = torch.repeat_interleave(torch.tensor([7, 3, 9]), torch.tensor(lengths))[None]
    packed = model(torch.cat(alone, dim=1), segment_ids=segments)
    torch.testing.assert_close(packed, torch.cat([model(ids) for ids in alone], dim=1), **CLOSE)


def test_packed_losses_leave_out_the_first_token_of_each_example(model: VisionLanguageModel) -> None:
    alone = [torch.randint(0, 99, (1, length)) for length in (4, 6)]
    labels = [ids.clone() for ids in alone]
    labels[1][0, 2] = -100
    segments = torch.tensor([[0] * 4 + [1] * 6])
    packed = model(torch.cat(alone, 1), labels=torch.cat(labels, 1), segment_ids=segments)
    expected = torch.cat([model(ids, labels=label) for ids, label in zip(alone, labels, strict=True)])
    assert packed.dtype == torch.float32 and len(packed) == 3 + 4
    torch.testing.assert_close(packed, expected, **CLOSE)
    scores = model(alone[0])[0, :-1].log_softmax(-1)
    torch.testing.assert_close(packed[:3], -scores[range(3), alone[0][0, 1:]], **CLOSE)


def test_a_segment_never_reads_its_neighbour(model: VisionLanguageModel) -> None:
    ids = torch.randint(0, 99, (1, 10))
    other = ids.clone()
    other[0, :4] = (other[0, :4] + 1) % 99
    segments = torch.tensor([[0] * 4 + [1] * 6])
    assert torch.equal(model(ids, segment_ids=segments)[:, 4:], model(other, segment_ids=segments)[:, 4:])
    assert not torch.equal(model(ids)[:, 4:], model(other)[:, 4:])


def test_positions_restart_with_each_segment() -> None:
    segments = torch.tensor([[4, 4, 4, 1, 2, 2], [0, 0, 5, 5, 5, 5]])
    assert positions_within_segments(segments).tolist() == [[0, 1, 2, 0, 0, 1], [0, 1, 0, 1, 2, 3]]


def test_segments_cannot_continue_a_cache(model: VisionLanguageModel) -> None:
    with pytest.raises(ValueError, match="packed segments"):
        model(torch.ones(1, 3, dtype=torch.long), segment_ids=torch.zeros(1, 3), cache=model.new_cache())


def test_pictures_that_do_not_fit_their_placeholders_are_refused_with_both_numbers(
    model: VisionLanguageModel,
) -> None:
    ids = torch.tensor([[1, 100, 100, 100, 2]])
    with pytest.raises(ValueError, match=r"3 image placeholders .* 4 feature rows"):
        model(ids, torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match=r"3 image placeholders .* 0 feature rows"):
        model(ids)
    with pytest.raises(ValueError, match=r"0 image placeholders .* 4 feature rows"):
        model(torch.tensor([[1, 2]]), torch.zeros(1, 3, 32, 32))


def test_features_encoded_before_give_the_same_answer_as_tiles(model: VisionLanguageModel) -> None:
    ids = torch.tensor([[1] + [100] * 4 + [2] + [100] * 4 + [3]])
    tiles = torch.rand(2, 3, 32, 32)
    features = model.encode_images(tiles)
    assert features.shape == (2, 4, 24)
    assert torch.equal(model(ids, image_features=features), model(ids, tiles))
    assert not torch.equal(model(ids, image_features=features.flip(0)), model(ids, tiles))
    torch.testing.assert_close(model(ids, tiles, logits_to_keep=1), model(ids, tiles)[:, -1:], **CLOSE)


def test_gradients_reach_every_part(model: VisionLanguageModel) -> None:
    trained = VisionLanguageModel(TINY)
    ids = torch.tensor([[1] + [100] * 4 + [2, 3, 4]])
    labels = torch.tensor([[-100] * 6 + [3, 4]])
    trained(ids, torch.rand(1, 3, 32, 32), labels=labels).mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trained.parameters())


def test_bf16_follows_fp32(model: VisionLanguageModel) -> None:
    half = VisionLanguageModel(TINY)
    half.load_state_dict(model.state_dict())
    half = half.to(torch.bfloat16)
    ids = torch.randint(0, 99, (1, 12))
    scores = half(ids)
    assert scores.dtype == torch.bfloat16
    torch.testing.assert_close(scores.float(), model(ids), atol=0.05, rtol=0.05)


def test_rms_norm_is_computed_in_fp32() -> None:
    norm = RMSNorm(8, 1e-5).to(torch.float16)
    large = torch.full((1, 8), 1000.0, dtype=torch.float16)  # its square overflows fp16
    assert torch.equal(norm(large), torch.ones(1, 8, dtype=torch.float16))


def test_a_tied_head_shares_the_embedding() -> None:
    tied = VisionLanguageModel(replace(TINY, tie_word_embeddings=True))
    assert tied.lm_head.weight is tied.text_model.embed_tokens.weight
    assert "lm_head.weight" not in dict(tied.named_parameters())


def test_shapes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="holds no patch"):
        replace(TINY, vision=replace(TINY.vision, image_size=3))
    with pytest.raises(ValueError, match="8 patches a side"):
        replace(TINY, scale_factor=3)
    with pytest.raises(ValueError, match="4 query heads"):
        replace(TINY, text=replace(TINY.text, num_key_value_heads=3))
