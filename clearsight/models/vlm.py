"""The whole network: vision tower, connector, decoder and output head.

Modules are nested so that the names of the state dict are the public names of Idefics3 / SmolVLM
(`model.vision_model...`, `model.connector...`, `model.text_model...`, `lm_head.weight`).

Shape suffixes: B sequences, T tokens, N tiles, C channels, S pixels a side, I image tokens a tile,
D decoder channels, V vocabulary.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from clearsight.models.config import ModelConfig
from clearsight.models.connector import Connector
from clearsight.models.loss import summed_cross_entropy, token_cross_entropy
from clearsight.models.text import KVCache, TextDecoder
from clearsight.models.vision import VisionTower

IGNORED = -100
"""The label of a token that is not to be learned."""


class Trunk(nn.Module):
    """Everything below the output head; a module of its own only because the public names say so."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.vision_model = VisionTower(config.vision)
        self.connector = Connector(config)
        self.text_model = TextDecoder(config.text)


class VisionLanguageModel(nn.Module):
    """Token ids and tiles to next-token scores.

    Nothing is computed at construction, so `with torch.device("meta"): VisionLanguageModel(config)` works
    and the weights can be filled in afterwards; call `tie_weights` when that replaced the embedding.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.model = Trunk(config)
        self.lm_head = nn.Linear(config.text.hidden_size, config.text.vocab_size, bias=False)
        self.tie_weights()

    def tie_weights(self) -> None:
        """Make the head share the embedding's tensor, when the configuration says so."""
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.model.text_model.embed_tokens.weight

    @property
    def vision_model(self) -> VisionTower:
        return self.model.vision_model

    @property
    def connector(self) -> Connector:
        return self.model.connector

    @property
    def text_model(self) -> TextDecoder:
        return self.model.text_model

    @property
    def dtype(self) -> torch.dtype:
        return self.text_model.embed_tokens.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.text_model.embed_tokens.weight.device

    def new_cache(self, batch_size: int = 1, capacity: int = 256) -> KVCache:
        """An empty cache of this model's shape, dtype and device."""
        return KVCache(self.config.text, batch_size, capacity, self.dtype, self.device)

    def encode_images(self, tiles_NCSS: Tensor) -> Tensor:
        """Tiles (N, C, S, S) floating, normalised to [-1, 1] -> image tokens (N, I, D), model dtype."""
        pixels_NCSS = tiles_NCSS.to(self.vision_model.embeddings.patch_embedding.weight.dtype)
        return self.connector(self.vision_model(pixels_NCSS))

    def embed(self, input_ids_BT: Tensor, image_features: Tensor | None = None) -> Tensor:
        """Embeddings (B, T, D) of the ids, image features put in place of the image placeholders in order.

        input_ids (B, T) int64; image_features (..., D) floating, e.g. (N, I, D), rows in reading order
        across the batch. Raises ValueError when the number of placeholders is not the number of rows.
        """
        embeds_BTD = self.text_model.embed_tokens(input_ids_BT)
        is_image_BT = input_ids_BT == self.config.image_token_id
        num_placeholders = int(is_image_BT.sum())
        num_rows = 0 if image_features is None else image_features.shape[:-1].numel()
        if num_placeholders != num_rows:
            raise ValueError(
                f"the prompt holds {num_placeholders} image placeholders but the pictures gave {num_rows} "
                f"feature rows ({self.config.tokens_per_tile} a tile); prepare both with the same processor"
            )
        if image_features is None:
            return embeds_BTD
        if (
            not num_rows
        ):  # the tower stays part of the graph, as other ranks of a sharded model wait for its gradients
            return embeds_BTD + 0 * image_features.sum()
        return embeds_BTD.masked_scatter(is_image_BT[..., None], image_features.to(embeds_BTD.dtype))

    def hidden_states(
        self,
        input_ids_BT: Tensor,
        tiles_NCSS: Tensor | None = None,
        *,
        image_features: Tensor | None = None,
        position_ids_BT: Tensor | None = None,
        segment_ids_BT: Tensor | None = None,
        cache: KVCache | None = None,
        kept_L: Tensor | None = None,
    ) -> Tensor:
        """Final hidden states (B, T, D), or of the tokens `kept_L` of the rows laid end to end (L, D).

        Pictures come as tiles or, encoded before, as image_features.
        """
        if tiles_NCSS is not None:
            assert image_features is None, "give tiles or image_features, not both"
            image_features = self.encode_images(tiles_NCSS)
        embeds_BTD = self.embed(input_ids_BT, image_features)
        return self.text_model(embeds_BTD, position_ids_BT, cache, segment_ids_BT, kept_L)

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states (..., D) -> scores (..., V), same dtype."""
        return self.lm_head(hidden)

    def forward(
        self,
        input_ids: Tensor,
        tiles: Tensor | None = None,
        *,
        image_features: Tensor | None = None,
        position_ids: Tensor | None = None,
        segment_ids: Tensor | None = None,
        cache: KVCache | None = None,
        labels: Tensor | None = None,
        reduction: Literal["none", "sum"] = "none",
        logits_to_keep: int = 0,
    ) -> Tensor:
        """Scores of the next tokens, or with `labels` the loss of each labelled token.

        input_ids (B, T) int64; tiles (N, C, S, S) floating of all sequences in reading order; position_ids,
        segment_ids and cache as in `TextDecoder`.

        Without labels: scores (B, T, V), or of the last `logits_to_keep` positions alone when not 0.
        With labels (B, T) int64, aligned to input_ids (the token itself, or -100 where nothing is to be
        learned): losses (L,) fp32, one for each labelled token that has a predecessor in its own segment,
        in reading order; their sum alone, for training, with reduction "sum". Only these rows leave the last layer
        and meet the vocabulary, a chunk at a time, which saves most of the memory.
        Raises ValueError as `embed` and `TextDecoder` do.
        """
        learned_BT = None if labels is None else _learned(labels, segment_ids)
        hidden = self.hidden_states(
            input_ids,
            tiles,
            image_features=image_features,
            position_ids_BT=position_ids,
            segment_ids_BT=segment_ids,
            cache=cache,
            kept_L=None if learned_BT is None else learned_BT.flatten().nonzero()[:, 0],
        )
        if labels is None or learned_BT is None:
            return self.logits(hidden[:, -logits_to_keep:])
        loss = summed_cross_entropy if reduction == "sum" else token_cross_entropy
        return loss(hidden, self.lm_head.weight, labels[:, 1:][learned_BT[:, :-1]])


def _learned(labels_BT: Tensor, segment_ids_BT: Tensor | None) -> Tensor:
    """Of which tokens the next one is learned, in the same segment if there are any: (B, T) bool."""
    learned_BT = torch.zeros_like(labels_BT, dtype=torch.bool)
    learned_BT[:, :-1] = labels_BT[:, 1:] != IGNORED
    if segment_ids_BT is not None:
        learned_BT[:, :-1] &= segment_ids_BT[:, 1:] == segment_ids_BT[:, :-1]
    return learned_BT
