"""Five sizes of one model on generated pictures: how the loss falls with compute, and what a sixth would reach.

    python -m recipes.ladder --out runs/ladder
    python -m recipes.ladder --out runs/ladder --sizes 6      # train the sixth, and compare

Each size is trained from random weights to its own budget, tokens growing with the square root of the parameters.
From the fourth size on, what a run will reach is predicted and written down before it starts. Five sizes
took 19 minutes on one busy core. Run again to go on: what is finished is kept, what was stopped is continued.
"""

import argparse
import json
import statistics
from dataclasses import dataclass
from math import log
from pathlib import Path

import torch
from tokenizers.pre_tokenizers import ByteLevel

from clearsight.conversation import Conversation, assistant, user
from clearsight.data.build import Worlds
from clearsight.data.record import Record
from clearsight.data.shards import MANIFEST, write_manifest, write_shard
from clearsight.models import hf
from clearsight.models.config import ModelConfig, TextConfig, VisionConfig
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.template import Template
from clearsight.processing.tiles import TileSettings
from clearsight.processing.tokenizer import Tokenizer
from clearsight.training import ladder, learner
from clearsight.training.config import (
    Checkpoints,
    Checks,
    Config,
    Data,
    Model,
    Optimizer,
    Schedule,
    Validation,
    Watch,
)
from clearsight.training.flops import batch_flops
from clearsight.training.ladder import Prediction, Run
from clearsight.training.memory import Counts
from clearsight.training.record import read_run
from clearsight.training.trainer import Trainer

WORLDS = {"shapes": 1.0, "lines": 1.0}
PICTURES, HELD_OUT, HELD_OUT_SEED = 3000, 200, 1_000_000
ROW_TOKENS, ROWS = 512, 2
TOKENS, AT_PARAMETERS = 450_000, 500_000  # tokens of a run of so many parameters
RATE, AT_WIDTH = 6e-3, 64  # peak learning rate at this width; wider ones learn in proportion more slowly
SEEDS = 3  # runs of the smallest size, for how much equal runs differ
SPECIALS = ("<|im_start|>", "<|im_end|>", "<image>", "<fake_token_around_image>", "<global-img>")


@dataclass(frozen=True)
class Size:
    """Width of tower and decoder alike, and layers of each."""

    name: str
    width: int
    vision_layers: int
    text_layers: int

    @property
    def config(self) -> ModelConfig:
        heads = self.width // 16
        return ModelConfig(
            VisionConfig(self.width, 4 * self.width, self.vision_layers, heads, image_size=64, patch_size=8),
            TextConfig(
                hidden_size=self.width,
                intermediate_size=8 * self.width // 3 // 16 * 16,
                num_hidden_layers=self.text_layers,
                num_attention_heads=heads,
                num_key_value_heads=heads,
                head_dim=16,
                vocab_size=256 + len(SPECIALS),
                max_position_embeddings=ROW_TOKENS,
            ),
            scale_factor=2,
            image_token_id=256 + SPECIALS.index("<image>"),
            bos_token_id=256,
            pad_token_id=257,
            eos_token_id=257,
            tie_word_embeddings=True,
        )

    @property
    def parameters(self) -> int:
        """Of the layers, which is where compute goes."""
        counts = Counts.of(self.config)
        return self.vision_layers * counts.vision_layer + self.text_layers * counts.text_layer

    @property
    def steps(self) -> int:
        tokens = TOKENS * (self.parameters / AT_PARAMETERS) ** 0.5
        return round(tokens / (ROW_TOKENS * ROWS))


SIZES = (
    Size("0.1M", 64, 1, 2),
    Size("0.3M", 80, 1, 3),
    Size("0.6M", 112, 1, 3),
    Size("1.2M", 144, 1, 4),
    Size("2.6M", 192, 2, 4),
    Size("6M", 256, 3, 5),
)


def processor() -> Processor:
    """Bytes as tokens; each picture is one tile of 64 pixels a side and 16 image tokens."""
    settings = TileSettings(tile_size=64, longest_edge=64, tokens_per_tile=16, do_image_splitting=False)
    tokens = [*sorted(ByteLevel.alphabet()), *SPECIALS]
    special = {name: 256 + number for number, name in enumerate(SPECIALS)}
    return Processor(settings, Tokenizer.from_vocab(tokens, [], special), Template("chatml"))


def told(record: Record) -> Record:
    """The record with its questions and answers as one long reply: five times as many tokens to learn from, so that
    losses of small runs differ less."""
    conversation = record.conversation
    text = "\n".join(message.text for message in conversation.messages)
    return Record(
        Conversation((user(*conversation.images, "Tell me about it."), assistant(text))), record.provenance
    )


