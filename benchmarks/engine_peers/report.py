"""Figures for people: a table in the terminal, and a drawing."""

from pathlib import Path

from rich.table import Table

from benchmarks.engine_peers.contenders import OURS, Contender
from benchmarks.engine_peers.figures import MANY, MEASURES, Figures, Measure

COLOURS = {
    OURS: "#0b6e4f",
    "oracle": "#9bc1b0",
    "transformers": "#c8553d",
    "llama.cpp": "#3d5a80",
    "OpenVINO": "#7a5195",
    "vLLM": "#e0a030",
}


def shown(measure: Measure, value: float) -> str:
    if measure.unit == "ms":
        return f"{value * 1000:,.0f}"
    return f"{value:,.{measure.digits}f}"


def table(figures: Figures, rounds: int) -> Table:
    """A row for each contender: medians, below them the least and the most that was seen; a column's best in bold."""
    result = Table(title=f"medians of n = {rounds}, and the range", title_justify="left", header_style="bold")
    result.add_column("", no_wrap=True)
    result.add_column("bits", justify="right")
    for measure in MEASURES:
        result.add_column(
            "\n".join([*measure.title.split(", "), measure.unit]), justify="right", no_wrap=True
        )
    result.add_column("peak\nmemory\nGB", justify="right")
    result.add_column("first\nwords", justify="right")
    medians = {
        measure.name: [
            m for one in figures.contenders if (m := figures.median(one, measure.name)) is not None
        ]
        for measure in MEASURES
    }
    best = {measure.name: measure.better(medians[measure.name], default=None) for measure in MEASURES}
    before = None
    for one in sorted(figures.contenders, key=lambda one: -one.bits):
        if one.name not in figures.seen:
            continue
        if before not in (None, one.bits):
            result.add_section()
        before = one.bits
        cells = [_cell(figures, one, measure, best[measure.name]) for measure in MEASURES]
        memory = figures.memory.get(one.name, {}).get("peak_gb")
        cells.append("" if memory is None else f"{memory:.2f}")
        result.add_row(one.name, one.width, *cells, figures.agreement.get(one.name, ""))
    return result


def _cell(figures: Figures, one: Contender, measure: Measure, best: float | None) -> str:
    values, median = figures.values(one, measure.name), figures.median(one, measure.name)
    if median is None:
        return ""
    text = shown(measure, median)
    if median == best:
        text = f"[bold]{text}[/]"
    if len(values) > 1:
        text += f"\n[dim]{shown(measure, min(values))}–{shown(measure, max(values))}[/]"
    return text


def draw(figures: Figures, path: Path, caption: str) -> None:
    """Bars for each contender, side by side by width, and lines for chats at once."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams |= {"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "clearsight"}
    drawing, places = plt.subplots(2, 3, figsize=(15, 9), layout="constrained")
    names = ("prefill", "decode", "first_1", "first_9", "under_load")
    measures = {measure.name: measure for measure in MEASURES}
    for name, axes in zip(names, places.flat, strict=False):
        _bars(axes, figures, measures[name])
    _lines(places.flat[-1], figures)
    drawing.suptitle(caption, fontsize=9, color="#555555")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, metadata={"Date": None})
    plt.close(drawing)


def _bars(axes, figures: Figures, measure: Measure) -> None:
    rows = [one for one in figures.contenders if figures.values(one, measure.name)]
    rows.sort(key=lambda one: (one.bits, figures.median(one, measure.name)))
    scale = 1000 if measure.unit == "ms" else 1
    for place, one in enumerate(rows):
        values = [value * scale for value in figures.values(one, measure.name)]
        middle = figures.median(one, measure.name) * scale
        axes.barh(place, middle, color=_colour(one), height=0.7)
        axes.plot([min(values), max(values)], [place, place], color="#222222", linewidth=1)
        axes.annotate(
            f" {middle:,.{measure.digits}f}", (max([middle, *values]), place), va="center", fontsize=8
        )
    axes.set_yticks(range(len(rows)), [f"{one.name} ({one.width} bits)" for one in rows])
    axes.set_title(f"{measure.title}, {measure.unit}", loc="left", fontweight="bold")
    if measure.better is min:
        axes.set_xlabel("less is better", color="#555555")
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def _lines(axes, figures: Figures) -> None:
    styles = {16: ":", 8: "-", 4: "--"}
    for one in figures.contenders:
        points = [(n, median) for n in MANY if (median := figures.median(one, f"chats_{n}")) is not None]
        if points:
            axes.plot(
                *zip(*points, strict=True),
                styles[one.bits],
                color=_colour(one),
                marker="o",
                markersize=3,
                label=f"{one.name} ({one.width})",
            )
    axes.set_xticks(MANY)
    axes.set_ylim(bottom=0)
    axes.set_title("chats at once, tok/s in all", loc="left", fontweight="bold")
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _colour(one: Contender) -> str:
    return COLOURS.get(one.program, "#777777")
