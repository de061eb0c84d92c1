"""Screens of desktop computers: a window with tabs and a list, a dialog, a dashboard with a side bar, a web shop."""

import random

from PIL import Image

from clearsight.data.worlds import names
from clearsight.data.worlds.drawing.outlines import SHAPES, outline
from clearsight.data.worlds.drawing.page import Box
from clearsight.data.worlds.drawing.palette import colour
from clearsight.data.worlds.drawing.widgets import TICK_STYLES, mixed, pictogram, progress, tick_box
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.screens.contents import (
    APPS,
    BUTTONS,
    DIALOGS,
    MENUS,
    REMEMBER,
    SETTINGS,
    SWITCHES,
    TABS,
    Element,
    Screen,
)


def button(
    screen: Screen, label: str, left: float, top: float, *, main: bool, enabled: bool = True
) -> Element:
    """A push button as wide as its label needs; the main one is filled, one that can't be used is pale."""
    face, theme = screen.type.bold, screen.theme
    width, height = face.width(label) + 26, round(screen.size * 2.1)
    box = (left, top, left + width, top + height)
    element = screen.add("button", label, box, on=main, enabled=enabled)
    ground, edge, ink = theme.panel, theme.faint, theme.ink
    if main:
        ground, edge, ink = theme.accent, theme.accent, theme.on_accent
    if not enabled:
        ground, edge = mixed(theme.rule, theme.panel, 0.5), theme.rule
        ink = mixed(theme.faint, ground, 0.45)
    screen.page.panel(box, ground, radius=5, outline=edge)
    element.places = screen.write(left + width / 2, top + height / 2, label, face, ink, "middle").places
    return element


def _buttons_from_the_right(screen: Screen, labels: list[str], right: float, top: float) -> None:
    """A row of buttons, the main one last; one of the others, or it, may be out of use."""
    rng, gap = screen.rng, 10
    lame = rng.randrange(len(labels)) if rng.random() < 0.4 else None
    x = right - sum(screen.type.bold.width(label) + 26 + gap for label in labels) + gap
    for index, label in enumerate(labels):
        last = index == len(labels) - 1
        made = button(screen, label, x, top, main=last and lame != index, enabled=lame != index)
        x = made.box[2] + gap


def window(rng: random.Random, seed: int, split: Split) -> Screen:
    """A window with a menu bar, tabs, a list with one row selected, and options with buttons below."""
    width = rng.randint(470, 580)
    screen = Screen(rng, seed, split, (width, rng.randint(360, 440)))
    page, theme, size = screen.page, screen.theme, screen.size
    inset = rng.choice((0, 10))
    left, right, bottom = inset, width - inset, screen.height - inset
    bar = round(size * 2.2)
    page.panel((left, inset, right, bottom), theme.panel, outline=theme.rule)
    page.rectangle((left, inset, right, inset + bar), mixed(theme.rule, theme.panel, 0.3))
    screen.title = rng.choice(APPS[split])
    for index, name in enumerate(("red", "yellow", "green")):
        x = left + 16 + 18 * index
        page.panel(
            (x - 6, inset + bar / 2 - 6, x + 6, inset + bar / 2 + 6), colour(rng, split, name), radius=6
        )
    screen.write(width / 2, inset + bar / 2, screen.title, screen.type.bold, align="middle")
    y, x = inset + bar, left + 12
    for label in MENUS[split][: rng.randint(4, 6)]:
        screen.write(x, y + size, label)
        x += screen.type.text.width(label) + 18
    y += round(size * 2)
    y = _tabs(screen, left, right, y, rng.randint(3, 4))
    middle = left + round((right - left) * rng.uniform(0.34, 0.42))
    page.down(middle, y, bottom, theme.rule)
    _side_list(screen, (left, y + 6, middle, bottom), rng.randint(4, 7))
    top = y + round(size * 0.8)
    foot = bottom - round(size * 3.2)
    style = rng.choice(TICK_STYLES[split])
    for label in rng.sample(SWITCHES[split], rng.randint(2, 4)):
        if top + size * 2 > foot:
            break
        side = round(size * 0.55) * 2
        box = (middle + 16, top, middle + 16 + side, top + side)
        check = screen.add("check", label, box, on=rng.random() < 0.5)
        tick_box(page, split, box, style, check.on, theme, theme.headline)
        check.places = screen.write(box[2] + 9, top + side / 2, label).places
        top += round(size * 1.9)
    for label in rng.sample(list(SETTINGS[split]), 2):
        if top + size * 1.8 < foot:
            value, legible = rng.choice(SETTINGS[split][label]), not screen.hides(chance=0.6)
            made = screen.add(
                "setting",
                label,
                (middle + 10, top - 4, right - 10, top + size * 1.4),
                value=value,
                legible=legible,
            )
            made.places = screen.write(middle + 16, top + size * 0.5, label + ":", None, theme.faint).places
            made.places += screen.write(
                right - 18, top + size * 0.5, value, None, None, "right", legible
            ).places
            top += round(size * 1.9)
    _buttons_from_the_right(screen, rng.sample(screen.unused(BUTTONS[split]), 2), right - 14, foot)
    return screen


