"""One training example: a conversation, where it comes from, and what is known about the right answers.

The same record holds text for pretraining, supervised turns, preferences (with a rejected answer) and tasks for
reinforcement learning (with truths). It travels as JSON, with its pictures beside it under their hashes.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from clearsight.conversation import Conversation
from clearsight.data.verify import Truth

# SPDX identifiers of licences that allow use, change and redistribution with at most attribution.
PERMISSIVE = frozenset(
    (
        *(
            "0BSD",
            "Apache-2.0",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "BSL-1.0",
            "CC-BY-2.0",
            "CC-BY-3.0",
            "CC-BY-4.0",
        ),
        *(
            "CC-PDDC",
            "CC0-1.0",
            "ISC",
            "MIT",
            "MIT-0",
            "ODC-By-1.0",
            "OFL-1.1",
            "PDDL-1.0",
            "Unlicense",
            "WTFPL",
        ),
        *(
            "Zlib",
            "LicenseRef-WordNet-3.0",
        ),  # WordNet's terms are like MIT's; SPDX has no identifier for them
    )
)


@dataclass(frozen=True)
class Provenance:
    """Where a record comes from.

    `source` names the data set, package or world, with its version if it has one. `licence` is an SPDX identifier
    or expression, "unknown" if it is not stated. `generator` is set for what was made by a program
    ("worlds.shapes"), with the seed that makes it again. `uri` finds the original within the source.
    """

    source: str
    licence: str
    split: Literal["train", "eval"] = "train"
    generator: str = ""
    seed: int | None = None
    uri: str = ""

    def to_json(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if v not in ("", None)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Provenance":
        return cls(**value)


@dataclass(frozen=True)
class Record:
    """A conversation with provenance. `truths` are one for each assistant message, None where none is known.

    `rejected` is a worse answer to the last question. `skills` name what each assistant message asks for.
    `tags` hold what curation measured, by name.
    """

    conversation: Conversation
    provenance: Provenance
    truths: tuple[Truth | None, ...] = ()
    skills: tuple[str, ...] = ()
    rejected: str | None = None
    tags: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        replies = sum(message.role == "assistant" for message in self.conversation.messages)
        for name in ("truths", "skills"):
            if getattr(self, name) and len(getattr(self, name)) != replies:
                raise ValueError(f"{len(getattr(self, name))} {name} for {replies} assistant messages")

    @property
    def id(self) -> str:
        """SHA-256, hexadecimal, of the conversation (pictures by their hashes), truths and rejected answer."""
        body = self.to_json()
        body = {k: body[k] for k in ("messages", "truths", "rejected") if k in body}
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; pictures are named by their hash alone."""
        found: dict[str, Any] = self.conversation.to_json(with_data=False)
        found["provenance"] = self.provenance.to_json()
        if self.truths:
            found["truths"] = [truth and truth.to_json() for truth in self.truths]
        if self.skills:
            found["skills"] = list(self.skills)
        if self.rejected is not None:
            found["rejected"] = self.rejected
        if self.tags:
            found["tags"] = self.tags
        return found

    @classmethod
    def from_json(cls, value: dict[str, Any], load_image: Callable[[str], bytes]) -> "Record":
        """Inverse of `to_json`; `load_image` gives the file bytes of the picture with a hash.

        Raises ConversationError, KeyError, TypeError or ValueError for anything malformed.
        """
        return cls(
            Conversation.from_json({"messages": value["messages"]}, load_image),
            Provenance.from_json(value["provenance"]),
            tuple(truth and Truth.from_json(truth) for truth in value.get("truths", ())),
            tuple(value.get("skills", ())),
            value.get("rejected"),
            value.get("tags", {}),
        )


def is_permissive(licence: str) -> bool:
    """Whether an SPDX identifier, or every part of an expression joined by AND, is in PERMISSIVE.

    Of parts joined by OR one is enough. Brackets are not understood, and what is not understood is refused.
    """
    return any(
        all(part.strip() in PERMISSIVE for part in way.split(" AND ")) for way in licence.split(" OR ")
    )
