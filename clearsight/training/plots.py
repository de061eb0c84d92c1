"""Plots of a run as SVG that sits inside a page: its text is text, and its colours are the page's.

A plot comes with the words and the rows that say the same to who does not see it. Colours are CSS variables, so that a
page in dark mode needs no second picture; series differ by line and marker as well.
"""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLOURS = ("--one", "--two", "--three", "--four", "--five", "--six")  # the page defines them
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
POINTS = 1500  # of a line; what has more is thinned to its extremes
ROWS = 12  # of the table beside a plot
WIDTH, HEIGHT = 8.6, 2.9  # inches of 72 points


class PlotsMissing(ImportError):
    """The library that draws is not installed."""


@dataclass(frozen=True)
class Series:
    """A line, or marks where `marker` is given. Values may be nan, which leaves a gap."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    marker: str = ""
    faint: bool = False


@dataclass(frozen=True)
class Plot:
    """Series over steps.

    `share` says that 1 is everything, `from_zero` that the axis begins there, `log` that it is logarithmic, `stacked`
    that the series add up.
    """

    title: str
    unit: str
    series: tuple[Series, ...]
    log: bool = False
    share: bool = False
    from_zero: bool = False
    stacked: bool = False

    @property
    def words(self) -> str:
        """What is to be seen, in a sentence: where each line begins, ends, and lies between."""
        told = []
        for series in self.series:
            known = [value for value in series.y if math.isfinite(value)]
            if series.marker:
                told.append(f"{series.name} at {len(known)} steps")
            elif known:
                first, last, low, high = (
                    number(v, self.share) for v in (known[0], known[-1], min(known), max(known))
                )
                told.append(f"{series.name} from {first} to {last}, between {low} and {high}")
        return f"{self.title}: {'; '.join(told) or 'nothing was recorded'}."

    def rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Names of columns, and the values at steps spread evenly over the run."""
        lines = [series for series in self.series if not series.marker]
        steps = sorted({step for series in lines for step in series.x})
        if not steps:
            return ("step",), []
        chosen = sorted({steps[round(i * (len(steps) - 1) / (ROWS - 1))] for i in range(ROWS)})
        columns = [dict(zip(series.x, series.y, strict=True)) for series in lines]
        rows = [
            (f"{step:g}", *(number(c[step], self.share) if step in c else "" for c in columns))
            for step in chosen
        ]
        return ("step", *(series.name for series in lines)), rows

    def svg(self, name: str) -> str:
        """The picture; `name` keeps what it names inside apart from other pictures of the page."""
        figure, axes = _canvas()
        if self.stacked:
            _stack(axes, self.series)
        else:
            for place, series in enumerate(self.series):
                _draw(axes, series, place, LINES[(place - self.series[0].faint) % len(LINES)])
        if self.log:
            _logarithmic(axes)
        elif self.share or self.from_zero:
            axes.set_ylim(bottom=0)
        if self.share:
            axes.yaxis.set_major_formatter(_percent())
        axes.set_xlabel("step")
        axes.set_ylabel(self.unit)
        if len(self.series) > 1:
            beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
            axes.legend(frameon=False, labelcolor=_INK, **beside)
        return _svg(figure, name, self.words)


def bars(title: str, values: dict[str, float], words: str, name: str) -> str:
    """Horizontal bars of parts of a whole (values up to 1), each with its figure."""
    figure, axes = _canvas(height=0.55 + 0.3 * len(values))
    figure.subplots_adjust(left=0.14, bottom=0.05, top=0.95)
    places = range(len(values))
    axes.barh(places, values.values(), color=_placeholder(0), height=0.6)
    axes.set_yticks(places, values)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.set_xlim(0, max(values.values(), default=1.0) * 1.15 or 1.0)
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)
    for place, value in zip(places, values.values(), strict=True):
        axes.annotate(
            f"{value:.1%}", (value, place), (4, 0), textcoords="offset points", va="center", color=_INK
        )
    return _svg(figure, name, f"{title}: {words}")


