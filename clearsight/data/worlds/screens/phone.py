"""Screens of telephones: settings, a list of conversations, notifications on a locked screen, a panel of tiles."""

import random

from PIL import Image

from clearsight.data.worlds import names
from clearsight.data.worlds.drawing.page import Box, Face
from clearsight.data.worlds.drawing.palette import colour, readable_on
from clearsight.data.worlds.drawing.widgets import (
    SWITCH_STYLES,
    battery,
    mixed,
    pictogram,
    signal,
    slider,
    switch,
)
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.screens.contents import (
    APPS,
    MESSAGES,
    SETTINGS,
    SLIDERS,
    SWITCHES,
    TABS,
    TITLES,
    Screen,
)

PICTOGRAMS = ("home", "search", "person", "clock", "mail", "menu", "plus")


def _phone(rng: random.Random, seed: int, split: Split) -> Screen:
    width = rng.randint(300, 380)
    return Screen(rng, seed, split, (width, round(width * rng.uniform(1.45, 1.85))))


def status_bar(screen: Screen) -> int:
    """Clock, signal and battery along the upper edge; returns where the rest of the screen begins."""
    rng, theme, middle = screen.rng, screen.theme, screen.size + 1
    screen.clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    screen.battery, screen.battery_in_digits = rng.randint(4, 100), rng.random() < 0.6
    screen.write(14, middle, screen.clock, screen.type.bold)
    x = screen.width - 42
    battery(screen.page, x, middle, screen.battery, theme.ink)
    if screen.battery_in_digits:
        text = f"{screen.battery}%"
        x -= screen.type.text.width(text) + 6
        screen.write(x, middle, text)
    signal(screen.page, x - 28, middle, rng.randint(1, 4), theme.ink, theme.rule)
    return round(screen.size * 2.3)


def bottom_tabs(screen: Screen, count: int) -> int:
    """Tabs along the lower edge, one of them active; returns where they begin."""
    rng, theme, height = screen.rng, screen.theme, round(screen.size * 3.6)
    top, active = screen.height - height, rng.randrange(count)
    screen.page.rectangle((0, top, screen.width, screen.height), theme.panel)
    screen.page.across(0, screen.width, top, theme.rule)
    across = screen.width / count
    labels = screen.unused(_that_fit(screen, TABS[screen.split], across - 8))
    pictures = rng.sample(PICTOGRAMS, count)
    for index, label in enumerate(rng.sample(labels, count)):
        middle, ink = (index + 0.5) * across, theme.headline if index == active else theme.faint
        box = (index * across, top, (index + 1) * across, screen.height)
        tab = screen.add("tab", label, box, on=index == active)
        if index == active:
            screen.page.panel((middle - 22, top, middle + 22, top + 3), theme.headline)
        mask = pictogram(screen.split, pictures[index], round(screen.size * 1.3))
        screen.page.stamp(mask, middle - mask.width / 2, top + screen.size * 0.6, ink)
        face = screen.type.bold if index == active else screen.type.text
        tab.places = screen.write(middle, top + screen.size * 2.7, label, face, ink, "middle").places
    return top


def _that_fit(screen: Screen, words: tuple[str, ...], width: float, face: Face | None = None) -> list[str]:
    return [word for word in words if (face or screen.type.bold).width(word) <= width]


