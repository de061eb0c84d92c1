"""Screens of telephones and computers: what is on, selected, unread or out of use, what it says, and where to tap.

What is on them is in `contents`; `phone` and `desktop` draw them. Questions are asked by the kind
of element, whatever the screen. Left out: several windows that cover each other, and pictures within screens.
"""

from typing import Any

from clearsight.data.worlds import asking
from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.names import FIRST_NAMES, PRODUCTS, SURNAMES
from clearsight.data.worlds.scene import Scene, Split, rng_for, wording
from clearsight.data.worlds.screens.contents import BUTTONS, SETTINGS, SWITCHES, TABS, Element, Screen
from clearsight.data.worlds.screens.desktop import dashboard, dialog, shop, window
from clearsight.data.worlds.screens.phone import conversations, notifications, settings, tiles

LAYOUTS = {
    "settings": settings,
    "conversations": conversations,
    "notifications": notifications,
    "window": window,
    "dialog": dialog,
    "tiles": tiles,
    "dashboard": dashboard,
    "shop": shop,
}
TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("settings", "conversations", "notifications", "window", "dialog"),
    "eval": ("tiles", "dashboard", "shop"),
}

SWITCHED_ON = (
    "Is {label} switched on?",
    "Is the switch for {label} on?",
    "Has {label} been turned on?",
    "Going by its looks, is {label} active right now?",
)
ALL_ON = (
    "Which switches are on?",
    "List everything that is switched on.",
    "Name all functions that are active now.",
)
COUNT_ON = (
    "How many switches are on?",
    "Count the switches that are turned on.",
    "What number of functions is active now?",
)
USABLE = (
    "Can {label} be pressed or switched?",
    "Is {label} enabled rather than greyed out?",
    "Would a tap on {label} have any effect, to judge by its colour?",
)
GREYED = (
    "Which button is greyed out?",
    "Which button can't be pressed?",
    "Name the push button that is out of use.",
)
MAIN = (
    "Which button is filled with colour?",
    "What does the highlighted button say?",
    "Read the caption of the push button that stands out in colour.",
)
BUTTONS_SHOWN = (
    "List the buttons from left to right.",
    "Which buttons are there, from left to right?",
    "Read out the push buttons in a row, leftmost first.",
)
CHECKED = (
    "Is the box {label} ticked?",
    "Is there a tick beside {label}?",
    "Has somebody marked the check box called {label}?",
)
TAB_ACTIVE = (
    "Which tab is active?",
    "Which tab is open?",
    "On which of the tabs is the user now?",
)
TABS_IN_ORDER = (
    "List the tabs from left to right.",
    "Which tabs are there, in order?",
    "Read out the captions of all tabs, leftmost first.",
)
SELECTED = (
    "Which entry in the list is selected?",
    "Which row of the side list is highlighted?",
    "What is picked in the list at the side?",
)
BADGE = (
    "Which number stands beside {label}?",
    "What is the count next to {label}?",
    "How many things does {label} announce by its number?",
)
VALUE = (
    "What is {label} set to?",
    "Which value does {label} have?",
    "What stands on the same line as {label}?",
)
SLIDER = (
    "At about what percentage is the slider {label}?",
    "How far is {label} turned up, in percent, roughly?",
    "Estimate in percent where the knob of {label} stands.",
)
HIGHER_SLIDER = (
    "Is {a} set higher than {b}?",
    "Does the slider {a} stand further to the right than {b}?",
    "Between two knobs, is that of {a} ahead of that of {b}?",
)
BATTERY = (
    "What is the battery level in percent?",
    "How full is the battery, in percent?",
    "Which charge in percent does the battery still have?",
)
CLOCK = (
    "What time does the screen show?",
    "What does the clock at the top say?",
    "Which hour and minute stand in the status line?",
)
UNREAD = (
    "How many unread messages are there from {label}?",
    "How many messages from {label} have not been read?",
    "What number of new messages waits from {label}?",
)
ALL_UNREAD = (
    "How many unread messages are there in all?",
    "Add up the unread messages of everybody.",
    "What do the counts of new messages come to altogether?",
)
MOST_UNREAD = (
    "From whom are there the most unread messages?",
    "Which person has the highest count of unread messages?",
    "Who leads by the number of new messages?",
)
ALL_READ = (
    "How many of the people listed have no unread messages?",
    "For how many people has everything been read?",
    "In how many conversations is nothing new?",
)
WROTE = (
    "What does the message from {label} say?",
    "What did {label} write?",
    "Quote the line that came from {label}.",
)
WHO_WROTE = (
    'Who wrote "{text}"?',
    'From whom is the message "{text}"?',
    'By whom was the line "{text}" sent?',
)
BELOW = (
    "What comes directly below {label}?",
    "Which line follows right under {label}?",
    "Name what is listed next, downwards, after {label}.",
)
PROGRESS = (
    "How many percent of {label} are done?",
    "What is the progress of {label} in percent?",
    "Which share in percent has {label} reached?",
)
FURTHEST = (
    "Which task is furthest along?",
    "What has the most progress?",
    "Whose bar has been filled the most?",
)
PRICE = (
    "What does {label} cost?",
    "What is the price of {label}?",
    "For how much is {label} on offer?",
)
CHEAPEST = (
    "Which product is the cheapest?",
    "What costs the least?",
    "Name the article with the lowest price tag.",
)
PRICE_OF_TWO = (
    "What do {a} and {b} cost together?",
    "Add up the prices of {a} and {b}.",
    "How much for one {a} plus one {b}?",
)
AVAILABLE = (
    "Can {label} be bought?",
    "Is {label} still for sale?",
    "Would the shop let someone order {label} now?",
)
SOLD_OUT = (
    "Which products are sold out?",
    "List everything that can't be bought.",
    "Name all goods that the shop has run out of.",
)
BODY = (
    "What does the text of the dialog say, below its title?",
    "Transcribe the dialog's text, without its title and buttons.",
    "Copy out the running text in the box at the front.",
)
TITLE = (
    "What is the title of this screen?",
    "Which heading does the screen have?",
    "Under which name does this screen or window go?",
)
DARK = (
    "Does the screen have a dark or a light theme?",
    "Is the theme dark or light?",
    "Say whether it is light writing on dark or dark on light: dark or light theme?",
)
TAP = (
    "Where must one tap to get at {label}?",
    "Point to {label}.",
    "Show the spot to press for {label}.",
)
FRAME = (
    "Frame the {called} {label}.",
    "Where is the {called} {label}?",
    "Put a box round all that belongs to the {called} {label}.",
)