def smooth(values: Sequence[float], decay: float = 0.95) -> list[float]:
    """Exponential moving average without the pull of its start; what is no number is passed over."""
    found, mean, weight = [], 0.0, 0.0
    for value in values:
        if math.isfinite(value):
            mean, weight = decay * mean + (1 - decay) * value, decay * weight + (1 - decay)
        found.append(mean / weight if weight else math.nan)
    return found


def thinned(x: Sequence[float], y: Sequence[float], most: int = POINTS) -> tuple[list[float], list[float]]:
    """At most about `most` points that keep every extreme: the least and the largest of each stretch."""
    if len(x) <= most:
        return list(x), list(y)
    kept: list[int] = []
    stretches = most // 2
    for i in range(stretches):
        stretch = range(len(x) * i // stretches, len(x) * (i + 1) // stretches)
        known = [place for place in stretch if math.isfinite(y[place])] or [stretch[0]]
        kept += sorted({min(known, key=y.__getitem__), max(known, key=y.__getitem__)})
    return [x[place] for place in kept], [y[place] for place in kept]


def number(value: float, share: bool = False) -> str:
    """As a person writes it."""
    if not math.isfinite(value):
        return str(value)
    if share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


# ---------------------------------------------------------------------------------------------------
# Drawing

_INK = "#010203"  # becomes the colour of the page's text


def _placeholder(place: int) -> str:
    """A colour that stands for the place-th of COLOURS until the picture is written."""
    return f"#0a0b{place % len(COLOURS):02x}"


def _canvas(height: float = HEIGHT) -> tuple[Any, Any]:
    try:
        import matplotlib as library
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotsMissing(
            "the report's plots are drawn with matplotlib; install it with: pip install 'clearsight[train]'"
        ) from None
    settings: Any = {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9.5,
        "text.color": _INK,
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": _INK,
        "grid.alpha": 0.15,
        "axes.formatter.useoffset": False,
    }
    with library.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height))
        # the same margins for all, so that steps stand above each other on the page; room for a legend on the right
        figure.subplots_adjust(0.1, 0.45 / height, 0.79, 1 - 0.12 / height)
        return figure, figure.add_subplot()


def _logarithmic(axes: Any) -> None:
    """Ticks that read 0.5, 1, 2 instead of powers of ten."""
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5), numticks=20))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1)


def _draw(axes: Any, series: Series, place: int, line: Any) -> None:
    if series.marker:
        known = [(x, y) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(y)]
        style = {"color": _placeholder(place), "label": series.name, "markersize": 6, "zorder": 3}
        axes.plot([x for x, _ in known], [y for _, y in known], series.marker, **style)
        return
    x, y = thinned(series.x, series.y)
    finite_y = [value if math.isfinite(value) else math.nan for value in y]
    axes.plot(
        x,
        finite_y,
        linestyle="-" if series.faint else line,
        color=_placeholder(place),
        label=series.name,
        linewidth=0.8 if series.faint else 1.7,
        alpha=0.55 if series.faint else 1.0,
        marker="o" if len(x) == 1 else None,
    )


def _stack(axes: Any, series: Sequence[Series]) -> None:
    bottom = [0.0] * len(series[0].x)
    hatches = ("", "///", "...", "\\\\\\", "xxx", "---")
    for place, one in enumerate(series):
        top = [low + value for low, value in zip(bottom, one.y, strict=True)]
        axes.fill_between(
            one.x,
            bottom,
            top,
            facecolor=_placeholder(place),
            alpha=0.75,
            label=one.name,
            hatch=hatches[place % len(hatches)],
            edgecolor=_INK,
            linewidth=0.3,
        )
        bottom = top
    axes.set_ylim(0, 1)


def _svg(figure: Any, name: str, words: str) -> str:
    import matplotlib as library

    buffer = io.StringIO()
    with library.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)  # it would be that of the whole page
    for reference in (' id="', 'href="#', "url(#"):
        text = text.replace(reference, f"{reference}{name}-")
    for place, colour in enumerate(COLOURS):
        text = text.replace(_placeholder(place), f"var({colour})")
    text = text.replace(_INK, "currentColor")
    label = words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()
