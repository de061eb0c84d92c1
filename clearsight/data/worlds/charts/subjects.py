"""What charts are about: quantities with units, groups of names, and titles, split between training and evaluation.

Every name is one word, so that it stands as one word on the page. Points and nodes may have a letter instead.
"""

import random
from dataclasses import dataclass

from clearsight.data.worlds.scene import Split

LETTERS: dict[Split, str] = {"train": "ABCDEFGHJKLM", "eval": "NPQRSTUVWYZ"}


@dataclass(frozen=True)
class Quantity:
    """What is measured. `most` bounds the axis; `signed` quantities may fall below nought."""

    name: str
    unit: str = ""
    most: float = 6000
    least: float = 8
    signed: bool = False

    @property
    def title(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Group:
    """What is compared: `kind` is one of them ("Which city ...?"); `ordered` members follow one another in time."""

    kind: str
    members: tuple[str, ...]
    ordered: bool = False

    def some(self, rng: random.Random, count: int) -> list[str]:
        """`count` members (all of them if there are fewer): neighbours when they are ordered, else any."""
        count = min(count, len(self.members))
        if self.ordered:
            start = rng.randint(0, len(self.members) - count)
            return list(self.members[start : start + count])
        return rng.sample(self.members, count)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


QUANTITIES: dict[Split, tuple[Quantity, ...]] = {
    "train": (
        Quantity("Sales", "units"),
        Quantity("Revenue", "$"),
        Quantity("Rainfall", "mm", 600),
        Quantity("Harvest", "tons", 2000),
        Quantity("Visitors"),
        Quantity("Energy use", "kWh"),
        Quantity("Average delay", "minutes", 120, 4),
        Quantity("Top speed", "km/h", 300, 20),
        Quantity("Weight", "kg", 250, 2),
        Quantity("Height", "cm", 300, 10),
        Quantity("Price", "$", 300, 1),
        Quantity("Score", "points", 150),
        Quantity("Turnout", "%", 100, 10),
        Quantity("Distance", "km", 1500),
        Quantity("Water level", "m", 30, 0.5),
        Quantity("Profit", "$", 3000, 20, signed=True),
        Quantity("Temperature", "degrees", 50, 10, signed=True),
        Quantity("Growth", "%", 50, 4, signed=True),
        Quantity("Members"),
        Quantity("Costs", "$"),
    ),
    "eval": (
        Quantity("Output", "crates"),
        Quantity("Attendance", "people"),
        Quantity("Snow depth", "inches", 120, 5),
        Quantity("Waiting time", "days", 200, 4),
        Quantity("Catch", "lb", 1500),
        Quantity("Noise", "dB", 120, 20),
        Quantity("Yield", "bushels", 2500),
        Quantity("Fuel burnt", "litres", 1000, 2),
        Quantity("Balance", "pounds", 2500, 20, signed=True),
        Quantity("Net change", "percent", 50, 4, signed=True),
    ),
}

GROUPS: dict[Split, tuple[Group, ...]] = {
    "train": (
        Group(
            "city", _words("Oslo Lima Cairo Kyoto Porto Delhi Quito Turin Perth Dakar Sofia Tunis Lyon Accra")
        ),
        Group("fruit", _words("Apples Pears Plums Grapes Figs Lemons Mangoes Dates Melons Kiwis Cherries")),
        Group("team", _words("Stock Design Legal Support Finance Press Repairs Catering Storage Tools")),
        Group("sport", _words("Tennis Rowing Judo Golf Rugby Skiing Chess Boxing Diving Hockey Cricket")),
        Group("animal", _words("Fox Otter Badger Hare Lynx Beaver Stag Weasel Mole Wolf Marten")),
        Group("product", _words("Lamp Chair Desk Shelf Mirror Sofa Stool Rug Clock Vase Basket")),
        Group("model", _words("Comet Falcon Nova Pike Tiger Orbit Delta Rapid Metro Atlas")),
        Group("drink", _words("Tea Coffee Cocoa Juice Cider Milk Latte Punch Syrup Soda")),
        Group(
            "person",
            _words("Anna Ben Clara David Emma Frank Grace Henry Iris Jonas Kate Leo Maria Noah Paul"),
        ),
        Group("month", _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"), ordered=True),
        Group("year", tuple(str(year) for year in range(2001, 2014)), ordered=True),
        Group("weekday", _words("Mon Tue Wed Thu Fri Sat Sun"), ordered=True),
    ),
    "eval": (
        Group("river", _words("Volga Rhine Seine Tagus Indus Congo Niger Yukon Loire Thames Elbe Oder")),
        Group(
            "vegetable", _words("Leeks Beets Peas Carrots Beans Onions Radish Kale Turnips Spinach Celery")
        ),
        Group("instrument", _words("Flute Cello Harp Oboe Tuba Violin Piano Bugle Banjo Zither Organ")),
        Group("mineral", _words("Quartz Mica Talc Gypsum Pyrite Topaz Opal Jade Garnet Beryl")),
        Group("crew", _words("Alto Brio Corvo Dune Ember Fjord Gale Heron Inlet Juno")),
        Group("guest", _words("Otto Petra Quinn Rosa Sven Tara Ugo Vera Wim Yara Zoe Nils Olga")),
        Group("season", tuple(str(year) for year in range(2014, 2030)), ordered=True),
        Group("week", tuple(f"W{week}" for week in range(1, 16)), ordered=True),
    ),
}

TITLES: dict[Split, tuple[str, ...]] = {
    "train": (
        "{quantity} by {kind}",
        "{quantity} per {kind}",
        "{quantity} for each {kind}",
        "{kind_first}: {quantity_last}",
        "{quantity}, {place}",
        "{place}: {quantity_last} by {kind}",
        "Annual {quantity_last}",
        "{quantity} compared",
    ),
    "eval": (
        "{quantity} across every {kind}",
        "How {quantity_last} varied, {place}",
        "{place}, {quantity_last} at a glance",
        "Overview of {quantity_last} ({place})",
    ),
}
PLACES: dict[Split, tuple[str, ...]] = {
    "train": (
        "North Bay",
        "Green Valley",
        "Harbour District",
        "Westfield",
        "Stone Hill",
        "Lake County",
        "Elm Park",
    ),
    "eval": ("Marlow Reach", "Old Quarter", "Cedar Flats", "Gullport", "Upper Moor"),
}


def any_quantity(rng: random.Random, split: Split, signed: bool = False) -> Quantity:
    return rng.choice([q for q in QUANTITIES[split] if signed or not q.signed])


def any_group(rng: random.Random, split: Split, ordered: bool | None = None) -> Group:
    return rng.choice([g for g in GROUPS[split] if ordered is None or g.ordered == ordered])


def any_title(rng: random.Random, split: Split, quantity: str, kind: str) -> str:
    return rng.choice(TITLES[split]).format(
        quantity=quantity,
        quantity_last=quantity[0].lower() + quantity[1:],
        kind=kind,
        kind_first=kind.capitalize(),
        place=rng.choice(PLACES[split]),
    )
