"""Stage 2 of Clearsight Mini: teach the decoder to use what the tower sees.

Three straws carry the truth at once:
1. answers: several questions about each picture in one conversation, loss on the replies alone, so that one
   look at a picture pays for many answers; the decoder learns through low-rank updates;
2. vocabulary: every image token is pulled towards the decoder's own embeddings of the words for what lies
   under it (colour, object, word, letters), by cross-entropy over a small vocabulary;
3. dense truth of stage 1, so that the tower does not forget how to read.
Text-only conversations, answered by the base model itself, keep it chatting.

    torchrun --nproc-per-node 2 -m clearsight train recipes/mini/bridge.py --out runs/mini/bridge
    python -m recipes.mini.bridge --run runs/mini/bridge --export clearsight/bundled

A run starts from the parts that are shipped, or from --set model.start=FOLDER: other parts, or stage 1's
runs/mini/tower/model. With --set model.trained=vision,connector there are crowded pictures alone, and no questions.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from clearsight import mini
from clearsight.models.lora import add_low_rank
from clearsight.models.presets import MINI
from clearsight.models.vlm import IGNORED, VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import TileSettings, normalise
from clearsight.training import learner
from clearsight.training.checkpoint import Checkpoints
from clearsight.training.config import (
    Config,
    ConfigError,
    Data,
    Model,
    Optimizer,
    Parallel,
    Schedule,
    Validation,
    from_json,
)
from clearsight.training.flops import batch_flops
from clearsight.training.parallel import World
from clearsight.training.record import read_run
from clearsight.training.task import Counts, Show
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.lessons import GRID, Lesson, Lessons, Padded, Vocabulary
from recipes.mini.seeds import SeededTask
from recipes.mini.tower import HEADS, TOWER, DenseHeads


@dataclass(frozen=True)
class Beside:
    """What is shown beside conversations."""

    crowded: int = 2
    """Crowded pictures for each, from which tower and connector learn without the decoder."""


@dataclass(frozen=True)
class BridgeConfig(Config):
    """A run's settings, with those of this task."""

    task: Beside = field(default_factory=Beside)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model.rank < 1:
            raise ConfigError("model.rank is at least 1: the decoder learns through low-rank updates alone")
        if self.task.crowded < (0 if "text" in self.model.trained else 1):
            raise ConfigError(
                "task.crowded is at least 0, and at least 1 where model.trained leaves out text"
            )


def recipe() -> BridgeConfig:
    """Rows are conversations. Heads, scale and new rows learn as fast as the decoder's updates."""
    return BridgeConfig(
        name="mini/bridge",
        model=Model(start="mini", rank=16, alpha=32.0),
        data=Data(rows_per_step=6, rows=3, workers=0),
        optimizer=Optimizer(vision=1e-4, connector=1e-5, text=5e-4, beta2=0.98, weight_decay=0.0),
        schedule=Schedule(steps=1000, warmup=25, decay=0.4, shape="linear", floor=0.02),
        parallel=Parallel(shard=1),
        validation=Validation(every=200),
    )


class VocabularyLoss(nn.Module):
    """Cross-entropy between image tokens and the words beneath them, in the decoder's embedding space.

    Scores are scaled cosines to the centred embeddings, so that only the direction of a token is taught by the
    words; a small second term keeps tokens as long as word embeddings, for nothing else would.
    """

    mean: Tensor
    words: Tensor
    importance: Tensor

    def __init__(self, embeddings: Tensor, ids: list[int], importance: Tensor):
        super().__init__()
        mean = embeddings[: mini.NUM_BASE_TOKENS].float().mean(0)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("words", F.normalize(embeddings[ids].float() - mean, dim=-1), persistent=False)
        self.length = embeddings[ids].float().norm(dim=-1).mean().item()
        self.log_scale = nn.Parameter(torch.tensor([2.7]))  # sharding wants a dimension
        self.register_buffer("importance", importance, persistent=False)

    def forward(self, tokens: Tensor, target: Tensor) -> Tensor:
        """tokens (L, D), target (L, V) -> mean loss, weighted by the importance of what is there."""
        cosines = F.normalize(tokens.float() - self.mean, dim=-1) @ self.words.T
        loss = -(target * F.log_softmax(cosines * self.log_scale.exp(), dim=-1)).sum(-1)
        weight = target @ self.importance
        stretch = (tokens.float().norm(dim=-1) / self.length - 1).square().mean()
        return (loss * weight).sum() / weight.sum() + 0.1 * stretch


