"""What is asked of puzzles whose squares hold something: noughts and crosses, digits, letters, and pieces.

Only what follows beyond doubt is asked: a digit that could be another one, or a square that can't be read, is left out.
"""

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.puzzles.boards import LINES, PIECES, Facts, winner
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.vocabulary import vocabulary

SQUARES = (
    *("top left", "top middle", "top right", "middle left", "centre", "middle right"),
    *("bottom left", "bottom middle", "bottom right"),
)
CELL = (
    "What stands in row {row}, column {column}?",
    "What is in the square in row {row}, column {column}?",
    "Read the square in row {row}, column {column}.",
    "Counting from the top left, what does the square of row {row} and column {column} hold?",
)
WINNER = (
    "Who has three in a row: {choices}?",
    "Who has won: {choices}?",
    "Has anyone won this game? Choose {choices}.",
    "Judging by the board, whose line of three is complete: {choices}?",
)
WIN_AT = (
    "In which square can {player} win with the next move: {choices}?",
    "Where must {player} play to win at once: {choices}?",
    "Which square gives {player} three in a row: {choices}?",
    "Find the square that completes a line for {player}: {choices}?",
)
MARKS = (
    "How many times does {mark} stand on the board?",
    "Count the squares with {mark}.",
    "How many squares hold {mark}?",
    "Over the whole board, what is the tally of {mark}?",
)
TURN = (
    "If X made the first move, whose turn is it: {choices}?",
    "X began. Who is to move now: {choices}?",
    "Whose turn is it, given that X moved first: {choices}?",
    "Since X opened the game, which player moves next: {choices}?",
)
MISSING = (
    "Which digit belongs in the square with the question mark?",
    "What must replace the question mark?",
    "Which number has to stand where the question mark is?",
    "By the rules of the puzzle, what does the question mark stand for?",
)
MAGIC = (
    "All rows, columns and diagonals have the same sum. Which number must replace the question mark?",
    "This is a magic square. Which number is missing at the question mark?",
    "Every row and column adds up to the same number. What must stand at the question mark?",
    "So that all lines have one total, which number goes to the square with the question mark?",
)
MISTAKE = (
    "Does any digit stand twice in one row?",
    "Is there a row in which a digit is repeated?",
    "Is a digit used twice in the same row?",
    "Checking row after row, is any digit found in duplicate?",
)
ROW_LACKS = (
    "Which of the digits 1 to 4 does row {row} not show yet?",
    "Which of the digits from 1 to 4 are still to be filled in in row {row}?",
    "List the digits from 1 to 4 that are missing in row {row}.",
    "To complete row {row} with 1 to 4, which digits remain to be written?",
)
SUM = (
    "What is the sum of row {row}?",
    "Add up the numbers in row {row}.",
    "What do the numbers of row {row} add up to?",
    "Taking row {row} from end to end, what is its total?",
)
EXTREME = (
    "What is the {most} number in the grid?",
    "Which number is the {most}?",
    "Name the {most} of the numbers.",
    "Searching the whole grid, which number turns out to be the {most}?",
)
NUMBER_AT = (
    "In which row is the number {number}?",
    "Which row holds the number {number}?",
    "Counted from the top, in which row does {number} stand?",
    "Search the grid for {number}: what is the number of its row?",
)
ENTRY = (
    "Which word stands at {entry}?",
    "What is the word at {entry}?",
    "Read the word at {entry}.",
    "In this crossword, which solution has been entered at {entry}?",
)
LENGTH = (
    "How many letters does the word at {entry} have?",
    "How many squares does {entry} take?",
    "Count the squares of {entry}.",
    "In this crossword, how long is the solution at {entry}?",
)
CROSSING = (
    "Which letter do {a} and {b} share?",
    "Which letter stands where {a} and {b} cross?",
    "Read the letter at the crossing of {a} and {b}.",
    "In this crossword, what is the common letter of {a} and {b}?",
)
FITS = (
    "A letter is missing at {entry}. Which word fits: {choices}?",
    "Which of these words fits at {entry}: {choices}?",
    "What can be filled in at {entry}: {choices}?",
    "In this crossword, which solution agrees with the letters at {entry}: {choices}?",
)
ON_SQUARE = (
    "Which letter is on the piece on {square}?",
    "Which piece stands on {square}?",
    "Read the letter of the piece on {square}.",
    "Go to the square {square} of the board: which piece is found there?",
)
SQUARE_OF = (
    "On which square is the {side} {piece}?",
    "Where on the board is the {side} {piece}: on which square?",
    "Name the square of the {side} {piece}.",
    "By file and rank, what square does the {side} {piece} occupy?",
)
PIECES_OF = (
    "How many {side} pieces are on the board?",
    "Count the {side} pieces.",
    "What is the number of {side} pieces?",
    "Searching all squares, how many pieces belong to {side}?",
)
STRAIGHT = (
    "Can the piece on {a} get to {b} straight along its rank or file, with no piece in the way?",
    "Moving along a rank or file without a jump, can the piece on {a} reach the square {b}?",
    "Is the way from {a} to {b} a straight rank or file with no piece in between?",
    "Sliding like a rook from {a}, is {b} reached with nothing in the way?",
)
POINT = (
    "Where is {what}?",
    "Point to {what} in the puzzle.",
    "Show where {what} is in the puzzle.",
    "Put your finger on {what} within this puzzle.",
)
BOX = (
    "Frame {what}.",
    "What is the box around {what} in the puzzle?",
    "Put a box around {what} in the puzzle.",
    "Draw the frame of {what} within this puzzle.",
)