def _tabs(screen: Screen, left: float, right: float, y: int, count: int) -> int:
    """A row of tabs, one of them active; returns where it ends."""
    page, theme, size = screen.page, screen.theme, screen.size
    height, active, x = round(size * 2.2), screen.rng.randrange(count), left + 8
    page.rectangle((left + 1, y, right - 1, y + height), mixed(theme.panel, theme.rule, 0.5))
    for index, label in enumerate(screen.rng.sample(screen.unused(TABS[screen.split]), count)):
        width = screen.type.bold.width(label) + 28
        if x + width > right - 8:
            break
        box = (x, y + 3, x + width, y + height)
        tab = screen.add("tab", label, box, on=index == active)
        if tab.on:
            page.panel(box, theme.panel, radius=5)
            page.rectangle((x, y + height - 5, x + width, y + height), theme.panel)
            page.rectangle((x + 4, y + 3, x + width - 4, y + 6), theme.accent)
        face, ink = (screen.type.bold, theme.ink) if tab.on else (screen.type.text, theme.faint)
        tab.places = screen.write(x + width / 2, y + height / 2 + 2, label, face, ink, "middle").places
        x += width + 4
    return y + height


def _side_list(screen: Screen, box: Box, count: int, *, badges: bool = False) -> None:
    """Rows to choose from, one of them selected, perhaps with a number behind."""
    page, theme, size, rng = screen.page, screen.theme, screen.size, screen.rng
    left, y, right, bottom = box
    row = round(size * 2.1)
    room = right - left - 64
    free = [word for word in screen.unused(TABS[screen.split]) if screen.type.bold.width(word) < room]
    count = min(count, int((bottom - y) // row))
    chosen = rng.randrange(count)
    for index, label in enumerate(rng.sample(free, count)):
        around = (left + 8, y, right - 8, y + row)
        number = rng.choice((None, None, rng.randint(1, 29))) if badges else None
        item = screen.add("item", label, around, on=index == chosen, number=number)
        ink = theme.ink
        if item.on:
            page.panel(around, theme.accent, radius=5)
            ink = theme.on_accent
        item.places = screen.write(left + 18, y + row / 2, label, None, ink).places
        if number is not None:
            written = screen.write(right - 18, y + row / 2, str(number), screen.type.bold, ink, "right")
            item.places += written.places
        y += row


def dialog(rng: random.Random, seed: int, split: Split) -> Screen:
    """A question in front of a page that is out of focus, with buttons and perhaps a box to tick."""
    width = rng.randint(420, 560)
    screen = Screen(rng, seed, split, (width, rng.randint(280, 380)))
    page, theme, size = screen.page, screen.theme, screen.size
    shadow = mixed(theme.ground, (0, 0, 0), 0.35)
    page.rectangle((0, 0, width, screen.height), shadow)
    for index in range(screen.height // 26):
        page.panel(
            (20, 16 + 26 * index, 20 + rng.uniform(0.3, 0.95) * (width - 40), 25 + 26 * index),
            mixed(shadow, theme.faint, 0.2),
            radius=4,
        )
    screen.title, message = rng.choice(DIALOGS[split])
    inner = round(rng.uniform(0.75, 0.92) * width)
    lines = screen.type.text.wrapped(message, inner - 44)
    remember = rng.random() < 0.6
    labels = rng.sample(screen.unused(BUTTONS[split]), rng.choice((2, 2, 3)))
    while len(labels) > 2 and sum(screen.type.bold.width(label) + 36 for label in labels) > inner - 30:
        labels.pop()
    step = round(size * 1.5)
    height = round(size * 6.6) + step * len(lines) + remember * round(size * 2.2)
    left, top = (width - inner) // 2, (screen.height - height) // 2
    page.panel(
        (left, top, left + inner, top + height), theme.panel, radius=rng.choice((3, 10)), outline=theme.rule
    )
    y = top + size * 1.8
    screen.write(left + 22, y, screen.title, screen.type.bold.scaled(1.2))
    y += size * 2.1
    screen.body = (message, not screen.hides())
    for index, line in enumerate(lines):
        screen.write(left + 22, y + index * step, line, legible=screen.body[1])
    y += step * len(lines) + size * 0.2
    if remember:
        side, label = round(size * 0.55) * 2, rng.choice(REMEMBER[split])
        box = (left + 22, y - side / 2, left + 22 + side, y + side / 2)
        check = screen.add("check", label, box, on=rng.random() < 0.5)
        tick_box(page, split, box, rng.choice(TICK_STYLES[split]), check.on, theme, theme.headline)
        check.places = screen.write(box[2] + 9, y, label).places
    _buttons_from_the_right(screen, labels, left + inner - 18, top + height - size * 3)
    return screen


def dashboard(rng: random.Random, seed: int, split: Split) -> Screen:
    """A page with a coloured side bar to move about, and cards with progress and values."""
    width = rng.randint(500, 620)
    screen = Screen(rng, seed, split, (width, rng.randint(340, 420)))
    page, theme, size = screen.page, screen.theme, screen.size
    side = round(width * rng.uniform(0.3, 0.36))
    page.rectangle((0, 0, side, screen.height), theme.panel)
    page.down(side, 0, screen.height, theme.rule)
    mask = pictogram(split, "menu", round(size * 1.3))
    page.stamp(mask, 16, size * 0.7, theme.faint)
    screen.title = rng.choice(APPS[split])
    screen.write(24 + mask.width, size * 1.4, screen.title, screen.type.bold.scaled(1.15))
    _side_list(screen, (0, round(size * 3.2), side, screen.height), rng.randint(5, 7), badges=True)
    left, right, y = side + 18, width - 18, round(size * 0.9)
    _buttons_from_the_right(screen, rng.sample(screen.unused(BUTTONS[split]), 2), right, y)
    y += round(size * 3)
    for label in rng.sample(screen.unused(names.DEPARTMENTS[split]), rng.randint(2, 3)):
        box = (left, y, right, y + round(size * 3.9))
        page.panel(box, theme.panel, radius=8, outline=theme.rule)
        share, shown = rng.uniform(0.05, 0.97), not screen.hides(chance=0.3)
        value = f"{round(100 * share)}%"
        made = screen.add("progress", label, box, number=round(100 * share), value=value, legible=shown)
        made.places = screen.write(left + 14, y + size * 1.2, label).places
        made.places += screen.write(
            right - 14, y + size * 1.2, value, screen.type.bold, None, "right", shown
        ).places
        if shown:  # else the bar would tell
            progress(page, (left + 14, y + size * 2.5, right - 14, y + size * 2.5 + 8), share, theme)
        y += round(size * 3.9) + 10
    for label in rng.sample(list(SETTINGS[split]), 2):
        if y + size * 2.2 < screen.height:
            value, legible = rng.choice(SETTINGS[split][label]), not screen.hides()
            made = screen.add(
                "setting", label, (left, y, right, y + round(size * 2)), value=value, legible=legible
            )
            made.places = screen.write(left + 14, y + size, label, None, theme.faint).places
            made.places += screen.write(right - 14, y + size, value, None, None, "right", legible).places
            y += round(size * 2.1)
    return screen


def shop(rng: random.Random, seed: int, split: Split) -> Screen:
    """A browser with tabs and an address, and cards of goods with prices; some are sold out."""
    width = rng.randint(480, 580)
    screen = Screen(rng, seed, split, (width, 800))
    page, theme, size = screen.page, screen.theme, screen.size
    y = _tabs(screen, 0, width, 0, 3)
    page.rectangle((0, y, width, y + size * 2.6), theme.panel)
    host = rng.choice(names.SHOPS[split]).lower().replace(" ", "-")
    mask = pictogram(split, "left", round(size * 1.1))
    page.stamp(mask, 12, y + size * 0.75, theme.faint)
    page.panel((40, y + size * 0.4, width - 16, y + size * 2.2), theme.ground, radius=10)
    screen.write(54, y + size * 1.3, f"{host}.example")
    screen.title = f"{host}.example"
    y += round(size * 2.6) + 10
    columns, gap = rng.choice((2, 3)), 12
    across = (width - gap * (columns + 1)) / columns
    names_ = [n for n in names.PRODUCTS[split] if screen.type.bold.width(n) < across - 16]
    height = round(size * 6.8) + rng.randint(50, 90)
    goods = rng.sample(names_, columns * 2)
    prices = rng.sample(range(3, 260), len(goods))
    sold_out = set(rng.sample(goods, rng.choice((0, 1, 1, 2))))
    ending = rng.choice((0.0, 0.5, 0.99))
    for index, (name, price) in enumerate(zip(goods, prices, strict=True)):
        left, top = gap + index % columns * (across + gap), y + index // columns * (height + gap)
        box = (left, top, left + across, top + height)
        _product(screen, name, price + ending, name not in sold_out, box)
    page.cut(round(y + 2 * (height + gap)))
    return screen


def _product(screen: Screen, name: str, price: float, available: bool, box: Box) -> None:
    page, theme, size, rng = screen.page, screen.theme, screen.size, screen.rng
    left, top, right, bottom = box
    legible = not screen.hides(chance=0.25)
    product = screen.add(
        "product", name, box, enabled=available, number=price, value=f"${price:.2f}", legible=legible
    )
    page.panel(box, theme.panel, radius=6, outline=theme.rule)
    side = round(min(bottom - top - size * 6.8, right - left - 30))
    ink = colour(rng, screen.split, rng.choice(("blue", "green", "orange", "purple", "brown")))
    picture: Image.Image = outline(rng.choice(SHAPES), side, rng.uniform(-20, 20))
    page.stamp(picture, (left + right - side) / 2, top + 8, ink)
    product.places = screen.write(left + 10, bottom - size * 5.3, name, screen.type.bold).places
    product.places += screen.write(left + 10, bottom - size * 3.7, product.value, legible=legible).places
    spot = (left + 8, bottom - size * 2.7, right - 8, bottom - 8)
    page.panel(spot, theme.accent if available else theme.rule, radius=5)
    label, face, ink = "Buy", screen.type.bold, theme.on_accent
    if not available:
        label, face, ink = "Sold out", screen.type.text, mixed(theme.faint, theme.rule, 0.2)
    screen.write((left + right) / 2, (spot[1] + spot[3]) / 2, label, face, ink, "middle")
