"""Tables of the HTML reports: with caption and headings that a screen reader finds, and room to scroll when wide."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

TABLE_STYLE = """
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
"""
"""How tables look; a page defines --line."""


def html_table(
    caption: str,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    data: Sequence[Mapping[str, str]] = (),
) -> str:
    """A table as HTML; the first cell of a row heads it, whole numbers stand to the right. All text is escaped.

    `data` are the data attributes of each row, for a script.
    """

    def cell(value: Any, first: bool) -> str:
        whole = isinstance(value, int) and not isinstance(value, bool)
        text = f"{value:,}" if whole else html.escape(str(value))
        if first:
            return f'<th scope="row">{text}</th>'
        return f'<td class="number">{text}</td>' if whole else f"<td>{text}</td>"

    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    marks = [
        "".join(f' data-{name}="{html.escape(value)}"' for name, value in one.items())
        for one in data or [{}] * len(rows)
    ]
    lines = [
        f"<tr{mark}>" + "".join(cell(value, not i) for i, value in enumerate(row)) + "</tr>"
        for row, mark in zip(rows, marks, strict=True)
    ]
    return (
        f'<div class="wide" role="region" aria-label="{html.escape(caption)}" tabindex="0"><table>'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
