"""Judges texts, pictures and conversations by a policy.

A conversation is judged message by message, and once more as a whole: a request may be split over several messages,
over a message and the writing in its picture, or over several pictures. Writing in pictures goes through the same text
classifier, because a model reads it as it reads a message (GPT-4V system card, 2023, section 2.4).

Whatever needs an optional package and lacks it is named in the verdict and by `parts`; a policy that requires it does
not load. Threads may share a Moderator.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as PILImage

from clearsight import weights
from clearsight.conversation import Conversation, Image
from clearsight.data.curation.extras import installed
from clearsight.data.curation.optional_models import NSFW_MODEL
from clearsight.experts import reading
from clearsight.processing.images import from_conversation_image
from clearsight.safety import pictures
from clearsight.safety.policy import CATEGORIES, KINDS, PARTS, Kind, Policy, PolicyError, Stage, load
from clearsight.safety.text import private_data, text_classifier
from clearsight.safety.verdict import Trigger, Verdict

KEPT_PICTURES = 512
JOINED_MESSAGES = 8  # of the user, the last ones, are also judged as one text
_INSTALL = {
    "reading": "pip install 'clearsight[ocr]'",
    "sexual-pictures": f"pip install 'clearsight[nsfw]' and python -m clearsight.weights '{NSFW_MODEL}'",
    "hash-lists": "pip install 'clearsight[safety]' and name [[hash-lists]] in the policy",
    "private-numbers": "pip install 'clearsight[safety]'",
}
Scores = Mapping[str, float]


@dataclass(frozen=True)
class Part:
    """A part of moderation that needs something optional; `install` says what."""

    name: str
    available: bool
    install: str


@dataclass(frozen=True)
class _Seen:
    """What was found in a picture, whatever the policy makes of it."""

    scores: Scores
    writing: str


class Moderator:
    """Moderation under one policy: a shipped one by name, a file, or a Policy.

    Raises PolicyError when the policy can't be used, or requires a part that is missing.
    """

    def __init__(self, policy: Policy | str | Path):
        self.policy = policy if isinstance(policy, Policy) else load(policy)
        if "sexual-pictures" in self.policy.requires and installed("onnxruntime"):
            try:
                weights.resolve(NSFW_MODEL)
            except weights.WeightsError as error:
                raise PolicyError(
                    f"the policy {self.policy.name} requires sexual-pictures: {error}"
                ) from error
        self._parts = self._found_parts()
        for part in self._parts:
            if part.name in self.policy.requires and not part.available:
                raise PolicyError(
                    f"the policy {self.policy.name} requires {part.name}, which is missing here; {part.install}, "
                    "or choose a policy that does not require it"
                )
        self._available = frozenset(part.name for part in self._parts if part.available)
        if self.policy.hash_lists and "hash-lists" not in self._available:
            raise PolicyError(f"hash lists can't be used here; {_INSTALL['hash-lists']}")
        self._lists = [
            (entry.category, pictures.HashList.from_file(entry.file)) for entry in self.policy.hash_lists
        ]
        rules = [rule for category in self.policy.categories for _, rule in category.rules]
        # Reading takes seconds for a picture, so it is left out where no rule would look at what was read.
        self._reads = any(rule.threshold("text-in-picture") is not None for rule in rules)
        self._kept: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._keeping = threading.Lock()
        self._looking = threading.Lock()

    def parts(self) -> tuple[Part, ...]:
        """The optional parts: which are here, and what to do for the others."""
        return self._parts

    def text(self, text: str, stage: Stage = "input") -> Verdict:
        """Judge one text."""
        found: dict[Kind, Scores] = {"text": self._text_scores(text)}
        return self._verdict(stage, found, self._missing_for_text(text))

    def picture(self, pixels: PILImage.Image, stage: Stage = "input") -> Verdict:
        """Judge one picture and what is written in it."""
        return self._pictures_verdict(stage, [Image(pixels=pixels)])

    def conversation(self, conversation: Conversation, tenant: str = "") -> Verdict:
        """Judge what goes to the model: every message but the system's, every picture, and all of it together.

        What was seen in a picture is kept for its `tenant` alone: looking takes seconds, and an answer that comes
        sooner would tell another one that somebody showed this picture.

        Raises ImageError for a picture that can't be decoded.
        """
        said = [message.text for message in conversation.messages if message.role != "system"]
        found: dict[Kind, Scores] = {"text": _highest(map(self._text_scores, said))}
        recent = [message for message in conversation.messages if message.role == "user"][-JOINED_MESSAGES:]
        words = [message.text for message in recent if message.text]
        classifier = text_classifier()
        if len(words) > 1:
            found["text"] = _highest((found["text"], classifier.joined_scores(words)))
        missing = set(self._missing_for_text("\n".join(said)))
        if conversation.images:
            seen = [self._seen(image, tenant) for image in conversation.images]
            writing = [one.writing for one in seen if one.writing]
            found["picture"] = _highest(one.scores for one in seen)
            found["text-in-picture"] = self._writing_scores(writing, words)
            if classifier.mentions([*words, *writing], "minor"):
                found["picture"] = _highest(
                    (found["picture"], {"sexual/minors": found["picture"].get("sexual", 0.0)})
                )
            missing |= self._missing_for_pictures() | self._missing_for_text("\n".join(writing))
        return self._verdict("input", found, missing)

    def _pictures_verdict(self, stage: Stage, images: Iterable[Image]) -> Verdict:
        seen = [self._seen(image, "") for image in images]
        writing = [one.writing for one in seen if one.writing]
        found: dict[Kind, Scores] = {
            "picture": _highest(one.scores for one in seen),
            "text-in-picture": self._writing_scores(writing, []),
        }
        return self._verdict(
            stage, found, self._missing_for_pictures() | self._missing_for_text("\n".join(writing))
        )

    def _writing_scores(self, writing: list[str], words: list[str]) -> Scores:
        """Of what is written in pictures: each alone, all together, and together with the user's words."""
        classifier = text_classifier()
        scores = [self._text_scores(one) for one in writing]
        scores += [classifier.joined_scores([one]) for one in writing]  # a line's end is no sentence's end
        if writing and len(writing) + len(words) > 1:
            scores += [
                classifier.joined_scores([*words, *writing]),
                classifier.joined_scores([*writing, *words]),
            ]
        return _highest(scores)

    def _text_scores(self, text: str) -> Scores:
        scores = text_classifier().scores(text)
        if "private-numbers" in self._available:
            scores["private-data"] = max(scores["private-data"], private_data(text))
        return scores

    def _seen(self, image: Image, tenant: str) -> _Seen:
        """What is in a picture. One is looked at at a time: each look takes all cores, and much memory."""
        key = (tenant, image.sha256)
        if (known := self._known(key)) is not None:
            return known
        with self._looking:
            if (known := self._known(key)) is not None:  # the same picture came twice at once
                return known
            seen = self._look(from_conversation_image(image))
            with self._keeping:
                self._kept[key] = seen
                while len(self._kept) > KEPT_PICTURES:
                    self._kept.popitem(last=False)
        return seen

    def _known(self, key: tuple[str, str]) -> _Seen | None:
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _look(self, pixels: PILImage.Image) -> _Seen:
        scores: dict[str, float] = {}
        if "sexual-pictures" in self._available:
            scores["sexual"] = pictures.sexual_score(pixels)
        if self._lists:
            hashes = pictures.pdq(pixels)
            for category, known in self._lists:
                near = hashes is not None and known.distance(hashes) <= pictures.MATCHING_DISTANCE
                scores[category] = max(scores.get(category, 0.0), float(near))
        writing = reading.written(pixels) if self._reads and "reading" in self._available else ""
        return _Seen(scores, writing)

    def _missing_for_pictures(self) -> set[str]:
        wanted = {"reading", "sexual-pictures"} if self._reads else {"sexual-pictures"}
        return wanted - self._available

    def _missing_for_text(self, text: str) -> set[str]:
        return {"private-numbers"} - self._available if any(map(str.isdigit, text)) else set()

    def _verdict(self, stage: Stage, found: Mapping[Kind, Scores], missing: Iterable[str]) -> Verdict:
        triggers, applied = [], {}
        for category in self.policy.categories:
            rule = category.rule(stage)
            looked_at = set()
            for kind in KINDS:
                threshold = rule.threshold(kind) if rule is not None else None
                score = found.get(kind, {}).get(category.name)
                if rule is None or threshold is None or score is None:
                    continue
                looked_at.add("text" if kind == "text" else "image")
                if score >= threshold:
                    triggers.append(
                        Trigger(category.name, kind, score, threshold, rule.action, category.behaviour)
                    )
            applied[category.name] = tuple(sorted(looked_at, reverse=True))
        return Verdict(
            stage=stage,
            scores={
                name: max((one.get(name, 0.0) for one in found.values()), default=0.0) for name in CATEGORIES
            },
            applied=applied,
            triggers=tuple(triggers),
            unjudged=tuple(name for name in PARTS if name in missing),
        )

    def _found_parts(self) -> tuple[Part, ...]:
        here = {
            "reading": reading.can_read(),
            "sexual-pictures": installed("onnxruntime") and _weights_are_here(),
            "hash-lists": installed("pdqhash"),
            "private-numbers": installed("phonenumbers"),
        }
        return tuple(Part(name, here[name], _INSTALL[name]) for name in PARTS)


def _weights_are_here() -> bool:
    try:
        weights.resolve(NSFW_MODEL, offline=True)
    except weights.WeightsError:
        return False
    return True


def _highest(scores: Iterable[Scores]) -> dict[str, float]:
    best: dict[str, float] = {}
    for one in scores:
        for name, score in one.items():
            best[name] = max(score, best.get(name, 0.0))
    return best
