"""What moderation says of a text, a picture or a conversation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clearsight.safety.policy import (
    BEHAVIOURS,
    OPENAI_CATEGORIES,
    OWN_CATEGORIES,
    Action,
    Behaviour,
    Kind,
    Stage,
)

_IN_WORDS: dict[Kind, str] = {
    "text": "in the text",
    "picture": "in a picture",
    "text-in-picture": "in text in a picture, or in it together with the message",
}


@dataclass(frozen=True)
class Trigger:
    """A category whose score reached its threshold, for one kind of content."""

    category: str
    kind: Kind
    score: float
    threshold: float
    action: Action
    behaviour: Behaviour

    @property
    def reason(self) -> str:
        """A sentence for a log or a reviewer; it quotes nothing of what was judged."""
        return f"{self.category} {_IN_WORDS[self.kind]}: {self.score:.2f}, {self.action} from {self.threshold:.2f}."


@dataclass(frozen=True)
class Verdict:
    """Scores and what follows from them.

    `scores` holds the highest score of each category, 0 to 1. `applied` says for each category which of "text" and
    "image" were looked at. `unjudged` names the parts of moderation that were missing for what was judged: a verdict
    that flags nothing and has unjudged parts does not say that all is well.
    """

    stage: Stage
    scores: Mapping[str, float]
    applied: Mapping[str, tuple[str, ...]]
    triggers: tuple[Trigger, ...]
    unjudged: tuple[str, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether anything is to be marked or blocked."""
        return any(trigger.action != "allow" for trigger in self.triggers)

    @property
    def blocked(self) -> bool:
        return any(trigger.action == "block" for trigger in self.triggers)

    @property
    def categories(self) -> dict[str, bool]:
        """Whether each category reached a threshold, whatever the policy does about it."""
        reached = {trigger.category for trigger in self.triggers}
        return {name: name in reached for name in self.scores}

    @property
    def behaviour(self) -> Behaviour:
        """What is wanted of the assistant: of several categories, the strongest."""
        return max((t.behaviour for t in self.triggers), key=BEHAVIOURS.index, default="answer")

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(trigger.reason for trigger in self.triggers)

    def to_openai(self) -> dict[str, Any]:
        """One entry of `results` of POST /v1/moderations: 13 categories, and under `clearsight` what is ours.

        `flagged` is true when one of the 13 is, as clients expect; what our own categories say stands beside it.
        """
        reached = self.categories
        return {
            "flagged": any(reached.get(name, False) for name in OPENAI_CATEGORIES),
            "categories": {name: reached.get(name, False) for name in OPENAI_CATEGORIES},
            "category_scores": {name: self.scores.get(name, 0.0) for name in OPENAI_CATEGORIES},
            "category_applied_input_types": {
                name: list(self.applied.get(name, ())) for name in OPENAI_CATEGORIES
            },
            "clearsight": {
                "blocked": self.blocked,
                "behaviour": self.behaviour,
                "categories": {name: reached.get(name, False) for name in OWN_CATEGORIES},
                "category_scores": {name: self.scores.get(name, 0.0) for name in OWN_CATEGORIES},
                "reasons": list(self.reasons),
                "unjudged": list(self.unjudged),
            },
        }
