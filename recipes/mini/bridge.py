"""Stage 2 of Clearsight Mini: teach the decoder to use what the tower sees.

Three straws carry the truth at once:
1. answers: several questions about each picture in one conversation, loss on the replies alone, so that one
   look at a picture pays for many answers; the decoder learns through low-rank updates;
2. vocabulary: every image token is pulled towards the decoder's own embeddings of the words for what lies
   under it (colour, object, word, letters), by cross-entropy over a small vocabulary;
3. dense truth of stage 1, so that the tower does not forget how to read.
Text-only conversations, answered by the base model itself, keep it chatting.

    torchrun --nproc-per-node 2 -m recipes.mini.bridge --tower runs/mini/tower --out runs/mini/bridge --minutes 60
    python -m recipes.mini.bridge --out runs/mini/bridge --export clearsight/bundled

Run again with the same --out to continue; without --tower a new run starts from the parts that are shipped.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from clearsight import mini
from clearsight.conversation import Conversation, Image, Message, Text, assistant, user
from clearsight.data.worlds.drawing.icon_drawings import labels
from clearsight.data.worlds.drawing.outlines import SHAPES
from clearsight.data.worlds.drawing.palette import NAMES as COLOURS
from clearsight.data.worlds.scene import CHARACTERS, NUMBERS, Scene, Split, rng_for, wording
from clearsight.data.worlds.vocabulary import vocabulary as word_list
from clearsight.models.lora import DECODER_LINEARS, add_low_rank
from clearsight.models.precision import autocast
from clearsight.models.presets import MINI
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import cut, normalise, plan
from recipes.mini import crowded
from recipes.mini.cpu_attention import use_on_cpu
from recipes.mini.parallel import average_gradients, join, leave, minutes_since
from recipes.mini.primer import charts, icons, shapes, tables, words
from recipes.mini.tower import DenseHeads

WORLDS = ((words, 0.08), (icons, 0.55), (shapes, 0.28), (charts, 0.05), (tables, 0.04))
CROWDED = ((crowded.field, 0.9), (crowded.page, 0.1))  # seen by tower and connector alone
GRID = MINI.vision.patches_per_side
QUESTIONS = 5  # a picture, at most
ICON_QUESTIONS = 2  # once a name has been said, the next answers are only copied
TWO_PICTURES = 0.06  # share of conversations that hold two pictures
RANK, ALPHA = 16, 32.0
DESCRIBE = (
    "Describe this picture.",
    "Describe the image.",
    "What do you see?",
    "What is in this picture?",
    "Say what the picture shows.",
)
HEADS = "heads.safetensors"
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
            dense = scene.dense(kind, ids, grid).reshape(side, fold, side, fold)
            dense = dense.transpose(0, 2, 1, 3).reshape(side * side, -1)
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


class VocabularyLoss(nn.Module):
    """Cross-entropy between image tokens and the words beneath them, in the decoder's embedding space.

    Scores are scaled cosines to the centred embeddings, so that only the direction of a token is taught by the
    words; a small second term keeps tokens as long as word embeddings, for nothing else would.
    """

    def __init__(self, embeddings: Tensor, ids: list[int], importance: Tensor):
        super().__init__()
        mean = embeddings[: mini.NUM_BASE_TOKENS].float().mean(0)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("words", F.normalize(embeddings[ids].float() - mean, dim=-1), persistent=False)
        self.length = embeddings[ids].float().norm(dim=-1).mean().item()
        self.log_scale = nn.Parameter(torch.tensor(2.7))
        self.register_buffer("importance", importance, persistent=False)

    def forward(self, tokens: Tensor, target: Tensor) -> Tensor:
        """tokens (L, D), target (L, V) -> mean loss, weighted by the importance of what is there."""
        cosines = F.normalize(tokens.float() - self.mean, dim=-1) @ self.words.T
        loss = -(target * F.log_softmax(cosines * self.log_scale.exp(), dim=-1)).sum(-1)
        weight = target @ self.importance
        stretch = (tokens.float().norm(dim=-1) / self.length - 1).square().mean()
        return (loss * weight).sum() / weight.sum() + 0.1 * stretch


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


def crowded_tile(processor: Processor, seed: int) -> tuple[Scene, Tensor]:
    """A picture full of things and its tile (1, 3, S, S) uint8."""
    sample = rng_for("crowded", seed, "train").choices(
        [s for s, _ in CROWDED], [share for _, share in CROWDED]
    )[0]
    scene = sample(seed, "train")
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


def pad(examples: list[Example]) -> tuple[Tensor, Tensor]:
    """ids (B, T) padded on the right with 0, labels (B, T) with -100 where nothing is learned."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.int64)
    labels = torch.full((len(examples), longest), -100)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        labels[row, : len(example.ids)] = torch.where(example.learned, example.ids, -100)
    return ids, labels


def spread_positions(side: int, whole: int) -> Tensor:
    """Where the places of a coarse grid of side x side lie in one of whole x whole: (side * side,) int64."""
    places = ((torch.arange(side) + 0.5) * whole / side).long()
    return (places[:, None] * whole + places[None]).flatten()


