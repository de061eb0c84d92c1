"""transformers' `generate`: one answer at a time, or several in one padded batch."""

from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.engine_peers.protocol import Prompt, Subject, Tell, serve


def native_dtype() -> torch.dtype:
    """What Clearsight chooses as well: bfloat16 where products in it are native."""
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


class Streamer:
    """What `generate` calls with the prompt first, then with every new token."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._prompt_seen = False

    def put(self, value: torch.Tensor) -> None:
        if self._prompt_seen:
            self._tell(int(value))
        self._prompt_seen = True

    def end(self) -> None:
        pass


class Generates(Subject):
    """Anything with transformers' `generate` and a processor: also what optimum makes of OpenVINO's models."""

    many = "one padded batch"

    def load(self, folder: Path, variant: str, threads: int) -> str:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        torch.set_num_threads(threads)
        self.dtype = native_dtype()
        self.model = AutoModelForImageTextToText.from_pretrained(folder / "hf", dtype=self.dtype).eval()
        self.set_up(AutoProcessor.from_pretrained(folder / "hf"))
        return str(self.dtype).removeprefix("torch.")

    def set_up(self, processor) -> None:
        from transformers import __version__

        self.processor = processor
        old = int(__version__.split(".")[0]) < 5
        self.padding = {"padding": True} if old else {"processor_kwargs": {"padding": True}}
        self.processor.tokenizer.padding_side = "left"
        self.model.generation_config.eos_token_id = None  # nobody stops at an end token

    def inputs(self, prompts: Sequence[Prompt]):
        """Of one prompt or several, from files and text, padded to the longest."""
        if not any(prompt.pictures for prompt in prompts):
            ids = torch.tensor([prompt.ids for prompt in prompts])
            return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        messages = [
            [
                {
                    "role": "user",
                    "content": [
                        *({"type": "image", "path": name} for name in prompt.pictures),
                        {"type": "text", "text": prompt.text},
                    ],
                }
            ]
            for prompt in prompts
        ]
        inputs = self.processor.apply_chat_template(
            messages,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **self.padding,
        )
        inputs["pixel_values"] = inputs["pixel_values"].to(self.dtype)
        return inputs

    @torch.inference_mode()
    def answer(self, prompt: Prompt, count: int, tell: Tell) -> int:
        inputs = self.inputs([prompt])
        self.model.generate(**inputs, max_new_tokens=count, do_sample=False, streamer=Streamer(tell))
        return inputs["input_ids"].shape[1]

    @torch.inference_mode()
    def answers(self, prompts: Sequence[Prompt], count: int) -> list[list[int]]:
        inputs = self.inputs(prompts)
        written = self.model.generate(**inputs, max_new_tokens=count, do_sample=False)
        return written[:, inputs["input_ids"].shape[1] :].tolist()


if __name__ == "__main__":
    serve(Generates())
