"""A run as a Markdown table for READMEs, and as one page of HTML that needs nothing else: no file, no network.

The page has a plot of every group's score with its interval beside the control's, the same as a table, and answers,
wrong ones first and with their pictures, folded by group. It is made to be read by ear as well, and follows the
reader's light or dark setting. Its script (filters.py) only finds what is there; without it nothing is missing. Of a
long run the page holds the first answers of every group; results.jsonl has all.
"""

import html
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clearsight.data.html_table import TABLE_STYLE, html_table
from clearsight.evals import filters
from clearsight.evals.comparison import read_run
from clearsight.evals.pictures import A_GROUP, data_uri

PAGE, MARKDOWN = "report.html", "report.md"
POINTS = ("section", "points", "of", "share (95%)", "without pictures")
ANSWERS = 1500  # on a page, as equal shares of the groups
LONGEST = 400  # characters of a text of an answer
ROW, LEFT, WIDE = 22, 210, 460  # pixels of the plot

STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #59616b; --one: #2a6fb0; --two: #b5541f; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a9b2bd; --one: #6db3f2; --two: #f0a070; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
.quiet, figcaption { color: var(--quiet); }
svg { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: currentColor; }
article { display: flex; gap: 1rem; margin: 1rem 0; align-items: flex-start; flex-wrap: wrap;
  border-left: .25rem solid var(--line); padding-left: .8rem; }
article[data-state="wrong"] { border-left-color: var(--two); }
article[data-state="unread"] { border-left: .25rem dashed var(--two); }
article img { max-width: 14rem; border: 1px solid var(--line); }
article div { flex: 1 1 16rem; overflow-wrap: anywhere; white-space: pre-line; }
summary { cursor: pointer; padding: .3rem 0; }
.warning { border-left: .3rem solid var(--two); padding-left: .8rem; }
"""


def write(folder: Path) -> tuple[Path, Path]:
    """Write the page and the table of the run in a folder. Raises EvalError when it holds none."""
    found, lines = read_run(folder)
    (folder / MARKDOWN).write_text(markdown(found), encoding="utf-8")
    (folder / PAGE).write_text(page(found, lines, folder), encoding="utf-8")
    return folder / PAGE, folder / MARKDOWN


def markdown(found: dict[str, Any]) -> str:
    """The groups, best first; none is left out."""
    parts = [markdown_table(_rows(found))]
    if "points" in found["all"]:
        points = [f"| {' | '.join(cells)} |" for cells in (POINTS, *_points(found))]
        parts.append("\n".join([points[0], "|---|---:|---:|---|---|", *points[1:]]))
    return "\n\n".join([*parts, "\n".join(found["notes"])]).rstrip() + "\n"


def markdown_table(rows: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Scores by name with what must stand beside them."""
    lines = [
        "| | n | score (95% interval) | without pictures (95% interval) | commonest answer | unread | seen |",
        "|---|---:|---|---|---:|---:|---|",
    ]
    for name, one in rows:
        blind = one.get("blind")
        seen = ("yes" if one["seen"] else "not shown") if blind else ""
        lines.append(
            f"| {name.replace('|', '/')} | {one['n']:,} | {share(one)} | {share(blind) if blind else ''} "
            f"| {one['commonest']:.1%} | {one['unread']:.1%} | {seen} |"
        )
    return "\n".join(lines)


def _points(found: dict[str, Any]) -> list[tuple[str, ...]]:
    return [(name.replace("|", "/"), *points_told(one["points"])) for name, one in _rows(found)]


def points_told(points: dict[str, Any]) -> tuple[str, str, str, str]:
    """Points got, points to be had, the share with its interval, and the control's."""

    def told(one: dict[str, Any]) -> str:
        low, high = one["interval"]
        return f"{one['share']:.1%} ({low:.1%} to {high:.1%})"

    blind = points.get("blind")
    beside = f"{blind['got']:g}: {told(blind)}" if blind else ""
    return f"{points['got']:g}", f"{points['of']:g}", told(points), beside


