"""Stage 4 of Clearsight Mini: every world's questions, and a decoder that chats as it did before it could see.

The tower rests, connector and low-rank updates learn. Two losses:
1. answers to questions about pictures of all worlds, drawn on the way, and about those of the first lessons. A row
   holds one scene and as many questions as fit, which do not see each other;
2. the divergence of the decoder's predictions from the base model's, over text alone that the base model wrote
   (replies.py). It is what keeps the chat; the former stages' few replies to learn by heart did not.

Weights that rest are int8 (parallel.resting) and layers are compiled: on two cores without bf16 that is 2.5 times as
fast as fp32.

    torchrun --nproc-per-node 2 -m clearsight train recipes/mini/tuning.py --out runs/mini/tuning

On processors without VNNI (`lscpu | grep vnni` prints nothing): --set parallel.resting=own. On a graphics processor:
one process, --set parallel.resting=own --set parallel.precision=bf16 --set data.workers=12.

To practise with the notes of experts (clearsight/experts) as well, and with Tux Paint's stamps:
--set task.notes=0.6 --set task.row_tokens=224 --set task.stamps=/usr/share/tuxpaint/stamps.

What is learned lies in runs/mini/tuning/model, in the form of clearsight/bundled; a run that is stopped goes on when
the command is given again. What the chat is like says

    python -m recipes.mini.chat_cost --parts runs/mini/tuning/model
"""

import json
import random
import shutil
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image as PILImage
from torch import Tensor, nn

from clearsight import mini
from clearsight.conversation import Text
from clearsight.data import worlds
from clearsight.data.worlds.scene import Scene, Split, rng_for, wording
from clearsight.models.lora import add_low_rank, without_updates
from clearsight.models.presets import MINI
from clearsight.models.text import rotary_tables
from clearsight.models.vlm import IGNORED, VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import TileSettings, cut, normalise, plan
from clearsight.training import learner
from clearsight.training.config import (
    Checkpoints,
    Config,
    Data,
    Model,
    Optimizer,
    Parallel,
    Schedule,
    Validation,
)
from clearsight.training.flops import batch_flops
from clearsight.training.parallel import World
from clearsight.training.task import Counts, Show
from recipes.mini import choices
from recipes.mini.bridge import VocabularyLoss
from recipes.mini.choices import ANY_PICTURE, TELLING, Axes, encoded_turns, start_of
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.lessons import DESCRIBE, GRID, Vocabulary
from recipes.mini.looks import fold, principal_axes
from recipes.mini.noted import Pairs, Stamps, noted, shared
from recipes.mini.primer import charts, icons, shapes, tables, words
from recipes.mini.replies import SAMPLED
from recipes.mini.seeds import HELD_OUT, SeededBatch, SeededTask, Seeds
from recipes.mini.tower import HEADS

PRIMER = {icons: 0.11, shapes: 0.09, charts: 0.04, words: 0.03, tables: 0.03}  # the rest are all worlds alike
TURNS = 0.2  # share of scenes whose questions are turns of conversations
STAMPS = 0.15  # share of scenes that are stamps, where there are any
DESCRIBED = 0.15  # share of scenes of which a description is asked
AXES_SEED = 3_000_000
AXES_PICTURES = 192
CHATS_HELD_OUT = 10  # every so many-th text
INSTEAD = 50_000_000  # to the seed of another scene
PLAIN = 0.3  # share of texts without the template around them


@dataclass(frozen=True)
class Tuning:
    """What is shown, and how much it weighs."""

    row_tokens: int = 160
    """Tokens of a row; all rows are filled up to it."""
    chat: float = 4.0
    """Weight of the divergence from the base model, nats a token."""
    chat_tokens: int = 96
    """Tokens of a micro-batch's text whose predictions are compared."""
    meaning: float = 0.2
    """Weight of the words beneath image tokens (bridge.py)."""
    dropout: float = 0.1
    """Of the features' principal components."""
    axes: int = 512
    """Principal components of the features along which the connector learns."""
    notes: float = 0.0
    """Share of scenes whose pictures come with notes of the experts (noted.py)."""
    note_characters: int = 240
    """Of the text in a scene's pictures that is noted; rows have to hold it."""
    stamps: str = ""
    """Tux Paint's stamps, whose names are asked as well; none without a folder."""