# ---------------------------------------------------------------------------------------------------
# Training


class Pupil(nn.Module):
    """The model with everything that is trained beside it."""

    def __init__(self, model: VisionLanguageModel, vocabulary: Vocabulary):
        super().__init__()
        self.model = model
        self.dense = DenseHeads(model.config.vision.hidden_size)
        self.meaning = VocabularyLoss(
            model.text_model.embed_tokens.weight.detach(), vocabulary.ids, vocabulary.importance
        )
        first_new = mini.NUM_BASE_TOKENS
        rows = model.text_model.embed_tokens.weight.detach()[first_new:].float()
        self.new_rows = nn.Parameter(rows.clone())

    def embed(self, ids: Tensor, features: Tensor | None) -> Tensor:
        """As the model's own, with the new tokens' rows taken from the trainable copy."""
        embeds = self.model.embed(ids, features)
        new = (ids >= mini.NUM_BASE_TOKENS) & (ids != self.model.config.image_token_id)
        rows = self.new_rows[(ids - mini.NUM_BASE_TOKENS).clamp(min=0)]
        return torch.where(new[..., None], rows.to(embeds.dtype), embeds)

    def answer_loss(self, ids: Tensor, labels: Tensor, features: Tensor | None) -> Tensor:
        hidden = self.model.text_model(self.embed(ids, features))
        learned = labels[:, 1:] != -100
        return F.cross_entropy(self.model.logits(hidden[:, :-1][learned]).float(), labels[:, 1:][learned])

    def trained_state(self) -> dict[str, Tensor]:
        return {name: p.detach().cpu() for name, p in self.named_parameters() if p.requires_grad}


