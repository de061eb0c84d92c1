"""Clearsight's engine, as its server uses it, and the simple generator that it must agree with.

    python -m benchmarks.engine_peers.worker_clearsight engine
    python -m benchmarks.engine_peers.worker_clearsight assistant

All that the benchmark knows of the engine's interface is here. Guessing tokens ahead is switched off: past their end
answers repeat themselves, and guesses would be right more often than in any real answer.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine_peers.protocol import Prompt, Subject, Tell, serve
from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling


def conversation(prompt: Prompt) -> Conversation:
    return Conversation((user(*(Image.from_file(name) for name in prompt.pictures), prompt.text),))


class Engine(Subject):
    many = "continuous batching"

    def load(self, folder: Path, variant: str, threads: int) -> str:
        from clearsight import engine

        if variant == "native":
            self.engine = _engine(engine, folder, "model", threads)
            dtype = str(self.engine.core.runner.embeddings_VD.dtype).removeprefix("torch.")
        else:
            self.engine = _engine(engine, folder, variant, threads)
            dtype = variant
        self.engine.end_ids = set()  # nobody stops at an end token
        return f"{self.engine.weights}, {dtype}"

    def answer(self, prompt: Prompt, count: int, tell: Tell) -> int:
        stream = self.engine.submit(conversation(prompt), Sampling(max_tokens=count))
        for event in stream:
            tell(event.token_id)
        assert stream.usage is not None
        return stream.usage.prompt_tokens

    def answers(self, prompts: Sequence[Prompt], count: int) -> list[list[int]]:
        streams = [self.engine.submit(conversation(one), Sampling(max_tokens=count)) for one in prompts]
        return [[event.token_id for event in stream] for stream in streams]


def _engine(module, folder: Path, variant: str, threads: int):
    config = module.EngineConfig(weights=variant, threads=threads, proposals=0)
    return module.Engine.load(folder / "hf", config)


class Simple(Subject):
    def load(self, folder: Path, variant: str, threads: int) -> str:
        import torch

        from clearsight import checkpoints

        torch.set_num_threads(threads)
        self.model, self.processor = checkpoints.load(folder / "hf")
        return str(self.model.dtype).removeprefix("torch.")

    def answer(self, prompt: Prompt, count: int, tell: Tell) -> int:
        from clearsight.generation import generate

        found = self.processor.prepare(conversation(prompt))
        sampling = Sampling(max_tokens=count, min_tokens=count)
        for event in generate(self.model, self.processor, found, sampling):
            tell(event.token_id)
        return found.num_tokens


if __name__ == "__main__":
    serve({"engine": Engine, "assistant": Simple}[sys.argv[1]]())
