"""Trust and safety: what may come in, what may go out, and what was seen of either.

policy.py, policies/      what is judged, how strictly, and what is wanted instead; `private` and `public` are shipped
moderation.py             judges texts, pictures and conversations by a policy
verdict.py                what it says, also in the shape of the OpenAI moderation API
watch.py                  the watch over an answer while it is streamed
text.py                   the text classifier: normalise.py undoes disguises, concepts.py knows words, a head decides
pictures.py               sexual content, and lists of known pictures
generated.py, train_text.py   the sentences that the head is trained on, and training it
abuse.py                  signs of abuse in what clients did
"""

from clearsight.safety.abuse import Event, Limits, Signal, signals
from clearsight.safety.moderation import Moderator, Part
from clearsight.safety.policy import CATEGORIES, OPENAI_CATEGORIES, Policy, PolicyError, load
from clearsight.safety.verdict import Trigger, Verdict
from clearsight.safety.watch import OutputWatch

__all__ = [
    "CATEGORIES",
    "OPENAI_CATEGORIES",
    "Event",
    "Limits",
    "Moderator",
    "OutputWatch",
    "Part",
    "Policy",
    "PolicyError",
    "Signal",
    "Trigger",
    "Verdict",
    "load",
    "signals",
]
