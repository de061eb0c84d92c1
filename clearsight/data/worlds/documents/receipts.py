"""Receipts and tickets: what was bought and what it costs, sums and change; seats, gates, times and journeys.

What they say is in `receipt_contents`, how they look in `receipt_drawing` and `ticket_drawing`. Left out: currency
signs behind the amount, and receipts of several pages.
"""

import random
from typing import Any

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.documents.receipt_contents import (
    FIELDS_OF,
    Receipt,
    Ticket,
    any_receipt,
    any_ticket,
)
from clearsight.data.worlds.documents.receipt_drawing import RECEIPT_LAYOUTS, Slip
from clearsight.data.worlds.documents.ticket_drawing import TICKET_LAYOUTS, Pass
from clearsight.data.worlds.drawing.page import Writing, any_theme
from clearsight.data.worlds.names import DISHES, GROCERIES
from clearsight.data.worlds.scene import Scene, Split, rng_for, with_article

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("till roll", "guest check", "invoice", "ticket with a stub", "tall ticket", "printed slip"),
    "eval": ("order card", "side panel bill", "notched coupon", "pass on a phone"),
}
PRINTED_FIELDS = {
    "shop": "shop",
    "date": "date",
    "time": "time",
    "number": "receipt number",
    "cashier": "cashier",
}

