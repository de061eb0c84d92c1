"""What a reply is worth. One file a metric; `by_name.py` finds them for a suite.

Every metric reads a reply before it judges it. What it can't read it says so (`parsed` False, score 0): nothing is
ever guessed. Where published harnesses disagree, the score is given under each of their conventions too.
"""
