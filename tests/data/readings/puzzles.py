"""Answers to puzzles, solved again from the squares, walls, pips and shapes that were drawn."""

from collections import Counter
from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

SQUARES = [f"{row} {column}" for row in ("top", "middle", "bottom") for column in ("left", "middle", "right")]
SQUARES[4], LETTERS = "centre", "abcdefgh"


def _three(cells: list[list[str]]) -> str | None:
    columns = [list(column) for column in zip(*cells, strict=True)]
    diagonals = [[cells[i][i] for i in range(3)], [cells[i][2 - i] for i in range(3)]]
    return next(
        (line[0] for line in [*cells, *columns, *diagonals] if line[0] and line == line[:1] * 3), None
    )


def _noughts(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    cells = facts["cells"]
    flat = [text for row in cells for text in row]
    match skill:
        case "marks":
            return str(flat.count(about["mark"]))
        case "winner":
            return _three(cells) or "nobody"
        case "turn":
            return "X" if flat.count("X") == flat.count("O") else "O"
        case "winning square":
            found = []
            for index, text in enumerate(flat):
                tried = [about["player"] if i == index else t for i, t in enumerate(flat)]
                if not text and _three([tried[:3], tried[3:6], tried[6:]]):
                    found.append(SQUARES[index])
            (only,) = found
            return only
    raise AssertionError(skill)


def _numbers(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    cells = facts["cells"]
    gap = next(((r, c) for r, row in enumerate(cells) for c, text in enumerate(row) if text == "?"), None)
    match skill:
        case "missing digit":
            fitting = []
            for digit in "1234":
                tried = [[digit if (r, c) == gap else cells[r][c] for c in range(4)] for r in range(4)]
                lines = [*tried, *zip(*tried, strict=True)]
                lines += [[tried[r + i // 2][c + i % 2] for i in range(4)] for r in (0, 2) for c in (0, 2)]
                if all(max(Counter(t for t in line if t).values(), default=0) <= 1 for line in lines):
                    fitting.append(digit)
            (only,) = fitting
            return only
        case "missing number":
            whole = next(column for column in zip(*cells, strict=True) if "?" not in column)
            (column,) = [column for column in zip(*cells, strict=True) if "?" in column]
            return str(sum(map(int, whole)) - sum(int(text) for text in column if text != "?"))
        case "mistake":
            return "yes" if any(row.count(digit) > 1 for row in cells for digit in "1234") else "no"
        case "row lacks":
            return ", ".join(sorted(set("1234") - set(cells[about["row"] - 1])))
        case "row sum":
            return str(sum(int(text) for text in cells[about["row"] - 1]))
        case "extreme":
            numbers = sorted(int(text) for row in cells for text in row)
            return str(numbers[-1 if about["most"] == "largest" else 0])
        case "row of number":
            (row,) = [r for r, row in enumerate(cells, 1) if str(about["number"]) in row]
            return str(row)
        case "row of absent number":
            assert all(str(about["number"]) not in row for row in cells)
            return NOT_SHOWN
    raise AssertionError(skill)


def _crossword(facts: dict[str, Any], question: Question) -> str:
    cells, about = facts["cells"], question.about
    places = {entry["name"]: [(r - 1, c - 1) for r, c in entry["places"]] for entry in facts["entries"]}
    letters = {name: [cells[r][c] for r, c in squares] for name, squares in places.items()}
    match question.skill:
        case "entry":
            return "".join(letters[about["entry"]])
        case "entry that can't be read":
            assert None in letters[about["entry"]] and "" not in letters[about["entry"]]
            return CANT_BE_READ
        case "entry that isn't there":
            assert about["entry"] not in letters
            return NOT_SHOWN
        case "length":
            return str(len(letters[about["entry"]]))
        case "crossing":
            ((r, c),) = set(places[about["a"]]) & set(places[about["b"]])
            return cells[r][c]
        case "what fits":
            wanted, fits = letters[about["entry"]], []
            for word in question.choices:
                if all(a in ("", b) for a, b in zip(wanted, word, strict=True)):
                    fits.append(word)
            (only,) = fits
            return only
    raise AssertionError(question.skill)


def _pieces(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    cells, sides = facts["cells"], facts["sides"]
    count = len(cells)
    at = {f"{LETTERS[c]}{count - r}": (sides[r][c], cells[r][c]) for r in range(count) for c in range(count)}
    match skill:
        case "piece on square":
            return at[about["square"]][1]
        case "piece that can't be read":
            assert at[about["square"]][0] and at[about["square"]][1] is None
            return CANT_BE_READ
        case "piece on an empty square":
            assert not at[about["square"]][0]
            return NOT_SHOWN
        case "pieces of a side":
            return str(sum(side == about["side"] for side, _ in at.values()))
        case "square of piece":
            (only,) = [name for name, piece in at.items() if piece == (about["side"], about["piece"])]
            return only
        case "square of absent piece":
            assert (about["side"], about["piece"]) not in at.values()
            return NOT_SHOWN
        case "straight move":
            (a, one), (b, two) = ((LETTERS.index(name[0]), int(name[1])) for name in (about["a"], about["b"]))
            if a != b and one != two:
                return "no"
            steps = max(abs(a - b), abs(one - two))
            way = [(a + (b - a) * i // steps, one + (two - one) * i // steps) for i in range(1, steps + 1)]
            return "no" if any(at[f"{LETTERS[file]}{rank}"][0] for file, rank in way) else "yes"
    raise AssertionError(skill)


def _maze(facts: dict[str, Any], question: Question) -> str:
    about, exits = question.about, facts["exits"]
    reached, edge = set(), [tuple(facts["start"])]
    passages = [tuple(map(tuple, pair)) for pair in facts["passages"]]
    while edge:
        cell = edge.pop()
        reached.add(cell)
        edge += [b for pair in passages for a, b in (pair, pair[::-1]) if a == cell and b not in reached]
    (out,) = [letter for letter, opening in exits.items() if tuple(opening["cell"]) in reached]
    match question.skill.split(",")[0]:
        case "exit":
            if question.skill.endswith("smudged"):
                assert out in facts["smudged"]
                return CANT_BE_READ
            return out
        case "leads":
            return "yes" if about["letter"] == out else "no"
        case "exit side":
            return exits[about["letter"]]["side"]
        case "exit that isn't there":
            assert about["letter"] not in exits and not facts["smudged"]
            return NOT_SHOWN
    raise AssertionError(question.skill)


def _letter(facts: dict[str, Any], letter: str, skill: str) -> str:
    if skill.endswith(", smudged"):
        assert letter in facts["smudged"]
        return CANT_BE_READ
    assert letter not in facts["smudged"]
    return letter


def _dice(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    dice = facts["dice"]
    match skill:
        case "dice sum":
            return str(sum(die["pips"] for die in dice))
        case "dice with":
            return str(sum(die["pips"] == about["pips"] for die in dice))
        case "die":
            (only,) = [die for die in dice if die["colour"] == about["colour"]]
            return str(only["pips"])
        case "die that isn't there":
            assert about["colour"] not in {die["colour"] for die in dice}
            return NOT_SHOWN
    raise AssertionError(skill)


def _dominoes(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    tiles = {tile["letter"]: (tile["upper"], tile["lower"]) for tile in facts["tiles"]}
    match skill.split(",")[0]:
        case "tile sum":
            return str(sum(tiles[about["letter"]]))
        case "tile half":
            return str(tiles[about["letter"]][about["half"] == "lower"])
        case "tile with most":
            return _letter(facts, max(tiles, key=lambda letter: sum(tiles[letter])), skill)
        case "tile letter":
            (only,) = [letter for letter, pips in tiles.items() if pips == (about["upper"], about["lower"])]
            return _letter(facts, only, skill)
        case "tile that isn't there":
            assert about["letter"] not in tiles and not facts["smudged"]
            return NOT_SHOWN
    raise AssertionError(skill)


def _odd(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    things = {t["letter"]: (t["colour"], t["shape"], t["size"], t["turn"]) for t in facts["things"]}
    common = Counter(things.values()).most_common(1)[0][0]
    (odd,) = [letter for letter, looks in things.items() if looks != common]
    match skill.split(",")[0]:
        case "odd one":
            return _letter(facts, odd, skill)
        case "how odd":
            names = ("colour", "shape", "size", "direction")
            (only,) = [n for n, a, b in zip(names, things[odd], common, strict=True) if a != b]
            return only
        case "colour of thing":
            return things[about["letter"]][0]
        case "thing that isn't there":
            assert about["letter"] not in things
            return NOT_SHOWN
    raise AssertionError(skill)


def _pattern(facts: dict[str, Any], about: dict[str, Any]) -> str:
    model, size = facts["model"], len(facts["model"])
    changed = {
        "mirrored left to right": [[row[size - 1 - c] for c in range(size)] for row in model],
        "turned clockwise by a quarter": [[model[size - 1 - c][r] for c in range(size)] for r in range(size)],
        "unchanged": model,
    }[about["change"]]
    (only,) = [letter for letter, cells in facts["options"].items() if cells == changed]
    return only


def _matrix(facts: dict[str, Any], skill: str, about: dict[str, Any]) -> str:
    cells = facts["cells"]
    match skill:
        case "matrix":
            wanted = {}
            for name in ("shape", "colour", "number"):
                row, other = [cells[0][c][name] for c in range(3)], [cells[1][c][name] for c in range(3)]
                wanted[name] = row[2] if row == other else cells[2][0][name]
            (only,) = [letter for letter, option in facts["options"].items() if option == wanted]
            return only
        case "shapes in cell":
            return str(cells[about["row"] - 1][about["column"] - 1]["number"])
        case "shapes outside":
            assert about["row"] > len(cells)
            return NOT_SHOWN
    raise AssertionError(skill)


def read(scene: Scene, question: Question) -> str:
    facts, about, skill = scene.facts, question.about, question.skill
    cells = facts.get("cells")
    if skill == "kind":
        return facts["kind"]
    if skill in ("point", "box"):
        width, height = scene.picture.size
        sides = [1000 * v / s for v, s in zip(about["box"], (width, height) * 2, strict=True)]
        if skill == "point":
            return f"({(sides[0] + sides[2]) / 2:.0f}, {(sides[1] + sides[3]) / 2:.0f})"
        return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*sides)
    if skill == "cell":
        left, top, right, bottom = facts["boxes"][about["row"] - 1][about["column"] - 1]
        words = [p for p in scene.placed if p.kind == "word"]
        (word,) = [p for p in words if left < p.middle[0] < right and top < p.middle[1] < bottom]
        return word.label
    if skill == "cell that can't be read":
        assert [about["row"], about["column"]] in facts["smudged"]
        return CANT_BE_READ
    if skill == "cell without anything":
        assert about["row"] > len(cells) or cells[about["row"] - 1][about["column"] - 1] == ""
        return NOT_SHOWN
    match facts["kind"]:
        case "noughts and crosses":
            return _noughts(facts, skill, about)
        case "sudoku" | "magic square" | "number grid":
            return _numbers(facts, skill, about)
        case "crossword":
            return _crossword(facts, question)
        case "board with pieces":
            return _pieces(facts, skill, about)
        case "maze":
            return _maze(facts, question)
        case "dice":
            return _dice(facts, skill, about)
        case "dominoes":
            return _dominoes(facts, skill, about)
        case "odd one out":
            return _odd(facts, skill, about)
        case "pattern":
            return _pattern(facts, about)
        case "matrix":
            return _matrix(facts, skill, about)
    raise AssertionError(f"no reading for {skill!r}")
