"""Describing pictures to somebody who can't see them, and saying how far a description can be trusted.

    quality.py       is the picture usable, and how to take it again
    instructions.py  how a model is asked to describe
    agreement.py     which words of an answer other answers to the same question don't bear out
    cautions.py      what no answer should decide alone: money, doses, dates, allergens, crossing a street

Nothing here runs a model: whoever does hands in answers and pictures.
"""