def build(tower: Path | None, parts: Path, processor: Processor) -> Pupil:
    """What training starts from: the tower of stage 1 with all else fresh, or parts that were exported before."""
    model = mini.base_model()
    model.requires_grad_(False)
    model.vision_model.float()
    model.connector.float()
    add_low_rank(model.text_model, RANK, ALPHA, DECODER_LINEARS)
    if tower is None:
        mini.restore_parts(model, parts)
    else:
        state = load_file(tower / "tower.safetensors")
        positions = state["embeddings.position_embedding.weight"]
        state["embeddings.position_embedding.weight"] = positions[
            spread_positions(GRID, round(len(positions) ** 0.5))
        ]
        model.vision_model.load_state_dict(state)
        # patch features have a standard deviation near 2; image tokens start as large as word embeddings
        projection = model.connector.modality_projection.proj
        word_size = model.text_model.embed_tokens.weight.float().std().item()
        nn.init.normal_(projection.weight, std=word_size / (2 * projection.in_features**0.5))
    model.vision_model.requires_grad_(True)
    model.connector.requires_grad_(True)
    pupil = Pupil(model, Vocabulary(processor))
    heads = parts / HEADS if tower is None else tower / "heads.safetensors"
    if heads.exists():
        pupil.dense.load_state_dict({name: value.float() for name, value in load_file(heads).items()})
    return pupil


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tower", type=Path, help="start from the tower of stage 1 in this folder")
    parser.add_argument(
        "--parts", type=Path, default=mini.bundled_folder(), help="else start from the parts in this folder"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/mini/bridge"))
    parser.add_argument(
        "--export", type=Path, help="write the shipped parts from --out to this folder and end"
    )
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument(
        "--batch", type=int, default=3, help="conversations a step; 0: crowded pictures alone"
    )
    parser.add_argument("--crowded", type=int, default=6, help="crowded pictures a step, without questions")
    parser.add_argument(
        "--tower-every", type=int, default=1, help="train the tower in every n-th step; 0: never"
    )
    parser.add_argument("--tower-rate", type=float, default=1e-4)
    parser.add_argument("--connector-rate", type=float, default=1e-5)
    parser.add_argument("--rate", type=float, default=5e-4, help="of low-rank updates and new rows")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = arguments.device
    use_on_cpu(device)
    rank, world_size = join(device)
    torch.manual_seed(0)
    processor = mini.processor()
    pupil = build(arguments.tower, arguments.parts, processor).to(device)
    model, vocabulary = pupil.model, Vocabulary(processor)
    samples = 0
    if (arguments.out / "trained.safetensors").exists():
        stored = load_file(arguments.out / "trained.safetensors", device=device)
        if set(stored) != set(pupil.trained_state()):
            parser.error(
                f"{arguments.out} holds other parameters than this recipe trains; name another --out"
            )
        pupil.load_state_dict(stored, strict=False)
        samples = json.loads((arguments.out / "state.json").read_text())["samples"]
    elif arguments.export:
        parser.error(f"{arguments.out} holds nothing to export; train first, or name another --out")
    if arguments.export:
        export(pupil, arguments.export)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)

    towers, connectors, updates = [], [], []
    for name, parameter in pupil.named_parameters():
        if parameter.requires_grad:
            part = towers if "vision_model" in name else connectors if "connector" in name else updates
            part.append(parameter)
    rates = {"tower": arguments.tower_rate, "connector": arguments.connector_rate, "updates": arguments.rate}
    optimizer = torch.optim.AdamW(
        [
            {"params": p, "name": n, "weight_decay": 0.0}
            for n, p in zip(rates, (towers, connectors, updates), strict=True)
        ],
        lr=arguments.rate,
        betas=(0.9, 0.98),
    )
    if (arguments.out / "optimizer.safetensors").exists():
        restore_optimizer(optimizer, arguments.out / "optimizer.safetensors")
    chats = chat_examples(processor)
    fold = model.config.scale_factor
    start, step, running = time.time(), 0, defaultdict(float)
    log = (arguments.out / "log.jsonl").open("a")
    last_saved = 0.0
    while (spent := minutes_since(start)) < arguments.minutes:
        progress = spent / arguments.minutes
        factor = min(1.0, (step + 1) / 25) * min(1.0, 2.5 * (1 - progress) + 0.02)
        for group in optimizer.param_groups:
            group["lr"] = rates[group["name"]] * factor
        share = max(1, arguments.batch)
        first = samples + rank * share
        examples = [picture_example(processor, first + i, "train") for i in range(arguments.batch)]
        scenes = [scene for example in examples for scene in example.scenes]
        asked = len(scenes)
        fuller = [crowded_tile(processor, first * arguments.crowded + i) for i in range(arguments.crowded)]
        scenes += [scene for scene, _ in fuller]
        pictures = [example.tiles for example in examples] + [tile for _, tile in fuller]
        tiles = normalise(torch.cat(pictures), processor.tile_settings)
        target = torch.cat([vocabulary.target(scene, GRID, fold) for scene in scenes]).to(device)
        with autocast(device):
            train_tower = arguments.tower_every > 0 and step % arguments.tower_every == 0
            with torch.set_grad_enabled(train_tower):
                patches = model.vision_model(tiles.to(device))
            tokens = model.connector(patches)
            losses = {"meaning": pupil.meaning(tokens.flatten(0, 1), target)}
            total = losses["meaning"]
            if examples:
                ids, labels = pad(examples)
                losses["answer"] = pupil.answer_loss(ids.to(device), labels.to(device), tokens[:asked])
                total = total + losses["answer"]
            if train_tower:
                truth = [pupil.dense.truth(scene, GRID) for scene in scenes]
                dense = {
                    k: torch.from_numpy(np.stack([t[k] for t in truth])).flatten(1).to(device)
                    for k in truth[0]
                }
                kinds = pupil.dense.losses(patches, dense)
                losses["dense"] = 0.5 * kinds["character"] + kinds["object"] + 0.5 * kinds["colour"]
                total = total + losses["dense"]
            if examples and step % 8 == 1:
                chat_ids, chat_labels = pad(random.Random(first).sample(chats, 3))
                losses["chat"] = pupil.answer_loss(chat_ids.to(device), chat_labels.to(device), None)
                total = total + 0.5 * losses["chat"]
        total.backward()
        average_gradients([pupil])
        for part in (towers, connectors, updates):
            nn.utils.clip_grad_norm_(part, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        samples += share * world_size
        step += 1
        for kind, value in losses.items():
            running[kind] = 0.95 * running[kind] + 0.05 * value.item() if kind in running else value.item()
        if step % 25 == 0 and rank == 0:
            speed = step * share * world_size / (time.time() - start)
            record = {"samples": samples, "minutes": round(spent, 2), "samples_per_second": round(speed, 2)}
            record |= {kind: round(value, 4) for kind, value in running.items()}
            print(json.dumps(record), flush=True)
            log.write(json.dumps(record) + "\n")
            log.flush()
            if spent - last_saved > 5:
                save(arguments.out, pupil, optimizer, samples)
                last_saved = spent
    if rank == 0:
        save(arguments.out, pupil, optimizer, samples)
    leave()


def save(folder: Path, pupil: Pupil, optimizer: torch.optim.Optimizer, samples: int) -> None:
    """Weights, optimiser and position, each replaced whole."""
    state = {
        f"{index}.{name}": value.cpu().contiguous()
        for index, entry in optimizer.state_dict()["state"].items()
        for name, value in entry.items()
    }
    for name, tensors in (("trained", pupil.trained_state()), ("optimizer", state)):
        save_file(tensors, folder / f"{name}.new")
        (folder / f"{name}.new").replace(folder / f"{name}.safetensors")
    (folder / "state.new").write_text(json.dumps({"samples": samples}))
    (folder / "state.new").replace(folder / "state.json")


def restore_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> None:
    state: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for key, value in load_file(path).items():
        index, _, name = key.partition(".")
        state[int(index)][name] = value
    optimizer.load_state_dict({"state": dict(state), "param_groups": optimizer.state_dict()["param_groups"]})


def export(pupil: Pupil, folder: Path) -> None:
    """Write the shipped parts, and the dense heads, which only further training needs."""
    with torch.no_grad():
        pupil.model.text_model.embed_tokens.weight[mini.NUM_BASE_TOKENS :] = pupil.new_rows.to(
            pupil.model.dtype
        )
    mini.save_parts(pupil.model, folder)
    heads = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in pupil.dense.state_dict().items()
    }
    save_file(heads, folder / HEADS)


if __name__ == "__main__":
    main()
