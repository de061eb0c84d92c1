"""What stage 2 of Clearsight Mini learns from: conversations about drawn pictures, and what lies under image tokens.

A lesson is a micro-batch: several questions about each picture, crowded pictures without questions, and now and then
text-only conversations, answered by the base model itself.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from clearsight.conversation import Conversation, Image, Message, Text, assistant, user
from clearsight.data.worlds.drawing.icon_drawings import labels
from clearsight.data.worlds.drawing.outlines import SHAPES
from clearsight.data.worlds.drawing.palette import NAMES as COLOURS
from clearsight.data.worlds.scene import CHARACTERS, NUMBERS, Scene, Split, rng_for, wording
from clearsight.data.worlds.vocabulary import vocabulary as word_list
from clearsight.models.presets import MINI
from clearsight.models.vlm import IGNORED
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import cut, plan
from recipes.mini import crowded
from recipes.mini.primer import charts, icons, shapes, tables, words
from recipes.mini.seeds import SeededBatch, Seeds
from recipes.mini.tower import dense_truth

WORLDS = ((words, 0.08), (icons, 0.55), (shapes, 0.28), (charts, 0.05), (tables, 0.04))
CROWDED = ((crowded.field, 0.9), (crowded.page, 0.1))  # seen by tower and connector alone
GRID = MINI.vision.patches_per_side
QUESTIONS = 5  # a picture, at most
ICON_QUESTIONS = 2  # once a name has been said, the next answers are only copied
TWO_PICTURES = 0.06  # share of conversations that hold two pictures
CHATS, CHAT_EVERY = 3, 8  # text-only conversations beside a micro-batch, in every so many-th step
DESCRIBE = (
    "Describe this picture.",
    "Describe the image.",
    "What do you see?",
    "What is in this picture?",
    "Say what the picture shows.",
)
CHAT = Path(__file__).with_name("chat.jsonl")


# ---------------------------------------------------------------------------------------------------
# What lies under each image token, as words of the decoder


class Vocabulary:
    """The words that image tokens are taught to mean.

    A place with nothing on it means how many things there are in the picture, where they can be counted.
    `ids` (V,) are decoder tokens; index 0 stands for an empty place. A label of several tokens spreads its
    weight evenly over them.
    """

    def __init__(self, processor: Processor):
        encode = processor.tokenizer.encode_text
        everything = [
            *word_list("train"),
            *COLOURS,
            *SHAPES,
            "bar",
            *labels(),
            *NUMBERS,
            *CHARACTERS,
        ]
        self.tokens_of = {label: encode(" " + label) for label in everything}
        self.tokens_of |= {str(n): encode(" " + str(n))[-len(str(n)) :] for n in range(101)}
        self.ids = [encode("\n")[0], *sorted({t for tokens in self.tokens_of.values() for t in tokens})]
        index = {token: place for place, token in enumerate(self.ids)}
        self.places_of = {label: [index[t] for t in tokens] for label, tokens in self.tokens_of.items()}
        # what lies on most of a picture must not drown the rest
        self.importance = torch.ones(len(self.ids))
        self.importance[[place for number in NUMBERS for place in self.places_of[number]]] = 0.5
        self.importance[0] = 0.1

    def target(self, scene: Scene, grid: int, fold: int) -> Tensor:
        """(tokens, V) float32: what share of each token's place means which word; rows sum to 1.

        The picture has grid x grid patches, of which fold x fold make a token.
        """
        side = grid // fold
        share = np.zeros((side * side, len(self.ids)), dtype=np.float32)
        for kind, weight in (("colour", 1.0), ("object", 1.0), ("word", 1.0), ("character", 0.5)):
            labels = sorted({thing.label for thing in scene.placed if thing.kind == kind})
            ids = {label: i + 1 for i, label in enumerate(labels)}
            folded = scene.dense(kind, ids, grid).reshape(side, fold, side, fold)
            dense = folded.transpose(0, 2, 1, 3).reshape(side * side, -1)
            for label, number in ids.items():
                places = self.places_of.get(label) or self.places_of.get(label.lower())
                if places:
                    covered = (dense == number).any(1)
                    share[:, places] += (covered * weight / len(places))[:, None]
        empty = share.sum(1) == 0
        things = sum(thing.kind == "object" for thing in scene.placed)
        places = self.places_of[NUMBERS[things]] if 0 < things <= 10 else [0]
        share[np.ix_(empty, places)] = 1
        return torch.from_numpy(share / share.sum(1, keepdims=True))


# ---------------------------------------------------------------------------------------------------
# Conversations


@dataclass
class Example:
    """One training conversation: ids and mask (T,), tiles (N, 3, S, S) uint8, its scenes."""

    ids: Tensor
    learned: Tensor
    tiles: Tensor
    scenes: list[Scene]


def picture_example(processor: Processor, seed: int, split: Split) -> Example:
    """A conversation of several questions about one picture, sometimes two."""
    rng = rng_for("bridge", seed, split)
    count = 2 if rng.random() < TWO_PICTURES else 1
    scenes = [
        rng.choices([w for w, _ in WORLDS], [s for _, s in WORLDS])[0].sample(seed * 2 + i, split)
        for i in range(count)
    ]
    pairs = []
    for place, scene in zip(("first", "second"), scenes, strict=False):
        prefix = f"In the {place} picture: " if count == 2 else ""
        pairs += [(prefix + question.text, question.answer) for question in scene.questions]
        if count == 1:
            pairs.append((wording(rng, split, DESCRIBE), scene.caption))
    rng.shuffle(pairs)
    messages: list[Message] = []
    pictures = [Image(pixels=scene.picture) for scene in scenes]
    most = ICON_QUESTIONS if scenes[0].world == "icons" else QUESTIONS
    for number, (question, answer) in enumerate(pairs[:most]):
        messages.append(user(*(pictures if number == 0 else []), question))
        messages.append(assistant(answer))
    return _example(processor, Conversation(tuple(messages)), scenes)


def crowded_tile(processor: Processor, seed: int, split: Split) -> tuple[Scene, Tensor]:
    """A picture full of things and its tile (1, 3, S, S) uint8."""
    sample = rng_for("crowded", seed, split).choices(
        [s for s, _ in CROWDED], [share for _, share in CROWDED]
    )[0]
    scene = sample(seed, split)
    return scene, cut(scene.picture, plan(*scene.picture.size, processor.tile_settings, "low"))


def chat_examples(processor: Processor) -> list[Example]:
    """Text-only conversations whose replies the base model wrote."""
    records = [json.loads(line) for line in CHAT.read_text().splitlines()]
    return [
        _example(processor, Conversation((Message("user", (Text(r["prompt"]),)), assistant(r["reply"]))), [])
        for r in records
    ]


def _example(processor: Processor, conversation: Conversation, scenes: list[Scene]) -> Example:
    prepared = processor.prepare(conversation, add_generation_prompt=False, detail="low")
    return Example(prepared.input_ids_T, prepared.assistant_mask_T, prepared.tiles_NCSS, scenes)


@dataclass
class Padded:
    """Conversations of (B,) `lengths`, filled up on the right: ids (B, T), labels (B, T) with IGNORED elsewhere."""

    ids_BT: Tensor
    labels_BT: Tensor
    lengths: list[int]

    @classmethod
    def of(cls, examples: list[Example]) -> "Padded":
        lengths = [len(example.ids) for example in examples]
        ids = torch.zeros(len(examples), max(lengths), dtype=torch.int64)
        labels = torch.full_like(ids, IGNORED)
        for row, example in enumerate(examples):
            ids[row, : lengths[row]] = example.ids
            labels[row, : lengths[row]] = torch.where(example.learned, example.ids, IGNORED)
        return cls(ids, labels, lengths)


@dataclass
class Lesson(SeededBatch):
    """A micro-batch. Pictures of conversations come first, crowded ones behind; L image tokens, V words, P patches."""

    tiles_NCSS: Tensor  # uint8
    target_LV: Tensor
    truth_NP: dict[str, Tensor]
    asked: int  # pictures that belong to conversations
    conversations: Padded | None
    chats: Padded | None


class Lessons:
    """Draws them: a seed is a conversation about pictures, if `asks`, and so many crowded pictures beside it."""

    def __init__(self, processor: Processor, vocabulary: Vocabulary, *, asks: bool, crowded: int):
        self.processor, self.vocabulary, self.asks, self.crowded = processor, vocabulary, asks, crowded
        self.chats = chat_examples(processor)

    def draw(self, seeds: Seeds) -> Lesson:
        own, split = seeds.own, seeds.split
        examples = [picture_example(self.processor, seed, split) for seed in own] if self.asks else []
        fuller = [
            crowded_tile(self.processor, seed, split)
            for seed in range(own.start * self.crowded, own.stop * self.crowded)
        ]
        scenes = [scene for example in examples for scene in example.scenes] + [scene for scene, _ in fuller]
        truth = [dense_truth(scene, GRID) for scene in scenes]
        chats = None
        if examples and split == "train" and seeds.step.start // len(seeds.step) % CHAT_EVERY == 1:
            chats = Padded.of(random.Random(own.start).sample(self.chats, CHATS))
        return Lesson(
            seeds,
            torch.cat([example.tiles for example in examples] + [tile for _, tile in fuller]),
            torch.cat([self.vocabulary.target(scene, GRID, MINI.scale_factor) for scene in scenes]),
            {kind: torch.from_numpy(np.stack([t[kind] for t in truth])).flatten(1) for kind in truth[0]},
            len(scenes) - len(fuller),
            Padded.of(examples) if examples else None,
            chats,
        )