def settings(rng: random.Random, seed: int, split: Split) -> Screen:
    """A heading, then groups of rows: switches, values behind which more opens, sliders."""
    screen = _phone(rng, seed, split)
    page, theme, y = screen.page, screen.theme, status_bar(screen)
    bottom = screen.height - 8
    if rng.random() < 0.4:
        bottom = screen.height - round(screen.size * 3.6) - 8
    screen.title = rng.choice(TITLES[split])
    size, face = screen.size, screen.type.bold.scaled(1.35)
    page.stamp(pictogram(split, "left", round(size * 1.2)), 12, y + size * 0.5, theme.headline)
    screen.write(12 + size * 1.8, y + size * 1.1, screen.title, face)
    y += round(size * 2.6)
    row, margin = round(size * rng.uniform(2.7, 3.3)), rng.choice((0, 10, 14))
    style, radius = rng.choice(SWITCH_STYLES[split]), rng.choice((0, 8, 12)) if margin else 0
    kinds = ["switch"] * rng.randint(3, 6) + ["setting"] * rng.randint(2, 3) + ["slider"] * rng.randint(0, 2)
    rng.shuffle(kinds)
    kinds = kinds[: max(3, (bottom - y - 24) // row)]
    labels = {
        "switch": rng.sample(SWITCHES[split], 6),
        "setting": rng.sample(list(SETTINGS[split]), 3),
        "slider": rng.sample(SLIDERS[split], 2),
    }
    cut = rng.randint(1, len(kinds) - 1)
    for group in (kinds[:cut], kinds[cut:]):
        end = y + row * len(group)
        page.panel((margin, y, screen.width - margin, end), theme.panel, radius=radius)
        for index, kind in enumerate(group):
            box = (margin, y, screen.width - margin, y + row)
            if index:
                page.across(margin + 14, screen.width - margin, y, theme.rule)
            _setting_row(screen, kind, labels[kind].pop(), box, style)
            y += row
        y += rng.randint(12, 22) if y + row < bottom else 8
    if bottom < screen.height - 8:
        bottom_tabs(screen, rng.choice((3, 4)))
    return screen


def _setting_row(screen: Screen, kind: str, label: str, box: Box, style: str) -> None:
    rng, theme, size = screen.rng, screen.theme, screen.size
    left, top, right, bottom = box
    middle = (top + bottom) / 2
    if kind == "switch":
        enabled, height = rng.random() > 0.12, round(size * 0.7) * 2
        ink = theme.ink if enabled else mixed(theme.faint, theme.panel, 0.5)
        element = screen.add("switch", label, box, on=rng.random() < 0.5, enabled=enabled)
        element.places = screen.write(left + 14, middle, label, ink=ink).places
        around = (right - 14 - height * 1.75, middle - height / 2, right - 14, middle + height / 2)
        switch(screen.page, around, style, element.on, theme, enabled=enabled)
    elif kind == "setting":
        value, legible = rng.choice(SETTINGS[screen.split][label]), not screen.hides()
        element = screen.add("setting", label, box, value=value, legible=legible)
        element.places = screen.write(left + 14, middle, label).places
        x = right - 16 - size
        element.places += screen.write(x, middle, value, None, theme.faint, "right", legible).places
        mark = pictogram(screen.split, "right", round(size * 0.9))
        screen.page.stamp(mark, right - 12 - mark.width, middle - mark.height / 2, theme.faint)
    else:
        share = rng.uniform(0.04, 0.96)
        element = screen.add("slider", label, box, number=round(100 * share))
        element.places = screen.write(left + 14, middle, label).places
        start = left + 14 + max(screen.type.text.width(word) for word in SLIDERS[screen.split]) + 14
        slider(screen.page, (start, middle - 8, right - 16, middle + 8), share, theme)


def conversations(rng: random.Random, seed: int, split: Split) -> Screen:
    """People with the beginning of what they wrote, when, and how much of it is unread; tabs below."""
    screen = _phone(rng, seed, split)
    page, theme, size, y = screen.page, screen.theme, screen.size, status_bar(screen)
    screen.title = rng.choice(APPS[split])
    page.rectangle((0, y, screen.width, y + size * 3), theme.accent)
    screen.write(16, y + size * 1.5, screen.title, screen.type.bold.scaled(1.3), theme.on_accent)
    mask = pictogram(split, "search", round(size * 1.4))
    page.stamp(mask, screen.width - 18 - mask.width, y + size * 0.8, theme.on_accent)
    y += round(size * 3)
    row, last = round(size * rng.uniform(4.1, 4.8)), screen.height - round(size * 3.6)
    count = min(7, int((last - y) // row))
    people, texts = names.people(rng, split, count), rng.sample(MESSAGES[split], count)
    for index, (name, text) in enumerate(zip(people, texts, strict=True)):
        _conversation(screen, name, text, (0, y, screen.width, y + row))
        y += row
        if index < count - 1:
            page.across(round(size * 4), screen.width, y, theme.rule)
    bottom_tabs(screen, rng.choice((3, 4)))
    return screen


def _conversation(screen: Screen, name: str, text: str, box: Box) -> None:
    rng, theme, size, page = screen.rng, screen.theme, screen.size, screen.page
    _, top, right, bottom = box
    middle, radius = (top + bottom) / 2, round(size * 1.2)
    unread = rng.choice((0, 0, 0, 1, 2, 3, 4, 5, 7, 9))
    time = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    legible = not screen.hides(chance=0.3)
    message = screen.add("message", name, box, on=unread > 0, value=text, number=unread, legible=legible)
    disc = colour(rng, screen.split, rng.choice(("blue", "green", "purple", "orange", "brown", "gray")))
    page.panel((12, middle - radius, 12 + 2 * radius, middle + radius), disc, radius=radius)
    screen.write(12 + radius, middle, name[0], screen.type.bold, readable_on(disc), "middle")
    x = 24 + 2 * radius
    face = screen.type.bold if unread else screen.type.text
    message.places = screen.write(x, middle - size * 0.8, name, face).places
    screen.write(
        right - 12, middle - size * 0.8, time, None, theme.headline if unread else theme.faint, "right"
    )
    room = right - 12 - x - (30 if unread else 0)
    words = text.split()
    while screen.type.text.width(" ".join(words)) > room:
        words.pop()
    message.value = " ".join(words)
    message.places += screen.write(
        x, middle + size * 0.8, message.value, None, theme.faint, legible=legible
    ).places
    if unread:
        half = round(size * 0.75)
        spot = (right - 14 - 2 * half, middle + size * 0.8 - half, right - 14, middle + size * 0.8 + half)
        page.panel(spot, theme.accent, radius=half)
        screen.write(
            (spot[0] + spot[2]) / 2,
            (spot[1] + spot[3]) / 2,
            str(unread),
            screen.type.bold,
            theme.on_accent,
            "middle",
        )


def notifications(rng: random.Random, seed: int, split: Split) -> Screen:
    """A locked screen with a large clock and a card for each thing that came in."""
    screen = _phone(rng, seed, split)
    page, theme, size = screen.page, screen.theme, screen.size
    ramp = Image.linear_gradient("L").resize((screen.width, screen.height))
    page.canvas.paste(mixed(theme.ground, theme.accent, 0.35), (0, 0), ramp)
    y = status_bar(screen) + size * 1.6
    screen.write(screen.width / 2, y + size, screen.clock, screen.type.text.scaled(3), align="middle")
    y += size * 3.4
    date = f"{rng.choice(names.WEEKDAYS)} {rng.randint(1, 28)} {rng.choice(names.MONTHS)}"
    screen.write(screen.width / 2, y, date, align="middle")
    y += size * 1.8
    card = round(size * 5)
    count = max(2, min(rng.randint(2, 5), int((screen.height - y - 8) // (card + 8))))
    apps, people = rng.sample(APPS[split], count), names.people(rng, split, count)
    for app, name, text in zip(apps, people, rng.sample(MESSAGES[split], count), strict=True):
        box = (12, y, screen.width - 12, y + card)
        page.panel(box, theme.panel, radius=10)
        legible = not screen.hides()
        message = screen.add("message", name, box, value=text, legible=legible)
        screen.write(24, y + size * 0.9, app, None, theme.faint)
        time = rng.choice(("now", f"{rng.randint(2, 58)} min", f"{rng.randint(1, 11)} h"))
        screen.write(screen.width - 24, y + size * 0.9, time, None, theme.faint, "right")
        message.places = screen.write(24, y + size * 2.4, name, screen.type.bold).places
        message.places += screen.write(24, y + size * 4, text, legible=legible).places
        y += card + 8
    return screen


def tiles(rng: random.Random, seed: int, split: Split) -> Screen:
    """A panel pulled down from the upper edge: tiles, filled with colour when on, and sliders."""
    screen = _phone(rng, seed, split)
    page, theme, size, y = screen.page, screen.theme, screen.size, status_bar(screen)
    screen.title = rng.choice(TITLES[split])
    screen.write(16, y + size, screen.title, screen.type.bold.scaled(1.2))
    y += round(size * 2.4)
    across = (screen.width - 36) / 2
    height, rows = round(size * rng.uniform(3.2, 4)), rng.randint(3, 5)
    fitting = _that_fit(screen, SWITCHES[split], across - size * 1.5 - 26, screen.type.text)
    labels = rng.sample(fitting, min(rows * 2, len(fitting) // 2 * 2))
    rows = min(len(labels) // 2, (screen.height - y) // (height + 10))
    labels = labels[: rows * 2]
    off = mixed(theme.panel, theme.rule, 0.45)
    for index, label in enumerate(labels):
        left, top = 12 + index % 2 * (across + 12), y + index // 2 * (height + 10)
        tile = screen.add("switch", label, (left, top, left + across, top + height), on=rng.random() < 0.5)
        ink = theme.on_accent if tile.on else theme.ink
        page.panel(tile.box, theme.accent if tile.on else off, radius=14)
        mask = pictogram(split, PICTOGRAMS[index % len(PICTOGRAMS)], round(size * 1.2))
        page.stamp(mask, left + 12, top + (height - mask.height) / 2, ink)
        tile.places = screen.write(left + 20 + mask.width, top + height / 2, label, None, ink).places
    y += rows * (height + 10) + 8
    for label in rng.sample(SLIDERS[split], rng.randint(1, 2)):
        box = (12, y, screen.width - 12, y + round(size * 2.6))
        if box[3] < screen.height:
            _setting_row(screen, "slider", label, box, "")
            y = box[3]
    for label in rng.sample(list(SETTINGS[split]), rng.randint(1, 2)):
        if y + size * 2.4 < screen.height:
            _setting_row(screen, "setting", label, (12, y, screen.width - 12, y + round(size * 2.4)), "")
            y += round(size * 2.4)
    return screen
