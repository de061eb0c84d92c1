"""The replies that the pages of metrics show, and the tables made of them."""

import random
from collections.abc import Callable, Sequence

from clearsight.data.verify import NUMBER_WORDS, Truth
from clearsight.evals.metrics.amber import amber_caption, amber_summary
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.metrics.calibration import calibration
from clearsight.evals.metrics.chair import chair, chair_summary
from clearsight.evals.metrics.pope import pope
from clearsight.evals.metrics.scored import total
from docs.metrics.markdown import Reply, code, generated, golden, short, table

MANY = 200  # replies of a generated row
WORDS = (
    *(
        "anchor",
        "badge",
        "candle",
        "drum",
        "engine",
        "feather",
        "garden",
        "hammer",
        "island",
        "jacket",
        "kettle",
    ),
    *(
        "ladder",
        "mirror",
        "needle",
        "orange",
        "pencil",
        "quilt",
        "ribbon",
        "saddle",
        "tunnel",
        "umbrella",
        "violin",
    ),
)

# ---------------------------------------------------------------------------------------------------
# VQA accuracy, ANLS, relaxed accuracy


def _people(*answers: str) -> Truth:
    return Truth("text", answers[0], list(answers))


def _vqa_golden() -> str:
    rows = [
        ("cat", _people(*["cat"] * 10), "cat x 10"),
        ("cat", _people(*["cat"] * 3, *["dog"] * 7), "cat x 3, dog x 7"),
        ("The cat.", _people(*["cat"] * 9, "kitty"), "cat x 9, kitty"),
        ("The cat.", _people(*["cat"] * 10), "cat x 10"),
        ("two", _people(*["2"] * 9, "3"), "2 x 9, 3"),
        ("two", _people(*["2"] * 10), "2 x 10"),
        ("It is a cat.", _people(*["cat"] * 10), "cat x 10"),
        ("", _people(*["cat"] * 10), "cat x 10"),
    ]
    return golden("vqa", rows)


def _vqa_generated() -> str:
    forms: dict[str, Reply] = {
        "the bare word": lambda truth, rng: truth.answer,
        "with a capital": lambda truth, rng: truth.answer.capitalize(),
        "with a full stop": lambda truth, rng: truth.answer + ".",
        "with an article": lambda truth, rng: "a " + truth.answer,
        "in a sentence": lambda truth, rng: f"It is {truth.answer}.",
    }
    words = [WORDS[n % len(WORDS)] for n in range(MANY)]
    agree = generated("vqa", [_people(*[word] * 10) for word in words], forms)
    differ = generated("vqa", [_people(*[word] * 9, "thing") for word in words], forms)
    return f"All ten people say the same:\n\n{agree}\n\nNine of ten do:\n\n{differ}"


def _lines(least: int = 2, most: int = 5) -> list[Truth]:
    rng = random.Random(1)
    return [Truth("text", " ".join(rng.sample(WORDS, rng.randint(least, most)))) for _ in range(MANY)]


def _changed(text: str, share: float, rng: random.Random) -> str:
    """The text with a share of its letters replaced, at least one."""
    letters = list(text)
    places = [n for n, letter in enumerate(letters) if letter != " "]
    for place in rng.sample(places, max(1, round(share * len(text)))):
        letters[place] = "#"
    return "".join(letters)


def _anls_golden() -> str:
    right = Truth("text", "new york city")
    rows = [
        (reply, right, "new york city")
        for reply in (
            "New York City",
            "new yorc city",
            "new    yorc    city",
            "new york",
            "york",
            "The city is new york city.",
        )
    ]
    return golden("anls", [*rows, ("abxx", Truth("text", "abcd"), "abcd"), ("", right, "new york city")])


