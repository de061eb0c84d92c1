"""The questions put to pictures of which a source knows only the answer: a caption, a name, a text, a meaning.

Wordings vary so that a model does not learn to answer one sentence; which one an item gets depends on its key alone.
"""

import zlib
from collections.abc import Sequence

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.verify import Truth

DESCRIBE = (
    "Describe the picture.",
    "What does this picture show?",
    "Write a caption for this picture.",
    "Say what can be seen here.",
)
NAME = (
    "What is shown in the picture? Answer with its name.",
    "Name what this picture shows.",
    "What is this? Give only its name.",
    "Which name fits this picture?",
)


def wording(ways: Sequence[str], key: str) -> str:
    """One of several ways to ask, always the same one for the same key."""
    return ways[zlib.crc32(key.encode()) % len(ways)]


def captioned(image: Image, caption: str, provenance: Provenance) -> Record:
    """A picture and what it shows, in the source's own words, of which many others would be as right."""
    question = wording(DESCRIBE, provenance.uri)
    return Record(Conversation((user(image, question), assistant(caption))), provenance, skills=("describe",))


def named(image: Image, name: str, provenance: Provenance, alternatives: Sequence[str] = ()) -> Record:
    """A picture of one thing whose name is known; `alternatives` are names that are as right."""
    question = wording(NAME, provenance.uri)
    truth = Truth("text", name, alternatives=tuple(alternatives))
    return Record(Conversation((user(image, question), assistant(name))), provenance, (truth,), ("name",))


def answered(question: str, answer: str, truth: Truth | None, skill: str, provenance: Provenance) -> Record:
    """A question of text alone."""
    return Record(Conversation((user(question), assistant(answer))), provenance, (truth,), (skill,))
