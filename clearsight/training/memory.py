"""How much memory a training step needs on each rank, tensor by tensor, before anything is bought or started.

A step is walked through: the layers' forward passes, the head, the layers' backward passes, the reduction of the
root's gradients, the optimiser. At each moment what is alive is added up, and the moment that needs most is the
answer. What a layer keeps for its backward pass is counted from the operations in `clearsight.models`, and how FSDP2
gathers and reduces from its order of buffers: one layer whole, the next one's gather on its way, the last one's
reduction under way, and the root (embedding, head, connector, patches) whole all the time.
`memory_probe` measures the same; the tests hold both against each other.

Left out: what the process itself needs (code, CUDA context, buffers of the collectives, fragments of the allocator:
`planner.RESERVED_GIB`), and autocast, under which a single process without sharding computes in bf16.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from clearsight.models.config import ModelConfig
from clearsight.models.loss import CHUNK
from clearsight.training.flops import ALL_PARTS

FP32, BF16, INT64 = 4, 2, 8  # bytes of an element


@dataclass(frozen=True)
class Work:
    """A micro-batch of one rank: tokens of all its rows, tiles, and labelled tokens."""

    tokens: int
    tiles: int
    labelled: int


@dataclass(frozen=True)
class Layout:
    """How weights and work are divided and computed.

    `shard` ranks hold a part each, `tensor` ranks share the decoder's layers. `accelerator` says which attention and
    norms are used: fused ones keep less than those of a CPU, whose gloo collectives need a copy besides.
    """

    shard: int = 1
    tensor: int = 1
    checkpoint_activations: bool = False
    bf16: bool = True
    accelerator: bool = True


@dataclass(frozen=True)
class Learning:
    """What is learned and what the optimiser keeps of it; `accumulates` when a step has several micro-batches."""

    trained: frozenset[str] = ALL_PARTS
    rank: int = 0
    optimizer: Literal["adamw", "muon"] = "adamw"
    ema: bool = False
    accumulates: bool = False


@dataclass(frozen=True)
class Memory:
    """Bytes on one rank at one moment."""

    moment: str
    parameters: int  # fp32, this rank's part
    gradients: int
    moments: int  # of the optimiser, and the average
    activations: int  # kept for the backward pass, with the batch itself
    gathered: int  # whole weights, and buffers of the collectives
    working: int  # what is computed at this moment; scores of the vocabulary above all

    @property
    def total(self) -> int:
        return (
            self.parameters + self.gradients + self.moments + self.activations + self.gathered + self.working
        )


@dataclass(frozen=True)
class Counts:
    """Parameters of the groups that are sharded together, and of those how many are matrices that Muon may take."""

    vision_layer: int
    text_layer: int
    vision_root: int  # patches, positions, last norm
    connector: int
    text_root: int  # embedding, last norm, head
    vision_matrices: int
    text_matrices: int

    @classmethod
    def of(cls, config: ModelConfig, tensor: int = 1) -> "Counts":
        """`tensor` ranks share the matrices of the decoder's layers."""
        vision, text = config.vision, config.text
        width, inner = vision.hidden_size, vision.intermediate_size
        patch = vision.num_channels * vision.patch_size**2
        vision_matrices = 4 * width**2 + 2 * width * inner
        heads = 2 * text.num_attention_heads + 2 * text.num_key_value_heads
        text_matrices = text.hidden_size * (heads * text.head_dim + 3 * text.intermediate_size) // tensor
        vocabulary = text.vocab_size * text.hidden_size
        return cls(
            vision_layer=vision_matrices + 9 * width + inner,
            text_layer=text_matrices + 2 * text.hidden_size,
            vision_root=width * (patch + 1 + vision.num_patches + 2),
            connector=config.scale_factor**2 * width * text.hidden_size,
            text_root=vocabulary * (1 if config.tie_word_embeddings else 2) + text.hidden_size,
            vision_matrices=vision_matrices,
            text_matrices=text_matrices,
        )

    def total(self, config: ModelConfig) -> int:
        layers = config.vision.num_hidden_layers * self.vision_layer
        layers += config.text.num_hidden_layers * self.text_layer
        return layers + self.root

    @property
    def root(self) -> int:
        return self.vision_root + self.connector + self.text_root


