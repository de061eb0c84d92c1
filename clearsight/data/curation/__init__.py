"""Curation: from records as they were found to records worth training on, with a report of what went and why.

options.py                    what is asked for
pipeline.py                   runs the steps, on one machine or many, and goes on after a kill
steps.py                      the steps and their order; what they do is in picture_steps, text_steps,
                              evaluation_steps, model_steps and keeping
store.py, tables.py           records as rows on disk; the tables that steps leave
pictures.py, alignment.py     what a picture looks like, and whether another is a copy of it
texts.py, quality.py          words, signatures, language; signs of poor quality
neighbours.py                 near ones among many
personal.py, contamination.py personal data; evaluations in training data
overlap.py                    which questions a corpus holds, for a score with and without them
optional_models.py, extras.py reading, decency, relevance; libraries that only curation needs
mixing.py                     how often to draw each source
report.py                     one page of HTML
planted.py                    a set with known defects, and how well they are found
"""

from clearsight.data.curation.options import CurationError, Options
from clearsight.data.curation.pipeline import curate, kept_records
from clearsight.data.curation.report import Report, write_report

__all__ = ["CurationError", "Options", "Report", "curate", "kept_records", "write_report"]