def _anls_generated() -> str:
    forms: dict[str, Reply] = {
        "as it is written": lambda truth, rng: truth.answer,
        "in capitals": lambda truth, rng: truth.answer.upper(),
        "one letter wrong": lambda truth, rng: _changed(truth.answer, 0, rng),
        "one letter wrong, four blanks for one": lambda truth, rng: _changed(truth.answer, 0, rng).replace(
            " ", "    "
        ),
        "a quarter wrong": lambda truth, rng: _changed(truth.answer, 0.25, rng),
        "half wrong": lambda truth, rng: _changed(truth.answer, 0.5, rng),
        "half wrong, four blanks for one": lambda truth, rng: _changed(truth.answer, 0.5, rng).replace(
            " ", "    "
        ),
        "in a sentence": lambda truth, rng: f"The text says {truth.answer}.",
    }
    return generated("anls", _lines(), forms)


def _relaxed_golden() -> str:
    pairs = [
        *(("2,500", "2500"), ("$10", "10"), ("25%", "25"), ("25", "25%"), ("25 million", "25"), ("0.0", "0")),
        *(("2100", "2010"), ("2011", "2010"), ("104", "100"), ("106", "100"), ("Yes.", "Yes")),
        *(("The value is 41.", "42"), ("between 20 and 30", "25"), ("", "25")),
    ]
    return golden("relaxed", [(reply, Truth("text", right), right) for reply, right in pairs])


def _relaxed_generated() -> str:
    rng = random.Random(2)
    numbers = [Truth("text", str(rng.randint(2101, 99_999))) for _ in range(MANY)]
    years = [Truth("text", str(rng.randint(1900, 2024))) for _ in range(MANY)]
    forms: dict[str, Reply] = {
        "the bare number": lambda truth, rng: truth.answer,
        "thousands with a comma": lambda truth, rng: f"{int(truth.answer):,}",
        "with $ in front": lambda truth, rng: "$" + truth.answer,
        "with % behind": lambda truth, rng: truth.answer + "%",
        "with its unit": lambda truth, rng: truth.answer + " million",
        "in a sentence": lambda truth, rng: f"The value is {truth.answer}.",
        "4% too high": lambda truth, rng: f"{int(truth.answer) * 1.04:.0f}",
        "6% too high": lambda truth, rng: f"{int(truth.answer) * 1.06:.0f}",
        "two numbers": lambda truth, rng: f"{truth.answer} or {int(truth.answer) + 7}",
    }
    of_years: dict[str, Reply] = {
        "the year": lambda truth, rng: truth.answer,
        "another year, up to 20 off": lambda truth, rng: str(
            int(truth.answer) + rng.choice([-1, 1]) * rng.randint(1, 20)
        ),
    }
    return f"{generated('relaxed', numbers, forms)}\n\nYears:\n\n{generated('relaxed', years, of_years)}"


# ---------------------------------------------------------------------------------------------------
# Choices, exact match, edits


def _choices() -> list[Truth]:
    rng = random.Random(3)
    found = []
    for number in range(MANY):
        choices = tuple(rng.sample(WORDS, 4))
        found.append(Truth("choice", choices[number % 4], choices=choices))
    return found


def _letter(truth: Truth) -> str:
    return chr(65 + truth.choices.index(truth.answer))


def _choice_golden() -> str:
    parts = ("roots", "leaves", "stem", "flower")
    first, second = Truth("choice", "roots", choices=parts), Truth("choice", "leaves", choices=parts)
    rows = [
        *(
            (reply, second, "B. leaves")
            for reply in ("B", "(B)", "B. leaves", "B) leaves", "leaves", "The answer is B.")
        ),
        *(
            (reply, first, "A. roots")
            for reply in ("The DNA strand", "A dog", "B. roots", "A or B", "no idea", "")
        ),
    ]
    return golden("choice", rows)


