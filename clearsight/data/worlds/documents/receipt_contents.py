"""What receipts and tickets say, before it is drawn. Sums are right to the cent; arrivals are later than departures.

Money is kept in cents. What may be missing (a tax line, change, a gate) is missing on some, so that asking for it can
be asked in vain. `illegible` names fields whose writing is to be smudged; of prices always two at once, so that
none can be worked out from the total.
"""

import random
from dataclasses import dataclass

from clearsight.data.worlds import names
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.vocabulary import vocabulary

Labels = dict[Split, dict[str, tuple[str, ...]]]

RECEIPT_LABELS: Labels = {
    "train": {
        "subtotal": ("Subtotal", "Sub-total", "Net amount"),
        "tax": ("Tax", "VAT", "Sales tax"),
        "total": ("Total", "TOTAL", "Amount due"),
        "cash": ("Cash", "Cash given"),
        "card": ("Card", "Debit card"),
        "change": ("Change", "CHANGE"),
        "number": ("Receipt no.", "No.", "Receipt"),
        "cashier": ("Cashier:", "Served by"),
    },
    "eval": {
        "subtotal": ("Before tax", "Goods"),
        "tax": ("Tax added", "Plus tax"),
        "total": ("Grand total", "To pay"),
        "cash": ("Cash received",),
        "card": ("Card payment",),
        "change": ("Change back", "Returned"),
        "number": ("Order", "Ticket #"),
        "cashier": ("Your host:", "Sold by"),
    },
}
THANKS: dict[Split, tuple[str, ...]] = {
    "train": ("Thank you!", "Please come again", "Have a nice day"),
    "eval": ("Thanks for visiting", "Until next time"),
}
TICKET_LABELS: Labels = {
    "train": {
        "from": ("From", "FROM"),
        "to": ("To", "TO"),
        "date": ("Date", "DATE"),
        "departure time": ("Departs", "Dep.", "Departure"),
        "arrival time": ("Arrives", "Arr.", "Arrival"),
        "boarding time": ("Boarding", "Boarding at"),
        "starting time": ("Starts", "Begins"),
        "seat": ("Seat", "SEAT"),
        "row": ("Row", "ROW"),
        "gate": ("Gate", "GATE"),
        "platform": ("Platform", "Plat."),
        "coach": ("Coach", "Car"),
        "bay": ("Bay", "Stop"),
        "hall": ("Hall", "Screen"),
        "block": ("Block", "BLOCK"),
        "class": ("Class", "CLASS"),
        "passenger": ("Passenger", "Name"),
        "flight": ("Flight", "FLIGHT"),
        "price": ("Price", "Fare"),
    },
    "eval": {
        "from": ("Leaving", "Origin"),
        "to": ("Going to", "Bound for"),
        "date": ("Day", "Valid on"),
        "departure time": ("Leaves at", "Out"),
        "arrival time": ("Gets in", "In"),
        "boarding time": ("Board by",),
        "starting time": ("Show time", "Doors shut"),
        "seat": ("Your seat", "Place"),
        "row": ("Your row", "Line"),
        "gate": ("Go to gate", "Exit gate"),
        "platform": ("Track", "On track"),
        "coach": ("Carriage", "Wagon"),
        "bay": ("Bus bay", "Stand"),
        "hall": ("Auditorium", "Room"),
        "block": ("Section", "Area"),
        "class": ("Travel class", "Tier"),
        "passenger": ("Traveller", "Issued to"),
        "flight": ("Flight no.", "Service"),
        "price": ("Paid", "Cost"),
    },
}
CARRIERS = names.divided(
    """Alpine Lines, Amber Travel, Aurora Lines, Beacon Transit, Blue Heron, Cascade Lines, Condor Link, Coral Ways,
    Crane Express, Delta Link, Eagle Lines, Falcon Ways, Fjord Link, Gull Transit, Harbour Lines, Heron Express,
    Horizon Ways, Ibis Travel, Kestrel Lines, Kite Link, Lark Express, Merlin Ways, Meridian Lines, Nordic Link,
    Osprey Lines, Polar Ways, Plover Express, Robin Transit, Skua Lines, Swan Link, Swift Ways, Tern Express,
    Vista Lines, Wren Travel, Zephyr Link"""
)
VENUES = names.divided(
    """Amber Hall, Arcade House, Barn Stage, Bell Tower Club, Blue Lantern, Brick Yard, Canal Stage, Carousel,
    Castle Court, Cellar Door, Copper Dome, Crystal Room, Dockside Hall, Dome House, Eastgate, Elm Court, Fountain Hall,
    Garden Stage, Glass Pavilion, Granary, Grand Arcade, Harbour Dome, Hilltop Stage, Iron Gate, Ivy House, Kings Court,
    Lantern Hall, Lighthouse, Marble Arch Room, Mill House, Moonlight, North Pier, Old Foundry, Opal Screen, Park Stage,
    Pavilion, Quarry Stage, Regent Room, River Stage, Silver Screen, Starlight, Tivoli House, Union Hall, Velvet Room"""
)
FIELDS_OF = {  # those before the bar are always there
    "train ticket": "from to date departure_time seat | arrival_time coach platform class passenger price",
    "plane ticket": "from to date flight departure_time seat | gate boarding_time class passenger arrival_time",
    "bus ticket": "from to date departure_time price | arrival_time seat bay passenger",
    "cinema ticket": "date starting_time seat | hall row price",
    "concert ticket": "date starting_time seat | block row gate price",
}


