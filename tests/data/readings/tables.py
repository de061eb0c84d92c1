"""Answers about tables, read from the words that lie in each cell's box."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN, numbers_in
from clearsight.data.worlds.scene import Question, Scene


def _within(scene: Scene, box: list[float]) -> str:
    """What is written in a box, words in their order."""
    left, top, right, bottom = box
    return " ".join(
        p.label
        for p in scene.placed
        if p.kind == "word" and left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    )


class Grid:
    """The table by what is written: `text(row, column)` and `number(row, column)`."""

    def __init__(self, scene: Scene):
        self.scene, facts = scene, scene.facts
        self.columns = [column["header"] for column in facts["columns"]]
        self.units = {column["header"]: column["unit"] for column in facts["columns"]}
        for column in facts["columns"]:
            header = _within(scene, column["box"])
            assert header == column["header"] + (f" ({column['unit']})" if column["unit"] else "")
        self.rows: dict[str, list[dict[str, Any]]] = {}
        for row in facts["rows"]:
            left = row["cells"][0]["box"][0]
            name = _within(scene, [0, row["box"][1], left, row["box"][3]])
            assert name.removesuffix(row["name"]).strip().isdigit() or name == row["name"]
            self.rows[row["name"]] = row["cells"]

    def text(self, row: str, column: str) -> str:
        return _within(self.scene, self.rows[row][self.columns.index(column)]["box"])

    def number(self, row: str, column: str) -> float:
        (value,) = numbers_in(self.text(row, column))
        return value

    def column(self, column: str) -> dict[str, float]:
        return {row: self.number(row, column) for row in self.rows}


def read(scene: Scene, question: Question) -> str:
    about, grid, facts = question.about, Grid(scene), scene.facts
    match question.skill:
        case "cell":
            return grid.text(about["row"], about["column"])
        case "empty cell":
            assert grid.text(about["row"], about["column"]) in ("", "-", "n/a")
            return NOT_SHOWN
        case "cell that can't be read":
            assert grid.text(about["row"], about["column"]) == ""
            cell = grid.rows[about["row"]][grid.columns.index(about["column"])]
            assert not cell["legible"] and not cell["empty"]
            return CANT_BE_READ
        case "absent row":
            assert about["row"] not in grid.rows and about["column"] in grid.columns
            return NOT_SHOWN
        case "absent column":
            assert about["row"] in grid.rows and about["column"] not in grid.columns
            return NOT_SHOWN
        case "highest":
            return max(grid.column(about["column"]).items(), key=lambda item: item[1])[0]
        case "lowest":
            return min(grid.column(about["column"]).items(), key=lambda item: item[1])[0]
        case "higher":
            a, b = (grid.number(about[key], about["column"]) for key in "ab")
            return "yes" if a > b else "no"
        case "difference":
            a, b = (grid.number(about[key], about["column"]) for key in "ab")
            return f"{abs(a - b):.4f}"
        case "sum":
            return f"{sum(grid.number(about[key], about['column']) for key in 'ab'):.4f}"
        case "column sum":
            return f"{sum(grid.column(about['column']).values()):.4f}"
        case "total":
            return _within(scene, facts["total"][grid.columns.index(about["column"])])
        case "rows above":
            return str(sum(value > about["least"] for value in grid.column(about["column"]).values()))
        case "names above":
            return ", ".join(
                row for row, value in grid.column(about["column"]).items() if value > about["least"]
            )
        case "sorted":
            values = grid.column(about["column"])
            return ", ".join(sorted(values, key=lambda row: -values[row]))
        case "rows with a label":
            return str(sum(grid.text(row, about["column"]) == about["label"] for row in grid.rows))
        case "row with a value":
            (row,) = [row for row in grid.rows if grid.text(row, about["column"]) == about["entry"]]
            return row
        case "row with a gap":
            i = grid.columns.index(about["column"])
            gaps = [row for row, cells in grid.rows.items() if cells[i]["legible"]]
            (row,) = [row for row in gaps if grid.text(row, about["column"]) in ("", "-", "n/a")]
            return row
        case "rows":
            return str(sum(p.label == "row" for p in scene.placed if p.kind == "object"))
        case "headings":
            return ", ".join([facts["key"], *grid.columns])
        case "row below":
            rows = list(grid.rows)
            return rows[rows.index(about["row"]) + 1]
        case "highest across":
            return max(grid.columns, key=lambda column: grid.number(about["row"], column))
        case "group":
            (group,) = [group for group, headers in facts["groups"].items() if about["column"] in headers]
            box = next(c["box"] for c in facts["columns"] if c["header"] == about["column"])
            words = [p for p in scene.placed if p.kind == "word" and p.label == group.split()[0]]
            assert any(p.box[3] <= box[1] + 6 for p in words)
            return group
        case "unit":
            return grid.units[about["column"]]
        case "highlighted":
            return facts["highlighted"]
        case "title":
            return facts["title"]
        case "cell by address":
            column, number = about["address"][0], about["address"][1:]
            across = next(p for p in scene.placed if p.kind == "word" and p.label == column)
            down = [
                p for p in scene.placed if p.kind == "word" and p.label == number and p.box[2] < across.box[0]
            ]
            down = min(down, key=lambda p: p.box[0])
            x, y = across.middle[0], down.middle[1]
            return next(
                grid.text(row, column)
                for row, cells in grid.rows.items()
                for column, cell in zip(grid.columns, cells, strict=True)
                if cell["box"][0] <= x <= cell["box"][2] and cell["box"][1] <= y <= cell["box"][3]
            )
        case "point to a cell":
            left, top, right, bottom = grid.rows[about["row"]][grid.columns.index(about["column"])]["box"]
            width, height = scene.picture.size
            return f"({(left + right) / 2 / width * 1000:.0f}, {(top + bottom) / 2 / height * 1000:.0f})"
        case "box of a row":
            (row,) = [row for row in facts["rows"] if row["name"] == about["row"]]
            sides = zip(row["box"], scene.picture.size * 2, strict=True)
            return "({}, {}, {}, {})".format(*(round(1000 * side / length) for side, length in sides))
    raise AssertionError(f"no reading for {question.skill!r}")
