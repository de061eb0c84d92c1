"""The bundled model in llama.cpp's file format: a decoder of architecture `llama`, and a vision tower for libmtmd.

llama.cpp rotates interleaved pairs, so rows of q and k are reordered within each head. Formats are those that the gguf
package quantises by itself; where a format can't hold a tensor it is stored as F16. Token embeddings keep the format
of the rest, as in the files that llama.cpp's own converter makes of a model that ties them to its output.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind
from torch import Tensor

from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

DECODERS = ("F16", "BF16", "Q8_0", "Q4_0", "Q4_1")
TOWERS = ("F16", "Q8_0")
NORMAL, CONTROL = 1, 3  # of tokenizer.ggml.token_type
DECODER_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
TOWER_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
}


def writers(model: VisionLanguageModel, processor: Processor) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """A file's name and what writes it."""
    for kind in DECODERS:
        yield f"decoder-{kind}.gguf", partial(write_decoder, model, processor, kind)
    for kind in TOWERS:
        yield f"tower-{kind}.gguf", partial(write_tower, model, processor, kind)


def write_decoder(model: VisionLanguageModel, processor: Processor, kind: str, path: Path) -> None:
    shape, config = model.config.text, model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Clearsight Mini")
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind}"])
    writer.add_context_length(shape.max_position_embeddings)
    writer.add_embedding_length(shape.hidden_size)
    writer.add_block_count(shape.num_hidden_layers)
    writer.add_feed_forward_length(shape.intermediate_size)
    writer.add_head_count(shape.num_attention_heads)
    writer.add_head_count_kv(shape.num_key_value_heads)
    writer.add_layer_norm_rms_eps(shape.rms_norm_eps)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_vocab_size(shape.vocab_size)
    _add_tokenizer(writer, processor, shape.vocab_size)
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(processor.template.jinja)
    for name, parameter in model.named_parameters():
        if name.startswith("model.text_model."):
            _add(writer, _decoder_name(name), _decoder_rows(model, name, parameter), Kind[kind])
    _write(writer)


def write_tower(model: VisionLanguageModel, processor: Processor, kind: str, path: Path) -> None:
    shape, settings = model.config.vision, processor.tile_settings
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_name("Clearsight Mini")
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind}"])
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.IDEFICS3)
    writer.add_vision_projection_dim(model.config.text.hidden_size)
    writer.add_vision_image_size(shape.image_size)
    writer.add_vision_preproc_image_size(shape.image_size)
    writer.add_vision_patch_size(shape.patch_size)
    writer.add_vision_embedding_length(shape.hidden_size)
    writer.add_vision_feed_forward_length(shape.intermediate_size)
    writer.add_vision_block_count(shape.num_hidden_layers)
    writer.add_vision_head_count(shape.num_attention_heads)
    writer.add_vision_attention_layernorm_eps(shape.layer_norm_eps)
    writer.add_vision_projector_scale_factor(model.config.scale_factor)
    writer.add_vision_use_gelu(True)
    writer.add_vision_image_mean(list(settings.image_mean))
    writer.add_vision_image_std(list(settings.image_std))
    for name, parameter in model.named_parameters():
        if not name.startswith("model.text_model."):
            # What is added to activations, and the convolution, stay exact, as in llama.cpp's own files.
            exact = ".embeddings." in name
            _add(writer, _tower_name(name), parameter, Kind.F32 if exact else Kind[kind])
    _write(writer)


def _add_tokenizer(writer: gguf.GGUFWriter, processor: Processor, vocab_size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        processor.save(folder)
        stored = json.loads((Path(folder) / "tokenizer.json").read_text())
    tokens = {number: (token, NORMAL) for token, number in stored["model"]["vocab"].items()}
    tokens |= {added["id"]: (added["content"], CONTROL) for added in stored["added_tokens"]}
    rows = [tokens.get(number, (f"[PAD{number}]", CONTROL)) for number in range(vocab_size)]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in stored["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([token for token, _ in rows])
    writer.add_token_types([kind for _, kind in rows])
    writer.add_token_merges(merges)


def _decoder_name(name: str) -> str:
    name = name.removeprefix("model.text_model.")
    if name.startswith("layers."):
        _, number, rest = name.split(".", 2)
        return f"blk.{number}.{DECODER_LAYER[rest.removesuffix('.weight')]}.weight"
    return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]


def _decoder_rows(model: VisionLanguageModel, name: str, tensor: Tensor) -> Tensor:
    """Rows of q and k from half-split to interleaved pairs."""
    heads = {
        "q_proj": model.config.text.num_attention_heads,
        "k_proj": model.config.text.num_key_value_heads,
    }
    for part, count in heads.items():
        if f".{part}." in name:
            return tensor.unflatten(0, (count, 2, -1)).transpose(1, 2).flatten(0, 2)
    return tensor


def _tower_name(name: str) -> str:
    if name == "model.connector.modality_projection.proj.weight":
        return "mm.model.fc.weight"
    name = name.removeprefix("model.vision_model.")
    if name.startswith("encoder.layers."):
        _, _, number, rest = name.split(".", 3)
        layer, _, kind = rest.rpartition(".")
        return f"v.blk.{number}.{TOWER_LAYER[layer]}.{kind}"
    place, _, kind = name.rpartition(".")
    return {
        "embeddings.patch_embedding": "v.patch_embd",
        "embeddings.position_embedding": "v.position_embd",
        "post_layernorm": "v.post_ln",
    }[place] + f".{kind}"


def _add(writer: gguf.GGUFWriter, name: str, tensor: Tensor, kind: Kind) -> None:
    values = tensor.detach().float().numpy()
    if values.ndim < 2:
        kind = Kind.F32
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    if values.shape[-1] % block:
        kind = Kind.F16
    stored = gguf.quants.quantize(np.ascontiguousarray(values), kind)
    writer.add_tensor(name, stored, raw_dtype=kind)


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
