"""What is moderated, how strictly, and what is wanted instead: a policy, read from TOML.

A policy names categories. Each says what it means, with benign examples that must pass; the behaviour wanted of the
assistant; and for what comes in and what goes out a rule: the action, and the least score that triggers it for each
kind of content (text, a picture, text in a picture). A kind without a threshold is not judged for that category.

An organisation's own file is merged over a shipped one, table by table, so it holds only what differs. Thirteen
categories carry the names of the OpenAI moderation API; seven more come from the areas of the GPT-4V system card.
Left out: who may change a policy, and its history.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

Stage = Literal["input", "output"]
Kind = Literal["text", "picture", "text-in-picture"]
Action = Literal["allow", "annotate", "block"]
Behaviour = Literal["answer", "answer-with-care", "decline", "hand-over"]

STAGES: tuple[Stage, ...] = get_args(Stage)
KINDS: tuple[Kind, ...] = get_args(Kind)
ACTIONS: tuple[Action, ...] = get_args(Action)
BEHAVIOURS: tuple[Behaviour, ...] = get_args(
    Behaviour
)  # from the mildest to the one that wins when several apply

OPENAI_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
OWN_CATEGORIES = (
    "captcha",
    "geolocation",
    "identity",
    "medical",
    "private-data",
    "prompt-injection",
    "sensitive-traits",
)
CATEGORIES = OPENAI_CATEGORIES + OWN_CATEGORIES

PARTS = ("reading", "sexual-pictures", "hash-lists", "private-numbers")
"""Parts of moderation that need an optional package; a policy may require them."""

SHIPPED = Path(__file__).parent / "policies"


class PolicyError(ValueError):
    """A policy that can't be used; the message says where and what to do."""


@dataclass(frozen=True)
class Rule:
    """For one category and stage: the action, and per kind the least score in [0, 1] that triggers it."""

    action: Action
    thresholds: tuple[tuple[Kind, float], ...]

    def threshold(self, kind: Kind) -> float | None:
        """None where this kind is not judged."""
        return dict(self.thresholds).get(kind)


@dataclass(frozen=True)
class Category:
    """One kind of content. `benign_examples` look like it and must pass."""

    name: str
    description: str
    benign_examples: tuple[str, ...]
    behaviour: Behaviour
    rules: tuple[tuple[Stage, Rule], ...]

    def rule(self, stage: Stage) -> Rule | None:
        """None where nothing is judged at this stage."""
        return dict(self.rules).get(stage)


@dataclass(frozen=True)
class HashList:
    """A file of PDQ hashes, and the category that a near match belongs to."""

    file: Path
    category: str


@dataclass(frozen=True)
class Policy:
    """Everything that moderation needs to decide."""

    name: str
    description: str
    requires: tuple[str, ...]
    hash_lists: tuple[HashList, ...]
    categories: tuple[Category, ...]

    def category(self, name: str) -> Category:
        """Raises PolicyError for a category that the policy does not name."""
        for category in self.categories:
            if category.name == name:
                return category
        raise PolicyError(f"there is no category {name}{_hint(name, [c.name for c in self.categories])}")


def load(source: str | Path, *over: str | Path | Mapping[str, Any]) -> Policy:
    """Read a policy: the name of a shipped one (`private`, `public`) or a file; each of `over`, a file or the tables of
    one, is merged over what stands before it.

    Raises PolicyError for a missing file, bad TOML, an unknown key (with the nearest known one) or a wrong value.
    """
    table = _read(_path(source))
    for one in over:
        table = merged(table, one if isinstance(one, Mapping) else _read(Path(one)))
    return from_table(table)


