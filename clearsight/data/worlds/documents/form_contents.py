"""What forms ask and what was entered, before they are drawn: fields, boxes to tick, one choice, a signature.

Some fields are left empty, some entries are illegible. Topics, and with them all labels and options, are split.
"""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from clearsight.data.worlds import names
from clearsight.data.worlds.drawing.page import Box
from clearsight.data.worlds.scene import Split


@dataclass
class Field:
    """`date` is what a date's entry means. `box` is where the entry goes, `places` what of it stands in the picture."""

    label: str
    entry: str
    required: bool = False
    legible: bool = True
    exact: bool = False  # judged by every character
    date: datetime.date | None = None
    box: Box = (0, 0, 0, 0)
    places: tuple[int, ...] = ()


@dataclass
class Option:
    name: str
    marked: bool
    box: Box = (0, 0, 0, 0)


@dataclass
class Form:
    """`signed` is None where nothing has to be signed. `button` is what its button says, if it has one."""

    title: str
    fields: list[Field]
    ticks_label: str
    ticks: list[Option]
    choice_label: str
    choice: list[Option]
    signed: bool | None
    signature_label: str
    button: str
    absent: list[str] = field(default_factory=list)  # labels such a form may have and this one lacks
    signature_box: Box = (0, 0, 0, 0)
    button_box: Box = (0, 0, 0, 0)

    @property
    def complete(self) -> bool:
        """Whether no required field is empty; only then can the button be pressed."""
        return all(f.entry or not f.required for f in self.fields)


@dataclass(frozen=True)
class Topic:
    """Fields as label and sort of entry; `period`: labels of two dates of which the second is later."""

    title: str
    fields: tuple[tuple[str, str], ...]
    ticks: tuple[str, tuple[str, ...]]
    choice: tuple[str, tuple[str, ...]]
    button: str
    period: tuple[str, str] | None = None


TOPICS: dict[Split, tuple[Topic, ...]] = {
    "train": (
        Topic(
            "Library card",
            (("Full name", "person"), ("Date of birth", "birth"), ("Street", "street"), ("City", "city"),
             ("Phone", "phone"), ("Occupation", "occupation")),
            ("Interests", ("Novels", "Maps", "Music", "Films", "History")),
            ("Membership", ("Adult", "Youth", "Senior")),
            "Apply",
        ),
        Topic(
            "Patient record",
            (("Patient", "person"), ("Date of birth", "birth"), ("Doctor", "surname"), ("Insurance number", "code"),
             ("Phone", "phone"), ("City", "city")),
            ("Allergies", ("Nuts", "Pollen", "Milk", "Dust", "Wool")),
            ("Blood group", ("A", "B", "AB")),
            "Save",
        ),
        Topic(
            "Job application",
            (("Name", "person"), ("Position", "occupation"), ("Employer", "company"), ("City", "city"),
             ("Phone", "phone"), ("Department", "department")),
            ("Skills", ("Driving", "Typing", "Welding", "Cooking", "Coding")),
            ("Hours", ("Full time", "Part time", "Weekends")),
            "Send",
        ),
        Topic(
            "Parcel slip",
            (("Sender", "person"), ("Recipient", "surname"), ("Street", "street"), ("City", "city"),
             ("Tracking number", "code"), ("Phone", "phone")),
            ("Contents", ("Glass", "Liquid", "Books", "Food", "Tools")),
            ("Service", ("Economy", "Express", "Overnight")),
            "Submit",
        ),
        Topic(
            "Hotel registration",
            (("Guest", "person"), ("Arrival", "first"), ("Departure", "second"), ("Home city", "city"),
             ("Room", "number"), ("Phone", "phone")),
            ("Extras", ("Breakfast", "Parking", "Sauna", "Cot", "Safe")),
            ("Room type", ("Single", "Double", "Suite")),
            "Check in",
            ("Arrival", "Departure"),
        ),
        Topic(
            "Leave request",
            (("Employee", "person"), ("Department", "department"), ("First day", "first"), ("Back at work", "second"),
             ("Staff number", "code"), ("Stand-in", "surname")),
            ("Reasons", ("Holiday", "Moving", "Wedding", "Study", "Illness")),
            ("Pay", ("Full pay", "Half pay", "Unpaid")),
            "Request",
            ("First day", "Back at work"),
        ),
    ),
    "eval": (
        Topic(
            "Club enrolment",
            (("Member", "person"), ("Born on", "birth"), ("Home town", "city"), ("Telephone", "phone"),
             ("Sponsor", "surname"), ("Address", "street")),
            ("Sports", ("Rowing", "Tennis", "Judo", "Fencing", "Golf")),
            ("Fee", ("Monthly", "Yearly", "Lifelong")),
            "Enrol",
        ),
        Topic(
            "Car hire",
            (("Driver", "person"), ("Licence number", "code"), ("Collect on", "first"), ("Bring back on", "second"),
             ("Depot", "city"), ("Telephone", "phone")),
            ("Add-ons", ("Child seat", "Roof rack", "Snow tyres", "Satnav")),
            ("Car size", ("Compact", "Estate", "Van")),
            "Reserve",
            ("Collect on", "Bring back on"),
        ),
        Topic(
            "Course booking",
            (("Learner", "person"), ("Trade", "occupation"), ("Tutor", "surname"), ("Town", "city"),
             ("Voucher", "code"), ("Branch", "department")),
            ("Topics", ("Algebra", "Drawing", "Grammar", "Robotics", "Singing")),
            ("Level", ("Beginner", "Middle", "Advanced")),
            "Book it",
        ),
    ),
}  # fmt: skip
SIGNATURE: dict[Split, tuple[str, ...]] = {
    "train": ("Signature", "Signed"),
    "eval": ("Autograph", "Sign here"),
}


