"""Common English words, split so that evaluation reads words that training never showed.

They are whole words of the SmolLM2 tokenizer's vocabulary that also stand in an English word list, in the order of
their rank; one in eight is kept for evaluation.
"""

from functools import cache
from importlib.resources import files

from clearsight.data.worlds.scene import Split, belongs_to


@cache
def vocabulary(split: Split) -> tuple[str, ...]:
    """The split's words, most common first."""
    lines = files("clearsight.data.worlds").joinpath("words.txt").read_text().split()
    return tuple(word for word in lines if belongs_to(split, word))