@dataclass
class Item:
    name: str
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        return self.quantity * self.price


@dataclass
class Receipt:
    """`labels` are what is printed before the sums; `fields` is what is printed in the head or foot, by name."""

    fields: dict[str, str]
    items: list[Item]
    sign: str
    tax: int | None
    tax_rate: int
    cash: int | None
    labels: dict[str, str]
    thanks: str
    dishes: bool
    illegible: frozenset[str]
    spellings: tuple[str, ...] = ()  # of the date

    @property
    def subtotal(self) -> int:
        return sum(item.amount for item in self.items)

    @property
    def total(self) -> int:
        return self.subtotal + (self.tax or 0)

    @property
    def sums(self) -> list[tuple[str, int]]:
        """The lines below the items, by what they are."""
        found = [] if self.tax is None else [("subtotal", self.subtotal), ("tax", self.tax)]
        found.append(("total", self.total))
        if self.cash is None:
            return [*found, ("card", self.total)]
        return [*found, ("cash", self.cash), ("change", self.cash - self.total)]

    def money(self, cents: int) -> str:
        return f"{self.sign}{cents / 100:.2f}"


@dataclass
class Ticket:
    """`heading`: the company, hall or club. `title`: the film or act, if it is for one. `fields` in printed order."""

    kind: str
    heading: str
    title: str
    fields: dict[str, str]
    labels: dict[str, str]
    minutes: dict[str, int]  # of its times since midnight
    sign: str
    price: int | None
    number: str
    illegible: frozenset[str]
    spellings: tuple[str, ...] = ()  # of the date