CALLED = {
    "setting": "row",
    "item": "row",
    "check": "check box",
    "message": "message from",
    "progress": "card",
}


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("screens", seed, split)
    template = rng.choice(TEMPLATES[split])
    screen = LAYOUTS[template](rng, seed, split)
    scene = screen.page.scene
    scene.facts = {
        "template": template,
        "title": screen.title,
        "body": screen.body,
        "clock": screen.clock,
        "battery": screen.battery,
        "dark": screen.theme.dark,
        "elements": [element.facts for element in screen.elements],
    }
    ask = Asker(scene, rng)
    for part in (
        _ask_switches,
        _ask_buttons,
        _ask_tabs_and_lists,
        _ask_values,
        _ask_messages,
        _ask_products,
        _ask_screen,
    ):
        part(ask, screen)
    _describe(scene, screen, template)
    return scene


def _ask_switches(ask: Asker, screen: Screen) -> None:
    rng, switches = ask.rng, screen.of("switch")
    if switches:
        on = [s.label for s in switches if s.on]
        for element in rng.sample(switches, min(2, len(switches))):
            ask.yes_no("switched on", SWITCHED_ON, element.on, label=element.label, needs=element.places)
        ask.not_shown("absent switch", SWITCHED_ON, label=rng.choice(screen.unused(SWITCHES[ask.split])))
        ask.count("count on", COUNT_ON, len(on))
        if on:
            ask.items("all on", ALL_ON, on, ordered=False)
        lame = [s for s in switches if not s.enabled]
        if lame:
            element = rng.choice(lame if rng.random() < 0.6 else switches)
            ask.yes_no("usable", USABLE, element.enabled, label=element.label)
    for element in screen.of("check")[:2]:
        ask.yes_no("checked", CHECKED, element.on, label=element.label, needs=element.places)


def _ask_buttons(ask: Asker, screen: Screen) -> None:
    rng, buttons = ask.rng, screen.of("button")
    if not buttons:
        return
    main, lame = [b for b in buttons if b.on], [b for b in buttons if not b.enabled]
    if main:
        ask.text("main button", MAIN, main[0].label, needs=main[0].places)
    if lame:
        ask.text("greyed button", GREYED, lame[0].label, needs=lame[0].places)
        element = lame[0] if rng.random() < 0.5 else rng.choice([b for b in buttons if b.enabled])
        ask.yes_no("usable", USABLE, element.enabled, label=element.label)
    ask.items("buttons", BUTTONS_SHOWN, [b.label for b in buttons], ordered=True)
    _ask_in_vain(ask, "absent button", screen.unused(BUTTONS[ask.split]))


def _ask_in_vain(ask: Asker, skill: str, words: list[str]) -> None:
    """Ask for the place of something that is not on the screen, just as for what is."""
    where = " " + wording(ask.rng, ask.split, asking.POINT)
    ask.not_shown(skill, TAP, label=ask.rng.choice(words), after=where)


