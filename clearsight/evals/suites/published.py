"""What others reported under the same names, in per cent (OCRBench of 1000), to stand beside a score.

Of OpenAI's table of GPT-4V (zero-shot but for ChartQA, which was four-shot with reasoning) and the model cards of the
open models; each was measured with a harness of its own, without an interval. TVQA (87.3) and LSMDC (45.7) are in
GPT-4V's table too: their videos can only be had from their owners, so there is no loader.
"""

PUBLISHED: dict[str, dict[str, float]] = {
    "vqav2": {"GPT-4V": 77.2, "PaliGemma 3B 448, tuned": 85.6},
    "textvqa": {"GPT-4V": 78.0, "SmolVLM2 2.2B": 73.21, "Qwen2-VL-2B": 79.7},
    "chartqa": {"GPT-4V, 4-shot": 78.5, "SmolVLM2 2.2B": 68.84, "Qwen2-VL-2B": 73.5},
    "ai2d": {"GPT-4V": 78.2, "SmolVLM2 2.2B": 70.0, "Qwen2-VL-2B": 74.7},
    "ai2d-no-mask": {"GPT-4V": 89.4},
    "docvqa": {"GPT-4V": 88.4, "SmolVLM2 2.2B": 79.98, "Qwen2-VL-2B": 90.1},
    "infographicvqa": {"GPT-4V": 75.1, "Qwen2-VL-2B": 65.5},
    "mmmu": {"GPT-4V": 56.8, "SmolVLM2 2.2B": 42.0, "Qwen2-VL-2B": 41.1},
    "mmstar": {"SmolVLM2 2.2B": 46.0, "Qwen3-VL-2B": 58.3},
    "mathvista": {"GPT-4V": 49.9},
    "ocrbench": {"GPT-4V": 64.5, "SmolVLM2 2.2B": 72.9, "Qwen2-VL-2B": 79.4},
    "pope": {"PaliGemma 3B 448, mix": 88.4},
}
