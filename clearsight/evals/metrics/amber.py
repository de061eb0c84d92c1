"""AMBER: hallucination in captions and in yes-or-no questions together (Wang et al., 2023, arXiv 2311.07397), no
judge needed.

    captions:   CHAIR (wrong things among those mentioned, each once), Cover (things there that are mentioned), Hal
                (captions with a wrong thing), Cog (wrong things that people too would expect there)
    questions:  accuracy, and precision and recall of "no": a hallucination is what is looked for
    together:   AMBER = (1 - CHAIR + F1) / 2

Questions are told apart by what they are about: existence, attribute, relation. An unread reply is no "no".
"""

from collections.abc import Collection, Mapping

from clearsight.evals.metrics.chair import Vocabulary, chair, mentions
from clearsight.evals.metrics.scored import Scored, ratio

SORTS = ("existence", "attribute", "relation")


def amber_caption(
    caption: str, present: Collection[str], expected: Collection[str], vocabulary: Vocabulary
) -> Scored:
    """`expected` are things that are not there, but that people would expect in such a picture."""
    scored = chair(caption, present, vocabulary)
    wrong = set(mentions(caption, vocabulary)) - set(present)
    counts = {**scored.counts, "wrong and expected": float(len(wrong & set(expected)))}
    return Scored(scored.under["distinct"], scored.parsed, scored.reading, {}, counts)


def amber_summary(captions: Mapping[str, float], questions: Mapping[str, float]) -> dict[str, float]:
    """From the added-up counts of captions (`amber_caption`) and of questions (`metrics.pope.pope`)."""
    wrong = ratio(captions["wrong things"], captions["things"])
    said_no = questions["no and right"] + questions["no and wrong"]
    asked = said_no + questions["yes and right"] + questions["yes and wrong"] + questions["unread"]
    precision = ratio(questions["no and right"], said_no)
    recall = ratio(questions["no and right"], asked - questions["there"])
    f1 = ratio(2 * precision * recall, precision + recall)
    return {
        "CHAIR": wrong,
        "Cover": ratio(captions["covered"], captions["present"]),
        "Hal": ratio(captions["captions with a wrong thing"], captions["captions"]),
        "Cog": ratio(captions["wrong and expected"], captions["things"]),
        "accuracy": ratio(questions["yes and right"] + questions["no and right"], asked),
        "precision": precision,
        "recall": recall,
        "F1": f1,
        "AMBER": (1 - wrong + f1) / 2,
    }
