"""Guesses at the next tokens from what was said before: prompt lookup.

Answers repeat their prompts and themselves: names read off a picture, keys of JSON, quoted questions. What followed the
last occurrence of the newest few tokens is proposed; the model judges all proposals in one pass, and since every token
is chosen as it would have been without proposals, the text does not depend on them
(https://arxiv.org/abs/2211.17192; prompt lookup: https://github.com/apoorvumang/prompt-lookup-decoding).
"""

NGRAM = 3  # tokens that must agree


class PromptLookup:
    """Proposals for one answer, as many as its recent ones deserve."""

    def __init__(self, most: int, unknown: frozenset[int]):
        """At most `most` tokens; `unknown` ids, such as image tokens, stand for too much to agree on."""
        self._most = most
        self._unknown = unknown
        self._after: dict[tuple[int, ...], int] = {}  # newest place after each n-gram
        self._indexed = 0
        self._wanted = most

    def propose(self, tokens: list[int]) -> list[int]:
        """What may follow `tokens`, which have only grown since the last call; often nothing."""
        for end in range(max(NGRAM, self._indexed + 1), len(tokens)):
            self._after[tuple(tokens[end - NGRAM : end])] = end
        self._indexed = max(self._indexed, len(tokens) - 1)
        if not self._most:
            return []
        newest = tuple(tokens[-NGRAM:])
        place = self._after.get(newest)
        if place is None or self._unknown.intersection(newest):
            return []
        proposed: list[int] = []
        for at in range(place, place + max(1, self._wanted)):
            token = tokens[at] if at < len(tokens) else proposed[at - len(tokens)]  # a cycle goes on
            if token in self._unknown:
                break
            proposed.append(token)
        return proposed

    def judged(self, proposed: int, accepted: int) -> None:
        """Tell how many of the last proposals were right."""
        self._wanted = min(self._most, self._wanted * 2 + 1) if accepted == proposed else accepted + 1
