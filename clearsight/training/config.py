"""What describes a run: a frozen tree of settings, written in a recipe as a function that returns it.

A recipe is a Python file with `def recipe() -> Config` (see recipe). Single settings are changed from outside by
their path:

    clearsight train recipes/finetune.py --set data.corpora=mine.jsonl --set optimizer.text=1e-5

What is not known is refused with the nearest name there is.
"""

import difflib
import json
import types
import typing
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

from clearsight.training.guards import Policy

PARTS = ("vision", "connector", "text")


class ConfigError(ValueError):
    """Settings that can't be meant; the message says which and what to write instead."""


@dataclass(frozen=True)
class Model:
    """Where the weights start, and which of them are trained."""

    start: str = "mini"
    """mini (bundled), a checkpoint folder, hf:owner/name[@revision], or fresh:PRESET for random weights."""
    trained: tuple[str, ...] = PARTS
    """Of vision, connector and text. The rest stays as it is."""
    rank: int = 0
    """Above 0 the decoder learns through low-rank updates of this rank, which are merged at the end."""
    alpha: float = 32.0
    """Scale of low-rank updates; they are multiplied by alpha / rank."""


@dataclass(frozen=True)
class Data:
    """What is learned from, and how much of it at a time."""

    corpora: tuple[str, ...] = ()
    """Corpus folders, or anything `clearsight data build` reads: .jsonl, .parquet, .tar, a folder, hub:owner/name,
    worlds:COUNT[:NAME,NAME]. What is not a corpus yet is made one in the run's folder."""
    weights: tuple[float, ...] = ()
    """Shares of the corpora; by default their sizes."""
    row_tokens: int = 2048
    """Tokens of a packed row. Longer samples are left out, and counted."""
    row_tiles: int = 64
    """Tiles of a packed row, at most."""
    rows_per_step: int = 8
    """Rows of an optimiser step, over all ranks and micro-batches."""
    rows: int = 1
    """Rows of a micro-batch of one rank; what memory allows. Changes nothing but speed."""
    workers: int = 2
    """Processes of each rank that prepare batches. Changes nothing but speed."""
    window: int = 2048
    """Samples that are packed together."""
    detail: Literal["auto", "low", "high", "own"] = "own"
    """How many tiles pictures get; own: as each record says."""
    seed: int = 0


@dataclass(frozen=True)
class Optimizer:
    """AdamW (https://arxiv.org/abs/1711.05101), or Muon for the matrices of tower and decoder
    (https://kellerjordan.github.io/posts/muon) beside AdamW for the rest."""

    kind: Literal["adamw", "muon"] = "adamw"
    vision: float = 1e-5
    """Peak learning rates of the three parts."""
    connector: float = 1e-4
    text: float = 2e-5
    muon_scale: float = 1.0
    """Muon's rate over AdamW's, for matrices; its update is scaled to the size of AdamW's first."""
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.01
    """Of matrices alone, times the rate."""
    ema: float = 0.0
    """Decay of an average of the weights, which is then what is saved as the result; 0 keeps none."""


@dataclass(frozen=True)
class Schedule:
    """Warm-up, stay, decay (https://arxiv.org/abs/2405.18392): linear up, constant, then down to `floor`."""

    steps: int = 200
    warmup: int = 10
    decay: float = 0.2
    """Share of the steps, at the end, over which the rate falls."""
    shape: Literal["linear", "cosine", "sqrt"] = "sqrt"
    """Of the fall; sqrt is 1 - sqrt(progress)."""
    floor: float = 0.0
    """Share of the peak rate at the end."""


