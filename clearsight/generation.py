"""Text from a model, one conversation at a time: simple, exact, and the oracle for anything faster.

The prompt and its pictures are read once into a key-value cache; then one token is chosen and read at a
time. A token is chosen greedily, or drawn after temperature, top-k and top-p
(nucleus sampling, https://arxiv.org/abs/1904.09751) in this order, from a generator of its own, so that a
seed gives the same text whatever else happens. Left out: beams, repetition penalties and batches.

Shape suffixes: T tokens, N tiles, C channels, S pixels a side, V vocabulary.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import ModelInput, Processor
from clearsight.processing.tiles import normalise
from clearsight.processing.tokenizer import StreamDecoder

FinishReason = Literal["stop", "length"]
TILES_AT_ONCE = 4
"""Tiles encoded together; more would only take memory, a tile fills the machine alone."""


class SamplingError(ValueError):
    """A sampling setting out of range; the message names it and its range."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen and when to stop.

    `temperature` 0 is greedy. `top_k` None and `top_p` 1 leave everything in. `stop` strings end the text
    before them. `max_tokens` None is what the context has left. `logprobs` None gives none, 0 the chosen
    token's alone, n also the n likeliest. Raises SamplingError for a value out of range.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    logprobs: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        object.__setattr__(self, "stop", tuple(self.stop))
        checks = (
            ("temperature", "a number from 0 to 2", _is_number(self.temperature, 0, 2)),
            ("top_p", "a number above 0 and up to 1", _is_number(self.top_p, 0, 1) and self.top_p > 0),
            ("top_k", "a whole number from 1, or None", _is_whole_or_none(self.top_k, 1)),
            ("seed", "a whole number from 0 to 2**63 - 1, or None", _is_whole_or_none(self.seed, 0)),
            ("max_tokens", "a whole number from 1, or None", _is_whole_or_none(self.max_tokens, 1)),
            ("logprobs", "a whole number from 0 to 20, or None", _is_whole_or_none(self.logprobs, 0, 20)),
            ("stop", "strings that are not empty", all(isinstance(s, str) and s for s in self.stop)),
        )
        for name, wanted, holds in checks:
            if not holds:
                raise SamplingError(f"{name} is {wanted}, not {getattr(self, name)!r}")


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


class ContextError(ValueError):
    """The prompt leaves no room to answer; the message names both lengths."""


@torch.inference_mode()
def encode_tiles(model: VisionLanguageModel, processor: Processor, tiles_NCSS: Tensor) -> Tensor | None:
    """Image features (N, tokens a tile, D) of uint8 tiles (N, C, S, S); None without tiles."""
    if not len(tiles_NCSS):
        return None
    pieces = [
        model.encode_images(normalise(piece.to(model.device), processor.tile_settings))
        for piece in tiles_NCSS.split(TILES_AT_ONCE)
    ]
    return torch.cat(pieces)


def generate(
    model: VisionLanguageModel, processor: Processor, prompt: ModelInput, sampling: Sampling
) -> Iterator[TokenEvent]:
    """Yield the tokens that follow `prompt` until an end token, a stop string or a limit.

    The end tokens are the model's own and the template's. Raises ContextError when the prompt fills the
    model's context, ValueError as `VisionLanguageModel.embed` does, at the first event.
    """
    context = model.config.text.max_position_embeddings
    room = context - prompt.num_tokens
    if room < 1:
        raise ContextError(
            f"the prompt has {prompt.num_tokens} tokens and the model reads {context}; shorten the "
            "conversation or send pictures with detail low"
        )
    budget = min(room, sampling.max_tokens or room)
    end_ids = {model.config.eos_token_id, processor.end_of_turn_id}
    choose = _Chooser(sampling)
    text = _StoppableText(processor.tokenizer.stream_decoder(), sampling.stop)
    cache = model.new_cache(capacity=min(context, prompt.num_tokens + min(budget, 256)))
    features = encode_tiles(model, processor, prompt.tiles_NCSS)

    with torch.inference_mode():
        ids_1T = prompt.input_ids_T.to(model.device)[None]
        scores = model(ids_1T, image_features=features, cache=cache, logits_to_keep=1)
    for count in range(1, budget + 1):
        scores_V = scores[0, -1].float()
        token_id = choose(scores_V)
        logprob = None
        if sampling.logprobs is not None:
            logprob = _logprob(scores_V, token_id, sampling.logprobs, processor)
        if token_id in end_ids:
            yield TokenEvent(token_id, text.finish(), logprob, "stop")
            return
        piece = text.push(token_id)
        if text.stopped:
            yield TokenEvent(token_id, piece, logprob, "stop")
            return
        if count == budget:
            piece += text.finish()
            yield TokenEvent(token_id, piece, logprob, "stop" if text.stopped else "length")
            return
        yield TokenEvent(token_id, piece, logprob)
        with torch.inference_mode():
            # Not through `embed`: a placeholder that a model utters is a token like any other.
            embeds = model.text_model.embed_tokens(torch.tensor([[token_id]], device=model.device))
            scores = model.logits(model.text_model(embeds, cache=cache))


def filtered_logits(scores_V: Tensor, sampling: Sampling) -> Tensor:
    """Scores (V,) fp32 after temperature, top-k and top-p; what is cut is -inf. Temperature must be above 0.

    Of equal scores at a border those of lower id stay, so that exactly k are left.
    """
    scores_V = scores_V / sampling.temperature
    order_V = torch.argsort(scores_V, descending=True, stable=True)
    ordered_V = scores_V[order_V]
    if sampling.top_k is not None:
        ordered_V[sampling.top_k :] = -math.inf
    if sampling.top_p < 1:
        probabilities_V = ordered_V.softmax(-1)
        before_V = probabilities_V.cumsum(-1) - probabilities_V
        before_V[0] = 0  # rounding must never cut the likeliest
        ordered_V[before_V >= sampling.top_p] = -math.inf
    return torch.empty_like(scores_V).scatter_(0, order_V, ordered_V)


class _Chooser:
    """Chooses a token id from scores (V,) fp32, with a random state of its own."""

    def __init__(self, sampling: Sampling):
        self.sampling = sampling
        self.generator = torch.Generator()  # on the CPU, so that a seed means the same on every device
        if sampling.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(sampling.seed)

    def __call__(self, scores_V: Tensor) -> int:
        if not scores_V.isfinite().any() or scores_V.isnan().any():
            raise FloatingPointError(
                "the model's scores are not numbers; its weights are damaged or overflow"
            )
        if self.sampling.temperature == 0:
            return int(scores_V.argmax())
        probabilities_V = filtered_logits(scores_V.cpu(), self.sampling).softmax(-1)
        return int(torch.multinomial(probabilities_V, 1, generator=self.generator))


@dataclass
class _StoppableText:
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


def _logprob(scores_V: Tensor, chosen: int, num_top: int, processor: Processor) -> TokenLogprob:
    logprobs_V = scores_V.log_softmax(-1)

    def entry(token_id: int, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
        token = processor.tokenizer.token_bytes(token_id)
        return TokenLogprob(token_id, token, float(logprobs_V[token_id]), top)

    likeliest = logprobs_V.topk(num_top).indices.tolist() if num_top else []
    return entry(chosen, tuple(entry(token_id) for token_id in likeliest))


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


def _is_whole_or_none(value: object, least: int, most: int = 2**63 - 1) -> bool:
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
