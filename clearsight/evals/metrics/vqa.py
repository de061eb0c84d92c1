"""VQA accuracy: how many of ten people gave this answer (VQAv2, TextVQA).

    accuracy = mean over the ten people i of min(1, people other than i who said the same / 3)

Antol et al., 2015, https://arxiv.org/abs/1505.00468, as the evaluation code of the authors computes it
(https://github.com/GT-Vision-Lab/VQA): answers are brought into a common form first, but only if the people did not
all say the same. `lmms-eval` differs: it brings answers into a common form always, for VQAv2 (`lmms-eval vqav2`)
the authors', for TextVQA (`lmms-eval`) that of EvalAI's evaluation, where commas, question marks and "'s" go first.
"""

import re
from collections.abc import Sequence

from clearsight.evals.metrics.scored import Scored

_NUMBERS = dict(
    zip(
        ("none", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        ("0", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
        strict=True,
    )
)
_ARTICLES = ("a", "an", "the")
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'

# Words that get their apostrophe back when one of them is missing. Which ones is part of the definition: "she'd" and
# "let's" are not among them.
_CONTRACTED = re.findall(
    r"\S+",
    """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd
he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've
needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've
somebody'll somebody's someone'd someone'd've someone'll someone's something'd something'd've something'll
that's there'd there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've
weren't what'll what're what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll
why're why's won't would've wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've
""",
)
_CONTRACTIONS = {
    word[: match.start()] + word[match.end() :]: word
    for word in _CONTRACTED
    for match in re.finditer("'", word)
} | {"somebody'd": "somebodyd"}


def vqa_accuracy(reply: str, answers: Sequence[str]) -> Scored:
    """`answers` are what people said, as often as they said it."""
    said, people = _one_line(reply), [_one_line(answer) for answer in answers]
    common, formed = common_form(said), [common_form(answer) for answer in people]
    evalai = [common_form(_evalai(answer)) for answer in answers]
    under = {
        "lmms-eval": _leave_one_out(common_form(_evalai(reply.strip())), evalai),
        "lmms-eval vqav2": _leave_one_out(common, formed),
    }
    if not said:
        return Scored.unread(under=under)
    if len(set(people)) > 1:
        said, people = common, formed
    return Scored(_leave_one_out(said, people), True, said, under)


def common_form(answer: str) -> str:
    """Lower case, without punctuation and articles, numbers up to ten in digits, apostrophes put back.

    Punctuation beside a space, and all of it where a comma stands between digits, vanishes; other becomes a space.
    A full stop vanishes unless a digit follows.
    """
    vanishes = re.search(r"\d,+\d", answer) is not None
    text = answer
    for mark in _PUNCTUATION:
        beside_space = mark + " " in answer or " " + mark in answer
        text = text.replace(mark, "" if beside_space or vanishes else " ")
    text = re.sub(r"\.(?!\d)", "", text, count=32)  # the authors' code stops at 32
    words = [_NUMBERS.get(word, word) for word in text.lower().split()]
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)


def _leave_one_out(said: str, people: Sequence[str]) -> float:
    same = people.count(said)
    shares = [min(1.0, (same - (person == said)) / 3) for person in people]
    return sum(shares) / len(shares) if shares else 0.0


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def _evalai(text: str) -> str:
    text = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return _one_line(text)
