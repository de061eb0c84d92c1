"""vLLM on a processor: its own engine, stepped here so that tokens are seen as they come."""

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine_peers.protocol import Prompt, Subject, Tell, serve


class Vllm(Subject):
    many = "continuous batching"

    def load(self, folder: Path, variant: str, threads: int) -> str:
        os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"  # GiB
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = f"0-{threads - 1}"
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        import torch
        from vllm import LLM

        able = torch.cpu.get_capabilities()
        dtype = "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"
        self.llm = LLM(
            model=str(folder / "hf"), dtype=dtype, max_model_len=4096, limit_mm_per_prompt={"image": 9}
        )
        self._asked = 0
        return dtype

    def answer(self, prompt: Prompt, count: int, tell: Tell) -> int:
        def told(_: int, tokens: Sequence[int]) -> None:
            for token in tokens:
                tell(token)

        return self._write([prompt], count, told)[0]

    def answers(self, prompts: Sequence[Prompt], count: int) -> list[list[int]]:
        answers: list[list[int]] = [[] for _ in prompts]
        self._write(prompts, count, lambda place, tokens: answers[place].extend(tokens))
        return answers

    def _write(self, prompts: Sequence[Prompt], count: int, tell) -> list[int]:
        """Run all to their ends; returns the prompts' lengths."""
        from vllm import SamplingParams

        settings = SamplingParams(temperature=0, max_tokens=count, ignore_eos=True, detokenize=False)
        places: dict[str, int] = {}
        for place, prompt in enumerate(prompts):
            self._asked += 1
            places[str(self._asked)] = place
            self.llm.llm_engine.add_request(str(self._asked), self._given(prompt), settings)
        lengths, written = [0] * len(prompts), [0] * len(prompts)
        while self.llm.llm_engine.has_unfinished_requests():
            for output in self.llm.llm_engine.step():
                place = places[output.request_id]
                tokens = list(output.outputs[0].token_ids)
                tell(place, tokens[written[place] :])
                written[place] = len(tokens)
                lengths[place] = len(output.prompt_token_ids)
        return lengths

    def _given(self, prompt: Prompt):
        if not prompt.pictures:
            return {"prompt_token_ids": list(prompt.ids)}
        from PIL import Image

        text = f"<|im_start|>user\n{'<image>' * len(prompt.pictures)}{prompt.text}<|im_end|>\n<|im_start|>assistant\n"
        pictures = [Image.open(name).convert("RGB") for name in prompt.pictures]
        return {"prompt": text, "multi_modal_data": {"image": pictures}}


if __name__ == "__main__":
    serve(Vllm())