def corpus(folder: Path, count: int, first_seed: int) -> Path:
    """A corpus of generated pictures; made once."""
    if not (folder / MANIFEST).exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = Worlds(count, WORLDS, first_seed=first_seed)
        shard = write_shard(
            folder / "train-00000.tar", (told(part.record(number)) for number in range(count))
        )
        write_manifest(folder, [shard], {"recipe": f"{count} of {', '.join(WORLDS)} from {first_seed}"})
    return folder


@torch.no_grad()
def initialise(model: VisionLanguageModel, width: int) -> None:
    """Random weights that keep the size of what goes through them. The deviation of the trainer's own, 0.02, is meant
    for hundreds of channels; with 64 the first thousand steps would go by before layers say anything."""
    learner.initialise(model)
    for parameter in model.parameters():
        if parameter.dim() >= 2:
            parameter.mul_(width**-0.5 / learner.STD)


def settings(size: Size, start: Path, out: Path, seed: int) -> Config:
    rate = RATE * AT_WIDTH / size.width
    return Config(
        name=f"ladder {size.name}",
        model=Model(start=str(start)),
        data=Data(
            corpora=(str(out / "pictures"),),
            row_tokens=ROW_TOKENS,
            rows_per_step=ROWS,
            rows=ROWS,
            workers=1,
            detail="low",
            seed=seed,
        ),
        optimizer=Optimizer(vision=rate, connector=rate, text=rate, weight_decay=0.1),
        schedule=Schedule(steps=size.steps, warmup=max(10, size.steps // 20)),
        checkpoints=Checkpoints(every=100, keep=1),
        validation=Validation(corpora=(str(out / "held_out"),), batches=12),
        checks=Checks(replay_every=0, replicas_every=0, at_rest_every=0),
        watch=Watch(tensorboard=False),
        seed=seed,
    )


def train(size: Size, out: Path, seed: int = 0) -> Run:
    """Train a size, or take what it reached from the folder."""
    folder = out / f"{size.name}-{seed}"
    done = folder / "reached.json"
    if not done.exists():
        start = folder / "start"
        if not start.exists():
            torch.manual_seed(seed)
            model = VisionLanguageModel(size.config)
            initialise(model, size.width)
            hf.save(model, start)
            processor().save(start)
        summary = Trainer(settings(size, start, out, seed), folder).run()
        steps = read_run(folder).steps
        run = Run(
            size.name,
            sum(step.facts.flops for step in steps),
            summary["validation_loss"],
            size.parameters,
            sum(step.facts.tokens for step in steps),
        )
        done.write_text(json.dumps(vars(run)))
        seconds = sum(step.facts.seconds for step in steps)
        print(f"{run.name}: loss {run.loss:.4f} after {run.flops:.2g} FLOPs, {seconds:.0f} s", flush=True)
    return Run(**json.loads(done.read_text()))


def planned_flops(size: Size, last: Run, last_size: Size) -> float:
    """Compute of a run to come: per step what a step of the last size took, in proportion to the model's FLOPs."""
    lengths = [ROW_TOKENS // 2] * 2 * ROWS
    per_step, last_per_step = (
        batch_flops(s.config, lengths, len(lengths), sum(lengths)).total for s in (size, last_size)
    )
    return last.flops * (size.steps * per_step) / (last_size.steps * last_per_step)


def main(out: Path, sizes: int) -> None:
    corpus(out / "pictures", PICTURES, 0)
    corpus(out / "held_out", HELD_OUT, HELD_OUT_SEED)
    equal = [train(SIZES[0], out, seed).loss for seed in range(SEEDS)]
    noise = statistics.stdev(log(loss) for loss in equal)
    registered = out / "predictions.jsonl"
    predictions: list[Prediction] = []
    runs: list[Run] = []
    for number, size in enumerate(SIZES[: sizes + 1]):
        if number >= 3:
            known = {line["run"] for line in ladder.read(registered)}
            flops = planned_flops(size, runs[-1], SIZES[number - 1])
            prediction = ladder.predict(size.name, runs, flops, noise)
            if size.name not in known:
                ladder.register(registered, prediction)
            predictions.append(prediction)
        if number < sizes:
            runs.append(train(size, out))
            if number >= 3:
                ladder.compare(registered, runs[-1])
        if number >= 3:
            print(ladder.log_line(registered, size.name), flush=True)
    ladder.plot(out / "ladder.svg", runs, predictions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/ladder"))
    parser.add_argument("--sizes", type=int, default=5, choices=range(3, len(SIZES) + 1))
    arguments = parser.parse_args()
    main(arguments.out, arguments.sizes)
