"""Stage 3 of Clearsight Mini: make the decoder compare what its image tokens say with what it is offered.

The tower rests; its looks at some thousand pictures are kept (looks.py). Two things are learned from them:
1. connector: the tokens on an icon are drawn to the word for it, against the words for all other ideas, and every
   token to the words beneath it as before. No decoder is needed, so this takes minutes.
2. decoder: low-rank updates learn from short questions, most of them choices among ideas drawn anew each time, so
   that nothing but comparing helps. Questions about one picture share its tokens and do not see each other.
The other lessons and text-only conversations are mixed in, so that nothing is forgotten.

    python -m recipes.mini.looks --out runs/mini/looks
    clearsight train recipes/mini/choices.py --out runs/mini/words --set model.trained=connector \\
        --set optimizer.connector=1e-3 --set task.pool=64 --set data.rows_per_step=1 --set data.rows=1 \\
        --set schedule.steps=530 --set schedule.decay=1
    clearsight train recipes/mini/choices.py --out runs/mini/choices --set model.start=runs/mini/words/model

What is learned lies in the run's folder `model`, in the form of clearsight/bundled.
"""

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image as PILImage
from safetensors.torch import load_file
from torch import Tensor, nn

from clearsight import mini
from clearsight.conversation import Conversation, Image, Part, assistant, user
from clearsight.data.worlds.drawing.icon_drawings import labels, others
from clearsight.data.worlds.scene import SIZE, Scene, Split, listed, one_of, rng_for, with_article, wording
from clearsight.models.lora import add_low_rank
from clearsight.models.presets import MINI
from clearsight.models.text import rotary_tables
from clearsight.models.vlm import IGNORED, VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.training import learner
from clearsight.training.config import (
    Config,
    ConfigError,
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
from recipes.mini.bridge import VocabularyLoss
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.lessons import DESCRIBE, GRID, Example, Vocabulary, chat_examples
from recipes.mini.looks import AXES, Looks, Seen, fold
from recipes.mini.primer import icons
from recipes.mini.seeds import SeededBatch, SeededTask, Seeds
from recipes.mini.tower import HEADS

ALONE = "one icon"
PRACTISED = {ALONE: 0.45, "shapes": 0.31, "icons": 0.08, "charts": 0.08, "words": 0.06, "tables": 0.02}
QUESTIONS = 5  # a picture, at most, where it does not show one icon
CHAT_EVERY = 8  # steps
ANY_PICTURE = Image(pixels=PILImage.new("RGB", (SIZE, SIZE)))  # its ids are those of every picture
LOG_SCALE = 3.7  # of cosines, where fitting the connector leaves it
TELLING = 4  # tokens of an answer that weigh in full; longer ones weigh as much in all


@dataclass(frozen=True)
class Practice:
    """What is practised on, and how."""

    looks: str = "runs/mini/looks"
    """Folder that recipes.mini.looks wrote."""
    pool: int = 20
    """Pictures of a micro-batch from which the connector learns, those that are asked about among them."""
    dropout: float = 0.3
    """Of the features' principal components: training drawings look clearer to the tower than new ones do."""
    meaning: float = 0.3
    idea: float = 0.15
    """Weights of the connector's losses beside the decoder's."""


@dataclass(frozen=True)
class ChoicesConfig(Config):
    """A run's settings, with those of this task."""

    task: Practice = field(default_factory=Practice)


def recipe() -> ChoicesConfig:
    """Rows are pictures with a few questions each."""
    return ChoicesConfig(
        name="mini/choices",
        model=Model(start="mini", trained=("connector", "text"), rank=16, alpha=32.0),
        data=Data(rows_per_step=5, rows=5, workers=0),
        optimizer=Optimizer(connector=3e-5, text=6e-4, beta2=0.98, weight_decay=0.0),
        schedule=Schedule(steps=530, warmup=10, decay=0.7, shape="linear", floor=0.03),
        parallel=Parallel(shard=1),
        validation=Validation(every=200),
    )


# ---------------------------------------------------------------------------------------------------
# What is asked


def questions(rng: random.Random, scene: Scene) -> list[tuple[str, str]]:
    """Three or four questions about a picture of one icon, with other choices each time; up to five about others."""
    split = scene.split
    own = {question.skill: (question.text, question.answer) for question in scene.questions}
    if "icon of ten" not in own:
        pairs = [(question.text, question.answer) for question in scene.questions]
        if rng.random() < 0.25:
            pairs.append((wording(rng, split, DESCRIBE), scene.caption))
        return rng.sample(pairs, min(QUESTIONS, len(pairs)))
    idea = own["icon of ten"][1]
    many = 10 if rng.random() < 0.6 else rng.randint(6, 10)
    pairs = [
        _choice(rng, split, idea, many),
        _choice(rng, split, idea, rng.randint(2, 5)),
        (wording(rng, split, icons.NAME), idea),
    ]
    kind = rng.random()
    if kind < 0.25:
        pairs.append(own["colour"])
    elif kind < 0.5:
        asked = idea if (present := rng.random() < 0.5) else rng.choice(others(idea))
        text = wording(rng, split, icons.PRESENT).format(with_article(asked))
        pairs.append((text, "Yes" if present else "No"))
    elif kind < 0.55:
        pairs.append((wording(rng, split, DESCRIBE), scene.caption))
    return pairs


def _choice(rng: random.Random, split: Split, idea: str, count: int) -> tuple[str, str]:
    return wording(rng, split, icons.CHOOSE).format(listed(one_of(rng, idea, others(idea), count))), idea


@dataclass
class Branches:
    """Conversations in one row, T tokens, whose questions share a picture and do not see each other.

    `labels_T` are IGNORED where nothing is learned; `weights_T` make long answers weigh no more than short ones;
    `sees_TT` says which token (row) attends to which (column); `count` conversations of `lengths` tokens.
    """

    ids_T: Tensor
    labels_T: Tensor
    weights_T: Tensor
    positions_T: Tensor
    sees_TT: Tensor
    lengths: list[int]

    @classmethod
    def of(cls, processor: Processor, asked: list[list[tuple[str, str]]], chats: list[Example]) -> "Branches":
        """Of pictures, each `asked` several questions, and of conversations without."""
        shared = len(picture_prefix(processor))
        trees = [
            (shared, [encoded_turns(processor, [ANY_PICTURE], [pair]) for pair in pairs]) for pairs in asked
        ] + [(0, [(chat.ids.tolist(), chat.learned.tolist())]) for chat in chats]
        ids: list[int] = []
        labels: list[int] = []
        weights: list[float] = []
        positions: list[int] = []
        tree_of: list[int] = []
        branch_of: list[int] = []  # 0 is the shared beginning
        for tree, (begin, replies) in enumerate(trees):
            for branch, (tokens, learned) in enumerate([(replies[0][0][:begin], [False] * begin), *replies]):
                first = 0 if branch == 0 else begin
                own = range(first, len(tokens))
                ids += tokens[first:]
                labels += [tokens[i] if learned[i] else IGNORED for i in own]
                weights += [min(1.0, TELLING / max(1, sum(learned)))] * len(own)
                positions += own
                tree_of += [tree] * len(own)
                branch_of += [branch] * len(own)
        trees_T, branches_T = torch.tensor(tree_of), torch.tensor(branch_of)
        together = trees_T[:, None] == trees_T[None]
        shares = (branches_T[None] == 0) | (branches_T[:, None] == branches_T[None])
        return cls(
            torch.tensor(ids),
            torch.tensor(labels),
            torch.tensor(weights),
            torch.tensor(positions),
            (together & shares).tril(),
            [len(tokens) for _, replies in trees for tokens, _ in replies],
        )


def encoded_turns(
    processor: Processor, shown: Sequence[Part], turns: list[tuple[str, str]]
) -> tuple[list[int], list[bool]]:
    """Ids of a conversation whose first question comes behind what is shown, and which of them are replies."""
    messages = []
    for number, (question, answer) in enumerate(turns):
        messages += [user(*(shown if number == 0 else ()), question), assistant(answer)]
    conversation = Conversation(tuple(messages))
    plans = processor.plan_images(conversation, detail="low")
    return processor.template.encode(conversation, plans, processor.tokenizer, add_generation_prompt=False)


def picture_prefix(processor: Processor) -> list[int]:
    """The ids with which every conversation about one picture begins."""
    ids, _ = encoded_turns(processor, [ANY_PICTURE], [("?", "?")])
    return ids[: behind_pictures(processor, ids)]


def behind_pictures(processor: Processor, ids: list[int]) -> int:
    """How many ids a conversation's pictures take, with all that stands before them."""
    return len(ids) - ids[::-1].index(processor.tokenizer.special("<fake_token_around_image>"))


# ---------------------------------------------------------------------------------------------------
# What learns


class Axes(nn.Module):
    """The connector, of which only the part along the principal axes of its inputs is trained.

    tokens = base x + turn (axes x); `turn` (D, R) starts at zero.
    """

    axes: Tensor
    base: Tensor

    def __init__(self, weight_DF: Tensor, axes_RF: Tensor):
        super().__init__()
        self.register_buffer("base", weight_DF.detach().clone(), persistent=False)
        self.register_buffer("axes", axes_RF, persistent=False)
        self.turn = nn.Parameter(torch.zeros(len(weight_DF), len(axes_RF)))

    def forward(self, folded_NIF: Tensor, dropout: float) -> Tensor:
        along = F.dropout(F.linear(folded_NIF, self.axes), dropout, self.training)
        return F.linear(folded_NIF, self.base) + F.linear(along, self.turn)

    def weight(self) -> Tensor:
        return self.base + self.turn @ self.axes


class IdeaLoss(nn.Module):
    """Cross-entropy between the tokens on an icon, on average, and the words for all ideas."""

    ideas: Tensor
    mean: Tensor

    def __init__(self, embeddings: Tensor, processor: Processor):
        super().__init__()
        self.register_buffer("mean", embeddings[: mini.NUM_BASE_TOKENS].mean(0), persistent=False)
        words = [processor.tokenizer.encode_text(" " + label) for label in labels()]
        directions = [F.normalize(embeddings[word] - self.mean, dim=-1).sum(0) for word in words]
        self.register_buffer("ideas", F.normalize(torch.stack(directions), dim=-1), persistent=False)
        self.log_scale = nn.Parameter(torch.tensor([LOG_SCALE]))

    def scores(self, tokens_NID: Tensor, lies_NI: Tensor) -> Tensor:
        """Mean cosines (N, ideas) of the tokens that the icon lies on."""
        cosines = F.normalize(tokens_NID - self.mean, dim=-1) @ self.ideas.T
        lies = lies_NI[..., None].float()
        return (cosines * lies).sum(1) / lies.sum(1).clamp(min=1)

    def forward(self, tokens_NID: Tensor, lies_NI: Tensor, idea_N: Tensor) -> Tensor:
        return F.cross_entropy(self.scores(tokens_NID, lies_NI) * self.log_scale.exp(), idea_N)


@dataclass
class Choices(SeededBatch):
    """A micro-batch: folded features of the pool, of which the first `asked` belong to `branches`; their truth.

    `alone_M` are the places of pictures with one icon in the pool, `idea_M` which it is, `lies_MI` where.
    """

    folded_NIF: Tensor
    target_LV: Tensor
    alone_M: Tensor
    idea_M: Tensor
    lies_MI: Tensor
    asked: int
    branches: Branches | None


class Chooser(nn.Module):
    """The model, whose tower is not used, with everything that is trained."""

    def __init__(self, model: VisionLanguageModel, axes: Tensor, processor: Processor, settings: Practice):
        super().__init__()
        self.model, self.settings = model, settings
        vocabulary = Vocabulary(processor)
        embeddings = model.text_model.embed_tokens.weight.detach().float()
        self.connector = Axes(model.connector.modality_projection.proj.weight, axes)
        self.meaning = VocabularyLoss(embeddings, vocabulary.ids, vocabulary.importance)
        self.idea = IdeaLoss(embeddings, processor)
        nn.init.constant_(self.meaning.log_scale, LOG_SCALE)

    def forward(self, batch: Choices) -> Tensor:
        device = self.connector.turn.device
        tokens = self.connector(batch.folded_NIF.to(device), self.settings.dropout)
        stretch = (tokens.norm(dim=-1) / self.meaning.length - 1).square().mean()
        meaning = self.meaning(tokens.flatten(0, 1), batch.target_LV.to(device))
        alone = tokens[batch.alone_M.to(device)]
        idea = self.idea(alone, batch.lies_MI.to(device), batch.idea_M.to(device)) if len(alone) else 0.0
        total = self.settings.meaning * meaning + self.settings.idea * idea + 0.1 * stretch
        if batch.branches is not None:
            total = total + self.answer_loss(batch.branches, tokens[: batch.asked])
        return total

    def answer_loss(self, branches: Branches, tokens_NID: Tensor) -> Tensor:
        """Of a conversation, on average."""
        hidden_TD = self.hidden(branches, tokens_NID)
        learned = (branches.labels_T != IGNORED).nonzero()[:, 0].to(hidden_TD.device)
        losses = F.cross_entropy(
            self.model.logits(hidden_TD[learned - 1]).float(),
            branches.labels_T.to(hidden_TD.device)[learned],
            reduction="none",
        )
        return (losses * branches.weights_T.to(losses.device)[learned]).sum() / len(branches.lengths)

    def hidden(self, branches: Branches, tokens_NID: Tensor) -> Tensor:
        """Final hidden states (T, D)."""
        decoder, device = self.model.text_model, tokens_NID.device
        x_1TD = self.model.embed(branches.ids_T.to(device)[None], tokens_NID)
        cos, sin = rotary_tables(decoder.config, branches.positions_T.to(device)[None], x_1TD.dtype)
        for layer in decoder.layers:
            x_1TD = layer(x_1TD, cos, sin, branches.sees_TT.to(device), None, None)
        return decoder.norm(x_1TD)[0]


# ---------------------------------------------------------------------------------------------------
# How it is drawn


@dataclass
class Truth:
    """What image tokens are to mean (I, V) float16; which idea the first thing is, and where it lies (I,) bool."""

    target_IV: Tensor
    idea: int
    lies_I: Tensor


class Drawn:
    """Draws micro-batches: a seed is a picture, its questions, and its share of the pool."""

    def __init__(self, config: ChoicesConfig, processor: Processor):
        self.processor, self.settings = processor, config.task
        self.asks = "text" in config.model.trained
        self.vocabulary = Vocabulary(processor)
        self.chats = chat_examples(processor)
        self.truths: dict[tuple[Split, int], Truth] = {}
        self.looks = {split: Looks(Path(config.task.looks), split) for split in ("train", "eval")}
        self.kinds = {split: by_kind(looks) for split, looks in self.looks.items()}
        if any(ALONE not in kinds for kinds in self.kinds.values()):
            raise ConfigError(
                f"task.looks={config.task.looks} holds no looks at pictures of one icon; make them with "
                f"python -m recipes.mini.looks --out {config.task.looks}"
            )

    def draw(self, seeds: Seeds) -> Choices:
        looks = self.looks[seeds.split]
        rng = rng_for("choices", seeds.own.start, seeds.split)
        kinds = self.kinds[seeds.split]
        shares = [PRACTISED[kind] for kind in kinds]
        asked = rng.choices(list(kinds), shares, k=len(seeds.own)) if self.asks else []
        places = [rng.choice(kinds[kind]) for kind in asked]
        places += [rng.randrange(len(looks.seen)) for _ in range(self.settings.pool - len(places))]
        truths = [self._truth(seeds.split, place) for place in places]
        alone = [row for row, place in enumerate(places) if looks.seen[place].one_icon]
        return Choices(
            seeds,
            fold(looks.features[places]),
            torch.cat([truth.target_IV for truth in truths]).float(),
            torch.tensor(alone, dtype=torch.int64),
            torch.tensor([truths[row].idea for row in alone], dtype=torch.int64),
            torch.stack([truth.lies_I for truth in truths])[alone],
            len(seeds.own) if self.asks else 0,
            self._branches(rng, [looks.seen[place] for place in places[: len(seeds.own)]], seeds)
            if self.asks
            else None,
        )

    def _truth(self, split: Split, place: int) -> Truth:
        """Worked out when it is first wanted."""
        if (split, place) not in self.truths:
            seen = self.looks[split].seen[place]
            scene = seen.scene()
            target = self.vocabulary.target(scene, GRID, MINI.scale_factor).half()
            label = next(thing.label for thing in scene.placed)
            idea = labels().index(label) if seen.one_icon else -1
            self.truths[split, place] = Truth(target, idea, lies(scene, label))
        return self.truths[split, place]

    def _branches(self, rng: random.Random, asked: list[Seen], seeds: Seeds) -> Branches:
        step = seeds.step.start // len(seeds.step)
        chats = [rng.choice(self.chats)] if seeds.split == "train" and step % CHAT_EVERY == 0 else []
        return Branches.of(self.processor, [questions(rng, seen.scene()) for seen in asked], chats)


def by_kind(looks: Looks) -> dict[str, list[int]]:
    """Places of the looks, by what is practised on them."""
    kinds: dict[str, list[int]] = {}
    for place, seen in enumerate(looks.seen):
        kinds.setdefault(ALONE if seen.one_icon else seen.world, []).append(place)
    return kinds


def lies(scene: Scene, label: str) -> Tensor:
    """On which image tokens a thing lies: (I,) bool."""
    fold_side = MINI.scale_factor
    side = GRID // fold_side
    patches = torch.from_numpy(scene.dense("object", {label: 1}, GRID))
    return patches.view(side, fold_side, side, fold_side).transpose(1, 2).reshape(side * side, -1).any(1)


class Comparing(SeededTask[Choices]):
    """Connector and low-rank updates of the decoder learn; the tower rests."""

    model: Chooser

    def __init__(self, config: ChoicesConfig, out: Path, world: World, show: Show):
        use_on_cpu(world.device.type)
        self.config, self.world = config, world
        processor = mini.processor()
        self.draw = Drawn(config, processor).draw
        self.model = build(config, processor)
        self.watched = {"connector": self.model.connector, "text": self.model.model.text_model.norm}
        self.corpora = ("pictures",)

    def count(self, batch: Choices) -> Counts:
        """What is labelled are pictures."""
        branches = batch.branches
        lengths = branches.lengths if branches else []
        learned = int((branches.labels_T != IGNORED).sum()) if branches else 0
        learns = self.config.model
        flops = batch_flops(MINI, lengths, 0, learned, frozenset(learns.trained), learns.rank)
        samples = len(batch.seeds.own)
        return Counts(samples, sum(lengths), samples, len(batch.folded_NIF), flops.total)

    def part_of(self, name: str) -> str:
        return "connector" if name == "connector.turn" else "text"

    def write(self, checkpoint: Path, folder: Path) -> None:
        """The parts that are shipped, and the dense heads, which fit the tower as before."""
        chooser = build(self.config, mini.processor())
        learner.fill(chooser, checkpoint)
        with torch.no_grad():
            chooser.model.connector.modality_projection.proj.weight.copy_(chooser.connector.weight())
        mini.save_parts(chooser.model, folder)
        if (start_of(self.config) / HEADS).exists():
            shutil.copyfile(start_of(self.config) / HEADS, folder / HEADS)


task = Comparing


def start_of(config: ChoicesConfig) -> Path:
    return mini.bundled_folder() if config.model.start == "mini" else Path(config.model.start)


def build(config: ChoicesConfig, processor: Processor) -> Chooser:
    """What training starts from: exported parts. Raises ConfigError where there are none, or no axes."""
    start, axes = start_of(config), Path(config.task.looks) / AXES
    if not (start / mini.PARTS).exists():
        raise ConfigError(f"model.start is mini, or a folder with {mini.PARTS}, not {start}")
    if not axes.exists():
        raise ConfigError(f"{axes} is missing; make it with python -m recipes.mini.looks --out {axes.parent}")
    model = mini.base_model(torch.float32).requires_grad_(False)
    add_low_rank(model.text_model, config.model.rank, config.model.alpha)
    mini.restore_parts(model, start)
    for parameter in model.text_model.parameters():
        parameter.requires_grad_(parameter.requires_grad and "text" in config.model.trained)
    return Chooser(model, load_file(axes)["axes"], processor, config.task).train()