@dataclass(frozen=True)
class TuningConfig(Config):
    """A run's settings, with those of this task."""

    task: Tuning = field(default_factory=Tuning)


def recipe() -> TuningConfig:
    """Rows are scenes with their questions; each micro-batch has a row of text beside them."""
    return TuningConfig(
        name="mini/tuning",
        model=Model(start="mini", trained=("connector", "text"), rank=16, alpha=32.0),
        data=Data(rows_per_step=14, rows=7, workers=0),
        optimizer=Optimizer(connector=5e-5, text=5e-4, beta2=0.98, weight_decay=0.0),
        schedule=Schedule(steps=520, warmup=15, decay=0.75, shape="linear", floor=0.02),
        parallel=Parallel(shard=1, precision="fp32", compile=True, resting="int8"),
        checkpoints=Checkpoints(every=65, keep=9),
        validation=Validation(every=130, batches=8),
    )


# ---------------------------------------------------------------------------------------------------
# What is shown


def scene_of(seed: int, split: Split, stamps: Stamps | None = None) -> Scene:
    """One world's, all alike but for the first lessons'; or a stamp."""
    rng = rng_for("tuning", seed, split)
    if stamps is not None and rng.random() < STAMPS:
        return stamps.sample(seed, split)
    if rng.random() < sum(PRIMER.values()):
        return rng.choices(list(PRIMER), list(PRIMER.values()))[0].sample(seed, split)
    return worlds.load(rng.choice(list(worlds.WORLDS))).sample(seed, split)


def asked(rng: random.Random, scene: Scene) -> Pairs:
    """Questions about a scene with their answers, in any order."""
    if any(question.skill == "icon of ten" for question in scene.questions):
        pairs = choices.questions(rng, scene)
    else:
        pairs = [(question.text, question.answer) for question in scene.questions]
        if scene.caption and rng.random() < DESCRIBED:
            pairs.append((wording(rng, scene.split, DESCRIBE), scene.caption))
    rng.shuffle(pairs)
    return pairs


def in_turns(rng: random.Random, pairs: Pairs) -> list[Pairs]:
    """Short conversations of these questions: mostly one each, sometimes several turns."""
    if rng.random() >= TURNS:
        return [[pair] for pair in pairs]
    conversations = []
    while pairs:
        turns = rng.randint(1, 4)
        conversations.append(pairs[:turns])
        pairs = pairs[turns:]
    return conversations


@dataclass
class Row:
    """Tokens (T,) of conversations that share a beginning and do not see each other.

    `labels_T` are IGNORED where nothing is learned; `weights_T` sum to 1 over a row. `branches_T` is 0 in the shared
    beginning, then a number a conversation, and -1 where the row is filled up.
    """

    ids_T: Tensor
    labels_T: Tensor
    weights_T: Tensor
    positions_T: Tensor
    branches_T: Tensor

    @classmethod
    def of(cls, begin: int, conversations: list[tuple[list[int], list[bool]]], tokens: int) -> "Row":
        """Of (ids, learned) with the same first `begin` ids, as many as fit into so many tokens."""
        ids, labels, weights, positions = [], [], [], []
        branches: list[int] = []
        for number, (own, learned) in enumerate(conversations):
            first = begin if ids else 0
            if len(ids) + len(own) - first > tokens:
                continue
            ids += own[first:]
            labels += [own[i] if learned[i] else IGNORED for i in range(first, len(own))]
            weights += [min(1.0, TELLING / max(1, sum(learned)))] * (len(own) - first)
            positions += range(first, len(own))
            branches += [0] * (begin - first) + [number + 1] * (len(own) - max(begin, first))
        fill = tokens - len(ids)
        told = max(1, len(set(branches) - {0}))
        return cls(
            torch.tensor(ids + [0] * fill),
            torch.tensor(labels + [IGNORED] * fill),
            torch.tensor(weights + [0.0] * fill) / told,
            torch.tensor(positions + [0] * fill),
            torch.tensor(branches + [-1] * fill),
        )