@dataclass(frozen=True)
class _Layer:
    """One group of the walk; bytes, except for the numbers of parameters."""

    name: str
    parameters: int
    trained: int
    saved: int  # for its backward pass, its input included
    input: int  # what stays of it when its inside is computed again
    forward: int  # needed besides at the end of its forward pass
    backward: int  # needed besides at the widest place of its backward pass


def step_memory(
    config: ModelConfig,
    work: Work,
    layout: Layout,
    learning: Learning = Learning(),
) -> Memory:
    """The moment of a step that needs most, on one rank."""
    return max(_Step(config, work, layout, learning).moments(), key=lambda memory: memory.total)


def saved_by_vision_layer(config: ModelConfig, tiles: int, bf16: bool) -> int:
    """Bytes a trained tower layer keeps: input, norm, queries, keys, values, result, sum, norm, and twice the MLP's
    inside; with means and deviations of the norms and the attention's normaliser."""
    vision, e = config.vision, BF16 if bf16 else FP32
    rows = tiles * vision.num_patches
    return rows * (
        e * (8 * vision.hidden_size + 2 * vision.intermediate_size + 4) + FP32 * vision.num_attention_heads
    )


def saved_by_text_layer(
    config: ModelConfig, tokens: int, layout: Layout, learning: Learning, kept: int | None = None
) -> int:
    """Bytes a decoder layer keeps. Norms compute in fp32 and keep their input so; what only the gradient of a frozen
    matrix would need is not kept. The last layer computes what is behind its attention for `kept` tokens alone."""
    text, e = config.text, BF16 if layout.bf16 else FP32
    learns = "text" in learning.trained
    rank = learning.rank if learns else 0
    heads = text.num_attention_heads // layout.tensor
    queries = heads * text.head_dim
    keys = text.num_key_value_heads * text.head_dim // layout.tensor
    inner = text.intermediate_size // layout.tensor
    norm = FP32 * (text.hidden_size + 1) + e * text.hidden_size * learns
    if not layout.accelerator and learns and not rank:
        norm += FP32 * text.hidden_size  # the normalised input, for the gradient of the norm's weight
    # Accelerators repeat keys and values for every query head; elsewhere the results of the segments are kept, and once
    # more laid end to end for the product that follows.
    attention = e * (4 * queries if layout.accelerator else 2 * queries + 2 * keys) + FP32 * heads
    again = e * queries * learns * (not layout.accelerator or kept is not None)
    behind = again + norm + e * (3 + learns) * inner + e * 4 * rank
    places = 0 if kept is None else 8 * kept  # which tokens these are
    return tokens * (norm + attention + e * 3 * rank) + (tokens if kept is None else kept) * behind + places


