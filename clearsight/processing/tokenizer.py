"""Text to ids and back, with one rule the reference does not keep: what a user types never becomes a marker.

`<image>`, `<end_of_utterance>`, `<|im_start|>` and every other added token are reached by name alone
(`special`); `encode_text` does not know them, because it uses a copy of the vocabulary without them. Nobody
can forge a turn or a picture by typing. For text without such strings the ids equal transformers'.

Only byte-level BPE (GPT-2, SmolLM2, Llama 3 and the like) is read, the only kind the family uses.
"""

import codecs
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as RawTokenizer


class TokenizerError(ValueError):
    """A vocabulary that can't be used, or a special token it does not have."""


def _byte_characters() -> dict[str, int]:
    """GPT-2's table: every byte stands in the vocabulary as one printable character."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(256) if byte not in table.values()]
    return table | {chr(256 + index): byte for index, byte in enumerate(others)}


_BYTE_OF = _byte_characters()


def smolvlm_special_tokens() -> dict[str, int]:
    """The tokens SmolVLM 256M and 500M add to the 49,152 of SmolLM2, with their ids."""
    names = ["<global-img>"]
    names += [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]
    names += ["<fake_token_around_image>", "<image>"]
    names += [f"<|reserved_special_token_{index}|>" for index in range(88)]
    names += ["<end_of_utterance>"]
    return {name: 49_152 + index for index, name in enumerate(names)}


class Tokenizer:
    """A byte-level BPE vocabulary in the tokenizer.json format, its special tokens out of users' reach."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        """From the parsed content of a tokenizer.json. Raises TokenizerError when it can't be used."""
        model = definition.get("model") or {}
        if model.get("type") != "BPE" or "ByteLevel" not in json.dumps(definition.get("decoder")):
            raise TokenizerError(
                "this is not a byte-level BPE tokenizer; use a checkpoint of the SmolVLM family"
            )
        self._definition = dict(definition)
        added = definition.get("added_tokens") or []
        self._special = {token["content"]: int(token["id"]) for token in added}
        self._special_names = {id_: name for name, id_ in self._special.items()}
        vocabulary = {token: id_ for token, id_ in model["vocab"].items() if token not in self._special}
        self._bytes_of = {id_: _token_bytes(token) for token, id_ in vocabulary.items()}
        # No unknown token either: it would be a special id. Bytes that the vocabulary lacks (for SmolLM2 six
        # control characters and planes of Unicode that hold nothing) are dropped, as in the reference.
        plain = dict(definition) | {
            "added_tokens": [],
            "post_processor": None,
            "truncation": None,
            "padding": None,
            "model": dict(model) | {"vocab": vocabulary, "unk_token": None},
        }
        try:
            self._plain = RawTokenizer.from_str(json.dumps(plain, ensure_ascii=False))
        except Exception as error:  # the library raises bare Exception
            raise TokenizerError(f"the tokenizer can't be used: {error}") from error

    @classmethod
    def from_file(cls, path: str | Path) -> "Tokenizer":
        """Read a tokenizer.json. Raises TokenizerError when it is missing or malformed."""
        try:
            definition = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TokenizerError(f"there is no file {path}; a checkpoint needs its tokenizer.json") from None
        except (OSError, ValueError) as error:
            raise TokenizerError(f"{path} can't be read: {error}; fetch the checkpoint again") from error
        if not isinstance(definition, dict):
            raise TokenizerError(f"{path} is not a tokenizer definition; fetch the checkpoint again")
        return cls(definition)

    @property
    def identity(self) -> str:
        """SHA-256, hexadecimal, of everything that determines the ids."""
        return hashlib.sha256(json.dumps(self._definition, sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_vocab(
        cls, tokens: Sequence[str], merges: Sequence[str], special: Mapping[str, int]
    ) -> "Tokenizer":
        """The SmolLM2 tokenizer from the lists of a GGUF file.

        `tokens` in id order, `merges` as "left right", both in GPT-2's byte characters; `special` maps names
        to ids: control tokens that already stand in `tokens`, and those that follow it. Digits are always
        single tokens. Raises TokenizerError when a name and its id contradict the list or leave a hole.
        """
        next_id = len(tokens)
        for name, id_ in sorted(special.items(), key=lambda item: item[1]):
            if id_ < len(tokens):
                if tokens[id_] != name:
                    raise TokenizerError(f"id {id_} is {tokens[id_]!r} in the vocabulary, not {name!r}")
                continue
            if id_ != next_id:
                raise TokenizerError(f"special token {name!r} has id {id_}, the next free id is {next_id}")
            next_id += 1
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        digits = {"type": "Digits", "individual_digits": True}
        definition = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": id_, "content": name} | flags
                for name, id_ in sorted(special.items(), key=lambda item: item[1])
            ],
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level]},
            "post_processor": None,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": {token: id_ for id_, token in enumerate(tokens)},
                "merges": list(merges),
            },
        }
        return cls(definition)

    @property
    def num_ids(self) -> int:
        """One more than the greatest id: what the embedding table must at least hold."""
        return 1 + max(*self._bytes_of, *self._special_names, -1)

    @property
    def special_names(self) -> tuple[str, ...]:
        """Every special token by name, in id order."""
        return tuple(name for _, name in sorted(self._special_names.items()))

    def is_special(self, name: str) -> bool:
        return name in self._special

    def special(self, name: str) -> int:
        """The id of a special token. Raises TokenizerError when this vocabulary has none of that name."""
        try:
            return self._special[name]
        except KeyError:
            raise TokenizerError(
                f"this tokenizer has no special token {name!r}; use the checkpoint's own"
            ) from None

    def encode_text(self, text: str) -> list[int]:
        """Ids of plain text; never a special id, whatever the text says."""
        return self._plain.encode(text, add_special_tokens=False).ids

    def encode_with_starts(self, text: str) -> tuple[list[int], list[int]]:
        """Ids of plain text, and for each the index in `text` of the character it begins at or within."""
        encoding = self._plain.encode(text, add_special_tokens=False)
        return encoding.ids, [start for start, _ in encoding.offsets]

    def token_bytes(self, id_: int) -> bytes:
        """The bytes a token stands for; empty for special tokens and for ids outside the vocabulary."""
        return self._bytes_of.get(id_, b"")

    def decode(self, ids: Iterable[int], *, skip_special: bool = True) -> str:
        """Text of `ids`; broken UTF-8 becomes U+FFFD. Special tokens are left out, or written by name."""
        pieces = []
        for id_ in ids:
            if id_ in self._special_names:
                pieces.append(b"" if skip_special else self._special_names[id_].encode())
            else:
                pieces.append(self.token_bytes(id_))
        return b"".join(pieces).decode("utf-8", errors="replace")

    def stream_decoder(self) -> "StreamDecoder":
        return StreamDecoder(self)

    def save(self, path: str | Path) -> None:
        """Write a tokenizer.json that transformers and the tokenizers library read."""
        text = json.dumps(self._definition, ensure_ascii=False, indent=2)
        Path(path).write_text(text, encoding="utf-8")


class StreamDecoder:
    """Ids one at a time to text, whole characters only: the joined output equals `Tokenizer.decode`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, id_: int) -> str:
        """The characters that this token completes; empty while one is still unfinished."""
        return self._utf8.decode(self._tokenizer.token_bytes(id_))

    def finish(self) -> str:
        """What is left at the end: U+FFFD if the last character never came whole, else nothing."""
        return self._utf8.decode(b"", final=True)


def _token_bytes(token: str) -> bytes:
    try:
        return bytes(_BYTE_OF[character] for character in token)
    except KeyError:
        raise TokenizerError(
            f"token {token!r} is not written in byte characters; use a byte-level BPE tokenizer"
        ) from None
