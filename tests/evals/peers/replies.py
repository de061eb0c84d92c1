"""Replies such as models give and harnesses disagree about: drawn from a seed around a right answer."""

import random

TEXTS = (
    *(
        "cat",
        "two",
        "none",
        "ten",
        "a red bus",
        "the Dog",
        "An owl",
        "don't walk",
        "dont",
        "10 oclock",
        "it's",
    ),
    *(
        "New York City",
        "new  york",
        "U.S.A.",
        "well-known",
        "t-shirt",
        "yes",
        "no",
        "left / right",
        "12/03/1998",
    ),
    *(
        "naïve café",
        "straße",
        "İstanbul",
        "Ωμέγα",
        "東京",
        "日本 語",
        "٣",
        "x²",
        "ﬁne",
        "e\u0301",
        "ＡＢＣ１２",
        "½",
    ),
    *(
        "let's",
        "she'd",
        "o'clock",
        "rock 'n' roll",
        "ows'at",
        "couldn'tve",
        "mom's",
        "R&D",
        "a",
        "I",
        "O'Brien",
    ),
    *(
        "\\frac{a}{b}",
        "x ^ 2 + Y",
        "A_{1} = B",
        "https://a.b/c?d=e",
        "name@mail.org",
        "(555) 010-9999",
        "[3, 4]",
    ),
)
NUMBERS = (
    *(
        "0",
        "1",
        "7",
        "10",
        "25",
        "100",
        "2010",
        "2,500",
        "1,234,567",
        "3.14",
        ".5",
        "-3",
        "0.0",
        "1e3",
        "25%",
        "0%",
    ),
    *(
        "$10",
        "€ 4.50",
        "25 million",
        "12.5 kg",
        "1.000,5",
        "99.9 %",
        "1/2",
        "−4",
        "5 000",
        "٣٤",
        "１２",
        "inf",
        "nan",
    ),
)
ODD = (
    "",
    " ",
    "\n",
    "\t \n",
    ".",
    ",",
    "?",
    "'",
    '"',
    "-",
    "%",
    "N/A",
    "None",
    "unknown",
    "...",
    "''",
    "\u00a0",
    "1_000",
)
FRAMES = (
    *(
        "The answer is {}",
        "the answer is {}.",
        "It is {}",
        "{} is the answer",
        "Answer: {}",
        "**{}**",
        '"{}"',
    ),
    *(
        "'{}'",
        "({})",
        "[{}]",
        "{}\n\nBecause it is.",
        "I think {}!",
        "{} or 3",
        "about {}",
        "{}; {}",
        "not {}",
    ),
)


def answer(rng: random.Random) -> str:
    """A right answer: a text or a number, now and then as people write it."""
    text = rng.choice(TEXTS + NUMBERS)
    return changed(rng, text) if rng.random() < 0.2 else text


