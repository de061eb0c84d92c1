"""Small specialists that look at a picture beside the model and tell it in words what they saw.

A small model learns to see some things long before others. What it can't read yet a text recogniser can, and what it
can't name a classifier of photographs can. Their findings are put behind the picture as text (`notes`), as others
gave recognised words to answer questions about text (https://arxiv.org/abs/1904.08920) and the findings of experts
to a small model (https://arxiv.org/abs/2303.02506). Any model behind any engine can be told them: a name that ends in
"+experts" means the model with them.
"""

from clearsight.experts.notes import SUFFIX, Experts, Notes

__all__ = ["SUFFIX", "Experts", "Notes"]