def sees(branches_BT: Tensor) -> Tensor:
    """Which token (row) attends to which (column): (B, 1, T, T)."""
    same = branches_BT[:, :, None] == branches_BT[:, None]
    begins = (branches_BT[:, None] == 0) & (branches_BT[:, :, None] >= 0)
    return (same | begins).tril()[:, None]


@dataclass
class Exercise(SeededBatch):
    """A micro-batch: tiles (N, 3, S, S) uint8 and rows (B, T), of which the last is text alone.

    `target_LV` is what the image tokens of each scene's first picture mean, `first_L` which of all they are.
    """

    tiles_NCSS: Tensor
    ids_BT: Tensor
    labels_BT: Tensor
    weights_BT: Tensor
    positions_BT: Tensor
    branches_BT: Tensor
    target_LV: Tensor
    first_L: Tensor


class Exercises:
    """Draws them: a seed is a scene."""

    def __init__(self, settings: Tuning, processor: Processor, vocabulary: Vocabulary):
        self.settings, self.processor, self.vocabulary = settings, processor, vocabulary
        records = [json.loads(line) for line in SAMPLED.read_text(encoding="utf-8").splitlines()]
        self.stamps = Stamps(settings.stamps) if settings.stamps else None
        self.texts = {
            "eval": records[::CHATS_HELD_OUT],
            "train": [record for number, record in enumerate(records) if number % CHATS_HELD_OUT],
        }

    def draw(self, seeds: Seeds) -> Exercise:
        rng = rng_for("exercise", seeds.own.start, seeds.split)
        drawn = [self._row(rng, seed, seeds.split) for seed in seeds.own]
        scenes = [scene for scene, _ in drawn]
        rows = [row for _, row in drawn] + [self._text(rng, seeds.split)]
        tiles, first, told = [], [], 0
        for scene in scenes:
            first.append(torch.arange(told, told + MINI.tokens_per_tile))
            tiles += [tile_of(self.processor.tile_settings, picture) for picture in scene.pictures]
            told = len(tiles) * MINI.tokens_per_tile
        return Exercise(
            seeds,
            torch.cat(tiles),
            torch.stack([row.ids_T for row in rows]),
            torch.stack([row.labels_T for row in rows]),
            torch.stack([row.weights_T for row in rows]),
            torch.stack([row.positions_T for row in rows]),
            torch.stack([row.branches_T for row in rows]),
            torch.cat([self.vocabulary.target(scene, GRID, MINI.scale_factor) for scene in scenes]),
            torch.cat(first),
        )

    def _row(self, rng: random.Random, seed: int, split: Split) -> tuple[Scene, Row]:
        """The scene of a seed, or where none of its questions fits into a row, that of another."""
        while True:
            scene = scene_of(seed, split, self.stamps)
            pairs, notes = asked(rng, scene), [""] * len(scene.pictures)
            if rng.random() < self.settings.notes:
                notes, pairs = noted(rng, scene, pairs, self.settings.note_characters)
            shown = [
                part for note in notes for part in ((ANY_PICTURE, Text(note)) if note else (ANY_PICTURE,))
            ]
            encoded = [encoded_turns(self.processor, shown, turns) for turns in in_turns(rng, pairs)]
            fitting = [one for one in encoded if len(one[0]) <= self.settings.row_tokens]
            if fitting:
                return scene, Row.of(shared(fitting), fitting, self.settings.row_tokens)
            seed += INSTEAD

    def _text(self, rng: random.Random, split: Split) -> Row:
        texts = self.texts[split]
        encoded = []
        for record in rng.sample(texts, min(len(texts), 8)):
            if rng.random() < PLAIN:
                ids = self.processor.tokenizer.encode_text(record["reply"])
            else:
                ids = encoded_turns(self.processor, [], [(record["prompt"], record["reply"])])[0]
            ids = ids[: self.settings.row_tokens]
            encoded.append((ids, [False] * len(ids)))
        return Row.of(0, encoded, self.settings.row_tokens)


