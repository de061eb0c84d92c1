"""How a picture is cut into square tiles: planned from width and height alone, then cut, then undone.

A plan is arithmetic and costs nothing, so token costs are known before a single pixel is decoded. Cutting
follows the reference processor of the family (Idefics3 / SmolVLM in transformers, PIL backend) step by step,
because LANCZOS applied twice is not LANCZOS applied once:

1. resize the longest edge to a given length, upwards too;
2. resize to multiples of the tile, the ratio only nearly kept;
3. cut row by row; the whole picture, squashed to one tile, comes last. What fits in one tile stays one tile.

Shape suffixes: N tiles, C = 3 channels, S tile side in pixels, R rows, K columns.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image as PILImage
from PIL import ImageDraw

from clearsight.conversation import DETAILS, Detail

LONGEST_EDGE_LIMIT = 4096
"""No picture is resized beyond this, whatever the settings; the reference's MAX_IMAGE_SIZE. In pixels."""


@dataclass(frozen=True)
class TileSettings:
    """What a checkpoint was trained with. Lengths in pixels."""

    tile_size: int = 512
    longest_edge: int = 2048  # what `high` resizes to, upwards too
    tokens_per_tile: int = 64  # image_seq_len: 64 for 256M and 500M, 81 for 2.2B
    do_image_splitting: bool = True  # False: every picture is one tile, whatever the detail
    image_mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    image_std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    resample: int = PILImage.Resampling.LANCZOS.value

    def __post_init__(self) -> None:
        for name in ("tile_size", "longest_edge", "tokens_per_tile"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if len(self.image_mean) != 3 or len(self.image_std) != 3 or min(self.image_std) <= 0:
            raise ValueError("image_mean and image_std hold three numbers each, image_std above zero")
        PILImage.Resampling(self.resample)


@dataclass(frozen=True)
class TilePlan:
    """How one picture will be cut. Rows and columns are 0 when it is one tile, as in the reference.

    The ids a prompt spends on it also depend on the tokenizer: `Template.picture_cost`.
    """

    width: int  # of the picture, in pixels
    height: int
    resized: tuple[int, int]  # width and height after step 1
    grid: tuple[int, int]  # width and height after step 2; both the tile size for one tile
    rows: int
    cols: int
    tile_size: int
    tokens_per_tile: int
    resample: int

    @property
    def num_tiles(self) -> int:
        """Tiles the vision tower sees, the global view included."""
        return self.rows * self.cols + 1

    @property
    def num_image_tokens(self) -> int:
        """Tokens that picture features replace; marker tokens are not counted."""
        return self.num_tiles * self.tokens_per_tile


def plan(width: int, height: int, settings: TileSettings, detail: Detail = "high") -> TilePlan:
    """Plan the tiles of a picture of `width` x `height` pixels.

    `high` is the reference's own behaviour, which enlarges small pictures to `longest_edge`. `low` is the
    reference without splitting: one squashed tile. `auto` is the reference with a longest edge no greater
    than the picture's own, rounded up to whole tiles: what fits in one tile is one tile.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture has at least one pixel, not {width} x {height}")
    if detail not in DETAILS:
        raise ValueError(f"detail is one of {', '.join(DETAILS)}, not {detail!r}")
    size = settings.tile_size
    longest = settings.longest_edge
    if detail == "auto" and settings.do_image_splitting:
        longest = min(longest, math.ceil(max(width, height) / size) * size)
    resized = _with_longest_edge(width, height, longest)
    grid = (size, size)
    if detail != "low" and settings.do_image_splitting:
        grid = _in_whole_tiles(*resized, size)
    split = grid != (size, size)
    return TilePlan(
        width=width,
        height=height,
        resized=resized,
        grid=grid,
        rows=grid[1] // size if split else 0,
        cols=grid[0] // size if split else 0,
        tile_size=size,
        tokens_per_tile=settings.tokens_per_tile,
        resample=settings.resample,
    )


def cut(image: PILImage.Image, plan: TilePlan) -> torch.Tensor:
    """Cut an RGB picture as planned: uint8 (N, 3, S, S), row by row, the global view last."""
    if image.size != (plan.width, plan.height) or image.mode != "RGB":
        raise ValueError(
            f"the plan is for {plan.width} x {plan.height} RGB pixels, the picture is "
            f"{image.width} x {image.height} {image.mode}; plan and cut the same picture"
        )
    resample = PILImage.Resampling(plan.resample)
    return _cut_grid(image.resize(plan.resized, resample).resize(plan.grid, resample), plan)


def normalise(tiles_NCSS: torch.Tensor, settings: TileSettings) -> torch.Tensor:
    """uint8 (N, 3, S, S) to what the vision tower takes: float32, (x / 255 - mean) / std per channel."""
    mean = torch.tensor(settings.image_mean, device=tiles_NCSS.device).view(3, 1, 1)
    std = torch.tensor(settings.image_std, device=tiles_NCSS.device).view(3, 1, 1)
    return tiles_NCSS.to(torch.float32).div_(255).sub_(mean).div_(std)


def assemble(tiles_NCSS: torch.Tensor, plan: TilePlan) -> PILImage.Image:
    """What the model saw, as one RGB picture of `plan.grid` pixels: the exact inverse of the cutting.

    The global view is left out unless it is all there is. Raises ValueError for tiles of another plan.
    """
    _check_tiles(tiles_NCSS, plan)
    if not plan.rows:
        return _tile_picture(tiles_NCSS[0])
    size = plan.tile_size
    grid_RKCSS = tiles_NCSS[:-1].reshape(plan.rows, plan.cols, 3, size, size)
    pixels = grid_RKCSS.permute(0, 3, 1, 4, 2).reshape(plan.rows * size, plan.cols * size, 3)
    return PILImage.fromarray(pixels.contiguous().cpu().numpy())


def contact_sheet(tiles_NCSS: torch.Tensor, plan: TilePlan, *, tile_pixels: int = 160) -> PILImage.Image:
    """The tiles side by side for a person: each with its row and column beneath, the global view last.

    `tile_pixels` is the side of each tile on the sheet. Raises ValueError for tiles of another plan.
    """
    _check_tiles(tiles_NCSS, plan)
    gap, caption_height = 8, 16
    rows, cols = plan.rows + 1, max(plan.cols, 1)
    cell_width, cell_height = tile_pixels + gap, tile_pixels + caption_height + gap
    sheet = PILImage.new("RGB", (cols * cell_width + gap, rows * cell_height + gap), "white")
    draw = ImageDraw.Draw(sheet)
    for index, tile_CSS in enumerate(tiles_NCSS):
        row, col = divmod(index, cols)
        caption = f"row {row + 1}, column {col + 1}"
        if index == plan.num_tiles - 1:
            row, col, caption = rows - 1, 0, "the whole picture"
        left, top = gap + col * cell_width, gap + row * cell_height
        tile = _tile_picture(tile_CSS).resize((tile_pixels, tile_pixels), PILImage.Resampling.BOX)
        sheet.paste(tile, (left, top))
        draw.text((left, top + tile_pixels + 2), caption, fill="black")
    return sheet


def _with_longest_edge(width: int, height: int, longest_edge: int) -> tuple[int, int]:
    """Step 1. Float division and truncation as in the reference: exact integers round otherwise at times."""
    ratio = width / height
    if width >= height:
        width, height = longest_edge, int(longest_edge / ratio)
        height += height % 2
    else:
        height, width = longest_edge, int(longest_edge * ratio)
        width += width % 2
    width, height = max(width, 1), max(height, 1)
    ratio = width / height
    if width >= height and width > LONGEST_EDGE_LIMIT:
        width, height = LONGEST_EDGE_LIMIT, int(LONGEST_EDGE_LIMIT / ratio)
    elif height > width and height > LONGEST_EDGE_LIMIT:
        height, width = LONGEST_EDGE_LIMIT, int(LONGEST_EDGE_LIMIT * ratio)
    return max(width, 1), max(height, 1)


def _in_whole_tiles(width: int, height: int, size: int) -> tuple[int, int]:
    """Step 2. The shorter side follows from the longer one after rounding, as in the reference."""
    ratio = width / height
    if width >= height:
        width = math.ceil(width / size) * size
        height = math.ceil(int(width / ratio) / size) * size
    else:
        height = math.ceil(height / size) * size
        width = math.ceil(int(height * ratio) / size) * size
    return width, height


def _cut_grid(grid: PILImage.Image, plan: TilePlan) -> torch.Tensor:
    """Step 3, on a picture that already has `plan.grid` pixels."""
    size = plan.tile_size
    whole = np.asarray(grid.resize((size, size), PILImage.Resampling(plan.resample))).transpose(2, 0, 1)
    tiles = np.empty((plan.num_tiles, 3, size, size), dtype=np.uint8)
    tiles[-1] = whole
    if plan.rows:
        grid_RSKSC = np.asarray(grid).reshape(plan.rows, size, plan.cols, size, 3)
        tiles[:-1] = grid_RSKSC.transpose(0, 2, 4, 1, 3).reshape(-1, 3, size, size)
    return torch.from_numpy(tiles)


def _check_tiles(tiles_NCSS: torch.Tensor, plan: TilePlan) -> None:
    expected = (plan.num_tiles, 3, plan.tile_size, plan.tile_size)
    if tuple(tiles_NCSS.shape) != expected or tiles_NCSS.dtype != torch.uint8:
        raise ValueError(
            f"the plan makes uint8 tiles of shape {expected}, these are {tiles_NCSS.dtype} of shape "
            f"{tuple(tiles_NCSS.shape)}; pass the tiles that were cut with this plan"
        )


def _tile_picture(tile_CSS: torch.Tensor) -> PILImage.Image:
    return PILImage.fromarray(tile_CSS.permute(1, 2, 0).contiguous().cpu().numpy())
