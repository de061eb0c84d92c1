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

from PIL import Image as PILImage

from clearsight.checkpoints import BUNDLED
from clearsight.conversation import Conversation, ConversationError, Image, Part, Text, user
from clearsight.decoding.sampling import Sampling, SamplingError
from clearsight.decoding.text import Answer
from clearsight.engine import ConversationEngine, Engine, EngineConfig, Stream, Upstream, is_address
from clearsight.experts import Experts
from clearsight.experts.engine import ToldEngine, without_suffix

Item = str | Path | bytes | PILImage.Image | Image | Text
Question = Conversation | str | Sequence[Item]

DESCRIBE = "Describe this picture."


class AnswerStream(Iterator[str]):
    """Pieces of text as they become certain; `answer` holds the whole once they have been read.

    What breaks off reading, such as Ctrl-C, cancels the answer.
    """

    def __init__(self, stream: Stream):
        self._stream = stream
        self._answer: Answer | None = None

    def __next__(self) -> str:
        try:
            for event in self._stream:
                if event.text:
                    return event.text
        except BaseException:
            self._stream.cancel()
            raise
        self._answer = self._stream.result()
        raise StopIteration

    @property
    def answer(self) -> Answer:
        """The whole answer. Raises RuntimeError as long as pieces are left to read."""
        if self._answer is None:
            raise RuntimeError("the answer is not finished; read the stream to its end first")
        return self._answer


class Assistant:
    """An engine that is asked in one's own words."""

    def __init__(self, engine: ConversationEngine):
        self.engine = engine

    @classmethod
    def load(
        cls,
        spec: str | Path = BUNDLED,
        config: EngineConfig | None = None,
        *,
        offline: bool | None = None,
    ) -> "Assistant":
        """The bundled model (`mini`), a checkpoint folder, `hf:owner/name`, or a server's model.

        A server is `https://host/v1#model`; its key, if it needs one, is taken from CLEARSIGHT_UPSTREAM_KEY. With
        "+experts" behind any of them, a text recogniser and a classifier look at pictures too (clearsight.experts).
        `config` says how this machine computes. Raises as `checkpoints.load` does, and EngineError.
        """
        plain, told = without_suffix(spec)
        if is_address(plain):
            engine: ConversationEngine = Upstream.at(plain)
        else:
            engine = Engine.load(plain, config, offline=offline)
        return cls(ToldEngine(engine, Experts.ready(offline)) if told else engine)

    def close(self) -> None:
        """Free what the engine holds."""
        self.engine.close()

    def __enter__(self) -> "Assistant":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        return AnswerStream(self.engine.submit(_conversation(question), _sampling(sampling)))

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