@dataclass(frozen=True)
class Parallel:
    """How the work is divided and computed."""

    tensor: int = 1
    """Ranks that share each decoder layer; must divide its key-value heads."""
    shard: int = 0
    """Ranks over which weights, gradients and optimiser state are sharded (FSDP2): 0 all, 1 none, the ranks of a node
    where the network is slow. Groups of so many are replicas."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of products; weights, gradients' sums and optimiser stay fp32. auto: bf16 where the processor has it."""
    checkpoint_activations: bool = False
    """Compute the layers' insides again in the backward pass instead of keeping them."""
    compile: bool = False
    """torch.compile of each layer."""
    resting: Literal["own", "int8"] = "own"
    """Weights of layers that are not trained. int8 makes low-rank training on a processor two to three times as fast,
    together with compile; products with them are then a little off, forwards and back."""
    device: str = "auto"


@dataclass(frozen=True)
class Checkpoints:
    """When the state is written and how much is kept."""

    every: int = 100
    keep: int = 2
    """The last so many, and the best by validation."""
    asynchronous: bool = True


@dataclass(frozen=True)
class Validation:
    """Loss on samples that are not learned from."""

    corpora: tuple[str, ...] = ()
    every: int = 0
    """Steps between; 0: at the end alone."""
    batches: int = 8


@dataclass(frozen=True)
class Checks:
    """What is computed twice to find faulty hardware; 0 turns a check off."""

    replay_every: int = 100
    """Steps between two that compute their first micro-batch twice."""
    balance_every: int = 25
    """Steps between two whose update is added up twice; AdamW alone."""
    at_rest_every: int = 20
    """Steps between two after which memory must stay as it is until the next."""
    replicas_every: int = 100
    """Steps between two after which copies on several ranks are compared."""


@dataclass(frozen=True)
class Watch:
    """Who is told, and how."""

    webhook: str = ""
    """Address that gets a JSON message when a guard acts or the run ends."""
    tensorboard: bool = True
    """Write event files for TensorBoard, where tensorboardX is installed."""
    patience: float = 600.0
    """Seconds without a sign of life after which a rank counts as hung."""


@dataclass(frozen=True)
class Config:
    """A whole run."""

    name: str = "run"
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    parallel: Parallel = field(default_factory=Parallel)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    validation: Validation = field(default_factory=Validation)
    guards: Policy = field(default_factory=Policy)
    checks: Checks = field(default_factory=Checks)
    watch: Watch = field(default_factory=Watch)
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [part for part in self.model.trained if part not in PARTS]
        if unknown or not self.model.trained:
            raise ConfigError(f"model.trained names {unknown or 'nothing'}; there are {', '.join(PARTS)}")
        if self.data.weights and len(self.data.weights) != len(self.data.corpora):
            raise ConfigError(
                f"data.weights has {len(self.data.weights)} entries for {len(self.data.corpora)} corpora"
            )
        if self.data.rows < 1 or self.data.rows_per_step % self.data.rows:
            raise ConfigError(
                f"data.rows_per_step ({self.data.rows_per_step}) is no multiple of data.rows ({self.data.rows})"
            )
        for path in ("schedule.steps", "data.row_tokens", "data.row_tiles", "data.window"):
            group, name = path.split(".")
            if getattr(getattr(self, group), name) < 1:
                raise ConfigError(f"{path} is at least 1")

    def micro_batches(self, data_ranks: int) -> int:
        """How many micro-batches make a step on each of so many ranks. Raises ConfigError when they don't come out."""
        at_once = self.data.rows * data_ranks
        if self.data.rows_per_step % at_once:
            raise ConfigError(
                f"data.rows_per_step ({self.data.rows_per_step}) is no multiple of data.rows times ranks "
                f"({self.data.rows} x {data_ranks}); change one of them"
            )
        return self.data.rows_per_step // at_once


def to_json(config: Config) -> dict[str, Any]:
    """Nested and JSON-ready."""
    return json.loads(json.dumps(asdict(config)))


AnyConfig = TypeVar("AnyConfig", bound=Config)


def from_json(value: dict[str, Any], like: AnyConfig) -> AnyConfig:
    """Inverse of `to_json`: settings of the kind of `like`. Raises ConfigError for what is not known."""
    return _filled(like, value, "")


