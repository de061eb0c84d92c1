"""BLEU: shared runs of one to four words (Papineni et al., 2002), computed by sacrebleu (Post, 2018,
https://arxiv.org/abs/1804.08771) and signed with its settings, because BLEU depends on how words are cut.

The score of many replies is that of the corpus; it is not the mean of the replies' own. `international` and `uncut`
cut words differently, `unsmoothed` is zero as soon as no run of four is shared.
"""

from collections.abc import Sequence
from typing import Any

from clearsight.evals.metrics.scored import Scored

_SETTINGS: dict[str, dict[str, Any]] = {
    "13a": {},
    "international": {"tokenize": "intl"},
    "uncut": {"tokenize": "none"},
    "unsmoothed": {"smooth_method": "none"},
}


def bleu(reply: str, references: Sequence[str]) -> Scored:
    """BLEU-4 of one reply, smoothed so that a short one is not zero. In [0, 1]."""
    if not reply.strip():
        return Scored.unread()
    score = _metric({"effective_order": True}).sentence_score(reply, list(references)).score / 100
    return Scored(min(1.0, score), True, reply.strip())


def corpus_bleu(replies: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """BLEU-4 of a corpus under each setting, in [0, 1]; `references[i]` are the right texts of reply i."""
    most = max((len(texts) for texts in references), default=1)
    streams = [[texts[n] if n < len(texts) else None for texts in references] for n in range(most)]
    return {
        name: _metric(settings).corpus_score(list(replies), streams).score / 100
        for name, settings in _SETTINGS.items()
    }


def _metric(settings: dict[str, Any]) -> Any:
    from sacrebleu.metrics import BLEU  # slow to import, and only captions need it

    return BLEU(**settings)