class _Step:
    def __init__(self, config: ModelConfig, work: Work, layout: Layout, learning: Learning):
        self.config, self.work, self.layout, self.learning = config, work, layout, learning
        self.element = BF16 if layout.bf16 else FP32
        self.counts = Counts.of(config, layout.tensor)
        self.rank = learning.rank if "text" in learning.trained else 0
        self.layers = [*self._vision_layers(), *self._text_layers()]
        self.head_trained = "text" in learning.trained and not self.rank
        self.vocabulary = config.text.vocab_size * config.text.hidden_size
        self.root_trained = (
            self.counts.vision_root * ("vision" in learning.trained)
            + self.counts.connector * ("connector" in learning.trained)
            + self.counts.text_root * self.head_trained
        )
        self.trained = self.root_trained + sum(layer.trained for layer in self.layers)
        self.hidden = work.tokens * config.text.hidden_size * self.element
        folded = work.tiles * config.tokens_per_tile
        self.features = folded * config.text.hidden_size * self.element
        self.batch = work.tokens * 4 * INT64
        self.batch += work.tiles * config.vision.num_channels * config.vision.image_size**2 * FP32

    def _vision_layers(self) -> Iterator[_Layer]:
        vision, e = self.config.vision, self.element
        rows = self.work.tiles * vision.num_patches
        learns = "vision" in self.learning.trained
        width, inner = e * rows * vision.hidden_size, e * rows * vision.intermediate_size
        for number in range(vision.num_hidden_layers):
            yield _Layer(
                f"vision layer {number}",
                self.counts.vision_layer,
                self.counts.vision_layer * learns,
                saved_by_vision_layer(self.config, self.work.tiles, self.layout.bf16) * learns,
                width * learns,
                2 * width if learns else 3 * width + 2 * inner,
                learns * (width + inner + e * vision.hidden_size * vision.intermediate_size),
            )

    def _text_layers(self) -> Iterator[_Layer]:
        text, e, tensor = self.config.text, self.element, self.layout.tensor
        learns = "text" in self.learning.trained
        heads = 2 * (text.num_attention_heads + text.num_key_value_heads) * text.head_dim
        low_rank = self.rank * (
            4 * text.hidden_size + heads + 3 * (text.hidden_size + text.intermediate_size)
        )
        width = e * self.work.tokens * text.hidden_size
        inner = e * self.work.tokens * text.intermediate_size // tensor
        down = e * text.hidden_size * text.intermediate_size // tensor * (learns and not self.rank)
        last = text.num_hidden_layers - 1
        for number in range(text.num_hidden_layers):
            kept = self.work.labelled if number == last else None
            yield _Layer(
                f"text layer {number}",
                self.counts.text_layer + low_rank,
                low_rank if self.rank else self.counts.text_layer * learns,
                saved_by_text_layer(self.config, self.work.tokens, self.layout, self.learning, kept),
                width,
                2 * width,
                width + 2 * inner + down,
            )

    # --- what is alive

    def moments(self) -> Iterator[Memory]:
        """Each moment that may be the widest, in the order of a step."""
        yield from self._forward()
        yield from self._head()
        yield from self._backward()
        reduced = self._reducing(self.root_trained)
        gradients = self.element * self.root_trained + self._shard(self.trained)
        yield self._memory("reduction of the root", gradients, 0, reduced, 0)
        yield self._memory("optimiser", self._shard(self.trained), 0, 0, 0)

    def _forward(self) -> Iterator[Memory]:
        saved, before = self.batch + self._saved_by_patches(), 0
        for layer in self.layers:
            gathering = self._gather(before) + self._gather(layer.parameters) * (1 + self._staging)
            yield self._memory(f"gather of {layer.name}", 0, saved, self._root + gathering, 2 * layer.input)
            before = layer.parameters
            whole = self._root + self._whole(layer.parameters) + self._gather(layer.parameters)
            if self.layout.checkpoint_activations:
                saved += layer.input
            else:
                saved += layer.saved
            yield self._memory(f"forward of {layer.name}", 0, saved, whole, layer.forward)

    def _head(self) -> Iterator[Memory]:
        e, width = self.element, self.config.text.hidden_size
        vocabulary = self.config.text.vocab_size
        labelled = e * self.work.labelled * width
        chunk = min(self.work.labelled, CHUNK)
        scores = chunk * vocabulary
        kept = self.batch + sum(self._kept(layer) for layer in self.layers) + self._saved_at_ends()
        slopes = FP32 * self.vocabulary * self.head_trained
        product = e * self.vocabulary * self.head_trained
        if not self.layout.bf16 and self.work.labelled <= CHUNK:
            product = 0  # it becomes the gradient
        working = FP32 * scores + (e * scores if self.layout.bf16 else 0) + max(e * chunk * width, product)
        frames = self.hidden + self.features
        last = self.layers[-1].parameters
        yield self._memory(
            "head",
            0,
            kept,
            self._root + self._gather(last),
            frames + 2 * labelled + slopes + working,
        )
        cast = e * self.vocabulary * self.head_trained if self.layout.bf16 else 0
        yield self._memory(
            "backward of the head",
            0,
            kept,
            self._root + self._gather(last) * (1 + self._staging),
            2 * labelled + 2 * slopes + cast,
        )

    def _backward(self) -> Iterator[Memory]:
        kept = [self._kept(layer) for layer in self.layers]
        ends = self.batch + self._saved_by_patches() + self._saved_by_connector()
        gradients = self.element * self.vocabulary * self.head_trained
        done, reducing = 0, 0
        for number in reversed(range(len(self.layers))):
            layer = self.layers[number]
            if not layer.backward:
                return
            following = self.layers[number - 1] if number and self.layers[number - 1].backward else None
            coming = self._gather(following.parameters) if following else 0
            whole = self._root + self._whole(layer.parameters)
            inside = layer.saved if self.layout.checkpoint_activations else 0
            yield self._memory(
                f"backward of {layer.name}",
                gradients + self._shard(done),
                ends + sum(kept[: number + 1]) + inside,
                whole + coming + reducing,
                max(coming * self._staging, layer.backward),
            )
            own = self.element * layer.trained
            yield self._memory(
                f"reduction of {layer.name}",
                gradients + own + self._shard(done + layer.trained),
                ends + sum(kept[:number]),
                self._root + coming + self._reducing(layer.trained),
                layer.input,
            )
            done += layer.trained
            reducing = FP32 * layer.trained

    def _memory(self, moment: str, gradients: int, activations: int, gathered: int, working: int) -> Memory:
        learning = self.learning
        resting = self.counts.total(self.config) + sum(layer.trained for layer in self.layers) * bool(
            self.rank
        )
        moments = self.trained * 2
        if learning.optimizer == "muon" and not self.rank:
            moments -= (
                self.config.vision.num_hidden_layers
                * self.counts.vision_matrices
                * ("vision" in learning.trained)
            )
            moments -= (
                self.config.text.num_hidden_layers * self.counts.text_matrices * ("text" in learning.trained)
            )
            moments -= self.counts.connector * ("connector" in learning.trained)
        moments += self.trained * learning.ema
        if learning.accumulates:  # whole, until the step's last micro-batch
            gradients = max(gradients, FP32 * self.trained)
        return Memory(
            moment, self._shard(resting), gradients, self._shard(moments), activations, gathered, working
        )

    # --- pieces

    @property
    def _root(self) -> int:
        return self._whole(self.counts.root)

    @property
    def _staging(self) -> int:
        """Copies that gloo makes of what it sends."""
        return 0 if self.layout.accelerator else 1

    def _shard(self, parameters: int) -> int:
        return FP32 * parameters // self.layout.shard

    def _whole(self, parameters: int) -> int:
        return self.element * parameters

    def _gather(self, parameters: int) -> int:
        """The buffer ranks gather into, from which whole weights are copied."""
        return self.element * parameters if self.layout.shard > 1 else 0

    def _reducing(self, trained: int) -> int:
        """The buffer gradients are reduced from."""
        return FP32 * trained * (1 + self._staging)

    def _kept(self, layer: _Layer) -> int:
        return layer.input if self.layout.checkpoint_activations else layer.saved

    def _saved_by_patches(self) -> int:
        vision = self.config.vision
        pixels = self.work.tiles * vision.num_channels * vision.image_size**2
        return pixels * BF16 if self.layout.bf16 else 0  # in fp32 it is the batch itself

    def _saved_by_connector(self) -> int:
        """The tower's last norm and what is projected."""
        vision, learning = self.config.vision, self.learning
        width = self.element * self.work.tiles * vision.num_patches * vision.hidden_size
        return width * (("vision" in learning.trained) + ("connector" in learning.trained))

    def _saved_at_ends(self) -> int:
        text, tokens = self.config.text, self.work.tokens
        norm = (
            self.work.labelled
            * FP32
            * text.hidden_size
            * (1 + (self.head_trained and not self.layout.accelerator))
        )
        rotations = tokens * text.head_dim * self.element
        return norm + rotations + self._saved_by_patches() + self._saved_by_connector()