def _filled(node: Any, value: dict[str, Any], where: str) -> Any:
    changes = {}
    for name, item in value.items():
        _require(node, name, where)
        old = getattr(node, name)
        changes[name] = (
            _filled(old, item, f"{where}{name}.")
            if is_dataclass(old)
            else _converted(item, _kinds(node)[name], f"{where}{name}")
        )
    try:
        return replace(node, **changes)
    except ConfigError:
        raise
    except ValueError as error:  # what a group refuses by itself
        raise ConfigError(f"{where[:-1] or 'the config'}: {error}") from error


def changed(config: AnyConfig, settings: Sequence[str]) -> AnyConfig:
    """The config with settings like "optimizer.text=1e-5" made. Raises ConfigError naming what is wrong."""
    nested: dict[str, Any] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(
                f"{setting!r} is no setting; write part.field=value, such as schedule.steps=500"
            )
        *parts, name = path.strip().split(".")
        node, place, where = config, nested, ""
        for part in parts:
            _require(node, part, where)
            node, where = getattr(node, part), f"{where}{part}."
            if not is_dataclass(node):
                raise ConfigError(f"{where[:-1]} is a single setting; write {where[:-1]}=value")
            place = place.setdefault(part, {})
        _require(node, name, where)
        if is_dataclass(getattr(node, name)):
            names = ", ".join(f.name for f in fields(getattr(node, name)))
            raise ConfigError(f"{where}{name} is a group; set one of its fields: {names}")
        place[name] = text.strip()
    return _filled(config, nested, "")


def _require(node: Any, name: str, where: str) -> None:
    names = [f.name for f in fields(node)]
    if name in names:
        return
    near = difflib.get_close_matches(name, names, 1, 0.5) or _elsewhere(name)
    hint = (
        f"did you mean {where + near[0] if near[0] in names else near[0]}?"
        if near
        else f"there are {', '.join(names)}"
    )
    raise ConfigError(f"there is no setting {where}{name}; {hint}")


def _elsewhere(name: str) -> list[str]:
    """Settings of other groups with (nearly) this name."""
    paths = {
        inner.name: f"{group.name}.{inner.name}"
        for group in fields(Config)
        if is_dataclass(getattr(Config(), group.name))
        for inner in fields(getattr(Config(), group.name))
    }
    near = difflib.get_close_matches(name, paths, 1, 0.7)
    return [paths[near[0]]] if near else []


def _kinds(node: Any) -> dict[str, Any]:
    return typing.get_type_hints(type(node))


def _converted(value: Any, kind: Any, where: str) -> Any:
    """A value, or its text, as the type of a field."""
    try:
        return _as(value, kind)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where} is {value!r}, which is not {_said(kind)}") from error


def _said(kind: Any) -> str:
    """What a field takes, for a person."""
    plain = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    if kind in plain:
        return plain[kind]
    options = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, options))}"
    if typing.get_origin(kind) is tuple:
        return f"{_said(options[0])}, or several with commas"
    return " or ".join("none" if option is type(None) else _said(option) for option in options)


def _as(value: Any, kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(kind)
        if type(None) in options and value in (None, "none", "None"):
            return None
        return _as(value, next(option for option in options if option is not type(None)))
    if origin is Literal:
        if value not in typing.get_args(kind):
            raise ValueError
        return value
    if origin is tuple:
        items = value.split(",") if isinstance(value, str) else list(value)
        return tuple(
            _as(item.strip() if isinstance(item, str) else item, typing.get_args(kind)[0])
            for item in items
            if item != ""
        )
    if kind is bool:
        if isinstance(value, str):
            value = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}.get(
                value.lower()
            )
        if not isinstance(value, bool):
            raise ValueError
        return value
    if kind is int:
        number = int(value) if not isinstance(value, str) else int(value.replace("_", ""))
        if isinstance(value, bool) or float(number) != float(
            value if not isinstance(value, str) else value.replace("_", "")
        ):
            raise ValueError
        return number
    return kind(value)
