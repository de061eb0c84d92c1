"""What curation did, as data and as one page of HTML that needs nothing else: no script, no other file, no network.

The page is made to be read by ear as well: headings in order, a caption to every table, a text to every picture, and
the plot's figures in the table beside it. It follows the reader's light or dark setting.
"""

import base64
import html
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image as PILImage

from clearsight.data.curation.extras import require
from clearsight.data.curation.mixing import Share
from clearsight.data.curation.store import Store
from clearsight.data.curation.texts import texts_of
from clearsight.data.html_table import TABLE_STYLE, html_table
from clearsight.processing.images import ImageError, decode

THUMBNAIL = 160  # pixels of the longer side
PICTURES_SHOWN = 2  # of a record
TEXT_SHOWN = 400  # characters


@dataclass(frozen=True)
class Shown:
    """A record as the report shows it: thumbnails as JPEG files, and the beginning of its text."""

    id: str
    source: str
    text: str
    thumbnails: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Example:
    """One removed record, why, and the record it is like if there is one."""

    reason: str
    detail: str
    removed: Shown
    like: Shown | None = None


@dataclass(frozen=True)
class StepReport:
    """One step: records before and after, removed ones by reason, and examples."""

    name: str
    title: str
    before: int
    after: int
    reasons: dict[str, int]
    note: str = ""
    skipped: str = ""
    seconds: float = 0.0
    examples: tuple[Example, ...] = ()

    @property
    def removed(self) -> int:
        return self.before - self.after


