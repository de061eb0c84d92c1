"""What no answer should decide alone: money, doses, dates, allergens, and crossing a street.

A model misreads a 1 for a 7 as fluently as it reads it right. Where a question or an answer touches one of these, a
sentence beside the answer says to check with a person. This looks at words, not at meaning, and would rather warn
once too often: "a bus stop" is no crossing, but "the light is green" is.

English only. What is in another language is not recognised.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Topic = Literal["money", "medicine", "date", "allergens", "traffic"]

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_PATTERNS: dict[Topic, str] = {
    "medicine": r"\b(?:medic(?:ine|ation)s?|pills?|tablets?|capsules?|dos(?:e|es|age)|prescriptions?|drugs?|syrup"
    r"|insulin|inhalers?|injections?|side effects?|milligrams?|micrograms?)\b|\d\s?(?:mg|mcg|µg|iu)\b",
    "money": r"[$€£¥₹]\s?\d|\d\s?(?:[$€£¥₹]|(?:usd|eur|gbp|dollars?|euros?|pounds?|cents?|pence|rupees?|yen)\b)"
    r"|\b(?:banknotes?|bank notes?|cash|coins?|invoices?|receipts?|total due|amount due|account number|iban"
    r"|(?:how much|price|costs?)\b.{0,24}\b(?:is|it|this|does|of))\b",
    "date": r"\b(?:expir(?:y|es?|ed|ation)|best before|use by|sell by|use-by|best-before|exp\.?\s?\d)"
    rf"|\b\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}\b|\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b{_MONTHS}\.?\s\d{{1,4}}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTHS}\b",
    "allergens": r"\b(?:allerg(?:y|ies|ic|ens?)|ingredients?|gluten|peanuts?|tree nuts?|nuts?|almonds?|hazelnuts?"
    r"|cashews?|walnuts?|lactose|soya?|sesame|shellfish|crustaceans?|celery|mustard|sulphites?|lupin|may contain)\b",
    "traffic": r"\b(?:cross(?:ing)?\b.{0,20}\b(?:street|road)|(?:street|road|pedestrian|zebra) crossings?|crosswalks?"
    r"|traffic lights?|walk(?:ing)? (?:sign|signal)|(?:light|signal|man) is (?:red|green|amber|yellow)"
    r"|oncoming (?:car|traffic)s?|safe to (?:cross|walk|go))\b",
}
_COMPILED = {topic: re.compile(pattern, re.IGNORECASE) for topic, pattern in _PATTERNS.items()}

ADVICE: dict[Topic, str] = {
    "medicine": "This is about medicine. Check the name and the dose with a person before you take anything.",
    "money": "This is about money. Check the amount with a person before you pay or accept it.",
    "date": "This is about a date. Check it with a person before you rely on it.",
    "allergens": "This is about what food contains. Check the ingredients with a person before you eat it.",
    "traffic": "This is about traffic. Never cross on the word of a picture: it is already old. Check with a person or "
    "your own way of crossing.",
}


@dataclass(frozen=True)
class Caution:
    """One thing to check with a person, and why it is said: `words` are what it was recognised by."""

    topic: Topic
    advice: str
    words: str

    def to_json(self) -> dict[str, str]:
        return {"topic": self.topic, "advice": self.advice, "words": self.words}


def cautions(texts: Iterable[str]) -> list[Caution]:
    """What to check with a person, of a question and its answer; each topic once, gravest first."""
    whole = "\n".join(texts)
    found = ((topic, pattern.search(whole)) for topic, pattern in _COMPILED.items())
    return [Caution(topic, ADVICE[topic], match[0]) for topic, match in found if match]
