"""Tables of the HTML reports: with caption and headings that a screen reader finds, and room to scroll when wide."""

import html
from collections.abc import Sequence
from typing import Any


def html_table(caption: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table as HTML; the first cell of a row heads it, whole numbers stand to the right. All text is escaped."""

    def cell(value: Any, first: bool) -> str:
        whole = isinstance(value, int) and not isinstance(value, bool)
        text = f"{value:,}" if whole else html.escape(str(value))
        if first:
            return f'<th scope="row">{text}</th>'
        return f'<td class="number">{text}</td>' if whole else f"<td>{text}</td>"

    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    lines = ["<tr>" + "".join(cell(value, not i) for i, value in enumerate(row)) + "</tr>" for row in rows]
    return (
        f'<div class="wide" role="region" aria-label="{html.escape(caption)}" tabindex="0"><table>'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