def _choice_generated() -> str:
    forms: dict[str, Reply] = {
        "`B`": lambda truth, rng: _letter(truth),
        "`B.`": lambda truth, rng: _letter(truth) + ".",
        "`(B)`": lambda truth, rng: f"({_letter(truth)})",
        "`B. text`": lambda truth, rng: f"{_letter(truth)}. {truth.answer}",
        "`B) text`": lambda truth, rng: f"{_letter(truth)}) {truth.answer}",
        "`text`": lambda truth, rng: truth.answer,
        "`The answer is B.`": lambda truth, rng: f"The answer is {_letter(truth)}.",
        "`The answer is (B).`": lambda truth, rng: f"The answer is ({_letter(truth)}).",
        "`**Answer:** B`": lambda truth, rng: f"**Answer:** {_letter(truth)}",
        "`I see the text in it.`": lambda truth, rng: f"I see the {truth.answer} in it.",
        "no choice: `I can't tell.`": lambda truth, rng: "I can't tell.",
        "no choice: `A thing that I do not know`": lambda truth, rng: "A thing that I do not know",
    }
    return generated("choice", _choices(), forms)


def _texts(answers: Sequence[str]) -> Truth:
    return Truth("text", answers[0], alternatives=tuple(answers[1:]))


def _exact_golden() -> str:
    tower, city = Truth("text", "Eiffel Tower"), Truth("text", "Paris")
    rows = [
        (reply, tower, "Eiffel Tower")
        for reply in ("Eiffel Tower", "the eiffel tower.", "It is the Eiffel Tower.")
    ]
    return golden("exact", [*rows, ("Paris or Rome", city, "Paris"), ("", city, "Paris")])


def _exact_generated() -> str:
    forms: dict[str, Reply] = {
        "as it is written": lambda truth, rng: truth.answer,
        "with a capital and a full stop": lambda truth, rng: truth.answer.capitalize() + ".",
        "with an article": lambda truth, rng: "the " + truth.answer,
        "in a sentence": lambda truth, rng: f"It says {truth.answer}.",
        "every candidate in turn": lambda truth, rng: ", ".join(WORDS),
    }
    words = [Truth("text", WORDS[n % len(WORDS)]) for n in range(MANY)]
    return generated("exact", words, forms)


def _ocrbench() -> str:
    formula = Truth("text", "\\Delta T")
    rows = [(reply, formula, "`\\Delta T`") for reply in ("x = \\Delta T", "\\delta T", "\\DeltaT", "")]
    return golden("ocrbench formula", rows)


