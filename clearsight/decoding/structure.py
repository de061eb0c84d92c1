"""Answers of a given form: JSON that fits a schema, a regular expression, one of several choices, a grammar.

llguidance decides which tokens may come next. It is asked for one row of the vocabulary a token, compiles a grammar
lazily, and bounds what a hostile one may cost; what goes over its bounds is a StructureError, never a hang.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from clearsight.processing.tokenizer import Tokenizer

if TYPE_CHECKING:  # loaded when a structure is compiled: a bare GPU node may lack it
    from llguidance import LLMatcher

MAX_SOURCE = 100_000  # characters of a schema, pattern or grammar
LIMITS = {
    "max_items_in_row": 2_000,
    "initial_lexer_fuel": 500_000,
    "step_lexer_fuel": 100_000,
    "step_max_items": 50_000,
    "max_lexer_states": 50_000,
    "max_grammar_size": 200_000,
}
"""Half of llguidance's own or less; what they come to is measured by the tests of hostile structures."""


class StructureError(ValueError):
    """A schema, pattern or grammar that can't be used; the message says why."""


@dataclass(frozen=True)
class Structure:
    """What the whole text of an answer must be. Make one with the functions below."""

    kind: Literal["json", "regex", "lark"]
    source: str

    @classmethod
    def json_schema(cls, schema: Mapping[str, Any] | str) -> "Structure":
        """JSON that fits a schema (https://json-schema.org, draft 2020-12 as far as llguidance goes)."""
        if not isinstance(schema, str):
            try:
                schema = json.dumps(schema)
            except (TypeError, ValueError, RecursionError) as error:
                raise StructureError(f"the schema is not JSON: {error}") from error
        return cls("json", schema)

    @classmethod
    def json_object(cls) -> "Structure":
        """Any JSON object."""
        return cls.json_schema({"type": "object"})

    @classmethod
    def regex(cls, pattern: str) -> "Structure":
        """Text that a regular expression matches from beginning to end; no look-around, no references back."""
        return cls("regex", pattern)

    @classmethod
    def choice(cls, options: Sequence[str]) -> "Structure":
        """One of these strings."""
        if not options or not all(isinstance(option, str) and option for option in options):
            raise StructureError("choices are one or more strings that are not empty")
        return cls("lark", "start: " + " | ".join(json.dumps(option) for option in options))

    @classmethod
    def lark(cls, grammar: str) -> "Structure":
        """A context-free grammar in llguidance's dialect of Lark."""
        return cls("lark", grammar)

    def __post_init__(self) -> None:
        if len(self.source) > MAX_SOURCE:
            raise StructureError(
                f"the {self.kind} has {len(self.source):,} characters; at most {MAX_SOURCE:,} are read"
            )


class Grammars:
    """Compiles structures for one vocabulary, whose rows of scores are `vocab_size` long."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int, end_ids: set[int]):
        from llguidance import LLTokenizer, TokenizerWrapper

        self._vocab_size = vocab_size
        self._tokenizer = LLTokenizer(
            TokenizerWrapper(_Vocabulary(tokenizer, vocab_size, min(end_ids))), eos_token=sorted(end_ids)
        )
        self._compiled = lru_cache(maxsize=64)(self._compile)

    def matcher(self, structure: Structure) -> "Matcher":
        """A matcher at its beginning. Raises StructureError for a structure that can't be used."""
        return Matcher(self._compiled(structure).deep_copy(), self._vocab_size)

    def _compile(self, structure: Structure) -> "LLMatcher":
        from llguidance import LLMatcher, LLParserLimits

        try:
            grammar = _grammar(structure)
        except ValueError as error:
            raise StructureError(f"the {structure.kind} can't be used: {_first_line(error)}") from error
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=LLParserLimits(**LIMITS))  # type: ignore[arg-type]
        if matcher.is_error():
            raise StructureError(f"the {structure.kind} can't be used: {_first_line(matcher.get_error())}")
        return matcher


class Matcher:
    """Where one answer stands within its structure."""

    def __init__(self, matcher: "LLMatcher", vocab_size: int):
        self._matcher = matcher
        self._mask = np.zeros((vocab_size + 31) // 32, dtype=np.int32)

    def mask(self, scores_V: Tensor) -> None:
        """Put -inf where a token can't come next. scores (V,) fp32 on the CPU. Raises StructureError over a limit."""
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._check()
        bits = np.unpackbits(self._mask.view(np.uint8), bitorder="little")[: len(scores_V)]
        scores_V.masked_fill_(torch.from_numpy(bits == 0), -math.inf)

    def take(self, token_id: int) -> None:
        """Go on by a token. Raises StructureError when it may not come next."""
        self._matcher.consume_token(token_id)
        self._check()

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may follow."""
        return self._matcher.is_stopped()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise StructureError(
                f"the structure can't be followed further: {_first_line(self._matcher.get_error())}"
            )


class _Vocabulary:
    """What llguidance wants to know of a tokenizer: the bytes of every id, and text to ids."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int, end_id: int):
        special = [tokenizer.special(name) for name in tokenizer.special_names]
        self.eos_token_id = end_id
        self.bos_token_id = None
        self.special_token_ids = special
        names = dict(zip(special, tokenizer.special_names, strict=True))
        self.tokens = [
            names[id_].encode() if id_ in names else tokenizer.token_bytes(id_) for id_ in range(vocab_size)
        ]
        self._tokenizer = tokenizer

    def __call__(self, text: str) -> list[int]:
        return self._tokenizer.encode_text(text)


def _grammar(structure: Structure) -> str:
    """In llguidance's own form. Raises ValueError for JSON that is none."""
    from llguidance import LLMatcher

    if structure.kind == "json":
        return LLMatcher.grammar_from_json_schema(
            structure.source,
            overrides={"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "},
        )
    if structure.kind == "regex":
        return LLMatcher.grammar_from_regex(structure.source)
    return LLMatcher.grammar_from_lark(structure.source)


def _first_line(error: object) -> str:
    """What went wrong, in one line: llguidance says it first, shows the place, and may give the reason last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["it was refused"]
    reason = f" {lines[-1]}" if lines[-1].startswith("error:") else ""
    return lines[0][:300] + reason[:300]
