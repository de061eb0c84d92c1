"""Trains the head of the text classifier on generated sentences: half a minute on one core.

A logistic regression per category, with the same features for all. The weights of single words are held down more than
those of concepts, so that a template's own words are not learned in place of what it asks for. Half of the examples
have another sentence beside them, for pairs of concepts that merely stand in one text mean little.

    python -m clearsight.safety.train_text
"""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from clearsight.safety import generated, normalise
from clearsight.safety.concepts import lexicon
from clearsight.safety.policy import CATEGORIES
from clearsight.safety.text import BUCKETS, HEAD, SETTINGS, FeatureSpace, TextClassifier, known_words

PER_TEMPLATE = 16  # sentences drawn of each
WORD_SCALE = 0.2  # of the inputs of hashed words, which makes their weights cost more
EPOCHS = 8
DECAY = 3e-5  # weight of the sum of squares of the weights
DROPPED = 0.1  # share of the features that are left out at random, so that no one feature decides alone


def examples(
    rng: random.Random, per_template: int, wanted: Callable[[str], bool] = lambda template: True
) -> list[generated.Sentence]:
    """Sentences of every template that is wanted, alone and beside others, and small talk."""
    found = []
    benign = [(g, t) for g in generated.groups(True) for t in generated.templates(g) if wanted(t)]
    for group in generated.groups():
        for template in filter(wanted, generated.templates(group)):
            for number in range(per_template):
                made = generated.sentence(rng, "train", "made-up", group, template)
                if number % 2:
                    other = rng.choice(benign)
                    beside = (
                        generated.small_talk(rng, "train").rstrip(".")
                        if number % 4 == 1
                        else generated.sentence(rng, "train", "made-up", *other).text
                    )
                    pair = [made.text, beside]
                    rng.shuffle(pair)
                    made = generated.Sentence(" ".join(pair), made.categories, group)
                found.append(made)
    talk = [generated.small_talk(rng, "train") for _ in range(len(found) // 4)]
    return found + [generated.Sentence(text, frozenset(), "small talk") for text in talk]


def learn(sentences: list[generated.Sentence], epochs: int = EPOCHS, decay: float = DECAY) -> TextClassifier:
    """A classifier that was trained on these sentences."""
    space = FeatureSpace(len(lexicon().names))
    known = generated.template_words()
    vocabulary = known_words(known)
    rows = [space.of(normalise.words(normalise.plain(s.text), vocabulary), lexicon()) for s in sentences]
    labels = np.array([[c in s.categories for c in CATEGORIES] for s in sentences], dtype=np.float32)
    learned = train(rows, labels, space, epochs, decay)
    return TextClassifier(learned[:-1].astype(np.float16), learned[-1], known)


def train(
    rows: list[list[int]], labels: np.ndarray, space: FeatureSpace, epochs: int, decay: float
) -> np.ndarray:
    """Weights of shape (features + 1, categories), the last row the biases."""
    torch.manual_seed(0)
    scale = torch.ones(space.size)
    scale[-BUCKETS:] = WORD_SCALE
    layer = torch.nn.EmbeddingBag(space.size, len(CATEGORIES), mode="sum")
    torch.nn.init.zeros_(layer.weight)
    bias = torch.nn.Parameter(torch.full((len(CATEGORIES),), -3.0))
    optimizer = torch.optim.Adam([*layer.parameters(), bias], lr=0.02)
    targets = torch.from_numpy(labels)
    order = np.arange(len(rows))
    generator = np.random.Generator(np.random.PCG64(0))
    for epoch in range(epochs):
        generator.shuffle(order)
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * (1 - epoch / epochs)
        for start in range(0, len(order), 256):
            batch = order[start : start + 256]
            flat = torch.tensor([index for row in batch for index in rows[row]])
            offsets = torch.tensor(np.cumsum([0, *(len(rows[row]) for row in batch[:-1])]))
            kept = (torch.rand(len(flat)) >= DROPPED) / (1 - DROPPED)
            logits = layer(flat, offsets, per_sample_weights=scale[flat] * kept) + bias
            loss = (
                torch.nn.functional.binary_cross_entropy_with_logits(logits, targets[batch], reduction="sum")
                / len(batch)
                + decay * layer.weight.square().sum()
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    weights = (layer.weight * scale[:, None]).detach().numpy()
    return np.concatenate([weights, bias.detach().numpy()[None]])


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Train the head of the text classifier and write it to its place."
    )
    parser.add_argument(
        "--out", type=Path, default=HEAD.parent, help="folder for text_head.safetensors and .json"
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--decay", type=float, default=DECAY, help="weight of the sum of squares")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    made = examples(random.Random(asked.seed), PER_TEMPLATE)
    classifier = learn(made, asked.epochs, asked.decay)
    save_file(classifier.tensors(), asked.out / HEAD.name)
    (asked.out / HEAD.name).chmod(0o644)
    settings = {
        "categories": list(CATEGORIES),
        "sentences": len(made),
        "epochs": asked.epochs,
        "decay": asked.decay,
        "seed": asked.seed,
        "vocabulary": " ".join(sorted(generated.template_words())),
    }
    (asked.out / SETTINGS.name).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    print(f"{len(made)} sentences, wrote {asked.out / HEAD.name}")


if __name__ == "__main__":
    main()
