"""Text from a model, one conversation at a time: simple, exact, and the oracle for anything faster.

The prompt and its pictures are read once into a key-value cache; then one token is chosen (`clearsight.decoding`) and
read at a time. Left out: beams and batches.

Shape suffixes: T tokens, N tiles, C channels, S pixels a side, V vocabulary.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from clearsight.decoding.choice import Chooser, logprob
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Grammars
from clearsight.decoding.text import AnswerText, ContextError, TokenEvent
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import ModelInput, Processor
from clearsight.processing.tiles import normalise

TILES_AT_ONCE = 4
"""Tiles encoded together; more would only take memory, a tile fills the machine alone."""


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

    The end tokens are the model's own and the template's. Raises at the first event: ContextError when the prompt
    fills the model's context, StructureError for a structure that can't be used, ValueError as
    `VisionLanguageModel.embed` does.
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
    matcher = None
    if sampling.structure is not None:
        grammars = Grammars(processor.tokenizer, model.config.text.vocab_size, end_ids)
        matcher = grammars.matcher(sampling.structure)
    choose = Chooser(sampling, prompt.input_ids_T.tolist(), end_ids, matcher)
    text = AnswerText(processor.tokenizer.stream_decoder(), sampling.stop, end_ids, budget)
    cache = model.new_cache(capacity=min(context, prompt.num_tokens + min(budget, 256)))
    features = encode_tiles(model, processor, prompt.tiles_NCSS)

    with torch.inference_mode():
        ids_1T = prompt.input_ids_T.to(model.device)[None]
        scores = model(ids_1T, image_features=features, cache=cache, logits_to_keep=1)
    while True:
        scores_V = scores[0, -1].float()
        token_id = choose(scores_V)
        told = None
        if sampling.logprobs is not None:
            told = logprob(scores_V, token_id, sampling.logprobs, processor.tokenizer)
        event = text.push(token_id, told, complete=choose.complete)
        yield event
        if event.finish_reason is not None:
            return
        with torch.inference_mode():
            # Not through `embed`: a placeholder that a model utters is a token like any other.
            embeds = model.text_model.embed_tokens(torch.tensor([[token_id]], device=model.device))
            scores = model.logits(model.text_model(embeds, cache=cache))
