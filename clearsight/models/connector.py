"""The connector: fold squares of neighbouring patches into one token and project it to the decoder's width.

Compatible with `connector` of Idefics3 and SmolVLM (pixel shuffle of InternVL, https://arxiv.org/abs/2404.16821;
Idefics3, https://arxiv.org/abs/2408.12637). Left out: the Perceiver resampler, which no published checkpoint
of the family uses.

Shape suffixes: N tiles, P patches, D vision channels, I image tokens a tile, F folded channels, E decoder
channels.
"""

from torch import Tensor, nn

from clearsight.models.config import ModelConfig


def pixel_shuffle(x_NPD: Tensor, scale_factor: int) -> Tensor:
    """Fold each `scale_factor` x `scale_factor` square of patches into the channels of one token.

    x (N, side*side, D) -> (N, (side/s)**2, s*s*D), tokens row by row; within a token the channels run over
    the square's rows, then its columns, then D. Raises ValueError when the patches are not a square that
    divides.
    """
    tiles, patches, width = x_NPD.shape
    side = round(patches**0.5)
    if side * side != patches or side % scale_factor:
        raise ValueError(
            f"{patches} patches are not a square whose side divides by {scale_factor}; crop the tile to a "
            f"multiple of {scale_factor} patches a side"
        )
    folded = side // scale_factor
    x = x_NPD.view(tiles, folded, scale_factor, folded, scale_factor, width).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(tiles, folded * folded, scale_factor * scale_factor * width)


class ModalityProjection(nn.Module):
    """One linear layer without bias; a module of its own only because the public names say so."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        folded_width = config.vision.hidden_size * config.scale_factor**2
        self.proj = nn.Linear(folded_width, config.text.hidden_size, bias=False)

    def forward(self, x_NIF: Tensor) -> Tensor:
        return self.proj(x_NIF)


class Connector(nn.Module):
    """Patch features (N, P, D) to decoder embeddings (N, P / scale_factor**2, E), same dtype."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.scale_factor = config.scale_factor
        self.modality_projection = ModalityProjection(config)

    def forward(self, x_NPD: Tensor) -> Tensor:
        return self.modality_projection(pixel_shuffle(x_NPD, self.scale_factor))
