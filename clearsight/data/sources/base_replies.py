"""Conversations of text alone: prompts of ours, answered by the base model itself.

Learning to see must not cost the decoder what it knows. Its own answers keep it where it is, better than anybody
else's text would. What a small model says badly is left out: answers that do not end, go round in circles, leave the
language, recite a refusal, repeat the question, or that the model itself was not sure of.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from rich.progress import track
from torch import Tensor

from clearsight import mini, weights
from clearsight.conversation import Conversation, user
from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import Tally, Unusable, records_of
from clearsight.data.sources.questions import answered
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

SKILL = "talk"
WINDOW = 256  # prompts answered together; what a resumed run repeats at most
LONGEST = 4000  # characters
LEAST_SURE = -1.2  # mean natural logarithm of the probabilities of an answer's tokens
_REFUSAL = re.compile(
    r"\bas an? (ai|artificial|large|language)\b|\bi('m| am) (just )?an? (ai|language model|computer program)\b"
    r"|\bi('m| am) (sorry|unable|not able)\b|\bi (can't|cannot|can not) (help|assist|provide|fulfil|answer|do that)\b"
    r"|\bi do(n't| not) have (personal|feelings|the ability|access)\b|\bi apologi[sz]e\b",
    re.IGNORECASE,
)
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "the a an of to in and is are was it that this for on with as be by or you your i can they their from at have "
        "has not we will which its he she his her one do if how what when there more some these",
    )
)


@dataclass(frozen=True)
class Answer:
    """What the model said. `ended` by itself; `sureness` is the mean log-probability (natural) of its tokens."""

    text: str
    ended: bool
    sureness: float


def records(
    prompts: Iterable[str],
    model: VisionLanguageModel | None = None,
    processor: Processor | None = None,
    *,
    source: str = weights.BASE_DECODER.title,
    licence: str = weights.BASE_DECODER.licence,
    max_tokens: int = 256,
    temperature: float = 0.0,
    seed: int = 0,
    batch_size: int = 32,
    skip: int = 0,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """A record of each prompt whose answer is good enough. Without a model, the base decoder of Clearsight Mini.

    Prompts are answered WINDOW at a time, greedily or, with a `temperature`, sampled from `seed`; the same prompts
    always give the same answers on the same machine. Raises WeightsError when the base decoder can't be had.
    """
    if model is None or processor is None:
        model, processor = mini.base_model(), mini.processor()
    speaker, reader = model, processor
    begin = skip // WINDOW * WINDOW

    def windows() -> Iterator[tuple[str, tuple[int, str, Answer]]]:
        waiting, number = islice(prompts, begin, None), begin
        while window := list(islice(waiting, WINDOW)):
            if number + len(window) > skip:
                said = answers(
                    speaker,
                    reader,
                    window,
                    max_tokens=max_tokens,
                    temperature=temperature,
                    seed=seed + number,
                    batch_size=batch_size,
                )
                for place, (prompt, answer) in enumerate(zip(window, said, strict=True), number):
                    if place >= skip:
                        yield f"prompt {place}", (place, prompt, answer)
            number += len(window)

    def build(item: tuple[int, str, Answer]) -> Record:
        place, prompt, answer = item
        check(prompt, answer)
        provenance = Provenance(
            source, licence, generator="base_replies", seed=seed if temperature else None, uri=str(place)
        )
        record = answered(prompt, answer.text, None, SKILL, provenance)
        return replace(record, tags={"sureness": round(answer.sureness, 3)})

    return records_of("the prompts", windows(), build, skip=skip, tally=tally)


@torch.inference_mode()
def answers(
    model: VisionLanguageModel,
    processor: Processor,
    prompts: Sequence[str],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
    batch_size: int = 32,
) -> list[Answer]:
    """The model's answer to each prompt, with a progress bar. Prompts of equal length are answered together.

    Equal length means that none needs padding, so an answer does not depend on what it was answered with, but for
    rounding.
    """
    by_length: dict[int, list[tuple[int, Tensor]]] = defaultdict(list)
    for place, prompt in enumerate(prompts):
        ids_T = processor.prepare(Conversation((user(prompt),))).input_ids_T
        by_length[len(ids_T)].append((place, ids_T))
    groups = [
        same[first : first + batch_size]
        for same in by_length.values()
        for first in range(0, len(same), batch_size)
    ]
    generator = torch.Generator(model.device).manual_seed(seed)
    found: dict[int, Answer] = {}
    for group in track(groups, description="answering", transient=True):
        ids_BT = torch.stack([ids_T for _, ids_T in group]).to(model.device)
        said = _generate(model, processor, ids_BT, max_tokens, temperature, generator)
        found.update(zip((place for place, _ in group), said, strict=True))
    return [found[place] for place in range(len(prompts))]


def _generate(
    model: VisionLanguageModel,
    processor: Processor,
    ids_BT: Tensor,
    max_tokens: int,
    temperature: float,
    generator: torch.Generator,
) -> list[Answer]:
    """Answers to prompts of equal length (B, T). B sequences, T tokens, V vocabulary, N at most `max_tokens`."""
    end = processor.end_of_turn_id
    batch = len(ids_BT)
    cache = model.new_cache(batch, ids_BT.shape[1] + max_tokens)
    replies_BN = torch.full((batch, max_tokens), end, device=ids_BT.device)
    sums_B = torch.zeros(batch, device=ids_BT.device)
    counts_B = torch.zeros(batch, device=ids_BT.device)
    ended_B = torch.zeros(batch, dtype=torch.bool, device=ids_BT.device)
    for step in range(max_tokens):
        scores_BV = model(ids_BT, cache=cache, logits_to_keep=1)[:, -1].float()
        scores_BV[:, model.config.image_token_id] = -torch.inf  # stands for a picture, and there is none
        if temperature:
            probabilities_BV = torch.softmax(scores_BV / temperature, -1)
            chosen_B = torch.multinomial(probabilities_BV, 1, generator=generator)[:, 0]
        else:
            chosen_B = scores_BV.argmax(-1)
        logs_B = torch.log_softmax(scores_BV, -1).gather(1, chosen_B[:, None])[:, 0]
        sums_B += torch.where(ended_B, 0.0, logs_B)
        counts_B += ~ended_B
        ended_B |= chosen_B == end
        if ended_B.all():
            break
        replies_BN[:, step] = torch.where(ended_B, end, chosen_B)
        ids_BT = chosen_B[:, None]
    sureness = (sums_B / counts_B.clamp(min=1)).tolist()
    texts = [processor.tokenizer.decode(reply).strip() for reply in replies_BN.tolist()]
    return [
        Answer(text, ended, sure) for text, ended, sure in zip(texts, ended_B.tolist(), sureness, strict=True)
    ]


# ---------------------------------------------------------------------------------------------------
# What is good enough


def check(prompt: str, answer: Answer) -> None:
    """Raise Unusable with the first reason why an answer should not be learned from."""
    text = answer.text
    if not answer.ended:
        raise Unusable("does not end", text[-60:])
    if not any(character.isalnum() for character in text):
        raise Unusable("says nothing", repr(text))
    if len(text) > LONGEST:
        raise Unusable("too long", f"{len(text)} characters")
    if "<|" in text:
        raise Unusable("leaks the template", text[:60])
    if len(prompt.split()) > 2 and text.casefold().startswith(prompt.casefold().strip()):
        raise Unusable("repeats the question", text[:60])
    if _REFUSAL.search(text.replace("’", "'")):
        raise Unusable("refuses", text[:60])
    if goes_in_circles(text):
        raise Unusable("goes in circles", text[:60])
    if not is_english(text):
        raise Unusable("leaves the language", text[:60])
    if answer.sureness < LEAST_SURE:
        raise Unusable("not sure", f"{answer.sureness:.2f}: {text[:60]}")


def goes_in_circles(text: str) -> bool:
    """Whether a line comes three times, a run of six words three times, or hardly any word only once."""
    lines = Counter(line.strip() for line in text.splitlines() if len(line.strip()) > 3)
    words = re.findall(r"\w+", text.casefold())
    runs = Counter(tuple(words[i : i + 6]) for i in range(len(words) - 5))
    often = max(lines.values(), default=0) > 2 or max(runs.values(), default=0) > 2
    return often or (len(words) >= 40 and len(set(words)) < 0.3 * len(words))


def is_english(text: str) -> bool:
    """Whether letters are Latin and, from twenty words on, enough of the words are those that hold English together.

    Shorter texts may be names, lists or translations, and code has its own words.
    """
    letters = [character for character in text if character.isalpha()]
    if sum(character.isascii() for character in letters) < 0.8 * len(letters):
        return False
    words = re.findall(r"[a-z']+", re.sub(r"```.*?(```|$)", " ", text, flags=re.DOTALL).casefold())
    return len(words) < 20 or sum(word in _FUNCTION_WORDS for word in words) >= 0.15 * len(words)
