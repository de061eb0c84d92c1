"""The decoder over paged keys and values, in plain PyTorch: any device, any dtype.

New tokens of all sequences go through the layers as one long row; only attention looks at them one sequence at a time,
or, where each sequence has one new token, all at once over gathered blocks.

Shape suffixes: N new tokens, S sequences, L tokens of the longest context, D channels, H query heads, G key-value
heads, R query heads a group, K channels a head, M rows whose scores are wanted, V vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from clearsight.engine.batch import FlatBatch
from clearsight.engine.gather import Gather, StepInputs
from clearsight.engine.graphs import DecodeGraphs
from clearsight.models.text import TextLayer, rotary_tables, rotate
from clearsight.models.vlm import VisionLanguageModel


class PagedDecoder:
    """Keys and values in blocks, and the model's own layers over them.

    One block more than asked for takes what padding writes. On a GPU, steps in which every sequence says one token are
    captured as CUDA graphs, one for each size of step and context, rounded up.
    """

    def __init__(self, model: VisionLanguageModel, num_blocks: int, block_size: int):
        config = model.config.text
        shape = ((num_blocks + 1) * block_size, config.num_key_value_heads, config.head_dim)
        self.model = model
        self.block_size = block_size
        layers = range(config.num_hidden_layers)
        self.keys = [torch.zeros(shape, dtype=model.dtype, device=model.device) for _ in layers]
        self.values = [torch.zeros(shape, dtype=model.dtype, device=model.device) for _ in layers]
        on_gpu = model.device.type == "cuda"
        self._graphs = DecodeGraphs(self._compute, num_blocks * block_size) if on_gpu else None

    @torch.inference_mode()
    def forward(self, embeds_ND: Tensor, batch: FlatBatch) -> Tensor:
        """Scores (M, V) fp32 of the rows that `batch` wants; writes keys and values of all new tokens."""
        device = self.model.device
        gather = Gather.of(batch, self.block_size, device)
        inputs = StepInputs(
            embeds_ND.to(device, self.model.dtype),
            batch.positions_N.to(device),
            batch.slots_N.to(device, torch.int64),
            batch.rows_M.to(device, torch.int64),
            gather,
        )
        if self._graphs is not None and not gather.several:
            return self._graphs(inputs)
        return self._compute(inputs)

    def _compute(self, inputs: StepInputs) -> Tensor:
        """Scores (M, V) fp32; without `several` in its gather, no value of a tensor is looked at on the way."""
        model = self.model.text_model
        x_ND = inputs.embeds_ND
        cos, sin = rotary_tables(model.config, inputs.positions_N[None], x_ND.dtype)
        for number, layer in enumerate(model.layers):
            assert isinstance(layer, TextLayer)
            normed_ND = layer.input_layernorm(x_ND)
            x_ND = x_ND + self._attend(
                layer, number, normed_ND, cos[0], sin[0], inputs.slots_N, inputs.gather
            )
            x_ND = x_ND + layer.mlp(layer.post_attention_layernorm(x_ND))
        return self.model.logits(model.norm(x_ND[inputs.rows_M])).float()

    def _attend(
        self,
        layer: TextLayer,
        number: int,
        x_ND: Tensor,
        cos: Tensor,
        sin: Tensor,
        slots_N: Tensor,
        gather: Gather,
    ) -> Tensor:
        attention, keys, values = layer.self_attn, self.keys[number], self.values[number]
        q_HNK, k_GNK, v_GNK = (
            project(x_ND).unflatten(-1, (-1, attention.head_dim)).transpose(0, 1)
            for project in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        q_HNK, k_GNK = rotate(q_HNK, cos, sin), rotate(k_GNK, cos, sin)
        keys[slots_N] = k_GNK.transpose(0, 1)
        values[slots_N] = v_GNK.transpose(0, 1)
        y_NHK = torch.empty_like(q_HNK.transpose(0, 1))
        if gather.single_rows is not None:
            assert gather.single_slots_SL is not None
            k_SGLK, v_SGLK = (x[gather.single_slots_SL].transpose(1, 2) for x in (keys, values))
            q_SGRK = q_HNK[:, gather.single_rows].transpose(0, 1).unflatten(1, (k_SGLK.shape[1], -1))
            y_SGRK = F.scaled_dot_product_attention(q_SGRK, k_SGLK, v_SGLK, attn_mask=gather.single_mask)
            y_NHK[gather.single_rows] = y_SGRK.flatten(1, 2)
        for start, end, slots_L, mask in gather.several:
            k_GLK, v_GLK = (x[slots_L].transpose(0, 1) for x in (keys, values))
            y_HTK = F.scaled_dot_product_attention(
                q_HNK[None, :, start:end], k_GLK[None], v_GLK[None], attn_mask=mask, enable_gqa=True
            )[0]
            y_NHK[start:end] = y_HTK.transpose(0, 1)
        return attention.o_proj(y_NHK.flatten(1))
