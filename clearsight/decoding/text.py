"""Tokens to text that is certain, and what is told about each token."""

from dataclasses import dataclass, field
from typing import Literal

from clearsight.processing.tokenizer import StreamDecoder

FinishReason = Literal["stop", "length"]


class ContextError(ValueError):
    """The prompt leaves no room to answer; the message names both lengths."""


@dataclass(frozen=True)
class TokenLogprob:
    """A token's natural-log probability, before temperature and cuts; `top` likeliest first."""

    token_id: int
    token: bytes
    logprob: float
    top: tuple["TokenLogprob", ...] = ()


@dataclass(frozen=True)
class TokenEvent:
    """One chosen token. `text` is what became certain with it: whole characters, and never the beginning
    of a stop string; often empty, sometimes several tokens' worth. The last event alone has a
    `finish_reason`, and its token may be the end token, which has no text.
    """

    token_id: int
    text: str
    logprob: TokenLogprob | None = None
    finish_reason: FinishReason | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens spent. Of `prompt_tokens`, `image_tokens` stand for pictures and `cached_tokens` were known before."""

    prompt_tokens: int
    image_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """A whole answer. `logprobs` has one entry a token when they were asked for, else none."""

    text: str
    usage: Usage
    finish_reason: FinishReason
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass
class StoppableText:
    """Token ids to text that is certain: holds back whatever could still become a stop string."""

    decoder: StreamDecoder
    stop: tuple[str, ...]
    held: str = ""
    stopped: bool = field(default=False, init=False)

    def push(self, token_id: int) -> str:
        """The text that this token makes certain; sets `stopped` when a stop string is complete."""
        return self._release(self.decoder.push(token_id), at_end=False)

    def finish(self) -> str:
        """What is left at the end; a stop string can still complete with a broken last character."""
        return self._release(self.decoder.finish(), at_end=True)

    def _release(self, new: str, at_end: bool) -> str:
        self.held += new
        found = [place for place in (self.held.find(one) for one in self.stop) if place >= 0]
        if found:
            self.stopped = True
            released, self.held = self.held[: min(found)], ""
            return released
        keep = 0 if at_end else self._possible_beginning()
        cut = len(self.held) - keep
        released, self.held = self.held[:cut], self.held[cut:]
        return released

    def _possible_beginning(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max((len(one) for one in self.stop), default=1) - 1
        for length in range(min(longest, len(self.held)), 0, -1):
            if any(one.startswith(self.held[-length:]) for one in self.stop):
                return length
        return 0


class AnswerText:
    """The end of an answer, decided token by token: end tokens, stop strings, the budget."""

    def __init__(self, decoder: StreamDecoder, stop: tuple[str, ...], end_ids: set[int], budget: int):
        self._text = StoppableText(decoder, stop)
        self._end_ids = end_ids
        self._budget = budget
        self._count = 0

    def push(
        self, token_id: int, logprob: TokenLogprob | None = None, *, complete: bool = False
    ) -> TokenEvent:
        """What this token makes of the answer. `complete`: a structure allows nothing after it."""
        self._count += 1
        if token_id in self._end_ids:
            return TokenEvent(token_id, self._text.finish(), logprob, "stop")
        piece = self._text.push(token_id)
        if self._text.stopped:
            return TokenEvent(token_id, piece, logprob, "stop")
        if complete or self._count == self._budget:
            piece += self._text.finish()
            ended = complete or self._text.stopped
            return TokenEvent(token_id, piece, logprob, "stop" if ended else "length")
        return TokenEvent(token_id, piece, logprob)
