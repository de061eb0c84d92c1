"""Scores that can be believed: each with its n, an interval, a control that sees nothing, and what could not be read.

metrics/        what a reply is worth, one small file a metric, under every convention that is in use
statistics.py   intervals, paired tests, and what a run of a given size can show at all
item.py         one question with its truth
suites/         where questions come from: files, worlds, public data sets by name
runner.py       many questions at once, against the engine or a server; cached, so that a killed run goes on
results.py      from replies to scores by skill
held_out.py     what is run once
comparison.py   two runs, question by question
contamination.py  the score with and without what training data hold
report.py       JSON, Markdown, one page of HTML
"""
