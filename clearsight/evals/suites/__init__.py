"""Where questions come from. A suite is a name, its items, and how the model is asked them.

files.py     any user's JSONL
exam.py      exams with sections, points and pictures
mini.py      what the worlds draw, a fixed number of each skill
dawn.py      the forty leaves of "The Dawn of LMMs", from the same worlds
real         pictures that nobody here drew, questions by hand
tables.py    public data sets in their public formats; published.py: how others scored
by_name.py   finds all of them for the command line
"""