def tile_of(settings: TileSettings, picture: PILImage.Image) -> Tensor:
    """The one tile (1, 3, S, S) uint8 of a picture."""
    return cut(picture, plan(*picture.size, settings, "low"))


# ---------------------------------------------------------------------------------------------------
# What learns


class Tuned(nn.Module):
    """The model with what is trained beside it; the tower rests."""

    def __init__(
        self,
        model: VisionLanguageModel,
        axes_RF: Tensor,
        processor: Processor,
        vocabulary: Vocabulary,
        task: Tuning,
    ):
        super().__init__()
        self.model, self.tiles, self.task = model, processor.tile_settings, task
        self.connector = Axes(model.connector.modality_projection.proj.weight, axes_RF)
        embeddings = model.text_model.embed_tokens.weight.detach().float()
        self.meaning = VocabularyLoss(embeddings, vocabulary.ids, vocabulary.importance)
        nn.init.constant_(self.meaning.log_scale, choices.LOG_SCALE)

    def forward(self, batch: Exercise) -> Tensor:
        """The sum of the losses, each a mean over the micro-batch: a scalar, fp32."""
        device = self.connector.turn.device
        tokens_NID = self.connector(self.look(batch.tiles_NCSS.to(device)), self.task.dropout)
        labels_BT, branches_BT = batch.labels_BT.to(device), batch.branches_BT.to(device)
        mask, positions_BT = sees(branches_BT), batch.positions_BT.to(device)
        x_BTD = self.model.embed(batch.ids_BT.to(device), tokens_NID)
        hidden_BTD = self.hidden(x_BTD, positions_BT, mask)

        learned = (labels_BT[:, 1:] != IGNORED).nonzero(as_tuple=True)
        losses = F.cross_entropy(
            self.model.logits(hidden_BTD[:, :-1][learned]).float(),
            labels_BT[:, 1:][learned],
            reduction="none",
        )
        answers = (losses * batch.weights_BT.to(device)[:, 1:][learned]).sum() / (len(labels_BT) - 1)

        spoken = (branches_BT[-1] > 0).nonzero()[:, 0]
        some = spoken[:: max(1, round(len(spoken) / self.task.chat_tokens))][: self.task.chat_tokens]
        chat = self.divergence(x_BTD[-1:], positions_BT[-1:], mask[-1:], hidden_BTD[-1, some], some)

        meant_LD = tokens_NID.flatten(0, 1)[batch.first_L.to(device)]
        meaning = self.meaning(meant_LD, batch.target_LV.to(device))
        return answers + self.task.chat * chat + self.task.meaning * meaning

    @torch.no_grad()
    def look(self, tiles_NCSS: Tensor) -> Tensor:
        """Folded features (N, I, F); tile by tile, as compiled layers want one shape."""
        tiles = normalise(tiles_NCSS, self.tiles)
        return fold(torch.cat([self.model.vision_model(tile[None]) for tile in tiles]))

    def hidden(self, x_BTD: Tensor, positions_BT: Tensor, mask: Tensor) -> Tensor:
        """Final hidden states (B, T, D)."""
        decoder = self.model.text_model
        cos, sin = rotary_tables(decoder.config, positions_BT, x_BTD.dtype)
        for layer in decoder.layers:
            x_BTD = layer(x_BTD, cos, sin, mask, None, None)
        return decoder.norm(x_BTD)

    def divergence(
        self, x_1TD: Tensor, positions_1T: Tensor, mask: Tensor, hidden_LD: Tensor, some_L: Tensor
    ) -> Tensor:
        """Kullback-Leibler divergence of the decoder's predictions from the base model's, nats a token."""
        with torch.no_grad(), without_updates(self.model.text_model):
            base = self.model.logits(self.hidden(x_1TD.detach(), positions_1T, mask)[0, some_L]).float()
        ours = self.model.logits(hidden_LD).float().log_softmax(-1)
        return F.kl_div(ours, base.log_softmax(-1), reduction="batchmean", log_target=True)