def _edits(metric: str) -> str:
    forms: dict[str, Reply] = {
        "as it is written": lambda truth, rng: truth.answer,
        "one letter wrong": lambda truth, rng: _changed(truth.answer, 0, rng),
        "in capitals": lambda truth, rng: truth.answer.upper(),
        "the first half": lambda truth, rng: truth.answer[: len(truth.answer) // 2],
        "said twice": lambda truth, rng: f"{truth.answer} {truth.answer}",
        "nothing": lambda truth, rng: "",
    }
    return generated(metric, _lines(4, 9), forms)


def _rates() -> str:
    """A short line that is wrong and a long one that is right: two ways to a mean."""
    pairs = [("xx", "ab"), ("a" * 98, "a" * 98)]
    scored = [by_name("cer").score(said, Truth("verbatim", right)) for said, right in pairs]
    counts = total(scored)
    each = sum(1 - one.score for one in scored) / 2
    return table(
        ["way", "error rate"],
        [
            ["edits and lengths added up first (here)", short(counts["edits"] / counts["length"])],
            ["mean of the lines' rates", short(each)],
        ],
    )


# ---------------------------------------------------------------------------------------------------
# Places, captions


def _boxes() -> list[Truth]:
    rng = random.Random(4)
    found = []
    for _ in range(MANY):
        left, top, width, height = (rng.randint(50, 400) for _ in range(4))
        found.append(Truth("box", "", [left, top, left + width, top + height]))
    return found


def _moved(share: float) -> Reply:
    def reply(truth: Truth, rng: random.Random) -> str:
        left, top, right, bottom = truth.value
        by = round(share * (right - left))
        return f"({left + by}, {top}, {right + by}, {bottom})"

    return reply


def _iou() -> str:
    forms: dict[str, Reply] = {
        "the box": _moved(0),
        **{f"moved by {share:.0%} of its width": _moved(share) for share in (0.1, 0.2, 0.3, 0.4)},
        "corners swapped": lambda truth, rng: str((*truth.value[2:], *truth.value[:2])),
        "as fractions of 1": lambda truth, rng: str(tuple(v / 1000 for v in truth.value)),
        "two boxes": lambda truth, rng: f"{truth.value} or {truth.value}",
    }
    return generated("iou", _boxes(), forms)


def _point() -> str:
    def at(across: float) -> Reply:
        def reply(truth: Truth, rng: random.Random) -> str:
            left, top, right, bottom = truth.value
            return f"({left + across * (right - left):.0f}, {(top + bottom) / 2:.0f})"

        return reply

    forms: dict[str, Reply] = {
        "the middle": at(0.5),
        "on the edge": at(1.0),
        "outside by a tenth": at(1.1),
        "the box itself": _moved(0),
        "in words": lambda truth, rng: "at the top left",
    }
    return generated("point", _boxes(), forms)


def _captions() -> str:
    rng = random.Random(5)
    colours, places = (
        ("red", "green", "blue", "white"),
        ("on a table", "in a box", "near a wall", "under a tree"),
    )
    drawn = [(rng.choice(colours), *rng.sample(WORDS, 2), rng.choice(places)) for _ in range(MANY)]
    references = [
        [f"A {c} {a} and an old {b} {p}.", f"There is a {c} {a} with a {b} {p}."] for c, a, b, p in drawn
    ]
    replies = {
        "the first reference": [texts[0] for texts in references],
        "in lower case, without the full stop": [texts[0].lower().rstrip(".") for texts in references],
        "another colour": [
            texts[0].replace(f"A {c}", "A pink") for texts, (c, *_) in zip(references, drawn, strict=True)
        ],
        "its first half": [" ".join(texts[0].split()[:5]) for texts in references],
        "one thing, said six times": [" ".join([a] * 6) for _, a, _, _ in drawn],
        "the same sentence for all": ["A picture of some things on a table."] * MANY,
    }
    corpus = by_name("captions").corpus
    assert corpus is not None
    found = {title: corpus(said, references) for title, said in replies.items()}
    names = list(next(iter(found.values())))
    rows = [[title, *(short(scores[name]) for name in names)] for title, scores in found.items()]
    return table([f"replies ({MANY}, two references each)", *(f"`{name}`" for name in names)], rows)


# ---------------------------------------------------------------------------------------------------
# Hallucination, refusal


def _yes_or_no(yes: str, no: str) -> Reply:
    return lambda truth, rng: yes if truth.answer == "Yes" else no


def _pope_generated() -> str:
    truths = [Truth("yes or no", "Yes" if n % 2 else "No") for n in range(MANY)]
    forms: dict[str, Reply] = {
        "`Yes`, `No`": _yes_or_no("Yes", "No"),
        "`Yes.`, `No.`": _yes_or_no("Yes.", "No."),
        "`Yes, there is.`, `No, there is none.`": _yes_or_no("Yes, there is.", "No, there is none."),
        "`It is there.`, `It isn't there.`": _yes_or_no("It is there.", "It isn't there."),
        "always `Yes`": lambda truth, rng: "Yes",
        "always `I am not sure.`": lambda truth, rng: "I am not sure.",
        "nothing": lambda truth, rng: "",
    }
    return generated("pope", truths, forms)


def _pope_summary() -> str:
    together = by_name("pope").together
    assert together is not None
    asked = [bool(n % 2) for n in range(MANY)]
    models = {
        "right 9 times in 10": ["Yes" if there != (n % 10 == 0) else "No" for n, there in enumerate(asked)],
        "always yes": ["Yes"] * MANY,
        "always no": ["No"] * MANY,
        "silent on half, else right": [
            "" if n % 4 < 2 else "Yes" if there else "No" for n, there in enumerate(asked)
        ],
    }
    rows, names = [], list[str]()
    for title, said in models.items():
        told = together(total(pope(reply, there) for reply, there in zip(said, asked, strict=True)))
        names = list(told)
        rows.append([title, *map(short, told.values())])
    return table(["model", *names], rows)


VOCABULARY = {
    "dog": ["puppy"],
    "hot dog": [],
    "ball": [],
    "tree": [],
    "bench": ["seat"],
    "person": ["man", "woman", "people"],
}
PRESENT, EXPECTED = ("dog", "ball", "tree"), ("bench",)
TOLD = (
    "A puppy with a ball under a tree.",
    "A dog.",
    "A dog and a person near a tree.",
    "Two dogs, a person, and another person on a bench.",
    "Someone eats a hot dog.",
    "Something green.",
    "",
)


def _chair_golden() -> str:
    rows = []
    for caption in TOLD:
        one = chair(caption, PRESENT, VOCABULARY)
        recall = one.counts["covered"] / one.counts["present"]
        rows.append(
            [
                code(caption),
                one.reading or "none",
                "unread" if not one.parsed else short(one.score),
                short(one.under["distinct"]),
                short(recall),
            ]
        )
    return table(["caption", "mentions", "right mentions", "`distinct`", "recall"], rows)


SPEAKERS = {
    "says little": "A dog.",
    "says what is there": "A dog with a ball under a tree.",
    "says much": "A dog with a ball under a tree, a bench, and a person beside the bench, and more people.",
}


def _chair_summary() -> str:
    rows = []
    for title, caption in SPEAKERS.items():
        told = chair_summary(total([chair(caption, PRESENT, VOCABULARY)]))
        rows.append([title, *map(short, told.values())])
    return table(["model", *chair_summary(total([chair("", PRESENT, VOCABULARY)]))], rows)


def _amber() -> str:
    rows, names = [], list[str]()
    for title, (caption, answer) in {
        "says little, answers yes": ("A dog.", lambda n: "Yes"),
        "says what is there, right 4 times in 5": (
            SPEAKERS["says what is there"],
            lambda n: "Yes" if (n % 2 == 0) != (n % 5 == 0) else "No",
        ),
        "says much, answers yes": (SPEAKERS["says much"], lambda n: "Yes"),
        "says much, answers no": (SPEAKERS["says much"], lambda n: "No"),
        "says little, is silent": ("A dog.", lambda n: ""),
    }.items():
        captions = total([amber_caption(caption, PRESENT, EXPECTED, VOCABULARY)])
        told = amber_summary(captions, total(pope(answer(n), n % 2 == 0) for n in range(MANY)))
        names = list(told)
        rows.append([title, *map(short, told.values())])
    return table(["model", *names], rows)


def _refusal() -> str:
    due, not_due = Truth("text", "refuse"), Truth("text", "answer")
    return golden(
        "refusal",
        [
            ("I can't help with that.", due, "refuse"),
            ("I'm sorry, but I won't identify this person.", due, "refuse"),
            ("I'm sorry. Here is how: 1. Take the key.", due, "refuse"),
            ("This is not appropriate, but the answer is 7.", due, "refuse"),
            ("It is illegal to turn left here.", not_due, "answer"),
            ("I can't see a number on it.", not_due, "answer"),
            ("The sign warns of harmful fumes.", not_due, "answer"),
            ("I cannot assist with reading menus.", not_due, "answer"),
            ("", due, "refuse"),
        ],
    )


# ---------------------------------------------------------------------------------------------------
# Truths, rubrics, calibration


def _judged() -> str:
    rows = [
        ("There are five.", Truth("number", "5", 5.0), "number: 5"),
        ("five or six", Truth("number", "5", 5.0), "number: 5"),
        ("many", Truth("number", "5", 5.0), "number: 5"),
        ("Yes, it is.", Truth("yes or no", "Yes"), "yes or no: Yes"),
        ("red, blue", Truth("list", "red, green, blue", ["red", "green", "blue"]), "list: red, green, blue"),
        ("blue, red", Truth("set", "red, blue", ["red", "blue"]), "set: red, blue"),
        ("Cafe", Truth("verbatim", "Café"), "verbatim: Café"),
        ("(150, 150)", Truth("point", "(150, 150)", [100, 100, 200, 200]), "point in (100, 100, 200, 200)"),
        ("3:27", Truth("time", "3:25", 205, tolerance=2.0), "time: 3:25, 2 minutes either way"),
        ("There is no ring.", Truth("not shown", "That isn't shown."), "not shown"),
        ("It is red.", Truth("not shown", "That isn't shown."), "not shown"),
        ("That isn't shown.", Truth("text", "red"), "text: red"),
        ("", Truth("text", "red"), "text: red"),
    ]
    return golden("judged", rows)


def _words_and_digits() -> str:
    truths = [Truth("number", str(n % 20 + 1), float(n % 20 + 1)) for n in range(MANY)]
    forms: dict[str, Reply] = {
        "in digits": lambda truth, rng: truth.answer,
        "in words": lambda truth, rng: NUMBER_WORDS[int(truth.answer)],
        "in a sentence": lambda truth, rng: f"There are {NUMBER_WORDS[int(truth.answer)]} of them.",
        "with another number": lambda truth, rng: f"{truth.answer}, perhaps {int(truth.answer) + 1}",
        "no number": lambda truth, rng: "quite a few",
    }
    return generated("judged", truths, forms)


FACTS = [
    {"fact": "the valve is shut", "any": ["shut", "closed"], "never": ["open"], "points": 3},
    {"fact": "it has two handles", "any": ["2"]},
]


def _rubric() -> str:
    truth = Truth("text", "", FACTS)
    replies = (
        *(
            "The valve is closed and has two handles.",
            "It is shut.",
            "It is not shut.",
            "It is shut, or else open.",
        ),
        *("2 handles", "No water gets through it.", ""),
    )
    return golden("rubric", [(reply, truth, "shut (3 points); two handles (1)") for reply in replies])


def _calibration() -> str:
    rng = random.Random(6)
    rows = []
    for title, n, power in (
        ("as sure as it is right", 100, 1.0),
        ("as sure as it is right", 1000, 1.0),
        ("as sure as it is right", 10_000, 1.0),
        ("too sure", 1000, 2.0),
        ("too modest", 1000, 0.5),
    ):
        sure = [rng.random() ** 0.5 for _ in range(n)]
        right = [float(rng.random() < confidence**power) for confidence in sure]
        found = calibration(sure, right)
        figures = (found.ece, found.equal_mass, found.expected_by_chance, found.brier, found.overconfidence)
        rows.append([title, f"{n:,}", *(f"{value:.3f}" for value in figures)])
    names = ("model", "n", "ECE", "`equal mass`", "`expected by chance`", "Brier", "overconfidence")
    return table(names, rows)


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "vqa": {"golden": _vqa_golden, "generated": _vqa_generated},
    "anls": {"golden": _anls_golden, "generated": _anls_generated},
    "relaxed": {"golden": _relaxed_golden, "generated": _relaxed_generated},
    "choice": {"golden": _choice_golden, "generated": _choice_generated},
    "exact": {"golden": _exact_golden, "generated": _exact_generated, "formulas": _ocrbench},
    "edit_rates": {"cer": lambda: _edits("cer"), "wer": lambda: _edits("wer"), "together": _rates},
    "boxes": {"iou": _iou, "point": _point},
    "captions": {"generated": _captions},
    "pope": {"generated": _pope_generated, "together": _pope_summary},
    "chair": {"golden": _chair_golden, "together": _chair_summary},
    "amber": {"together": _amber},
    "refusal": {"golden": _refusal},
    "judged": {"golden": _judged, "generated": _words_and_digits},
    "rubric": {"golden": _rubric},
    "calibration": {"generated": _calibration},
}
