"""OpenVINO through optimum-intel: its models are generated from with transformers' `generate`.

The model is converted once for each format, in a process of its own, and kept beside the weights. Weights of 8 and 4
bits are those that optimum makes by default for these widths, data-free.

    python -m benchmarks.engine_peers.worker_openvino                      # answers over standard input
    python -m benchmarks.engine_peers.worker_openvino convert FOLDER int8  # writes FOLDER/openvino/int8
"""

import subprocess
import sys
from pathlib import Path

from benchmarks.engine_peers.protocol import serve
from benchmarks.engine_peers.worker_transformers import Generates

GROUP = 64  # weights that share a scale in 4 bits: the widths of this decoder are multiples of it, not of 128


def convert(folder: Path, variant: str) -> None:
    from optimum.intel import OVModelForVisualCausalLM, OVWeightQuantizationConfig
    from transformers import AutoProcessor

    settings = {
        "native": None,
        "int8": OVWeightQuantizationConfig(bits=8),
        "int4": OVWeightQuantizationConfig(bits=4, sym=False, group_size=GROUP, ratio=1.0),
    }[variant]
    kept = {"quantization_config": settings} if settings else {"load_in_8bit": False}
    model = OVModelForVisualCausalLM.from_pretrained(folder / "hf", export=True, compile=False, **kept)
    place = folder / "openvino" / variant
    partial = place.with_suffix(".part")
    model.save_pretrained(partial)
    AutoProcessor.from_pretrained(folder / "hf").save_pretrained(partial)
    partial.rename(place)


class OpenVino(Generates):
    def load(self, folder: Path, variant: str, threads: int) -> str:
        import torch
        from optimum.intel import OVModelForVisualCausalLM
        from transformers import AutoProcessor

        place = folder / "openvino" / variant
        if not place.exists():
            subprocess.run([sys.executable, "-m", __spec__.name, "convert", str(folder), variant], check=True)
        torch.set_num_threads(threads)
        self.dtype = torch.float32
        settings = {"INFERENCE_NUM_THREADS": str(threads), "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
        self.model = OVModelForVisualCausalLM.from_pretrained(place, ov_config=settings)
        self.set_up(AutoProcessor.from_pretrained(place))
        return f"{variant}, computed in what the plug-in chooses"


if __name__ == "__main__":
    if sys.argv[1:2] == ["convert"]:
        convert(Path(sys.argv[2]), sys.argv[3])
    else:
        serve(OpenVino())