class AllWorlds(SeededTask[Exercise]):
    """Connector and low-rank updates of the decoder learn; the tower rests."""

    model: Tuned

    def __init__(self, config: TuningConfig, out: Path, world: World, show: Show):
        use_on_cpu(world.device.type)
        self.config, self.world = config, world
        processor = mini.processor()
        vocabulary = Vocabulary(processor)
        self.draw = Exercises(config.task, processor, vocabulary).draw
        self.model = build(config, processor, vocabulary)
        self.watched = {"connector": self.model.connector, "text": self.model.model.text_model.norm}
        self.corpora = ("scenes",)

    def count(self, batch: Exercise) -> Counts:
        """What is labelled are scenes."""
        lengths = (batch.branches_BT >= 0).sum(1).tolist()
        learned = int((batch.labels_BT != IGNORED).sum())
        learns = self.config.model
        tiles, scenes = len(batch.tiles_NCSS), len(batch.seeds.own)
        flops = batch_flops(MINI, lengths, tiles, learned, frozenset(learns.trained), learns.rank)
        return Counts(scenes, sum(lengths), scenes, tiles, flops.total)

    def part_of(self, name: str) -> str:
        return "connector" if name == "connector.turn" else "text"

    def write(self, checkpoint: Path, folder: Path) -> None:
        """The parts that are shipped, and the dense heads, which fit the tower as before."""
        processor = mini.processor()
        tuned = build(self.config, processor, Vocabulary(processor))
        learner.fill(tuned, checkpoint)
        with torch.no_grad():
            tuned.model.connector.modality_projection.proj.weight.copy_(tuned.connector.weight())
        mini.save_parts(tuned.model, folder)
        if (start_of(self.config) / HEADS).exists():
            shutil.copyfile(start_of(self.config) / HEADS, folder / HEADS)


task = AllWorlds


def build(config: TuningConfig, processor: Processor, vocabulary: Vocabulary) -> Tuned:
    """What training starts from: exported parts. Raises PartsMissing where there are none."""
    model = mini.base_model(torch.float32).requires_grad_(False)
    add_low_rank(model.text_model, config.model.rank, config.model.alpha)
    mini.restore_parts(model, start_of(config))
    if "text" not in config.model.trained:
        model.text_model.requires_grad_(False)
    axes = axes_of(model, processor, config.task.axes)
    tuned = Tuned(model, axes, processor, vocabulary, config.task)
    tuned.connector.requires_grad_("connector" in config.model.trained)
    return tuned.train()


@torch.no_grad()
def axes_of(model: VisionLanguageModel, processor: Processor, rank: int) -> Tensor:
    """Principal axes (R, F) of what the tower sees in some scenes, the same for all ranks."""
    pictures = (
        picture
        for seed in range(AXES_SEED, AXES_SEED + AXES_PICTURES)
        for picture in scene_of(seed, "train").pictures
    )
    folded = []
    while some := list(islice(pictures, 8)):
        tiles = torch.cat([tile_of(processor.tile_settings, picture) for picture in some])
        folded.append(fold(model.vision_model(normalise(tiles, processor.tile_settings))))
    torch.manual_seed(0)
    return principal_axes(torch.cat(folded).flatten(0, 1), rank)


assert AXES_SEED > HELD_OUT