@dataclass(frozen=True)
class Report:
    """The steps in their order, the sources that are left, and how it was asked for."""

    steps: tuple[StepReport, ...]
    mixture: tuple[Share, ...]
    options: dict[str, Any]
    folder: Path

    @property
    def before(self) -> int:
        return self.steps[0].before

    @property
    def after(self) -> int:
        return self.steps[-1].after

    def removed_rows(self) -> dict[int, tuple[str, str]]:
        """Step and reason of every removed record, by its place in the input."""
        return {
            row: (step.name, reason)
            for step in self.steps
            for row, reason in zip(*_removed(self.folder, step.name, "row", "reason"), strict=True)
        }

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, without the examples."""
        return {
            "before": self.before,
            "after": self.after,
            "steps": [{k: v for k, v in vars(step).items() if k != "examples"} for step in self.steps],
            "mixture": [vars(share) for share in self.mixture],
            "options": self.options,
        }

    @classmethod
    def from_folder(cls, folder: str | Path) -> "Report":
        """Read a finished curation. Raises FileNotFoundError when there is none."""
        from clearsight.data.curation.steps import STEPS

        folder = Path(folder)
        asked = json.loads((folder / "curation.json").read_text())
        stores = (
            Store(folder / "records"),
            {name: Store(folder / "evaluation" / name) for name in asked["evaluation_sets"]},
        )
        steps = []
        for step in STEPS:
            told = json.loads((folder / "stages" / step.name / "stage.json").read_text())
            reasons = Counter(_removed(folder, step.name, "reason")[0])
            examples = _examples(folder, step.name, asked["options"]["examples"], *stores)
            steps.append(StepReport(**told, reasons=dict(reasons.most_common()), examples=examples))
        shares = json.loads((folder / "stages" / "mixing" / "mixing.json").read_text())
        return cls(tuple(steps), tuple(Share(**share) for share in shares), asked["options"], folder)


def _removed(folder: Path, step: str, *names: str) -> list[list[Any]]:
    parquet = require("pyarrow.parquet", "to read results")
    table = parquet.read_table(folder / "stages" / step / "removed.parquet", columns=list(names))
    return [table[name].to_pylist() for name in names]


def _examples(
    folder: Path, step: str, count: int, store: Store, evaluation: dict[str, Store]
) -> tuple[Example, ...]:
    """Examples of every reason in turn, spread evenly over the removed records."""
    columns = _removed(folder, step, "row", "reason", "detail", "like", "like_is_evaluation")
    by_reason: dict[str, list[tuple[Any, ...]]] = {}
    for removal in zip(*columns, strict=True):
        by_reason.setdefault(removal[1], []).append(removal)
    drawn = []
    for removals in by_reason.values():
        share = -(-count // len(by_reason))
        drawn += [removals[i * len(removals) // share] for i in range(min(share, len(removals)))]
    drawn = drawn[:count]
    shown = _shown(
        store, {row for row, *_ in drawn} | {like for *_, like, of in drawn if like is not None and not of}
    )
    its = {
        name: _shown(
            one, {like for _, _, detail, like, of in drawn if of and detail == name and like is not None}
        )
        for name, one in evaluation.items()
    }
    return tuple(
        Example(reason, detail, shown[row], its[detail][like] if of and like is not None else shown.get(like))
        for row, reason, detail, like, of in drawn
    )


def _shown(store: Store, rows: set[int]) -> dict[int, Shown]:
    if not rows:
        return {}
    parquet = require("pyarrow.parquet", "to read records")
    names = ["row", "id", "json", "pictures", "source"]
    table = parquet.read_table(store.folder, columns=names, filters=[("row", "in", rows)])
    return {
        row["row"]: Shown(
            row["id"],
            row["source"],
            "\n".join(texts_of(json.loads(row["json"])))[:TEXT_SHOWN],
            tuple(filter(None, map(_thumbnail, row["pictures"][:PICTURES_SHOWN]))),
        )
        for row in table.to_pylist()
    }


def _thumbnail(data: bytes) -> bytes:
    """JPEG; empty for a picture that can't be decoded."""
    try:
        picture = decode(data)
    except ImageError:
        return b""
    picture.thumbnail((THUMBNAIL, THUMBNAIL), PILImage.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


# ---------------------------------------------------------------------------------------------------
# The page

STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #2a6fb0; --gone: #b5541f; --quiet: #59616b; }
@media (prefers-color-scheme: dark) { :root { --bar: #6db3f2; --gone: #f0a070; --quiet: #a9b2bd; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
.quiet { color: var(--quiet); }
svg text { fill: currentColor; font: 14px system-ui, sans-serif; }
ul.examples { list-style: none; padding: 0; display: grid; gap: 1rem; }
ul.examples { grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
ul.examples > li { border: 1px solid var(--line); border-radius: .5rem; padding: .8rem; overflow-wrap: anywhere; }
ul.examples img { max-width: 100%; margin: .2rem .4rem .2rem 0; border: 1px solid var(--line); }
blockquote { margin: .3rem 0; padding-left: .6rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
"""


def write_report(report: Report, path: str | Path) -> Path:
    """Write the page; returns its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_html(report), encoding="utf-8")
    return path


def to_html(report: Report) -> str:
    share = report.after / report.before if report.before else 0.0
    body = [
        "<h1>Curation report</h1>",
        f"<p>{report.after:,} of {report.before:,} records are kept ({share:.1%}).</p>",
        "<h2>Steps</h2>",
        _steps_table(report),
        _plot(report),
        "<h2>Sources that are left</h2>",
        _mixture_table(report),
        "<h2>Examples of what was removed</h2>",
        *(_examples_section(step) for step in report.steps if step.examples),
        "<h2>Options</h2>",
        html_table("What the curation was asked to do", ("option", "value"), list(report.options.items())),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Curation report</title>\n<style>{STYLE}{TABLE_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _steps_table(report: Report) -> str:
    rows = []
    for step in report.steps:
        reasons = "; ".join(f"{reason}: {count:,}" for reason, count in step.reasons.items())
        told = f"skipped: {step.skipped}" if step.skipped else ". ".join(filter(None, [reasons, step.note]))
        rows.append(
            (step.title, step.before, step.removed, step.after, told or "nothing", f"{step.seconds:.1f} s")
        )
    names = ("step", "before", "removed", "after", "reasons and notes", "time")
    return html_table("What each step removed, in the order of the steps", names, rows)


def _mixture_table(report: Report) -> str:
    rows = [
        (s.source, s.records, s.pictures, s.words, f"{s.share:.1%}", f"{s.wished:.1%}", f"{s.factor:.2f}")
        for s in report.mixture
    ]
    names = ("source", "records", "pictures", "words", "share", "wished share", "draw each")
    return html_table("How much there is of each source, and how often to draw it", names, rows)


def _plot(report: Report) -> str:
    """Bars of what remained after each step; the part that went is hatched by colour and named in the text."""
    left, width, height = 190, 520, 26
    most = max(report.before, 1)
    lines = []
    for place, step in enumerate(report.steps):
        y = place * height
        kept, gone = width * step.after / most, width * step.removed / most
        lines.append(
            f'<text x="{left - 8}" y="{y + 18}" text-anchor="end">{html.escape(step.title)}</text>'
            f'<rect x="{left}" y="{y + 4}" width="{kept:.1f}" height="{height - 8}" fill="var(--bar)"/>'
            f'<rect x="{left + kept:.1f}" y="{y + 4}" width="{gone:.1f}" height="{height - 8}" fill="var(--gone)"/>'
            f'<text x="{left + kept + gone + 8:.1f}" y="{y + 18}">{step.after:,}</text>'
        )
    total = len(report.steps) * height
    told = f"Records left after each step, from {report.before:,} to {report.after:,}; the table above has the figures."
    return (
        f'<figure><svg viewBox="0 0 {left + width + 90} {total}" role="img" aria-label="{told}" width="100%">'
        f"{''.join(lines)}</svg><figcaption>Records left after each step; the second colour is what it removed."
        "</figcaption></figure>"
    )


def _examples_section(step: StepReport) -> str:
    items = []
    for example in step.examples:
        parts = [f"<h4>{html.escape(example.reason.capitalize())}</h4>"]
        if example.detail:
            parts.append(f'<p class="quiet">{html.escape(example.detail)}</p>')
        parts.append(_record("Removed", example.removed))
        if example.like:
            parts.append(_record("Like this one", example.like))
        items.append(f"<li>{''.join(parts)}</li>")
    return (
        f"<h3>{html.escape(step.title)}: {step.removed:,} removed</h3>"
        f'<ul class="examples" aria-label="Examples of the step {html.escape(step.title)}">{"".join(items)}</ul>'
    )


def _record(label: str, shown: Shown) -> str:
    text = html.escape(shown.text)
    first = html.escape(" ".join(shown.text.split())[:120], quote=True)
    pictures = "".join(
        f'<img src="data:image/jpeg;base64,{base64.b64encode(data).decode()}" '
        f'alt="Picture {number} of the record that says: {first}">'
        for number, data in enumerate(shown.thumbnails, 1)
    )
    return (
        f"<p><strong>{label}</strong>, from {html.escape(shown.source)}, record {shown.id[:12]}</p>"
        f"{pictures}<blockquote>{text}</blockquote>"
    )