def _ask_tabs_and_lists(ask: Asker, screen: Screen) -> None:
    rng, tabs, items = ask.rng, screen.of("tab"), screen.of("item")
    active = [tab for tab in tabs if tab.on]
    if active:
        ask.text("active tab", TAB_ACTIVE, active[0].label, needs=active[0].places)
    if len(tabs) > 1:
        ask.items("tabs", TABS_IN_ORDER, [tab.label for tab in tabs], ordered=True)
        _ask_in_vain(ask, "absent tab", screen.unused(TABS[ask.split]))
    chosen = [item for item in items if item.on]
    if chosen:
        ask.text("selected item", SELECTED, chosen[0].label, needs=chosen[0].places)
    counted = [item for item in items if item.number is not None]
    if counted:
        item = rng.choice(counted)
        ask.count("badge", BADGE, int(item.number or 0), label=item.label, needs=item.places)
    plain = [item for item in items if item.number is None]
    if counted and plain:
        ask.not_shown("absent badge", BADGE, label=rng.choice(plain).label)
    rows = items or screen.of("message") or screen.of("switch", "setting", "slider")
    in_columns = any(a.box[1] == b.box[1] for a in rows for b in rows if a is not b)
    if len(rows) > 2 and not in_columns:
        i = rng.randrange(len(rows) - 1)
        ask.text("below", BELOW, rows[i + 1].label, label=rows[i].label)


def _ask_values(ask: Asker, screen: Screen) -> None:
    rng, values, sliders = ask.rng, screen.of("setting"), screen.of("slider")
    for element in values:
        if element.legible:
            ask.text("value", VALUE, element.value, label=element.label, needs=element.places)
        else:
            ask.cant_be_read("value that can't be read", VALUE, label=element.label)
    if values:
        ask.not_shown("absent value", VALUE, label=rng.choice(screen.unused(list(SETTINGS[ask.split]))))
    for element in sliders:
        assert element.number is not None
        ask.number(
            "slider", SLIDER, element.number, answer=f"{element.number}%", tolerance=8, label=element.label
        )
    if len(sliders) == 2 and apart([s.number or 0 for s in sliders], 12):
        a, b = rng.sample(sliders, 2)
        ask.yes_no("higher slider", HIGHER_SLIDER, (a.number or 0) > (b.number or 0), a=a.label, b=b.label)
    bars = screen.of("progress")
    for element in bars:
        if not element.legible:
            ask.cant_be_read("progress that can't be read", PROGRESS, label=element.label)
    clear = [bar for bar in bars if bar.legible]
    if clear:
        bar = rng.choice(clear)
        ask.number("progress", PROGRESS, bar.number or 0, answer=bar.value, label=bar.label, needs=bar.places)
    if len(clear) == len(bars) > 1 and apart([bar.number or 0 for bar in bars], 3):
        ask.text("furthest", FURTHEST, max(bars, key=lambda bar: bar.number or 0).label)


def _ask_messages(ask: Asker, screen: Screen) -> None:
    rng, messages = ask.rng, screen.of("message")
    if not messages:
        return
    clear = [m for m in messages if m.legible]
    for message in messages:
        if not message.legible:
            ask.cant_be_read("message that can't be read", WROTE, label=message.label)
    message, other = rng.sample(clear, 2) if len(clear) > 1 else (clear[0], clear[0])
    ask.text("message", WROTE, message.value, label=message.label, needs=message.places)
    if [m.value for m in clear].count(other.value) == 1:
        ask.text("sender", WHO_WROTE, other.label, text=other.value, needs=other.places)
    taken = {word for m in messages for word in m.label.split()}
    stranger = rng.choice([n for n in FIRST_NAMES[ask.split] if n not in taken])
    stranger += " " + rng.choice([n for n in SURNAMES[ask.split] if n not in taken])
    ask.not_shown("absent sender", WROTE, label=stranger)
    if messages[0].number is None:
        return
    counts = sorted(int(m.number or 0) for m in messages)
    message = rng.choice([m for m in messages if m.number] or messages)
    ask.count("unread", UNREAD, int(message.number or 0), label=message.label)
    ask.count("all unread", ALL_UNREAD, sum(counts))
    ask.count("all read", ALL_READ, counts.count(0))
    if counts[-1] > counts[-2]:
        ask.text("most unread", MOST_UNREAD, max(messages, key=lambda m: m.number or 0).label)


