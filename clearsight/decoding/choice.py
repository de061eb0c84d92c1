"""The choice of the next token from a row of scores, the same whoever computed the scores.

Order: bias and penalties, what a structure forbids, temperature, top-k, top-p (nucleus sampling,
https://arxiv.org/abs/1904.09751), min-p (https://arxiv.org/abs/2407.01082), then a draw from a random state of the
answer's own, so that a seed gives the same text whatever else happens. Log-probabilities are of the model's own
scores, before any of this.

Shape suffixes: V vocabulary.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Matcher
from clearsight.decoding.text import TokenLogprob
from clearsight.processing.tokenizer import Tokenizer

LIKELY = 512
"""So many of the likeliest tokens are sorted before all are: nearly always enough for top-p."""


class Chooser:
    """Chooses the tokens of one answer: settings, random state, and what has been said."""

    def __init__(
        self,
        sampling: Sampling,
        prompt_ids: Iterable[int] = (),
        end_ids: Iterable[int] = (),
        matcher: Matcher | None = None,
    ):
        self.sampling = sampling
        self.matcher = matcher
        self.end_ids = sorted(end_ids)
        self.said: Counter[int] = Counter()
        self.num_said = 0
        self._prompt_ids = set(prompt_ids) if sampling.repetition_penalty != 1 else set()
        self.generator = torch.Generator()  # on the CPU, so that a seed means the same on every device
        if sampling.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(sampling.seed)

    def __call__(self, scores_V: Tensor) -> int:
        """The id of the next token. scores (V,) fp32 on any device, left as they are.

        Raises FloatingPointError for scores that are not numbers.
        """
        greatest, likeliest = scores_V.max(-1)
        if not greatest.isfinite():  # the greatest of a row with a nan is nan
            raise FloatingPointError(
                "the model's scores are not numbers; its weights are damaged or overflow"
            )
        if self.sampling.is_plain_greedy:
            return self.take(int(likeliest))
        adjusted_V = self._adjusted(scores_V)
        if self.sampling.temperature == 0:
            return self.take(int(adjusted_V.argmax()))
        probabilities_V = filtered_logits(adjusted_V, self.sampling).softmax(-1)
        return self.take(int(torch.multinomial(probabilities_V, 1, generator=self.generator)))

    def take(self, token_id: int) -> int:
        """Note that this token was chosen."""
        self.said[token_id] += 1
        self.num_said += 1
        if self.matcher is not None:
            self.matcher.take(token_id)
        return token_id

    @property
    def complete(self) -> bool:
        """Whether the structure allows nothing but the end."""
        return self.matcher is not None and self.matcher.complete

    def _adjusted(self, scores_V: Tensor) -> Tensor:
        """Scores on the CPU after bias, penalties, what must not end yet, and what the structure forbids."""
        sampling = self.sampling
        scores_V = scores_V.to("cpu", torch.float32, copy=True)
        for token, bias in sampling.logit_bias.items():
            if token < len(scores_V):
                scores_V[token] += bias
        if sampling.repetition_penalty != 1:
            ids = torch.tensor(sorted(self._prompt_ids | self.said.keys()), dtype=torch.int64)
            known = scores_V[ids]
            penalty = sampling.repetition_penalty
            scores_V[ids] = torch.where(known > 0, known / penalty, known * penalty)
        if self.said and (sampling.presence_penalty or sampling.frequency_penalty):
            ids = torch.tensor(list(self.said), dtype=torch.int64)
            times = torch.tensor(list(self.said.values()), dtype=torch.float32)
            scores_V[ids] -= sampling.presence_penalty + sampling.frequency_penalty * times
        if self.num_said < sampling.min_tokens:
            scores_V[self.end_ids] = -math.inf
        if self.matcher is not None:
            self.matcher.mask(scores_V)
        return scores_V


def filtered_logits(scores_V: Tensor, sampling: Sampling) -> Tensor:
    """Scores (V,) fp32 after temperature, top-k, top-p and min-p; what is cut is -inf. Temperature must be above 0.

    Of equal scores at a border those of lower id stay, so that exactly k are left.
    """
    scores_V = scores_V / sampling.temperature
    if sampling.top_k is not None or sampling.top_p < 1:
        order = _descending(scores_V, sampling)
        ordered = scores_V[order]
        if sampling.top_p < 1:
            whole = torch.logsumexp(ordered if sampling.top_k is not None else scores_V, -1)
            probabilities = (ordered - whole).exp()
            before = probabilities.cumsum(-1) - probabilities
            before[0] = 0  # rounding must never cut the likeliest
            ordered[before >= sampling.top_p] = -math.inf
        scores_V = torch.full_like(scores_V, -math.inf).scatter_(0, order, ordered)
    if sampling.min_p > 0:
        scores_V = scores_V.masked_fill(scores_V < scores_V.max() + math.log(sampling.min_p), -math.inf)
    return scores_V


def _descending(scores_V: Tensor, sampling: Sampling) -> Tensor:
    """Ids by falling score, equal ones by rising id; as many as can survive the cuts."""
    wanted = len(scores_V) if sampling.top_k is None else min(sampling.top_k, len(scores_V))
    if wanted > LIKELY and sampling.top_p < 1 and sampling.top_k is None:
        likely = scores_V.topk(min(LIKELY, len(scores_V))).values
        if float((likely - torch.logsumexp(scores_V, -1)).exp()[:-1].sum()) >= sampling.top_p:
            wanted = LIKELY
    if wanted * 2 >= len(scores_V):
        return torch.argsort(scores_V, descending=True, stable=True)[:wanted]
    border = scores_V.topk(wanted).values[-1]
    ids = (scores_V >= border).nonzero()[:, 0]
    return ids[torch.argsort(scores_V[ids], descending=True, stable=True)][:wanted]


def logprob(scores_V: Tensor, chosen: int, num_top: int, tokenizer: Tokenizer) -> TokenLogprob:
    """The chosen token's log-probability with the `num_top` likeliest; scores (V,) fp32 as the model gave them."""
    logprobs_V = scores_V.log_softmax(-1)

    def entry(token_id: int, top: Sequence[TokenLogprob] = ()) -> TokenLogprob:
        return TokenLogprob(
            token_id, tokenizer.token_bytes(token_id), float(logprobs_V[token_id]), tuple(top)
        )

    likeliest = logprobs_V.topk(num_top).indices.tolist() if num_top else []
    return entry(chosen, [entry(token_id) for token_id in likeliest])
