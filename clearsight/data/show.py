"""Contact sheets: training examples as people would look at them, pictures above their questions and answers."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from clearsight.data.record import Record
from clearsight.processing.images import from_conversation_image

CARD = 320  # pixels across of one example
PICTURE = 300
GAP, HEAD = 12, 46
LINE = 15
COLUMNS = 4
INK, FAINT, GROUND, PAPER = (25, 25, 30), (105, 105, 115), (226, 228, 232), (255, 255, 255)


def contact_sheet(records: Sequence[Record], title: str, columns: int = COLUMNS) -> PILImage.Image:
    """One picture (RGB) with a card for each record: its pictures, questions, answers, and where it is from.

    Cards stand in columns; the next one goes where there is most room.
    """
    columns = min(columns, max(1, len(records)))
    depths = [HEAD] * columns
    places = []
    for card in map(_card, records):
        column = depths.index(min(depths))
        places.append((card, (GAP + column * (CARD + GAP), depths[column])))
        depths[column] += card.height + GAP
    sheet = PILImage.new("RGB", (columns * (CARD + GAP) + GAP, max(depths)), GROUND)
    ImageDraw.Draw(sheet).text((14, 12), title, font=_font(20), fill=INK)
    for card, place in places:
        sheet.paste(card, place)
    return sheet


def save_sheet(sheet: PILImage.Image, path: Path) -> None:
    """Write a sheet; the file's ending says in which format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {".jpg": {"quality": 85}, ".jpeg": {"quality": 85}, ".webp": {"quality": 80}}
    sheet.save(path, **options.get(path.suffix.lower(), {}))


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
        strong = message.role == "assistant"
        lines += [(part, INK, strong) for part in _wrapped(mark + said, strong)]
    if record.rejected is not None:
        lines += [(part, FAINT, False) for part in _wrapped("x " + record.rejected, False)]
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


def _wrapped(text: str, strong: bool, most: int = 10) -> list[str]:
    """Lines no wider than a picture; what does not fit into `most` lines is left out, and the last says so."""
    font, lines = _font(12, strong), [""]
    for word in text.split():
        while font.getlength(word) > PICTURE:  # a word without spaces, as in many scripts
            word, rest = word[: len(word) // 2], word[len(word) // 2 :]
            lines.append(word)
            word = rest
        longer = f"{lines[-1]} {word}".strip() if lines[-1].strip() else lines[-1] + word
        if font.getlength(longer) > PICTURE:
            lines.append("   " + word)
        else:
            lines[-1] = longer if len(lines) == 1 else "   " + longer.strip()
    return lines if len(lines) <= most else [*lines[: most - 1], "   ..."]


def _font(size: int, strong: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of many scripts where the system has one, else Pillow's own."""
    name = "DejaVuSans-Bold.ttf" if strong else "DejaVuSans.ttf"
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)