def any_receipt(rng: random.Random, split: Split, *, units: bool) -> Receipt:
    """`units`: whether the price of one is printed on every line; then no price is made illegible."""
    dishes = rng.random() < 0.4
    count = rng.choice((2, 3, 3, 4, 4, 5, 5, 6, 7, 8))
    found = rng.sample((names.DISHES if dishes else names.GROCERIES)[split], count)
    prices = rng.sample(range(8, 260 if dishes else 140), count)
    round_to = rng.choice((5, 10))
    items = [
        Item(
            name, rng.choice((1, 1, 1, 2, 2, 3, 4)), price * 10 + (rng.choice((0, 5)) if round_to == 5 else 9)
        )
        for name, price in zip(found, prices, strict=True)
    ]
    subtotal = sum(item.amount for item in items)
    rate = rng.choice((5, 6, 7, 8, 10, 19, 20))
    tax = round(subtotal * rate / 100) if rng.random() < 0.6 else None
    total = subtotal + (tax or 0)
    cash = None
    if rng.random() < 0.55:
        note = rng.choice((500, 1000, 2000, 5000))
        cash = -(-(total + 1) // note) * note
    date, spellings = _date(rng)
    fields = {
        "shop": rng.choice(names.SHOPS[split]),
        "date": date,
        "time": _clock(rng.randrange(7 * 60, 22 * 60)),
    }
    fields["address"] = f"{names.address(rng, split)}, {rng.choice(names.CITIES[split])}"
    if rng.random() < 0.7:
        fields["number"] = str(rng.randint(1200, 98000))
    if rng.random() < 0.6:
        fields["cashier"] = rng.choice(names.FIRST_NAMES[split])
    illegible: frozenset[str] = frozenset()
    if rng.random() < 0.45:
        single = [f"amount {i}" for i, item in enumerate(items) if item.quantity == 1]
        if not units and len(single) > 1 and rng.random() < 0.4:
            illegible = frozenset(rng.sample(single, 2))
        else:
            illegible = frozenset((rng.choice([name for name in fields if name != "address"]),))
    labels = {name: rng.choice(ways) for name, ways in RECEIPT_LABELS[split].items()}
    if tax is not None and rng.random() < 0.5:
        labels["tax"] += f" {rate}%"
    thanks = rng.choice(THANKS[split]) if rng.random() < 0.6 else ""
    sign = rng.choice(("$", "$", "€", "£", ""))
    return Receipt(fields, items, sign, tax, rate, cash, labels, thanks, dishes, illegible, spellings)


def any_ticket(rng: random.Random, split: Split) -> Ticket:
    kind = rng.choice(tuple(FIELDS_OF))
    always, sometimes = (part.split() for part in FIELDS_OF[kind].split("|"))
    wanted = [*always, *(name for name in sometimes if rng.random() < 0.6)]
    wanted = [name.replace("_", " ") for name in wanted]
    minutes = {}
    start = rng.randrange(6 * 60, 19 * 60, 5)
    for name, time in (
        ("departure time", start),
        ("starting time", start),
        ("arrival time", start + rng.randrange(25, 280)),
        ("boarding time", start - rng.randrange(15, 60, 5)),
    ):
        if name in wanted:
            minutes[name] = time
    date, spellings = _date(rng)
    here, there = rng.sample(names.CITIES[split], 2)
    sign, price = rng.choice(("$", "€", "£")), rng.randrange(60, 900) * 10
    values = {
        "from": here,
        "to": there,
        "date": date,
        "seat": str(rng.randint(2, 96)),
        "row": str(rng.randint(1, 38)),
        "gate": f"{rng.choice('ABCDEF')}{rng.randint(1, 48)}",
        "platform": str(rng.randint(1, 18)),
        "coach": rng.choice("ABCDEFGHK"),
        "bay": f"{rng.randint(1, 30)}",
        "hall": str(rng.randint(1, 12)),
        "block": rng.choice(("K", "M", "N", "P", "R")) + str(rng.randint(1, 9)),
        "class": rng.choice({"train": ("First", "Second"), "eval": ("Standard", "Premium")}[split]),
        "passenger": names.person(rng, split),
        "flight": f"{rng.choice('BKLQVX')}{rng.choice('ADEFTZ')} {rng.randint(102, 989)}",
        "price": f"{sign}{price / 100:.2f}",
    } | {name: _clock(time) for name, time in minutes.items()}
    if kind == "plane ticket":
        values["seat"] = f"{rng.randint(1, 38)}{rng.choice('ABCDEF')}"
    fields = {name: values[name] for name in wanted}
    if kind in ("cinema ticket", "concert ticket"):
        heading, words = rng.choice(VENUES[split]), vocabulary(split)[200:]
        short = [word for word in rng.sample(words, 40) if 4 <= len(word) <= 8]
        title = " ".join(word.capitalize() for word in short[:2])
    else:
        heading, title = rng.choice(CARRIERS[split]), ""
    hidden = [name for name in fields if name not in ("price", *minutes)]
    illegible = frozenset((rng.choice(hidden),)) if rng.random() < 0.5 else frozenset()
    labels = {name: rng.choice(ways) for name, ways in TICKET_LABELS[split].items()}
    number = "".join(rng.choice("0123456789") for _ in range(9))
    shown = price if "price" in fields else None
    return Ticket(kind, heading, title, fields, labels, minutes, sign, shown, number, illegible, spellings)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _date(rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """A date as it is printed, and other ways to write the same one."""
    year, month, day = rng.randint(2015, 2031), rng.randint(1, 12), rng.randint(1, 28)
    name = names.MONTHS[month - 1]
    ways = (f"{day} {name} {year}", f"{year}-{month:02d}-{day:02d}", f"{name} {day}, {year}")
    printed = rng.choice((*ways, f"{day:02d} {name[:3]} {year}", f"{day:02d}.{month:02d}.{year}"))
    return printed, tuple(way for way in ways if way != printed)