def any_form(rng: random.Random, split: Split, *, on_screen: bool) -> Form:
    topic = rng.choice(TOPICS[split])
    kept = sorted(rng.sample(range(len(topic.fields)), rng.randint(4, len(topic.fields))))
    write_date = rng.choice(DATE_STYLES)
    first = datetime.date(rng.randint(2019, 2031), rng.randint(1, 12), rng.randint(1, 28))
    period = {"first": first, "second": first + datetime.timedelta(days=rng.randint(2, 24))}
    fields = []
    for label, sort in (topic.fields[i] for i in kept):
        made = Field(label, "", required=rng.random() < 0.5, exact=sort in ("code", "phone"))
        if sort in period:
            made.date = period[sort]
        elif sort == "birth":
            made.date = datetime.date(rng.randint(1942, 2007), rng.randint(1, 12), rng.randint(1, 28))
        made.entry = write_date(made.date) if made.date else _entry(rng, split, sort)
        fields.append(made)
    spots = rng.sample(fields, 3)
    for empty in spots[: rng.choice((0, 1, 1, 1, 2))]:
        empty.entry, empty.date = "", None
    if rng.random() < 0.4:
        spots[2].legible = False
    ticks = [Option(name, rng.random() < 0.45) for name in topic.ticks[1]]
    chosen = rng.choice(topic.choice[1]) if rng.random() < 0.85 else ""
    return Form(
        topic.title,
        fields,
        topic.ticks[0],
        rng.sample(ticks, rng.randint(3, len(ticks))),
        topic.choice[0],
        [Option(name, name == chosen) for name in topic.choice[1]],
        None if on_screen else rng.random() < 0.5,
        rng.choice(SIGNATURE[split]),
        topic.button if on_screen else "",
        [label for i, (label, _) in enumerate(topic.fields) if i not in kept],
    )


def _iso(date: datetime.date) -> str:
    return date.isoformat()


def _in_words(date: datetime.date) -> str:
    return f"{date.day} {names.MONTHS[date.month - 1][:3]} {date.year}"


def _with_points(date: datetime.date) -> str:
    return f"{date.day:02d}.{date.month:02d}.{date.year}"


DATE_STYLES: tuple[Callable[[datetime.date], str], ...] = (_iso, _in_words, _with_points)


def _entry(rng: random.Random, split: Split, sort: str) -> str:
    """Something a person would enter in a field of this sort."""
    match sort:
        case "person":
            return names.person(rng, split)
        case "surname":
            return rng.choice(names.SURNAMES[split])
        case "street":
            return names.address(rng, split)
        case "city":
            return rng.choice(names.CITIES[split])
        case "company":
            return rng.choice(names.COMPANIES[split])
        case "department":
            return rng.choice(names.DEPARTMENTS[split])
        case "occupation":
            return rng.choice(names.OCCUPATIONS[split])
        case "phone":
            return f"{rng.randint(200, 989)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}"
        case "code":
            return f"{rng.choice('ABCDEFGHKLMNPRSTX')}{rng.choice('ABCDEFGHKLMNPRSTX')}{rng.randint(10000, 99999)}"
        case "number":
            return str(rng.randint(101, 899))
    raise ValueError(f"there is no sort of entry {sort!r}")