def _ask_products(ask: Asker, screen: Screen) -> None:
    rng, products = ask.rng, screen.of("product")
    if not products:
        return
    clear = [p for p in products if p.legible]
    for product in products:
        if not product.legible:
            ask.cant_be_read("price that can't be read", PRICE, label=product.label)
    product = rng.choice(clear)
    ask.number(
        "price", PRICE, product.number or 0, answer=product.value, label=product.label, needs=product.places
    )
    ask.not_shown("absent product", PRICE, label=rng.choice(screen.unused(PRODUCTS[ask.split])))
    if len(clear) == len(products):
        ask.text("cheapest", CHEAPEST, min(products, key=lambda p: p.number or 0).label)
    a, b = rng.sample(clear, 2)
    both = round((a.number or 0) + (b.number or 0), 2)
    needs = (*a.places, *b.places)
    ask.number("price of two", PRICE_OF_TWO, both, answer=f"${both:.2f}", a=a.label, b=b.label, needs=needs)
    gone = [p for p in products if not p.enabled]
    if gone:
        ask.items("sold out", SOLD_OUT, [p.label for p in gone], ordered=False)
        product = rng.choice(gone if rng.random() < 0.5 else [p for p in products if p.enabled])
        ask.yes_no("available", AVAILABLE, product.enabled, label=product.label)


def _ask_screen(ask: Asker, screen: Screen) -> None:
    """The screen as a whole, and places on it."""
    rng = ask.rng
    if screen.title:
        ask.text("title", TITLE, screen.title)
    if screen.body is not None:
        text, legible = screen.body
        if legible:
            ask.verbatim("body", BODY, text)
        else:
            ask.cant_be_read("body that can't be read", BODY)
    ask.text("theme", DARK, "dark" if screen.theme.dark else "light", alternatives=_themes(screen))
    if screen.clock:
        ask.text("clock", CLOCK, screen.clock)
    if screen.battery is not None:
        tolerance = 0 if screen.battery_in_digits else 12
        ask.number("battery", BATTERY, screen.battery, answer=f"{screen.battery}%", tolerance=tolerance)
    element, other = rng.sample(screen.elements, 2)
    ask.point("point", TAP, element.box, label=element.label, about=_about(element))
    called = CALLED.get(other.kind, other.kind)
    ask.box("box", FRAME, other.box, label=other.label, called=called, about=_about(other))


def _themes(screen: Screen) -> tuple[str, ...]:
    name = "dark" if screen.theme.dark else "light"
    return (f"a {name} theme", f"{name} theme", f"it is {name}")


def _about(element: Element) -> dict[str, Any]:
    return {"element": element.kind, "label": element.label}


def _describe(scene: Scene, screen: Screen, template: str) -> None:
    kinds = {
        "settings": "A settings page on a phone",
        "conversations": "A list of conversations on a phone",
        "notifications": "A locked phone with notifications",
        "window": "An application window",
        "dialog": "A dialog in front of a page",
        "tiles": "A panel of tiles and sliders on a phone",
        "dashboard": "A web page with a side bar",
        "shop": "A web shop in a browser",
    }
    theme = "dark" if screen.theme.dark else "light"
    scene.short_caption = f"{kinds[template]}."
    titled = f' titled "{screen.title}"' if screen.title else ""
    scene.caption = f"{kinds[template]}{titled}, in a {theme} theme."
    parts = [_said(element) for element in screen.elements]
    if screen.body is not None:
        parts.insert(0, f'it says "{screen.body[0]}"' if screen.body[1] else "its text is illegible")
    if screen.clock:
        parts.append(f"the clock says {screen.clock}")
    if screen.battery_in_digits:
        parts.append(f"the battery is at {screen.battery}%")
    listing = "; ".join(parts)
    scene.long_caption = f"{scene.caption} {listing[0].upper()}{listing[1:]}."


def _said(element: Element) -> str:
    label, shown = element.label, element.value if element.legible else "illegible"
    match element.kind:
        case "switch":
            return f"{label} is {'on' if element.on else 'off'}" + (
                "" if element.enabled else " and greyed out"
            )
        case "check":
            return f"the box {label} is {'ticked' if element.on else 'not ticked'}"
        case "button":
            state = "highlighted" if element.on else "plain" if element.enabled else "greyed out"
            return f"the button {label} is {state}"
        case "tab":
            return f"the tab {label} is {'active' if element.on else 'there'}"
        case "item":
            number = "" if element.number is None else f" with the number {element.number:g}"
            return f"the list has {label}{number}" + (", which is selected" if element.on else "")
        case "setting":
            return f"{label} is {shown}"
        case "slider":
            return f"the slider {label} is at about {element.number:g}%"
        case "message":
            text = f'"{element.value}"' if element.legible else "something illegible"
            unread = f", with {element.number:g} unread" if element.number else ""
            return f"{label} wrote {text}{unread}"
        case "progress":
            return f"the progress of {label} is {shown}"
        case "product":
            return f"{label} costs {shown if element.legible else 'an illegible price'}" + (
                "" if element.enabled else " and is sold out"
            )
    raise ValueError(f"nothing is known about elements of the kind {element.kind!r}")
