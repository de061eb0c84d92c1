"""One answer in the making: its tokens, where their keys and values lie, and how its next token is chosen."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from clearsight.decoding.choice import Chooser
from clearsight.decoding.text import AnswerText, TokenEvent, Usage
from clearsight.engine.blocks import BlockName, next_name, root_name
from clearsight.engine.pictures import Picture
from clearsight.engine.speculation import PromptLookup

_numbers = itertools.count()


@dataclass(eq=False)
class Sequence:
    """State of one answer. Its first `computed` tokens have keys and values in `blocks`, in order."""

    tokens: list[int]  # prompt and answer
    pictures: list[Picture]
    chooser: Chooser
    text: AnswerText
    lookup: PromptLookup
    domain: bytes  # who may share what was computed for it
    deliver: Callable[[TokenEvent | Exception, Usage | None], None]  # usage comes with the last event
    order: float  # lower goes first
    submitted: float  # time, in seconds
    max_logprobs: int | None = None
    leader: "Sequence | None" = None  # whose prompt is the same, and which computes it
    num_prompt: int = field(init=False)
    number: int = field(init=False, default_factory=lambda: next(_numbers))
    computed: int = 0
    cached: int | None = None  # of the prompt's tokens, those that were known when the answer began
    blocks: list[int] = field(default_factory=list)
    names: list[BlockName] = field(default_factory=list)
    last_event: float | None = None  # time, in seconds
    finished: bool = False

    def __post_init__(self) -> None:
        self.num_prompt = len(self.tokens)

    @property
    def key(self) -> tuple[float, int]:
        """Sorts sequences by who goes first."""
        return (self.order, self.number)

    @property
    def num_new(self) -> int:
        """Tokens whose keys and values are still to be computed; one while an answer is being said."""
        return len(self.tokens) - self.computed

    @property
    def prompt_is_computed(self) -> bool:
        return self.computed >= self.num_prompt

    @property
    def usage(self) -> Usage:
        """Tokens spent so far."""
        return Usage(
            prompt_tokens=self.num_prompt,
            image_tokens=sum(picture.plan.num_image_tokens for picture in self.pictures),
            completion_tokens=len(self.tokens) - self.num_prompt,
            cached_tokens=self.cached or 0,
        )

    def block_names(self, block_size: int, length: int) -> list[BlockName]:
        """Names of the full blocks within the first `length` tokens."""
        wanted = length // block_size
        spans = [picture.span for picture in self.pictures]
        while len(self.names) < wanted:
            start = len(self.names) * block_size
            parent = self.names[-1] if self.names else root_name(self.domain)
            self.names.append(next_name(parent, self.tokens[start : start + block_size], start, spans))
        return self.names[:wanted]
