"""Whether training text holds text of an evaluation: runs of 13 words or of 50 characters in common.

Both measures are those of the field: 13 words as in Brown et al., "Language models are few-shot learners" (2020,
appendix C), 50 characters as in the GPT-4 technical report (2023, appendix C). As in the former, a run that occurs in
many training records is a common phrase and proves nothing. Pictures are compared elsewhere, as copies are.
"""

from collections.abc import Iterable

import numpy as np

from clearsight.data.curation.texts import runs, word_hashes, words

RUN_WORDS = 13
RUN_CHARACTERS = 50
_BASE = np.uint64(0x100000001B3)  # odd, so that it can be divided by modulo 2^64


def word_runs(text: str) -> np.ndarray:
    """Hashes of the runs of 13 words: uint64; none for shorter texts."""
    found = words(text)
    return (
        np.unique(runs(word_hashes(found), RUN_WORDS)) if len(found) >= RUN_WORDS else np.empty(0, np.uint64)
    )


def character_runs(text: str) -> np.ndarray:
    """Hashes of the runs of 50 letters and digits: uint64; case, white space and signs do not count.

    A rolling hash modulo 2^64, computed for all places at once.
    """
    plain = "".join(words(text))
    codes = np.frombuffer(plain.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    if len(codes) < RUN_CHARACTERS:
        return np.empty(0, np.uint64)
    window = np.zeros(len(codes) - RUN_CHARACTERS + 1, dtype=np.uint64)
    for offset in range(RUN_CHARACTERS):
        window = window * _BASE + codes[offset : offset + len(window)]
    return np.unique(window ^ (window >> np.uint64(31)))


class EvaluationTexts:
    """The runs of every evaluation text: 8 bytes for each, sorted, and which evaluation set it is from."""

    def __init__(self, texts_by_set: dict[str, Iterable[str]]):
        self.names = list(texts_by_set)
        hashes: list[np.ndarray] = [np.empty(0, np.uint64)]
        owners: list[np.ndarray] = [np.empty(0, np.int32)]
        for index, texts in enumerate(texts_by_set.values()):
            for text in texts:
                both = np.concatenate([word_runs(text), character_runs(text)])
                hashes.append(both)
                owners.append(np.full(len(both), index, dtype=np.int32))
        self.hashes, first = np.unique(np.concatenate(hashes), return_index=True)
        self.owners = np.concatenate(owners)[first]

    def hits(self, texts: Iterable[str]) -> np.ndarray:
        """Places in `hashes` of the runs that these texts share with an evaluation: int64, each once."""
        found = [np.concatenate([word_runs(text), character_runs(text)]) for text in texts]
        mine = np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)
        places = np.searchsorted(self.hashes, mine)
        known = places < len(self.hashes)
        places, mine = places[known], mine[known]
        return places[self.hashes[places] == mine].astype(np.int64)


def contaminated(rows: np.ndarray, hits: np.ndarray, common: int) -> dict[int, int]:
    """Row to the place of its first telling run, of pairs (row, place in EvaluationTexts.hashes)."""
    kept = telling(hits, common)
    return {int(row): int(hit) for row, hit in zip(rows[kept][::-1], hits[kept][::-1], strict=True)}


def telling(hits: np.ndarray, common: int) -> np.ndarray:
    """Which pairs of a text and a run tell something: a run that more than `common` texts share is a common phrase."""
    _, which, counts = np.unique(hits, return_inverse=True, return_counts=True)
    return counts[which] <= common