def _ask_cell(ask: Asker, facts: Facts, *, numbers: bool, empty: bool) -> None:
    """What stands in a square; in one that can't be read; in an empty one, or outside the grid."""
    rng, cells = ask.rng, facts["cells"]
    places = [(r, c) for r in range(len(cells)) for c in range(len(cells[0]))]
    filled = [(r, c) for r, c in places if cells[r][c] not in ("", "?", None)]
    for r, c in rng.sample(filled, min(2, len(filled))):
        if numbers:
            ask.number("cell", CELL, int(cells[r][c]), row=r + 1, column=c + 1)
        else:
            ask.text("cell", CELL, cells[r][c], row=r + 1, column=c + 1)
    for row, column in facts["smudged"]:
        ask.cant_be_read("cell that can't be read", CELL, row=row, column=column)
    if rng.random() < 0.4:
        blank = [(r + 1, c + 1) for r, c in places if cells[r][c] == ""] if empty else []
        row, column = (
            rng.choice(blank) if blank and rng.random() < 0.5 else (len(cells) + 1, rng.randint(1, 3))
        )
        ask.not_shown("cell without anything", CELL, row=row, column=column)


def ask_noughts(ask: Asker, facts: Facts) -> None:
    """Who has won or can win, whose turn it is, and what stands where."""
    rng, cells = ask.rng, facts["cells"]
    flat = [cell for row in cells for cell in row]
    _ask_cell(ask, facts, numbers=False, empty=False)
    places = [(r, c) for r in range(3) for c in range(3) if cells[r][c]]
    if places:
        r, c = rng.choice(places)
        what = f"the {cells[r][c]} in the {SQUARES[r * 3 + c]} square"
        ask.box("box", BOX, facts["boxes"][r][c], what=what, about={"box": facts["boxes"][r][c]})
    if facts["smudged"]:
        return
    mark = rng.choice("XO")
    ask.count("marks", MARKS, flat.count(mark), mark=mark)
    won = winner(cells)
    ask.choice("winner", WINNER, won or "nobody", ("X", "O", "nobody"))
    if won or "" not in flat:
        return
    ask.choice("turn", TURN, "XO"[flat.count("X") > flat.count("O")], ("X", "O"))
    for player in "XO":
        winning = set()
        for line in LINES:
            empty = [(r, c) for r, c in line if not cells[r][c]]
            if len(empty) == 1 and sum(cells[r][c] == player for r, c in line) == 2:
                winning.add(empty[0])
        if len(winning) == 1:
            (place,) = winning
            names = [
                SQUARES[r * 3 + c] for r in range(3) for c in range(3) if not cells[r][c] and (r, c) != place
            ]
            answer = SQUARES[place[0] * 3 + place[1]]
            ask.choice("winning square", WIN_AT, answer, names if len(names) > 2 else SQUARES, player=player)


