"""What one process of the training benchmark does: the model and corpus, parity, and a turn of either trainer.

`theirs` is what a user of transformers writes: a dataset of messages and pictures, a collator that calls the processor,
and Trainer. `ours` is Clearsight's trainer with its defaults. See `benchmarks.training` for what is compared and why.

    python -m benchmarks.training_turns "Trainer, grouped" FOLDER --seed 0 --rows 1 --steps 6 --threads 2
"""

import argparse
import contextlib
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PILImage
from torch.nn.utils.rnn import pad_sequence

from clearsight.conversation import Conversation, Image
from clearsight.data.loader import IGNORED, costs, pack
from clearsight.data.shards import Corpus
from clearsight.mini import processor as mini_processor
from clearsight.models import hf
from clearsight.models.precision import native_dtype
from clearsight.models.presets import MINI
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import normalise
from clearsight.training import learner
from clearsight.training.config import Config, Data, Model, Optimizer, Schedule
from clearsight.training.corpora import open_corpus
from clearsight.training.flops import batch_flops, peak_flops

ROW_TOKENS = 1024
LEARNING_RATE = 1e-5
WARM_UP = 2  # steps
WORKERS = 2  # processes that prepare batches, for both
PREFETCH = 4  # batches each of them prepares ahead
CHECKED = 16  # records on which losses are compared
LOSS_TOLERANCE = 1e-3
OURS, PLAIN, GROUPED, READY = "clearsight", "Trainer, plain", "Trainer, grouped", "Trainer, grouped, ready"


@dataclass(frozen=True)
class Turn:
    """What one process did within its measured steps."""

    seconds: float
    processor_seconds: float
    steps: int
    samples: int
    tokens: int  # of samples, padding left out
    labelled: int
    flops: float  # that these samples need
    peak_flops: float  # per second, measured in this process
    memory: float  # bytes, at most: resident, or allocated on the accelerator
    loss: float  # mean of all its steps


class Clock:
    """Time on the clock and of the processor at the end of each step."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float]] = []

    def mark(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.marks.append((time.perf_counter(), time.process_time()))

    @property
    def seconds(self) -> float:
        return self.marks[-1][0] - self.marks[WARM_UP - 1][0]

    @property
    def processor_seconds(self) -> float:
        return self.marks[-1][1] - self.marks[WARM_UP - 1][1]


class Measured(Exception):
    """The last step that counts is done; what a run does at its end takes no part."""


# ---------------------------------------------------------------------------------------------------
# What both are given


def prepare(folder: Path, full: bool, records: int) -> None:
    """Write `model/`, `corpus` and `costs.npy` (records, 3): tokens, tiles and labelled tokens of each record."""
    torch.manual_seed(0)
    shape = MINI
    if not full:
        shape = replace(
            MINI,
            vision=replace(MINI.vision, num_hidden_layers=4),
            text=replace(MINI.text, num_hidden_layers=6),
        )
    model = VisionLanguageModel(shape)
    learner.initialise(model)
    hf.save(model, folder / "model")
    processor = mini_processor()
    processor.save(folder / "model")
    corpus = open_corpus(f"worlds:{records}", folder)
    (folder / "corpus").symlink_to(corpus.folder)
    tokens_and_tiles = costs(corpus, processor)
    labelled = [_labelled(processor, record.conversation) for record in corpus]
    np.save(folder / "costs.npy", np.column_stack([tokens_and_tiles, labelled]))


def _labelled(processor: Processor, conversation: Conversation) -> int:
    plans = processor.plan_images(conversation)
    _, learned = processor.template.encode(
        conversation, plans, processor.tokenizer, add_generation_prompt=False
    )
    return sum(learned)


def samples_a_step(record_costs: np.ndarray, rows: int) -> int:
    """As many samples as packed rows hold on average."""
    return max(1, round(rows * ROW_TOKENS / record_costs[:, 0].mean()))


# ---------------------------------------------------------------------------------------------------
# Turns


def ours(folder: Path, rows: int, steps: int, seed: int) -> Turn:
    """Clearsight's trainer with its defaults, from the first step on; guards and record as in any run."""
    from clearsight.training.trainer import Trainer

    peak = _peak_flops()
    config = Config(
        model=Model(start=str(folder / "model")),
        data=Data(
            corpora=(str(folder / "corpus"),),
            row_tokens=ROW_TOKENS,
            rows_per_step=rows,
            rows=rows,
            workers=WORKERS,
            seed=seed,
        ),
        optimizer=Optimizer(vision=LEARNING_RATE, connector=LEARNING_RATE, text=LEARNING_RATE),
        schedule=Schedule(steps=WARM_UP + steps + 1, warmup=0, decay=0.0),
    )
    seen, clock = [], Clock()

    def show(kind: str, details: dict[str, Any]) -> None:
        if kind != "step":
            return
        if not details["verdict"].takes_step:
            raise SystemExit(
                f"a guard did not take step {details['facts'].step}: {details['verdict'].reason}"
            )
        seen.append(details["facts"])
        clock.mark()
        if len(seen) == WARM_UP + steps:
            raise Measured

    with tempfile.TemporaryDirectory(dir=folder) as out, contextlib.suppress(Measured):
        Trainer(config, Path(out), show=show).run()
    counted = seen[WARM_UP:]
    return Turn(
        seconds=clock.seconds,
        processor_seconds=clock.processor_seconds,
        steps=steps,
        samples=sum(facts.samples for facts in counted),
        tokens=sum(facts.tokens for facts in counted),
        labelled=sum(facts.labelled for facts in counted),
        flops=sum(facts.flops for facts in counted),
        peak_flops=peak,
        memory=_memory(),
        loss=statistics.mean(facts.loss for facts in seen),
    )