class Pupil(nn.Module):
    """The model with everything that is trained beside it."""

    def __init__(self, model: VisionLanguageModel, vocabulary: Vocabulary, settings: TileSettings):
        super().__init__()
        self.model, self.settings = model, settings
        self.dense = DenseHeads(model.config.vision.hidden_size)
        self.meaning = VocabularyLoss(
            model.text_model.embed_tokens.weight.detach(), vocabulary.ids, vocabulary.importance
        )
        first_new = mini.NUM_BASE_TOKENS
        rows = model.text_model.embed_tokens.weight.detach()[first_new:].float()
        self.new_rows = nn.Parameter(rows.clone())

    def forward(self, lesson: Lesson) -> Tensor:
        """The sum of the straws' losses, each a mean over the micro-batch: a scalar, fp32."""
        weight = self.model.vision_model.embeddings.patch_embedding.weight
        device = weight.device
        tiles = normalise(lesson.tiles_NCSS.to(device), self.settings).to(weight.dtype)
        patches = self.model.vision_model(tiles)
        tokens = self.model.connector(patches)
        total = self.meaning(tokens.flatten(0, 1), lesson.target_LV.to(device))
        if lesson.conversations is not None:
            total = total + self.answer_loss(lesson.conversations, tokens[: lesson.asked])
        if weight.requires_grad:
            kinds = self.dense.losses(patches, {k: truth.to(device) for k, truth in lesson.truth_NP.items()})
            total = total + 0.5 * kinds["character"] + kinds["object"] + 0.5 * kinds["colour"]
        if lesson.chats is not None:
            total = total + 0.5 * self.answer_loss(lesson.chats, None)
        return total

    def embed(self, ids: Tensor, features: Tensor | None) -> Tensor:
        """As the model's own, with the new tokens' rows taken from the trainable copy."""
        embeds = self.model.embed(ids, features)
        new = (ids >= mini.NUM_BASE_TOKENS) & (ids != self.model.config.image_token_id)
        rows = self.new_rows[(ids - mini.NUM_BASE_TOKENS).clamp(min=0)]
        return torch.where(new[..., None], rows.to(embeds.dtype), embeds)

    def answer_loss(self, padded: Padded, features: Tensor | None) -> Tensor:
        ids, labels = padded.ids_BT.to(self.new_rows.device), padded.labels_BT.to(self.new_rows.device)
        hidden = self.model.text_model(self.embed(ids, features))
        learned = labels[:, 1:] != IGNORED
        return F.cross_entropy(self.model.logits(hidden[:, :-1][learned]).float(), labels[:, 1:][learned])


class Bridge(SeededTask[Lesson]):
    """Tower, connector and low-rank updates of the decoder learn together."""

    model: Pupil

    def __init__(self, config: BridgeConfig, out: Path, world: World, show: Show):
        use_on_cpu(world.device.type)
        self.config, self.world = config, world
        processor = mini.processor()
        vocabulary = Vocabulary(processor)
        self.model = build(config, processor, vocabulary)
        model = self.model.model
        self.watched = {
            "vision": model.vision_model,
            "connector": model.connector,
            "text": model.text_model,
        }
        self.corpora = ("conversations",)
        lessons = Lessons(
            processor, vocabulary, asks="text" in config.model.trained, crowded=config.task.crowded
        )
        self.draw = lessons.draw

    def count(self, batch: Lesson) -> Counts:
        """What is labelled are conversations: each weighs the same, however long its answers are."""
        spoken = [padded for padded in (batch.conversations, batch.chats) if padded is not None]
        lengths = [length for padded in spoken for length in padded.lengths]
        learned = sum(int((padded.labels_BT[:, 1:] != IGNORED).sum()) for padded in spoken)
        tiles, learns = len(batch.tiles_NCSS), self.config.model
        flops = batch_flops(MINI, lengths, tiles, learned, frozenset(learns.trained), learns.rank)
        samples = len(batch.seeds.own)
        return Counts(samples, sum(lengths), samples, tiles, flops.total)

    def part_of(self, name: str) -> str:
        return "vision" if "vision_model" in name else "connector" if "connector" in name else "text"

    def write(self, checkpoint: Path, folder: Path) -> None:
        export(self.config, checkpoint, folder)