def _gap(facts: Facts) -> tuple[int, int] | None:
    return next(
        ((r, c) for r, row in enumerate(facts["cells"]) for c, text in enumerate(row) if text == "?"), None
    )


def ask_sudoku(ask: Asker, facts: Facts) -> None:
    """Which digit is missing or doubled, and what a row lacks."""
    rng, cells, gap = ask.rng, facts["cells"], _gap(facts)
    _ask_cell(ask, facts, numbers=True, empty=True)
    if gap:
        near = [cells[gap[0]][c] for c in range(4)] + [cells[r][gap[1]] for r in range(4)]
        near += [
            cells[r][c] for r in range(4) for c in range(4) if (r // 2, c // 2) == (gap[0] // 2, gap[1] // 2)
        ]
        (digit,) = [digit for digit in "1234" if digit not in near]
        ask.number("missing digit", MISSING, int(digit))
        box = facts["boxes"][gap[0]][gap[1]]
        ask.point("point", POINT, box, what="the question mark", about={"box": box})
    if not gap or rng.random() < 0.54:
        ask.yes_no("mistake", MISTAKE, not gap)
    rows = [r for r in range(4) if None not in cells[r] and any(d not in cells[r] for d in "1234")]
    if gap and rows:
        row = rng.choice(rows)
        ask.items(
            "row lacks", ROW_LACKS, [d for d in "1234" if d not in cells[row]], ordered=False, row=row + 1
        )


def ask_numbers(ask: Asker, facts: Facts) -> None:
    """What stands where, sums, extremes, and the gap of a magic square."""
    rng, cells, gap = ask.rng, facts["cells"], _gap(facts)
    _ask_cell(ask, facts, numbers=True, empty=False)
    whole = [r for r, row in enumerate(cells) if None not in row and "?" not in row]
    row = rng.choice(whole)
    ask.number("row sum", SUM, sum(map(int, cells[row])), row=row + 1)
    numbers = {int(text): r for r, line in enumerate(cells) for text in line if text not in ("?", None)}
    if not facts["smudged"] and not gap:
        most = rng.choice(("largest", "smallest"))
        ask.number("extreme", EXTREME, (max if most == "largest" else min)(numbers), most=most)
    number = rng.choice(list(numbers))
    ask.number("row of number", NUMBER_AT, numbers[number] + 1, number=number)
    if not facts["smudged"] and not gap and rng.random() < 0.4:
        absent = rng.choice([n for n in range(1, max(numbers) + 5) if n not in numbers])
        ask.not_shown("row of absent number", NUMBER_AT, number=absent)
    if gap:
        constant = sum(map(int, cells[row]))
        ask.number(
            "missing number", MAGIC, constant - sum(int(text) for text in cells[gap[0]] if text != "?")
        )
        box = facts["boxes"][gap[0]][gap[1]]
        ask.point("point", POINT, box, what="the question mark", about={"box": box})
    else:
        place = next(
            (r, c) for r, line in enumerate(cells) for c, text in enumerate(line) if text == str(number)
        )
        box = facts["boxes"][place[0]][place[1]]
        ask.box("box", BOX, box, what=f"the square with the number {number}", about={"box": box})


def ask_crossword(ask: Asker, facts: Facts) -> None:
    """Words, their lengths, where they cross, and what fits."""
    rng, cells, entries = ask.rng, facts["cells"], facts["entries"]
    whole = [entry for entry in entries if entry["whole"]]
    if whole:
        entry = rng.choice(whole)
        ask.text("entry", ENTRY, entry["word"], entry=entry["name"])
    spoilt = [entry for entry in entries if not entry["whole"] and not entry["gap"]]
    if spoilt:
        ask.cant_be_read("entry that can't be read", ENTRY, entry=rng.choice(spoilt)["name"])
    names = [entry["name"] for entry in entries]
    absent = [
        name
        for name in ("1 across", "2 across", "3 across", "1 down", "3 down", "4 down")
        if name not in names
    ]
    if rng.random() < 0.6:
        ask.not_shown("entry that isn't there", ENTRY, entry=rng.choice(absent))
    entry = rng.choice(entries)
    ask.count("length", LENGTH, len(entry["places"]), entry=entry["name"])
    a, b = entries[0], rng.choice(entries[1:])
    ((row, column),) = [place for place in a["places"] if place in b["places"]]
    if cells[row - 1][column - 1]:
        ask.text("crossing", CROSSING, cells[row - 1][column - 1], a=a["name"], b=b["name"])
    for entry in entries:
        letters = [cells[r - 1][c - 1] for r, c in entry["places"]]
        if entry["gap"] and None not in letters:
            others = _like(ask.split, letters)
            if len(others) >= 3:
                ask.choice("what fits", FITS, entry["word"], others, entry=entry["name"])
    first = facts["boxes"][entries[0]["places"][0][0] - 1][entries[0]["places"][0][1] - 1]
    last = facts["boxes"][entries[0]["places"][-1][0] - 1][entries[0]["places"][-1][1] - 1]
    box = [first[0], first[1], last[2], last[3]]
    ask.box("box", BOX, box, what=f"the squares of {entries[0]['name']}", about={"box": box})


def _like(split: Split, letters: list[str]) -> list[str]:
    """Words of this length that come close to the letters ("" for a gap) but don't agree with them."""
    found = []
    for word in vocabulary(split)[:2000]:
        if len(word) == len(letters):
            wrong = sum(a not in ("", b) for a, b in zip(letters, word.upper(), strict=True))
            if wrong:
                found.append((wrong, word.upper()))
    return [word for _, word in sorted(found)[:6]]


def ask_pieces(ask: Asker, facts: Facts) -> None:
    """What stands where, how many of a kind there are, and whether a way is free."""
    rng, cells, sides = ask.rng, facts["cells"], facts["sides"]
    count = len(cells)
    squares = {f"{'abcdefgh'[c]}{count - r}": (r, c) for r in range(count) for c in range(count)}
    taken = {name: place for name, place in squares.items() if sides[place[0]][place[1]]}
    legible = {name: place for name, place in taken.items() if cells[place[0]][place[1]]}
    for square, (r, c) in rng.sample(list(legible.items()), min(2, len(legible))):
        ask.text("piece on square", ON_SQUARE, cells[r][c], square=square)
    for row, column in facts["smudged"]:
        square = next(name for name, place in squares.items() if place == (row - 1, column - 1))
        ask.cant_be_read("piece that can't be read", ON_SQUARE, square=square)
    if rng.random() < 0.6:
        ask.not_shown(
            "piece on an empty square", ON_SQUARE, square=rng.choice([s for s in squares if s not in taken])
        )
    side = rng.choice(("white", "black"))
    ask.count("pieces of a side", PIECES_OF, sum(row.count(side) for row in sides), side=side)
    named = [(sides[r][c], cells[r][c], name) for name, (r, c) in legible.items()]
    alone = [piece for piece in named if [other[:2] for other in named].count(piece[:2]) == 1]
    if alone and not facts["smudged"]:
        side, piece, square = rng.choice(alone)
        ask.text("square of piece", SQUARE_OF, square, side=side, piece=piece)
        absent = [(s, p) for s in ("white", "black") for p in PIECES if (s, p) not in [n[:2] for n in named]]
        if rng.random() < 0.4:
            side, piece = rng.choice(absent)
            ask.not_shown("square of absent piece", SQUARE_OF, side=side, piece=piece)
    start, (r, c) = rng.choice(list(taken.items()))
    ask.point(
        "point",
        POINT,
        facts["boxes"][r][c],
        what=f"the piece on {start}",
        about={"box": facts["boxes"][r][c]},
    )
    free = {True: [], False: []}
    for name, (r2, c2) in squares.items():
        if name in taken or max(abs(r - r2), abs(c - c2)) < 2:
            continue
        between = [squares[n] for n in taken if _between((r, c), squares[n], (r2, c2))]
        free[(r == r2 or c == c2) and not between].append((name, bool(between)))
    truth = rng.random() < 0.5
    if free[truth]:
        blocked = [name for name, is_blocked in free[truth] if is_blocked]
        target = rng.choice(blocked or [name for name, _ in free[truth]])
        ask.yes_no("straight move", STRAIGHT, truth, a=start, b=target)


def _between(a: tuple[int, int], middle: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether a square lies between two others on one rank or file."""
    for along, across in ((0, 1), (1, 0)):
        if a[across] == middle[across] == b[across]:
            low, high = sorted((a[along], b[along]))
            return low < middle[along] < high
    return False