def share(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    return f"{one['score']:.1%} ({low:.1%} to {high:.1%})"


def page(found: dict[str, Any], lines: Sequence[dict[str, Any]], folder: Path) -> str:
    """The page of a run; pictures of wrong answers are taken from its folder."""
    title = html.escape(f"{found['suite']}: {found['model']}")
    whole = found["all"]
    told = f"{found['about']} {whole['n']:,} questions about {whole['clusters']:,} pictures: {share(whole)} right."
    body = [f"<h1>{title}</h1>", f"<p>{html.escape(told)}</p>"]
    body += [f'<p class="warning">{html.escape(note)}</p>' for note in found["notes"]]
    body += ["<h2>Scores</h2>", _plot(found), _table("Scores by group", _rows(found))]
    if "points" in whole:
        body += ["<h2>Points</h2>", html_table("Points by section", POINTS, _points(found))]
    body += ["<h2>Metrics</h2>", _metrics(found)]
    if "calibration" in found:
        body += ["<h2>Calibration</h2>", _calibration(found["calibration"])]
    body += [filters.form(_skills_of_groups(lines))]
    if found["skills"]:
        body += ["<h2>Skills</h2>", _skills(found["skills"], lines)]
    body += ["<h2>Answers</h2>", *_answers(lines, folder)]
    body += [
        "<h2>Fingerprints</h2>",
        html_table("What this run was made of", ("of", "SHA-256"), _prints(found)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{filters.policy()}">\n'
        f"<title>{title}</title>\n<style>{STYLE}{TABLE_STYLE}{filters.STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + f"\n</main>\n<script>{filters.SCRIPT}</script>\n</body>\n</html>\n"
    )


def _rows(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The whole run and its groups, best first."""
    return [("all", found["all"]), *sorted(found["groups"].items(), key=lambda row: -row[1]["score"])]


def _prints(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [*found["fingerprints"].items(), *((k, str(v)) for k, v in found["settings"].items())]


def _skills(skills: dict[str, Any], lines: Sequence[dict[str, Any]]) -> str:
    """The table of skills; each row says which group it is of, and whether it has right, wrong and unread answers."""
    groups = {line["skill"]: line["group"] for line in lines}
    states: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        states[line["skill"]].add(_state(line))
    rows = sorted(skills.items())
    data = [
        {"group": groups[name], "skill": name, "search": name, "states": " ".join(sorted(states[name]))}
        for name, _ in rows
    ]
    return _table("Scores by skill", rows, data)


def _skills_of_groups(lines: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for line in lines:
        found[line["group"]].update({line["skill"]: None} if line["skill"] else {})
    return {group: list(skills) for group, skills in found.items()}


def _table(
    caption: str, rows: Sequence[tuple[str, dict[str, Any]]], data: Sequence[dict[str, str]] = ()
) -> str:
    names = (
        "",
        "n",
        "pictures",
        "score (95%)",
        "without pictures",
        "commonest",
        "unread",
        "cut off",
        "spread",
        "seen",
    )
    cells = [
        (
            name,
            one["n"],
            one["clusters"],
            share(one),
            share(one["blind"]) if "blind" in one else "",
            f"{one['commonest']:.0%}",
            f"{one['unread']:.1%}",
            f"{one['truncated']:.1%}",
            f"{100 * one['spread']:.1f}" if "spread" in one else "",
            ("yes" if one["seen"] else "not shown") if "seen" in one else "",
        )
        for name, one in rows
    ]
    return html_table(f"{caption}; spread is that of the conventions, in points", names, cells, data)


def _plot(found: dict[str, Any]) -> str:
    """Intervals, one row a group: the model's filled, the control's hollow. The table below says the same."""
    rows = _rows(found)
    height = ROW * len(rows) + 34
    parts = [
        f'<line x1="{_x(s)}" x2="{_x(s)}" y1="4" y2="{height - 28}" stroke="var(--line)"/>'
        f'<text x="{_x(s)}" y="{height - 10}" text-anchor="middle">{s:.0%}</text>'
        for s in (0, 0.25, 0.5, 0.75, 1)
    ]
    for number, (name, one) in enumerate(rows):
        y = ROW * number + 16
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{html.escape(name[:32])}</text>')
        if "blind" in one:
            parts.append(_whisker(one["blind"], y + 4, "--two", "none"))
        parts.append(_whisker(one, y - 2, "--one", "var(--one)"))
    return (
        f'<figure><svg role="img" aria-label="Scores with 95% intervals; the table below holds the figures" '
        f'viewBox="0 0 {LEFT + WIDE + 30} {height}" width="{LEFT + WIDE + 30}">{"".join(parts)}</svg>'
        "<figcaption>Filled: the model. Hollow: the same model without the pictures. Lines are 95% intervals, "
        "which count pictures and not questions.</figcaption></figure>"
    )


def _x(score: float) -> int:
    return round(LEFT + WIDE * score)


def _whisker(one: dict[str, Any], y: int, colour: str, fill: str) -> str:
    low, high = one["interval"]
    return (
        f'<line x1="{_x(low)}" x2="{_x(high)}" y1="{y}" y2="{y}" stroke="var({colour})" stroke-width="2"/>'
        f'<circle cx="{_x(one["score"])}" cy="{y}" r="4" stroke="var({colour})" stroke-width="1.5" fill="{fill}"/>'
    )


def _metrics(found: dict[str, Any]) -> str:
    rows = [
        (name, key, f"{value:.4f}" if isinstance(value, float) else value)
        for name, one in found["metrics"].items()
        for key, value in one.items()
        if not isinstance(value, dict)
    ]
    rows += [("all, under", name, f"{value:.4f}") for name, value in found["all"].get("under", {}).items()]
    rows += [("published", name, f"{value:g}") for name, value in found["published"].items()]
    return html_table("What each metric says of all its replies", ("metric", "figure", "value"), rows)


def _calibration(found: dict[str, Any]) -> str:
    told = (
        f"ECE {found['ece']:.3f}, of which {found['expected_by_chance']:.3f} would be expected of a perfect model on "
        f"{found['n']:,} replies. Brier score {found['brier']:.3f}; "
        f"confidence less score {found['overconfidence']:+.3f}."
    )
    rows = [(f"{one['confidence']:.3f}", one["n"], f"{one['right']:.1%}") for one in found["bins"]]
    return f"<p>{told}</p>" + html_table("Replies by confidence", ("confidence", "n", "right"), rows)


def _state(line: dict[str, Any]) -> str:
    if not line["parsed"]:
        return "unread"
    return "right" if line["score"] >= 1 else "wrong"


def _answers(lines: Sequence[dict[str, Any]], folder: Path) -> list[str]:
    """Each group's answers, folded: wrong and unread ones first, as many as its share of the page has room for."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["score"] >= 1):
        groups[line["group"]].append(line)
    room = max(A_GROUP, ANSWERS // max(1, len(groups)))
    parts = [_group(name or "all", some, some[:room], folder) for name, some in sorted(groups.items())]
    shown = sum(min(room, len(some)) for some in groups.values())
    if shown < len(lines):
        told = f"Of {len(lines):,} answers {shown:,} are on this page; results.jsonl beside it holds all."
        parts.insert(0, f'<p class="quiet">{told}</p>')
    return parts


def _group(name: str, some: list[dict[str, Any]], shown: list[dict[str, Any]], folder: Path) -> str:
    states = Counter(map(_state, some))
    counts = ", ".join(f"{states[state]:,} {state}" for state in filters.STATES if states[state])
    head = f"{html.escape(name)}: {counts}" + (f"; {len(shown):,} shown" if len(shown) < len(some) else "")
    body = "".join(_answer(line, folder if n < A_GROUP else None) for n, line in enumerate(shown))
    return f'<details class="group"><summary>{head}<span class="left quiet"></span></summary>{body}</details>'


def _answer(line: dict[str, Any], folder: Path | None) -> str:
    """One answer, with its pictures if they lie in `folder`."""
    state = _state(line)
    pictures = [uri for sha256 in line["pictures"] if folder and (uri := data_uri(folder, sha256))]
    shown = "".join(
        f'<img src="{uri}" alt="picture {n} of this question">'
        for n, uri in enumerate(pictures if state != "right" else (), 1)
    )
    partly = f", but for a part ({line['score']:.2f})" if state == "wrong" and line["score"] else ""
    facts = [
        ("Question", line["question"]),
        ("Right", line["answer"]),
        ("Explained", line.get("explanation", "")),
        ("Said", line["reply"] or line.get("error") or "(nothing)"),
        ("Read as", line["reading"] if line["parsed"] else "could not be read"),
        ("Without pictures", line.get("blind", {}).get("reply", "")),
        ("Skill", f"{line['skill']} ({line['id']})"),
    ]
    rows = "".join(f"<br><b>{name}:</b> {html.escape(value[:LONGEST])}" for name, value in facts if value)
    marks = f'data-state="{state}" data-group="{html.escape(line["group"])}" data-skill="{html.escape(line["skill"])}"'
    return f"<article {marks}>{shown}<div><b>{state.capitalize()}</b>{partly}{rows}</div></article>"
