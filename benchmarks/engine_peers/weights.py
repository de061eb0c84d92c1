"""The same weights for every contender: as transformers, OpenVINO and vLLM read them, and as llama.cpp does.

    hf/      what `clearsight export --to hf` writes, in float32; contenders load it in the dtype they are asked for
    text/    its decoder alone, as a plain Llama checkpoint
    gguf/    the decoder in several formats, and the vision tower with its connector (`gguf_files`)
    openvino/  written by that contender's own worker

A folder is named after what the weights are, so that new ones are never mistaken for old.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

from benchmarks.engine_peers import gguf_files
from clearsight import mini
from clearsight import weights as stored
from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")


def prepare(place: Path, note: Callable[[str], None]) -> Path:
    """Write what is not there yet below `place`; returns the folder of these weights."""
    folder = place / _identity()
    done = folder / "done"
    if done.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    note("Exporting the bundled model ...")
    model = mini.load(torch.float32)
    hf.save(model, folder / "hf")
    mini.processor().save(folder / "hf")
    write_text_checkpoint(model, folder)
    for name, write in gguf_files.writers(model, mini.processor()):
        note(f"Writing {name} ...")
        (folder / "gguf").mkdir(exist_ok=True)
        write(folder / "gguf" / name)
    done.touch()
    return folder


def _identity() -> str:
    """Of what `mini.load` reads, and of how it is written here."""
    digest = hashlib.sha256(b"clearsight:benchmark:2\0")
    for file in (stored.fetch(stored.BASE_DECODER), mini.bundled_folder() / mini.PARTS):
        digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()[:12]


def write_text_checkpoint(model: VisionLanguageModel, folder: Path) -> None:
    """The decoder as `LlamaForCausalLM`, with the tokenizer of `hf/`, into `text/`."""
    text = folder / "text"
    text.mkdir()
    tensors = {
        name.replace("model.text_model.", "model."): parameter.detach().contiguous()
        for name, parameter in model.named_parameters()
        if name.startswith("model.text_model.") or name == "lm_head.weight"
    }
    save_file(tensors, text / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "hf" / "config.json").read_text())
    kept = {name: value for name, value in config["text_config"].items() if name != "qk_layer_norms"}
    kept.pop("use_resampler", None)
    (text / "config.json").write_text(json.dumps(kept | {"dtype": "float32"}, indent=2))
    for name in TOKENIZER_FILES:
        shutil.copy(folder / "hf" / name, text / name)
