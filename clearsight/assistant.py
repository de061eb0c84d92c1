"""The assistant as one object: load a model, ask it about pictures, get an answer.

    assistant = Assistant.load("mini")
    print(assistant.ask([Path("photo.jpg"), "What does the sign say?"]).text)

Strings are always text; a picture in a file is a `pathlib.Path`, so that a question can never be mistaken for
a file name nor the other way round.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from PIL import Image as PILImage

from clearsight import mini, weights
from clearsight.conversation import Conversation, ConversationError, Image, Part, Text, user
from clearsight.decoding.sampling import Sampling, SamplingError
from clearsight.decoding.text import Answer, Usage
from clearsight.generation import generate
from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import ModelInput, Processor

Item = str | Path | bytes | PILImage.Image | Image | Text
Question = Conversation | str | Sequence[Item]

DESCRIBE = "Describe this picture."


class AnswerStream(Iterator[str]):
    """Pieces of text as they become certain; `answer` holds the whole once they have been read."""

    def __init__(
        self, model: VisionLanguageModel, processor: Processor, prompt: ModelInput, sampling: Sampling
    ):
        self._pieces = self._run(model, processor, prompt, sampling)
        self._answer: Answer | None = None

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def answer(self) -> Answer:
        """The whole answer. Raises RuntimeError as long as pieces are left to read."""
        if self._answer is None:
            raise RuntimeError("the answer is not finished; read the stream to its end first")
        return self._answer

    def _run(
        self, model: VisionLanguageModel, processor: Processor, prompt: ModelInput, sampling: Sampling
    ) -> Iterator[str]:
        texts, logprobs, reason, count = [], [], None, 0
        for event in generate(model, processor, prompt, sampling):
            count += 1
            texts.append(event.text)
            if event.logprob is not None:
                logprobs.append(event.logprob)
            reason = event.finish_reason
            if event.text:
                yield event.text
        assert reason is not None
        usage = Usage(prompt.num_tokens, sum(prompt.image_token_counts), count)
        self._answer = Answer("".join(texts), usage, reason, tuple(logprobs))


class Assistant:
    """A model with its processor. One question at a time; the server has an engine for many."""

    def __init__(self, model: VisionLanguageModel, processor: Processor):
        """Raises CheckpointError when the two are not of the same checkpoint."""
        config, tiles = model.config, processor.tile_settings
        for what, of_model, of_processor in (
            ("the image token", config.image_token_id, processor.image_token_id),
            ("image tokens a tile", config.tokens_per_tile, tiles.tokens_per_tile),
            ("the side of a tile", config.vision.image_size, tiles.tile_size),
        ):
            if of_model != of_processor:
                raise hf.CheckpointError(
                    f"model and processor disagree about {what}: {of_model} and {of_processor}; fetch the "
                    "whole checkpoint again"
                )
        self.model = model
        self.processor = processor

    @classmethod
    def load(
        cls,
        spec: str | Path = "mini",
        *,
        threads: int | None = None,
        dtype: torch.dtype | None = None,
        offline: bool | None = None,
    ) -> "Assistant":
        """The bundled model (`mini`), a checkpoint folder, or `hf:owner/name`, fetched on first use.

        `threads` sets how many cores this process computes with. `dtype` defaults to bfloat16 where the
        processor has it, else float32. `offline` None means as the environment says.
        Raises WeightsError when the weights can't be had, PartsMissing when this installation lacks the
        bundled ones, and CheckpointError, ProcessorError, TokenizerError or TemplateError when a
        checkpoint can't be used.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        if spec == "mini":
            weights.fetch(weights.BASE_DECODER, offline=offline)
            return cls(mini.load(dtype), mini.processor())
        folder = weights.resolve(str(spec), offline=offline)
        return cls(hf.load(folder, dtype), Processor.from_folder(folder))

    def ask(self, question: Question, **sampling: Any) -> Answer:
        """The answer to a conversation, a string, or a list of pictures and strings in order.

        `sampling` are the fields of `Sampling`: temperature, max_tokens, stop, seed and so on.
        Raises ConversationError, ImageError, SamplingError or ContextError, each with what to do.
        """
        stream = self.stream(question, **sampling)
        for _ in stream:
            pass
        return stream.answer

    def stream(self, question: Question, **sampling: Any) -> AnswerStream:
        """As `ask`, piece by piece. What is wrong with the question is raised at once."""
        settings = _sampling(sampling)
        prompt = self.processor.prepare(_conversation(question), add_generation_prompt=True)
        return AnswerStream(self.model, self.processor, prompt, settings)

    def describe(self, image: Path | bytes | PILImage.Image | Image, **sampling: Any) -> Answer:
        """What is in one picture."""
        return self.ask([image, DESCRIBE], **sampling)


def _conversation(question: Question) -> Conversation:
    if isinstance(question, Conversation):
        return question
    if isinstance(question, str):
        return Conversation((user(question),))
    if isinstance(question, (bytes, Path, PILImage.Image, Image, Text)):
        raise ConversationError("a question is a list such as [picture, 'What is this?'], not one part alone")
    return Conversation((user(*(_part(item) for item in question)),))


def _part(item: Item) -> Part:
    if isinstance(item, (Text, Image)):
        return item
    if isinstance(item, str):
        return Text(item)
    if isinstance(item, Path):
        return Image.from_file(item)
    if isinstance(item, bytes):
        return Image(data=item)
    if isinstance(item, PILImage.Image):
        return Image(pixels=item)
    raise ConversationError(
        f"a question holds strings and pictures (Path, bytes, PIL images), not {type(item).__name__}"
    )


def _sampling(settings: dict[str, Any]) -> Sampling:
    known = [field.name for field in fields(Sampling)]
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise SamplingError(f"there is no sampling setting {name!r}; {hint}")
    return Sampling(**settings)