def from_table(table: Mapping[str, Any]) -> Policy:
    """A policy from the tables that TOML gives. Raises PolicyError as `load` does."""
    _check_keys(table, ("name", "description", "requires", "hash-lists", "categories"), "the policy")
    categories = table.get("categories", {})
    if not isinstance(categories, Mapping) or not categories:
        raise PolicyError("a policy needs tables [categories.NAME]; copy a shipped one and change it")
    _check_keys(categories, CATEGORIES, "categories")
    requires = _texts(table.get("requires", []), "requires")
    _check_keys(requires, PARTS, "requires")
    policy = Policy(
        name=_text(table.get("name"), "name"),
        description=_text(table.get("description"), "description"),
        requires=requires,
        hash_lists=tuple(_hash_list(entry) for entry in table.get("hash-lists", [])),
        categories=tuple(_category(name, categories[name]) for name in sorted(categories)),
    )
    for listed in policy.hash_lists:
        rule = policy.category(listed.category).rule("input")
        if rule is None or rule.threshold("picture") is None:
            raise PolicyError(
                f"{listed.file} lists pictures of {listed.category}, for which the policy does not judge pictures; "
                f'add picture = 1.0 under [categories."{listed.category}".input]'
            )
    return policy


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`: tables are merged key by key, everything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = (
            merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return result


def _path(source: str | Path) -> Path:
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}
    if isinstance(source, str) and source in shipped:
        return shipped[source]
    path = Path(source)
    if path.suffix != ".toml":
        raise PolicyError(f"there is no policy {source}; name one of {', '.join(shipped)}, or a .toml file")
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"the policy {path} can't be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"the policy {path} is not TOML: {error}") from error
    for entry in table.get("hash-lists", []):  # a list lies beside the policy that names it
        if isinstance(entry, dict) and isinstance(entry.get("file"), str):
            entry["file"] = str(path.parent / entry["file"])
    return table


def _category(name: str, table: Any) -> Category:
    where = f"categories.{name}"
    if not isinstance(table, Mapping):
        raise PolicyError(f"{where} is {table!r}, not a table; see a shipped policy")
    _check_keys(table, ("description", "benign-examples", "behaviour", *STAGES), where)
    return Category(
        name=name,
        description=_text(table.get("description"), f"{where}.description"),
        benign_examples=_texts(table.get("benign-examples", []), f"{where}.benign-examples"),
        behaviour=_one_of(table.get("behaviour"), BEHAVIOURS, f"{where}.behaviour"),
        rules=tuple((stage, _rule(table[stage], f"{where}.{stage}")) for stage in STAGES if stage in table),
    )


def _rule(table: Any, where: str) -> Rule:
    if not isinstance(table, Mapping):
        raise PolicyError(f"{where} is {table!r}, not a table; see a shipped policy")
    _check_keys(table, ("action", *KINDS), where)
    for kind in KINDS:
        value = table.get(kind, 0.5)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
            raise PolicyError(f"{where}.{kind} is {value!r}, not a number above 0 and up to 1")
    return Rule(
        action=_one_of(table.get("action"), ACTIONS, f"{where}.action"),
        thresholds=tuple((kind, float(table[kind])) for kind in KINDS if kind in table),
    )


def _hash_list(entry: Any) -> HashList:
    if not isinstance(entry, Mapping):
        raise PolicyError("hash-lists holds tables with a file and a category")
    _check_keys(entry, ("file", "category"), "hash-lists")
    return HashList(
        Path(_text(entry.get("file"), "hash-lists.file")),
        _one_of(entry.get("category"), CATEGORIES, "hash-lists.category"),
    )


def _check_keys(keys: Iterable[str], known: Iterable[str], where: str) -> None:
    for key in keys:
        if key not in known:
            raise PolicyError(f"{where} has no {key!r}{_hint(key, known)}")


def _hint(key: str, known: Iterable[str]) -> str:
    known = list(known)
    near = get_close_matches(key, known, 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"{where} is {value!r}; write a text")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise PolicyError(f"{where} is {value!r}; write a list of texts")
    return tuple(value)


def _one_of(value: Any, options: tuple[Any, ...], where: str) -> Any:
    if value not in options:
        near = get_close_matches(str(value), options, 1, 0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise PolicyError(f"{where} is {value!r}, not one of {', '.join(options)}{hint}")
    return value