def theirs(folder: Path, way: str, rows: int, steps: int, seed: int) -> Turn:
    """transformers' Trainer on batches that its own sampler makes, a few of an epoch."""
    import transformers

    peak = _peak_flops()
    record_costs = np.load(folder / "costs.npy")
    size = samples_a_step(record_costs, rows)
    order = sampled(record_costs[:, 0], size, steps, seed, grouped=way != PLAIN)
    bf16 = native_dtype("cuda" if torch.cuda.is_available() else "cpu") == torch.bfloat16
    model = peer_model(folder)
    collate = Collator(folder)
    dataset: Any = Records(folder, order)
    if way == READY:
        dataset, collate = [collate([record]) for record in dataset], merged  # type: ignore[assignment]
    clock = Clock()

    class Marks(transformers.TrainerCallback):
        def on_step_end(self, *arguments: Any, **details: Any) -> None:
            clock.mark()

    workers = 0 if way == READY else WORKERS
    with tempfile.TemporaryDirectory(dir=folder) as out:
        settings = transformers.TrainingArguments(
            output_dir=out,
            max_steps=len(order) // size,
            per_device_train_batch_size=size,
            train_sampling_strategy="sequential",  # `order` is what its samplers made
            optim="adamw_torch_fused",
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="constant",
            adam_beta2=Optimizer.beta2,
            weight_decay=Optimizer.weight_decay,
            bf16=bf16,
            dataloader_num_workers=workers,
            dataloader_prefetch_factor=PREFETCH if workers else None,
            dataloader_pin_memory=torch.cuda.is_available(),
            remove_unused_columns=False,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = transformers.Trainer(
            model=model, args=settings, data_collator=collate, train_dataset=dataset, callbacks=[Marks()]
        )
        result = trainer.train()
    counted = record_costs[order[-steps * size :]]
    return Turn(
        seconds=clock.seconds,
        processor_seconds=clock.processor_seconds,
        steps=steps,
        samples=len(counted),
        tokens=int(counted[:, 0].sum()),
        labelled=int(counted[:, 2].sum()),
        flops=batch_flops(
            hf.read_config(folder / "model"),
            counted[:, 0].tolist(),
            int(counted[:, 1].sum()),
            int(counted[:, 2].sum()),
        ).total,
        peak_flops=peak,
        memory=_memory(),
        loss=result.training_loss,
    )


def sampled(lengths: np.ndarray, size: int, steps: int, seed: int, grouped: bool) -> list[int]:
    """Records of `WARM_UP` + `steps` batches: evenly spread over an epoch, as batches of like length come sorted."""
    from transformers.trainer_pt_utils import LengthGroupedSampler

    generator = torch.Generator().manual_seed(seed)
    if grouped:
        epoch = list(LengthGroupedSampler(size, lengths=lengths.tolist(), generator=generator))
    else:
        epoch = torch.randperm(len(lengths), generator=generator).tolist()
    batches = [epoch[i : i + size] for i in range(0, len(epoch) - size + 1, size)]
    measured = [batches[place] for place in np.linspace(0, len(batches) - 1, steps).round().astype(int)]
    longest_first = sorted(measured, key=lambda batch: -max(lengths[batch]))
    return [record for batch in longest_first[:WARM_UP] + measured for record in batch]


def _peak_flops() -> float:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    peak = peak_flops(device, native_dtype(device))
    if peak is None:
        raise SystemExit(
            f"the peak of {torch.cuda.get_device_name()} is not known; add it to hardware_catalog"
        )
    return peak


def _memory() -> float:
    """Peak bytes of this process so far."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# ---------------------------------------------------------------------------------------------------
# The peer's way from records to batches


def peer_model(folder: Path) -> Any:
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(folder / "model", dtype=torch.float32)
    model.config.use_cache = False
    return model


class Records:
    """A dataset for PyTorch: messages and opened pictures of the corpus's records in the given order."""

    def __init__(self, folder: Path, order: Sequence[int]):
        self.corpus, self.order = Corpus(folder / "corpus"), order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> dict[str, Any]:
        conversation = self.corpus[self.order[place]].conversation
        return {
            "messages": [
                {
                    "role": message.role,
                    "content": [
                        {"type": "image"} if isinstance(part, Image) else {"type": "text", "text": part.text}
                        for part in message.parts
                    ],
                }
                for message in conversation.messages
            ],
            "images": [
                PILImage.open(BytesIO(image.encoded())).convert("RGB") for image in conversation.images
            ],
        }


class Collator:
    """Records to a padded batch: the processor on texts and pictures, labels on what the assistant says."""

    def __init__(self, folder: Path):
        from transformers import AutoProcessor

        self.processor = AutoProcessor.from_pretrained(folder / "model")
        tokenizer = self.processor.tokenizer
        tokenizer.padding_side = "right"
        self.header = tokenizer("<|im_start|>assistant\n").input_ids
        self.end = tokenizer.convert_tokens_to_ids("<|im_end|>")

    def __call__(self, records: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        texts = self.processor.apply_chat_template([record["messages"] for record in records])
        images = [record["images"] for record in records]
        batch = dict(self.processor(text=texts, images=images, padding=True, return_tensors="pt"))
        labels = torch.full_like(batch["input_ids"], IGNORED)
        for row, ids in enumerate(batch["input_ids"].tolist()):
            for start, stop in self._replies(ids):
                labels[row, start:stop] = batch["input_ids"][row, start:stop]
        return batch | {"labels": labels}

    def _replies(self, ids: list[int]) -> Iterable[tuple[int, int]]:
        """From behind each assistant's header to its end of turn."""
        length = len(self.header)
        for place in range(len(ids) - length):
            if ids[place : place + length] == self.header:
                yield place + length, ids.index(self.end, place + length) + 1


def merged(batches: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Batches of one record each, padded to the longest and to the most pictures."""
    filler = {"labels": IGNORED}
    return {
        name: pad_sequence(
            [batch[name][0] for batch in batches], batch_first=True, padding_value=filler.get(name, 0)
        )
        for name in batches[0]
    }


# ---------------------------------------------------------------------------------------------------
# Parity before speed


@torch.no_grad()
def check_parity(folder: Path) -> dict[str, float]:
    """Both losses of the first records, in fp32. SystemExit when tokens, labels, losses or weights are other."""
    corpus, processor = Corpus(folder / "corpus"), Processor.from_folder(folder / "model")
    chosen = range(CHECKED)
    theirs_batch = Collator(folder)([Records(folder, chosen)[place] for place in chosen])
    prepared = [processor.prepare(corpus[n].conversation, add_generation_prompt=False) for n in chosen]
    for number, sample in enumerate(prepared):
        real = theirs_batch["attention_mask"][number].bool()
        mine = torch.where(sample.assistant_mask_T, sample.input_ids_T, IGNORED)
        for what, expected in (("input_ids", sample.input_ids_T), ("labels", mine)):
            if theirs_batch[what][number][real].tolist() != expected.tolist():
                raise SystemExit(
                    f"record {number} has other {what} here than in transformers; nothing is comparable"
                )
    batch = pack([prepared], sum(sample.num_tokens for sample in prepared), processor.end_of_turn_id)
    model = hf.load(folder / "model", torch.float32)
    labelled = int((batch.labels_BT != IGNORED).sum())
    summed = model(
        batch.input_ids_BT,
        normalise(batch.tiles_NCSS, processor.tile_settings),
        position_ids=batch.position_ids_BT,
        segment_ids=batch.segment_ids_BT,
        labels=batch.labels_BT,
        reduction="sum",
    )
    peer = peer_model(folder)
    losses = {OURS: float(summed) / labelled, "transformers": float(peer(**theirs_batch).loss)}
    if abs(losses[OURS] - losses["transformers"]) > LOSS_TOLERANCE:
        raise SystemExit(f"the same records have other losses, {losses}; nothing is comparable")
    if sum(p.numel() for p in model.parameters()) != sum(p.numel() for p in peer.parameters()):
        raise SystemExit("the two models have different numbers of parameters")
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=[OURS, PLAIN, GROUPED, READY])
    parser.add_argument("folder", type=Path, help="as `prepare` wrote it")
    for name in ("seed", "rows", "steps", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    work = (arguments.rows, arguments.steps, arguments.seed)
    way, folder = arguments.way, arguments.folder
    turn = ours(folder, *work) if way == OURS else theirs(folder, way, *work)
    print(json.dumps(asdict(turn)))


if __name__ == "__main__":
    main()