task = Bridge


def build(config: BridgeConfig, processor: Processor, vocabulary: Vocabulary) -> Pupil:
    """What training starts from: the tower of stage 1 with all else fresh, or parts that were exported before.

    Raises ConfigError for a folder that holds neither.
    """
    start = mini.bundled_folder() if config.model.start == "mini" else Path(config.model.start)
    model = mini.base_model()
    model.requires_grad_(False)
    model.vision_model.float()
    model.connector.float()
    add_low_rank(model.text_model, config.model.rank, config.model.alpha)
    if (start / mini.PARTS).exists():
        mini.restore_parts(model, start)
    elif (start / TOWER).exists():
        state = load_file(start / TOWER)
        positions = state["embeddings.position_embedding.weight"]
        state["embeddings.position_embedding.weight"] = positions[
            spread_positions(GRID, round(len(positions) ** 0.5))
        ]
        model.vision_model.load_state_dict(state)
        # patch features have a standard deviation near 2; image tokens start as large as word embeddings
        projection = model.connector.modality_projection.proj
        word_size = model.text_model.embed_tokens.weight.float().std().item()
        nn.init.normal_(projection.weight, std=word_size / (2 * projection.in_features**0.5))
    else:
        raise ConfigError(f"model.start is mini, or a folder with {mini.PARTS} or {TOWER}, not {start}")
    pupil = Pupil(model, vocabulary, processor.tile_settings).train()
    if (start / HEADS).exists():
        heads = {name: value.float() for name, value in load_file(start / HEADS).items()}
        pupil.dense.load_state_dict(heads)
    trained = config.model.trained
    model.vision_model.requires_grad_("vision" in trained)
    pupil.dense.requires_grad_("vision" in trained)
    model.connector.requires_grad_("connector" in trained)
    if "text" not in trained:
        model.text_model.requires_grad_(False)
        pupil.new_rows.requires_grad_(False)
    return pupil


def spread_positions(side: int, whole: int) -> Tensor:
    """Where the places of a coarse grid of side x side lie in one of whole x whole: (side * side,) int64."""
    places = ((torch.arange(side) + 0.5) * whole / side).long()
    return (places[:, None] * whole + places[None]).flatten()


@torch.no_grad()
def export(config: BridgeConfig, checkpoint: Path, folder: Path) -> None:
    """Write the parts that are shipped, and the dense heads, which only further training needs."""
    processor = mini.processor()
    pupil = build(config, processor, Vocabulary(processor))
    learner.fill(pupil, checkpoint)
    model = pupil.model
    model.text_model.embed_tokens.weight[mini.NUM_BASE_TOKENS :] = pupil.new_rows.to(model.dtype)
    mini.save_parts(model, folder)
    heads = {name: value.to(torch.float16).contiguous() for name, value in pupil.dense.state_dict().items()}
    save_file(heads, folder / HEADS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="a run of this recipe, taken as last saved")
    parser.add_argument("--export", type=Path, required=True, help="folder to write its parts to")
    arguments = parser.parse_args()
    checkpoint = Checkpoints(arguments.run / "checkpoints").last()
    export(from_json(read_run(arguments.run).config, recipe()), checkpoint, arguments.export)


if __name__ == "__main__":
    main()
