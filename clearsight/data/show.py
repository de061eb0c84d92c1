"""Contact sheets: training examples as people would look at them, pictures above their questions and answers."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from clearsight.data.record import Record
from clearsight.processing.images import from_conversation_image

CARD = 320  # pixels across of one example
PICTURE = 300
LINE = 15
COLUMNS = 4
INK, FAINT, GROUND, PAPER = (25, 25, 30), (105, 105, 115), (226, 228, 232), (255, 255, 255)


def contact_sheet(records: Sequence[Record], title: str, columns: int = COLUMNS) -> PILImage.Image:
    """One picture (RGB) with a card for each record: its pictures, questions, answers, and where it is from."""
    cards = [_card(record) for record in records]
    rows = [cards[i : i + columns] for i in range(0, len(cards), columns)]
    heights = [max(card.height for card in row) for row in rows]
    width = columns * (CARD + 12) + 12
    sheet = PILImage.new("RGB", (width, 40 + sum(heights) + 12 * (len(rows) + 1)), GROUND)
    ImageDraw.Draw(sheet).text((14, 12), title, font=_font(20), fill=INK)
    top = 40 + 6
    for row, height in zip(rows, heights, strict=True):
        for column, card in enumerate(row):
            sheet.paste(card, (12 + column * (CARD + 12), top))
        top += height + 12
    return sheet


def save_sheet(sheet: PILImage.Image, path: Path) -> None:
    """Write a sheet; as PNG with few colours if the name says .png, so that it is small."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        sheet.quantize(256, dither=PILImage.Dither.NONE).save(path, optimize=True)
    else:
        sheet.save(path)


def _card(record: Record) -> PILImage.Image:
    pictures = [from_conversation_image(image) for image in record.conversation.images]
    side = PICTURE // (2 if len(pictures) > 1 else 1)
    thumbnails = []
    for picture in pictures:
        scale = side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        thumbnails.append(picture.resize(size, PILImage.Resampling.LANCZOS))
    lines: list[tuple[str, tuple[int, int, int], bool]] = []
    replies = 0
    for message in record.conversation.messages:
        said = message.text
        if message.role == "assistant":
            truth = record.truths[replies] if record.truths else None
            said += f"   [{truth.kind}]" if truth else ""
            replies += 1
        mark = {"user": "? ", "assistant": "! ", "system": "# "}[message.role]
        for part in textwrap.wrap(mark + said, 50, subsequent_indent="   ")[:9]:
            lines.append((part, INK, message.role == "assistant"))
    if record.rejected is not None:
        lines += [(part, FAINT, False) for part in textwrap.wrap("x " + record.rejected, 50)[:4]]
    origin = record.provenance
    lines.append(
        (f"{origin.source} {'' if origin.seed is None else origin.seed}, {origin.licence}", FAINT, False)
    )
    rows = -(-len(thumbnails) // 2) if len(thumbnails) > 1 else len(thumbnails)
    deep = rows * (max((t.height for t in thumbnails), default=0) + 4)
    card = PILImage.new("RGB", (CARD, deep + LINE * len(lines) + 24), PAPER)
    for place, thumbnail in enumerate(thumbnails):
        card.paste(thumbnail, (10 + place % 2 * (side + 4), 10 + place // 2 * (side + 4)))
    draw = ImageDraw.Draw(card)
    for number, (text, ink, strong) in enumerate(lines):
        draw.text((10, deep + 14 + LINE * number), text, font=_font(12, strong), fill=ink)
    return card


def _font(size: int, strong: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of many scripts where the system has one, else Pillow's own."""
    name = "DejaVuSans-Bold.ttf" if strong else "DejaVuSans.ttf"
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)
