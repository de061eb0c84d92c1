import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from clearsight.conversation import Detail
from clearsight.processing.tiles import TileSettings, assemble, contact_sheet, cut, normalise, plan

SETTINGS = TileSettings(tile_size=16, longest_edge=64, tokens_per_tile=3)
sides = st.integers(1, 300)
details = st.sampled_from(["auto", "low", "high"])


def noise(width: int, height: int) -> PILImage.Image:
    values = np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return PILImage.fromarray(values)


@pytest.mark.parametrize(
    ("size", "tiles"), [((512, 512), 17), ((640, 480), 13), ((1920, 1080), 13), ((300, 3000), 5)]
)
def test_the_published_examples_have_their_published_tile_counts(size: tuple[int, int], tiles: int) -> None:
    planned = plan(*size, TileSettings(), "high")
    assert planned.num_tiles == tiles
    assert planned.num_image_tokens == 64 * tiles


@pytest.mark.parametrize(
    ("size", "detail", "grid"),
    [
        ((512, 512), "auto", (0, 0)),
        ((200, 40), "auto", (0, 0)),
        ((513, 40), "auto", (1, 2)),
        ((1024, 700), "auto", (2, 2)),
        ((4000, 3000), "auto", (3, 4)),
        ((4000, 3000), "low", (0, 0)),
        ((20, 20), "high", (4, 4)),
        ((1, 100_000), "high", (4, 1)),
        ((100_000, 1), "auto", (1, 4)),
    ],
)
def test_detail_decides_the_grid(size: tuple[int, int], detail: Detail, grid: tuple[int, int]) -> None:
    planned = plan(*size, TileSettings(), detail)
    assert (planned.rows, planned.cols) == grid


@pytest.mark.parametrize("detail", ["auto", "low", "high"])
def test_a_checkpoint_that_does_not_split_is_never_given_several_tiles(detail: Detail) -> None:
    assert plan(4000, 3000, TileSettings(do_image_splitting=False), detail).num_tiles == 1


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(width=sides, height=sides, detail=details)
def test_what_is_planned_is_what_is_cut_and_assembling_undoes_it(
    width: int, height: int, detail: Detail
) -> None:
    planned = plan(width, height, SETTINGS, detail)
    picture = noise(width, height)
    tiles = cut(picture, planned)
    assert tiles.shape == (planned.num_tiles, 3, 16, 16) and tiles.dtype == torch.uint8
    resample = PILImage.Resampling.LANCZOS
    seen = picture.resize(planned.resized, resample).resize(planned.grid, resample)
    assert assemble(tiles, planned).tobytes() == seen.tobytes()
    globe = seen.resize((16, 16), resample)
    assert np.array_equal(tiles[-1].permute(1, 2, 0).numpy(), np.asarray(globe))


@hypothesis.given(width=st.integers(1, 10**6), height=st.integers(1, 10**6), detail=details)
def test_no_picture_costs_more_than_the_longest_edge_allows(width: int, height: int, detail: Detail) -> None:
    planned = plan(width, height, TileSettings(), detail)
    assert planned.num_tiles <= 17
    assert max(planned.grid) <= 2048


@hypothesis.given(width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_auto_never_spends_more_tiles_than_the_picture_has_pixels_for(width: int, height: int) -> None:
    planned = plan(width, height, TileSettings(), "auto")
    assert max(planned.grid) <= -(-max(width, height) // 512) * 512
    assert planned.num_tiles <= plan(width, height, TileSettings(), "high").num_tiles


def test_a_picture_other_than_the_planned_one_is_refused() -> None:
    with pytest.raises(ValueError, match="the plan is for 20 x 30 RGB pixels, the picture is 30 x 20 RGB"):
        cut(noise(30, 20), plan(20, 30, SETTINGS))
    tiles = cut(noise(30, 20), plan(30, 20, SETTINGS))
    with pytest.raises(ValueError, match="pass the tiles that were cut with this plan"):
        assemble(tiles, plan(30, 20, SETTINGS, "low"))
    with pytest.raises(ValueError, match="pass the tiles that were cut with this plan"):
        assemble(normalise(tiles, SETTINGS), plan(30, 20, SETTINGS))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="tile_size is 0"):
        TileSettings(tile_size=0)
    with pytest.raises(ValueError, match="three numbers"):
        TileSettings(image_std=(0.5, 0.5, 0.0))
    with pytest.raises(ValueError, match="at least one pixel"):
        plan(0, 5, SETTINGS)
    with pytest.raises(ValueError, match="auto, low, high"):
        plan(5, 5, SETTINGS, "medium")  # type: ignore[arg-type]


def test_the_contact_sheet_shows_every_tile_and_the_global_view() -> None:
    planned = plan(64, 32, SETTINGS)
    colours = torch.arange(planned.num_tiles, dtype=torch.uint8) * 20 + 10
    tiles = colours.view(-1, 1, 1, 1).expand(-1, 3, 16, 16).contiguous()
    shown = {colour for _, colour in contact_sheet(tiles, planned, tile_pixels=16).getcolors(10_000)}
    assert {(int(c), int(c), int(c)) for c in colours} <= shown
    single = plan(16, 16, SETTINGS, "low")
    assert contact_sheet(cut(noise(16, 16), single), single).height < 250


def test_tiles_are_normalised_to_minus_one_to_one_and_left_as_they_were() -> None:
    tiles = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 3, 2, 2).contiguous()
    pixels = normalise(tiles, SETTINGS)
    assert pixels.dtype == torch.float32 and pixels.unique().tolist() == [-1.0, 1.0]
    assert tiles.unique().tolist() == [0, 255]