def reply(rng: random.Random, right: str) -> str:
    """A reply to what `right` answers: that, something like it, something else, or nothing that can be read."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(ODD)
    text = right if kind < 0.75 else answer(rng)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        text = changed(rng, text)
    if rng.random() < 0.15:
        text = rng.choice(FRAMES).replace("{}", text)
    return text


def changed(rng: random.Random, text: str) -> str:
    """One thing about a text changed."""
    place = rng.randrange(len(text) + 1)
    return rng.choice(
        (
            text.upper(),
            text.lower(),
            text.swapcase(),
            text.title(),
            f"{rng.choice(('a', 'an', 'the', 'The', 'An'))} {text}",
            f"{text}{rng.choice('.,!?;:%')}",
            f"{rng.choice('$€£-+~')}{text}",
            f"{rng.choice((' ', chr(10), chr(9), '  '))}{text}{rng.choice((' ', chr(10), ''))}",
            text.replace(" ", rng.choice(("  ", "\n", "\t", "-", ""))),
            text.replace("'", rng.choice(("", "’", "' "))),
            text[:place] + rng.choice(" ,.'-/?!()ax1é") + text[place:],
            text[: max(0, place - 1)] + text[place:],
            text.replace(",", "").replace(".", ","),
            "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
            _number(rng, text),
        )
    )


def _number(rng: random.Random, text: str) -> str:
    """Another number near it, or a word for it."""
    try:
        value = float(text.strip("%$ ").replace(",", ""))
        value = round(value * rng.choice((0.94, 0.95, 0.96, 1, 1.04, 1.05, 1.051, 100, 0.01)), 4)
    except (ValueError, OverflowError):
        return f"{text}'s"
    return rng.choice((f"{value:g}", f"{value:,}", f"{value}%", f"{value:.2e}", f"{value / 100:g}"))


# ---------------------------------------------------------------------------------------------------
# Letters

CHOICES = (
    ("roots", "leaves", "stem", "flower"),
    ("A dog", "A cat", "Both", "Neither"),
    ("1", "2", "10", "12"),
    ("red", "dark red", "blue-green", "D"),
    ("The USA", "Canada", "DNA", "C. elegans", "all of the above", "(B)"),
    ("yes", "no"),
)
LETTERED = (
    *(
        "{L}",
        "{L}.",
        "({L})",
        "{L})",
        "[{L}]",
        "{l}",
        "{l}.",
        "({l})",
        " {L} ",
        "{L}\n",
        "{L}:",
        "{L},",
        "'{L}'",
        '"{L}"',
    ),
    *(
        "{L}. {text}",
        "{L}) {text}",
        "({L}) {text}",
        "{L}: {text}",
        "{L} {text}",
        "{L} - {text}",
        "{L}.{text}",
        "{text}",
    ),
    *(
        "The answer is {L}",
        "The answer is {L}.",
        "the answer is {l}",
        "The answer is ({L}) {text}",
        "Answer: {L}",
    ),
    *(
        "answer is {M} but the correct answer is {L}",
        "The best option is {L}",
        "my choice is {L}",
        "I choose {L}, not {M}",
    ),
    *(
        "Option {L}",
        "option {l}",
        "{L} or {M}",
        "{M}, no, {L}",
        "({M}) is wrong, ({L}) is right",
        "Both {L}. and {M}.",
    ),
    *(
        "**{L}**",
        "\\boxed{{{L}}}",
        "\\boxed{{\\text{{{L}}}}}",
        "<answer>{L}</answer>",
        "$\\mathbf{{{L}}}$",
        "정답은 {L}",
    ),
    *(
        "답: {L}",
        "答案是{L}",
        "选{L}",
        "答えは {L}",
        "Ｂ",
        "The DNA strand",
        "It is USA based",
        "A dog is what I see",
    ),
    *(
        "A picture of {text} and nothing else at all here",
        "I see that it is clearly {text} in the picture",
        "İ pick {L}",
    ),
    *(
        "I can't tell from this picture at all, sorry",
        "Because of the {text}, I would say {L}",
        "{L}{M}",
        "CAB",
        "BAD",
    ),
    *(
        "{L}\n{M}",
        "Let me think. {M}? No. So: {L}",
        "{text}.",
        "{other}",
        "Not {other} but {text} is the right one here",
    ),
    *(
        "Answer is A good one: {L}",
        "a",
        "I",
        "E",
        "Is it B? I select {l}",
        "the correct choice is: {L}) {text}",
        "{L} .",
    ),
)


def lettered(rng: random.Random, right: int, choices: tuple[str, ...]) -> str:
    """A reply to a question with choices; it names the right one two times in three."""
    if rng.random() < 0.04:
        return rng.choice(ODD)
    said = right if rng.random() < 0.67 else rng.randrange(len(choices))
    other = rng.randrange(len(choices))
    letter, another = chr(65 + said), chr(65 + other)
    text = rng.choice(LETTERED).format(
        L=letter, l=letter.lower(), M=another, text=choices[said], other=choices[other]
    )
    return changed(rng, text) if rng.random() < 0.15 else text
