"""The steps of curation, in their order: what is free or refuses most comes first, what is slow comes late.

A step is a function of the run and of the folder for its measures; it returns the rows to remove and why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clearsight.data.curation.evaluation_steps import decontamination
from clearsight.data.curation.keeping import keeping, mixing
from clearsight.data.curation.model_steps import indecency, reading, relevance
from clearsight.data.curation.picture_steps import decoding, similar_pictures, sizes
from clearsight.data.curation.pipeline import Outcome, Removal, Run
from clearsight.data.curation.tables import left
from clearsight.data.curation.text_steps import (
    exact_copies,
    languages,
    personal_data,
    similar_texts,
    text_and_picture_quality,
)
from clearsight.data.record import is_permissive


@dataclass(frozen=True)
class Step:
    name: str
    title: str
    run: Callable[[Run, Path], Outcome]


def licences(run: Run, folder: Path) -> Outcome:
    if run.options.licences == "any":
        return Outcome(skipped="every licence is accepted")
    names = run.index["licence"]
    accepted = {name: is_permissive(name) for name in set(names)}
    return Outcome(
        [
            Removal(row, "not a permissive licence", names[row])
            for row in left(run)
            if not accepted[names[row]]
        ]
    )


STEPS = (
    Step("licences", "Licences", licences),
    Step("decode", "Decoding", decoding),
    Step("size", "Size and aspect", sizes),
    Step("exact", "Exact copies", exact_copies),
    Step("quality", "Quality", text_and_picture_quality),
    Step("language", "Language", languages),
    Step("pictures", "Copies of pictures", similar_pictures),
    Step("texts", "Near copies of texts", similar_texts),
    Step("contamination", "Evaluation sets", decontamination),
    Step("ocr", "Reading again", reading),
    Step("relevance", "Text and picture fit", relevance),
    Step("personal", "Personal data", personal_data),
    Step("nsfw", "Indecent pictures", indecency),
    Step("mixing", "Mixing", mixing),
    Step("keep", "Keeping", keeping),
)