# Receipts
AMOUNT = (
    "How much is charged for {item}?",
    "What amount stands beside {item}?",
    "What was paid for {item} in all?",
    "Which sum is printed on the line of {item}?",
)
ONE = (
    "What does one {item} cost?",
    "What is the price of a single {item}?",
    "How much is each {item}, if there are several?",
)
QUANTITY = (
    "How many times was {item} bought?",
    "What is the quantity of {item}?",
    "Which quantity does the receipt note for {item}?",
)
TOTAL = (
    "What is the total?",
    "How much had to be paid in all?",
    "Which final sum is the customer charged?",
)
TAX = ("How much tax is charged?", "What is the amount of tax?", "How much of the bill is listed as tax?")
SUBTOTAL = (
    "What is the sum before tax?",
    "How much do the goods cost before tax?",
    "Which amount comes before tax is put on top?",
)
CASH = (
    "How much cash was handed over?",
    "How much did the customer give in cash?",
    "What sum of cash was tendered?",
)
CHANGE = (
    "How much change was given?",
    "How much money did the customer get back?",
    "What sum was handed back as change?",
)
IN_CASH = (
    "Was it paid in cash?",
    "Did the customer pay cash?",
    "Were notes or coins used for paying?",
)
DEAREST = (
    "Which line of the receipt has the largest amount?",
    "Which item has the highest amount beside it?",
    "For which article was most money charged?",
)
CHEAPEST = (
    "Which line of the receipt has the smallest amount?",
    "Which item has the lowest amount beside it?",
    "For which article was least money charged?",
)
TOGETHER = (
    "What do {a} and {b} cost together?",
    "Add up the amounts for {a} and {b}.",
    "How much money went to {a} plus {b}?",
)
APART = (
    "How much more was charged for {a} than for {b}?",
    "By how much does the amount for {a} exceed that for {b}?",
    "What is the gap in money from {b} up to {a}?",
)
LINES = (
    "How many different items are on the receipt?",
    "How many lines of items does the receipt have?",
    "Count the distinct articles that are billed.",
)
PIECES = (
    "How many pieces were bought in all, counting quantities?",
    "Add up the quantities of all items.",
    "What do the quantities on all lines come to?",
)
ITEMS = (
    "List the items from top to bottom.",
    "Which items were bought, in the printed order?",
    "Name all billed articles, downwards.",
)
BOUGHT = (
    "Was {item} bought?",
    "Does the receipt list {item}?",
    "Is {item} among the billed articles?",
)
OVER = (
    "How many lines have an amount above {least}?",
    "On how many lines is more than {least} charged?",
    "How many amounts beside articles exceed {least}?",
)
WITHOUT = (
    "What would the total be without {item}?",
    "How much would have to be paid if {item} were left out?",
    "What remains of the final sum once {item} is taken off?",
)
FIELD = (
    "Which {field} does the receipt show?",
    "What is given as the {field}?",
    "Read the {field} printed there.",
)
POINT_LINE = (
    "Frame the line of {item}.",
    "Where is the whole line of {item}?",
    "Put a box round the line on which {item} is billed.",
)
POINT_SUM = (
    "Point to the amount of the total.",
    "Where is the total amount printed?",
    "Show where the final sum is to be found.",
)
# Tickets
TICKET_FIELD = (
    "What is the {field} on this ticket?",
    "Which {field} does the ticket give?",
    "Look at the ticket: what is the {field}?",
    "Tell the {field} as the ticket states it.",
)
FROM = (
    "Where does the journey start?",
    "From which city does the traveller leave?",
    "At which city does this trip begin?",
)
TO = (
    "Where does the journey end?",
    "To which city is the traveller going?",
    "At which city does this trip finish?",
)
HEADING = (
    "Which company or venue issued the ticket?",
    "Whose name stands at the head of the ticket?",
    "Under whose name was this ticket printed?",
)
SHOW = (
    "What is the ticket for, by title?",
    "Which title is printed on the ticket?",
    "Name the show that this ticket admits to.",
)
KIND = ("What kind of ticket is it?", "What does the ticket call itself?", "As what is this ticket labelled?")
DURATION = (
    "How many minutes does the journey take?",
    "How long is the journey, in minutes?",
    "How many minutes lie from leaving to getting there?",
)
BOARDING = (
    "How many minutes before departure does boarding start?",
    "How many minutes are there from boarding to departure?",
    "By how many minutes does boarding come ahead of leaving?",
)
MORNING = (
    "Is the time of {event} before noon?",
    "Does the ticket put {event} before 12:00?",
    "Does {event} fall in the first half of the day?",
)
GROUP_PRICE = (
    "What would {count} such tickets cost?",
    "How much do {count} tickets at this price cost?",
    "What must a party of {count} pay at this rate?",
)
POINT_FIELD = (
    "Point to the {field} on the ticket.",
    "Where is the {field} printed?",
    "Show at which spot the {field} is given.",
)
BOX_CODE = (
    "Frame the code that is meant for scanning.",
    "Where is the code to be scanned?",
    "Put a box round the part that a scanner reads.",
)
HAS_FIELD = (
    "Does the ticket give a {field}?",
    "Is a {field} printed on the ticket?",
    "Can a {field} be found on the ticket?",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("receipts", seed, split)
    template = rng.choice(TEMPLATES[split])
    theme = any_theme(rng, split)
    if template in RECEIPT_LAYOUTS:
        if template == "invoice":
            theme = any_theme(rng, split, dark=False)
        receipt = any_receipt(rng, split, units=template == "invoice")
        slip = RECEIPT_LAYOUTS[template](rng, seed, split, receipt, theme)
        scene = slip.page.scene
        scene.facts = _facts(template, "receipt", receipt.spellings, slip.marks)
        scene.facts["lines"] = {key: list(box) for key, box in slip.lines.items()}
        _ask_receipt(Asker(scene, rng), receipt, slip)
        _describe_receipt(scene, receipt)
    else:
        ticket = any_ticket(rng, split)
        sheet = TICKET_LAYOUTS[template](rng, seed, split, ticket, theme)
        scene = sheet.page.scene
        scene.facts = _facts(template, ticket.kind, ticket.spellings, sheet.marks)
        _ask_ticket(Asker(scene, rng), ticket, sheet)
        _describe_ticket(scene, ticket)
    return scene


def _facts(
    template: str, document: str, spellings: tuple[str, ...], marks: dict[str, Writing]
) -> dict[str, Any]:
    return {
        "template": template,
        "document": document,
        "spellings": list(spellings),
        "marks": {key: writing.facts for key, writing in marks.items()},
    }


# ---------------------------------------------------------------------------------------------------
# Receipts


def _ask_receipt(ask: Asker, receipt: Receipt, slip: Slip) -> None:
    rng, items = ask.rng, receipt.items
    every = range(len(items))
    clear = [i for i in every if f"amount {i}" not in receipt.illegible]
    amounts = [item.amount for item in items]

    def money(skill: str, ways: tuple[str, ...], cents: int, marks: list[str], **fills: Any) -> None:
        needs = [place for mark in marks for place in slip.marks[mark].places]
        ask.number(skill, ways, cents / 100, answer=receipt.money(cents), needs=needs, **fills)

    for i in rng.sample(clear, min(2, len(clear))):
        money("amount", AMOUNT, amounts[i], [f"name {i}", f"amount {i}"], item=items[i].name)
    others = _not_bought(rng, ask.split, receipt)
    ask.not_shown("amount of what is absent", AMOUNT, item=others[0])
    for i in every:
        if i not in clear:
            ask.cant_be_read("amount that can't be read", AMOUNT, item=items[i].name)
    several = [i for i in clear if items[i].quantity > 1]
    if several:
        i = rng.choice(several)
        marks = [f"name {i}", f"amount {i}", f"quantity {i}"]
        money("price of one", ONE, items[i].price, marks, item=items[i].name)
        ask.count(
            "quantity", QUANTITY, items[i].quantity, item=items[i].name, needs=slip.marks[marks[2]].places
        )
        ask.count("pieces", PIECES, sum(item.quantity for item in items))
    bought = rng.random() < 0.5
    ask.yes_no("bought", BOUGHT, bought, item=rng.choice(items).name if bought else others[1])
    ask.count("lines", LINES, len(items))
    ask.items("items", ITEMS, [item.name for item in items], ordered=True)
    if len(clear) == len(items):
        _ask_amounts(ask, receipt, slip)
    sums = dict(receipt.sums)
    for name, ways in (("tax", TAX), ("subtotal", SUBTOTAL), ("cash", CASH), ("change", CHANGE)):
        if name in sums and rng.random() < 0.6:
            money(name, ways, sums[name], [name])
        elif name in ("tax", "change") and name not in sums and rng.random() < 0.5:
            ask.not_shown(f"absent {name}", ways)
    money("total", TOTAL, receipt.total, ["total"])
    ask.yes_no("paid in cash", IN_CASH, receipt.cash is not None)
    ask.point("point to the total", POINT_SUM, slip.marks["total"].box)
    i = rng.choice(every)
    ask.box("box of a line", POINT_LINE, slip.lines[f"item {i}"], item=items[i].name)
    _ask_fields(ask, receipt, slip)


def _ask_amounts(ask: Asker, receipt: Receipt, slip: Slip) -> None:
    """Questions over all amounts, when each can be read."""
    rng, items = ask.rng, receipt.items
    ranked = sorted(items, key=lambda item: item.amount)
    if ranked[-1].amount > ranked[-2].amount and rng.random() < 0.6:
        ask.text("dearest", DEAREST, ranked[-1].name)
    elif ranked[0].amount < ranked[1].amount:
        ask.text("cheapest", CHEAPEST, ranked[0].name)
    a, b = rng.sample(items, 2)
    fills = {"a": a.name, "b": b.name}
    both = a.amount + b.amount
    ask.number("together", TOGETHER, both / 100, answer=receipt.money(both), **fills)
    if a.amount > b.amount:
        more = a.amount - b.amount
        ask.number("apart", APART, more / 100, answer=receipt.money(more), **fills)
    least = rng.choice(range(100, 3000, 100))
    if all(item.amount != least for item in items) and ranked[0].amount < least < ranked[-1].amount:
        count = sum(item.amount > least for item in items)
        ask.count("lines over", OVER, count, least=receipt.money(least), about={"least": least / 100})
    if receipt.tax is None:
        item = rng.choice(items)
        rest = receipt.total - item.amount
        ask.number("without", WITHOUT, rest / 100, answer=receipt.money(rest), item=item.name)


def _ask_fields(ask: Asker, receipt: Receipt, slip: Slip) -> None:
    """Shop, date, time, number, cashier: read, absent or illegible."""
    there = [name for name in PRINTED_FIELDS if name in slip.marks]
    clear = [name for name in there if slip.marks[name].legible]
    for name in ask.rng.sample(clear, min(2, len(clear))):
        text = receipt.fields[name]
        alternatives = receipt.spellings if name == "date" else ()
        ask.text(
            "field", FIELD, text, field=PRINTED_FIELDS[name], about={"name": name}, alternatives=alternatives,
            needs=slip.marks[name].places,
        )  # fmt: skip
    for name in PRINTED_FIELDS:
        if name not in there:
            ask.not_shown("absent field", FIELD, field=PRINTED_FIELDS[name], about={"name": name})
        elif name not in clear:
            ask.cant_be_read(
                "field that can't be read", FIELD, field=PRINTED_FIELDS[name], about={"name": name}
            )


def _not_bought(rng: random.Random, split: Split, receipt: Receipt) -> list[str]:
    """Two things of the same sort that are not on the receipt."""
    bought = {item.name for item in receipt.items}
    return rng.sample([n for n in (DISHES if receipt.dishes else GROCERIES)[split] if n not in bought], 2)


def _describe_receipt(scene: Scene, receipt: Receipt) -> None:
    def said(name: str) -> str:
        return "illegible" if name in receipt.illegible else receipt.fields[name]

    count, total = len(receipt.items), receipt.money(receipt.total)
    shop = "an illegible name" if "shop" in receipt.illegible else receipt.fields["shop"]
    scene.short_caption = f"A receipt with {count} items."
    scene.caption = f"A receipt from {shop} with {count} items and a total of {total}."
    parts = []
    for number, item in enumerate(receipt.items):
        amount = (
            "an illegible amount" if f"amount {number}" in receipt.illegible else receipt.money(item.amount)
        )
        parts.append(f"{item.quantity} {item.name} for {amount}")
    paid = "by card" if receipt.cash is None else f"with {receipt.money(receipt.cash)} in cash"
    tax = "" if receipt.tax is None else f" The tax is {receipt.money(receipt.tax)}."
    back = (
        "" if receipt.cash is None else f", and {receipt.money(receipt.cash - receipt.total)} was given back"
    )
    more = "".join(
        f" The {PRINTED_FIELDS[name]} is {said(name)}."
        for name in ("number", "cashier")
        if name in receipt.fields
    )
    scene.long_caption = (
        f"{scene.caption} The date is {said('date')}, the time {said('time')}; the address is "
        f"{receipt.fields['address']}.{more} The items are: {', '.join(parts)}.{tax} It was paid {paid}{back}."
    )


# ---------------------------------------------------------------------------------------------------
# Tickets


def _ask_ticket(ask: Asker, ticket: Ticket, sheet: Pass) -> None:
    rng, marks, minutes = ask.rng, sheet.marks, ticket.minutes
    plain = [name for name in ticket.fields if name not in ("from", "to")]
    clear = [name for name in plain if marks[name].legible]
    for name in rng.sample(clear, min(4, len(clear))):
        rest = {"field": name, "needs": marks[name].places}
        if name == "price":
            assert ticket.price is not None
            ask.number("price", TICKET_FIELD, ticket.price / 100, answer=ticket.fields[name], **rest)
        else:
            alternatives = ticket.spellings if name == "date" else ()
            ask.text("ticket field", TICKET_FIELD, ticket.fields[name], alternatives=alternatives, **rest)
    for name, ways in (("from", FROM), ("to", TO)):
        if name not in ticket.fields:
            continue
        if marks[name].legible:
            ask.text(name, ways, ticket.fields[name], needs=marks[name].places)
        else:
            ask.cant_be_read(f"{name} that can't be read", ways)
    for name in plain:
        if name not in clear:
            ask.cant_be_read("ticket field that can't be read", TICKET_FIELD, field=name)
    for name in rng.sample(_absent(ticket), 2):
        ask.not_shown("absent ticket field", TICKET_FIELD, field=name)
    there = rng.random() < 0.5
    ask.yes_no("has field", HAS_FIELD, there, field=rng.choice(plain if there else _absent(ticket)))
    ask.text("heading", HEADING, ticket.heading, needs=marks["heading"].places)
    if ticket.title:
        ask.text("show", SHOW, ticket.title, needs=marks["title"].places)
    if "kind" in marks:
        ask.text("kind", KIND, ticket.kind, needs=marks["kind"].places)
    if "departure time" in minutes and "arrival time" in minutes:
        long = minutes["arrival time"] - minutes["departure time"]
        ask.number("duration", DURATION, long, answer=f"{long} minutes")
    if "departure time" in minutes and "boarding time" in minutes:
        long = minutes["departure time"] - minutes["boarding time"]
        ask.number("boarding", BOARDING, long, answer=f"{long} minutes")
    name = rng.choice(list(minutes))
    event = {"departure": "departure", "arrival": "arrival", "boarding": "boarding", "starting": "the start"}
    ask.yes_no(
        "before noon", MORNING, minutes[name] < 720, event=event[name.split()[0]], about={"name": name},
        needs=marks[name].places,
    )  # fmt: skip
    if ticket.price is not None:
        count = rng.randint(2, 6)
        cost = ticket.price * count
        answer = f"{ticket.sign}{cost / 100:.2f}"
        ask.number("price for a group", GROUP_PRICE, cost / 100, answer=answer, count=count)
    once = [name for name in plain if name not in sheet.repeated]
    if once:
        name = rng.choice(once)
        ask.point("point to a field", POINT_FIELD, marks[name].box, field=name)
    (code,) = [p for p in ask.scene.placed if p.label in ("barcode", "square code")]
    ask.box("box of the code", BOX_CODE, code.box)


def _absent(ticket: Ticket) -> list[str]:
    """Fields that a ticket of this or another kind may have and this one lacks."""
    found = {name.replace("_", " ") for line in FIELDS_OF.values() for name in line.replace("|", "").split()}
    alike = {"from", "to", "starting time", "departure time"}  # either time might be taken for the other
    if ticket.kind == "plane ticket":
        alike.add("row")  # its seat names one
    return sorted(found - set(ticket.fields) - alike)


def _describe_ticket(scene: Scene, ticket: Ticket) -> None:
    what = with_article(ticket.kind) if "kind" in scene.facts["marks"] else "a ticket"
    scene.short_caption = what.capitalize() + "."
    fields = {name: "illegible" if name in ticket.illegible else text for name, text in ticket.fields.items()}
    if ticket.title:
        about = f'for "{ticket.title}"'
    else:
        legs = [name for name in ("from", "to") if name not in ticket.illegible]
        about = " ".join(f"{name} {fields[name]}" for name in legs)
    scene.caption = f"{what.capitalize()} of {ticket.heading} {about}."
    rest = [f"the {name} is {text}" for name, text in fields.items() if name not in ("from", "to")]
    ends = {"from": "where it starts", "to": "where it goes"}
    hidden = [f"{text} is illegible" for name, text in ends.items() if name in ticket.illegible]
    code = next(p.label for p in scene.placed if p.label in ("barcode", "square code"))
    listing = "; ".join([*rest, *hidden])
    scene.long_caption = (
        f"{scene.caption} {listing[0].upper()}{listing[1:]}. There is {with_article(code)} to scan."
    )
