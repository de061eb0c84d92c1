"""Puzzles: noughts and crosses, digits and words in squares, pieces on a board, mazes, dice, dominoes, and patterns.

A picture holds one puzzle (see boards and patterns for how they are made up and drawn). Questions read
what is there, and ask for what follows from it: who has won, which digit is missing, where the way leads, what
comes in the gap. Only what follows beyond doubt is asked.
"""

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing.palette import NAMES
from clearsight.data.worlds.drawing.reading_order import in_reading_order
from clearsight.data.worlds.puzzles import boards, patterns
from clearsight.data.worlds.puzzles.boards import LINES, PIECES, TEMPLATES, Board, Facts, winner
from clearsight.data.worlds.puzzles.captions import describe
from clearsight.data.worlds.scene import Scene, Split, rng_for
from clearsight.data.worlds.vocabulary import vocabulary

KINDS = (
    *(
        "noughts and crosses",
        "sudoku",
        "magic square",
        "number grid",
        "crossword",
        "board with pieces",
        "maze",
    ),
    *("dice", "dominoes", "odd one out", "pattern", "matrix"),
)
SQUARES = (
    *("top left", "top middle", "top right", "middle left", "centre", "middle right"),
    *("bottom left", "bottom middle", "bottom right"),
)

KIND = (
    "What kind of puzzle is this?",
    "Which sort of puzzle does the picture show?",
    "Name the kind of puzzle.",
    "As what would a collector of puzzles file this one?",
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
EXIT = (
    "To which exit does the path lead from the dot?",
    "Which exit can be reached from the dot?",
    "Starting at the dot, at which exit does one leave the maze?",
    "Trace the way from the dot without crossing walls: which lettered exit is reached?",
)
LEADS = (
    "Can exit {letter} be reached from the dot?",
    "Is there a way from the dot to exit {letter}?",
    "Does the path from the dot lead to exit {letter}?",
    "Trace the way from the dot without crossing walls: does it end at exit {letter}?",
)
EXIT_SIDE = (
    "On which side of the maze is exit {letter}?",
    "At which side does exit {letter} lie?",
    "Which side of the maze has exit {letter}?",
    "Walk around the maze from outside: on what side is exit {letter} found?",
)
DICE_SUM = (
    "What is the sum of all the dice?",
    "Add up the dice.",
    "How many pips do the dice show together?",
    "Taking every die together, what is the total of this throw?",
)
DICE_WITH = (
    "How many dice show a {pips}?",
    "Count the dice with {pips} on top.",
    "On how many dice is the number {pips}?",
    "Of the dice in this throw, how many came up with {pips}?",
)
DIE = (
    "What does the {colour} die show?",
    "How many pips are on the {colour} die?",
    "Read the {colour} die.",
    "In this throw, what number came up on the {colour} die?",
)
TILE_SUM = (
    "How many pips does domino {letter} have in all?",
    "What is the sum of the two halves of domino {letter}?",
    "Add up the pips of domino {letter}.",
    "Counting both of its halves, what is domino {letter} worth?",
)
TILE_HALF = (
    "How many pips are on the {half} half of domino {letter}?",
    "What is the number on the {half} half of domino {letter}?",
    "Count the pips in the {half} half of domino {letter}.",
    "Look only at the {half} half of domino {letter}: which number is it?",
)
TILE_MOST = (
    "Which domino has the most pips?",
    "Give the letter of the domino with the largest sum.",
    "Which domino is worth the most?",
    "Ranking the dominoes by their pips, which letter comes out on top?",
)
TILE_LETTER = (
    "Which letter is under the domino with {upper} above and {lower} below?",
    "Read the letter of the domino that shows {upper} over {lower}.",
    "What is the letter of the domino with {upper} in the upper and {lower} in the lower half?",
    "Find the domino with {upper} over {lower}: by which letter is it marked?",
)
ODD = (
    "Which one is the odd one out?",
    "Give the letter of the one that differs from the others.",
    "Which letter marks the one that does not belong?",
    "All but one are alike: by which letter is the exception marked?",
)
HOW_ODD = (
    "In what does the odd one differ: {choices}?",
    "What makes the odd one out different: {choices}?",
    "What sets one of them apart: {choices}?",
    "All but one are alike: by what does the exception stand out, {choices}?",
)
THING = (
    "What colour is the thing with the letter {letter}?",
    "Which colour does the thing above the letter {letter} have?",
    "Name the colour of thing {letter}.",
    "Find the letter {letter}: of which colour is the thing above it?",
)
IMAGE = (
    "Which option is the pattern at the top {change}?",
    "The pattern at the top is {change}. Which option shows that?",
    "Give the letter of the option that is the top pattern {change}.",
    "Imagine the pattern at the top {change}: which of the lettered ones results?",
)
MATRIX = (
    "Which option belongs in the empty cell?",
    "Which of the lettered options replaces the question mark?",
    "What completes the square of nine: which option?",
    "Following the rules of rows and columns, by which option is the gap filled?",
)
SHAPES_IN = (
    "How many shapes are in row {row}, column {column}?",
    "Count the shapes in row {row}, column {column}.",
    "What is the number of shapes in row {row}, column {column}?",
    "Counting from the top left, how many shapes has the cell of row {row} and column {column}?",
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

DRAW = (
    *(boards.draw_noughts, boards.draw_sudoku, boards.draw_numbers),
    *(boards.draw_crossword, boards.draw_pieces, patterns.draw_maze),
    *(patterns.draw_dice, patterns.draw_dominoes, patterns.draw_odd_one),
    *(patterns.draw_pattern, patterns.draw_matrix),
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("puzzles", seed, split)
    template = rng.choice(TEMPLATES[split])
    board = Board(rng, split, template)
    facts = rng.choice(DRAW)(board)
    scene = Scene("puzzles", seed, split, board.sheet.finish(rng))
    placed = [*board.placed, *board.sheet.placed]
    words = in_reading_order(p for p in placed if p.kind == "word")
    scene.placed = [p for p in placed if p.kind in ("object", "colour")]
    scene.placed += [*words, *(p for p in placed if p.kind == "character")]
    scene.facts = {"template": template, **facts}
    ask = Asker(scene, rng)
    kind = facts["kind"]
    if rng.random() < 0.3:
        of_numbers = ("sudoku", "magic square", "number grid")  # each may be called by another's name
        ask.choice("kind", KIND, kind, [k for k in KINDS if kind not in of_numbers or k not in of_numbers])
    ASK[kind](ask, facts)
    scene.short_caption, scene.caption, scene.long_caption = describe(facts)
    return scene


# ---------------------------------------------------------------------------------------------------
# Questions about what stands in squares


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


def _ask_noughts(ask: Asker, facts: Facts) -> None:
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


def _ask_sudoku(ask: Asker, facts: Facts) -> None:
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


def _ask_numbers(ask: Asker, facts: Facts) -> None:
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


def _ask_crossword(ask: Asker, facts: Facts) -> None:
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


def _ask_pieces(ask: Asker, facts: Facts) -> None:
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


# ---------------------------------------------------------------------------------------------------
# Questions about what is drawn


def _ask_letter(
    ask: Asker, skill: str, ways: tuple[str, ...], letter: str, facts: Facts, **rest: object
) -> None:
    """Ask for the letter of something, which may be illegible."""
    if letter in facts["smudged"]:
        ask.cant_be_read(f"{skill}, smudged", ways, **rest)
    else:
        ask.text(skill, ways, letter, **rest)


def _ask_maze(ask: Asker, facts: Facts) -> None:
    rng, exits, smudged = ask.rng, facts["exits"], facts["smudged"]
    _ask_letter(ask, "exit", EXIT, facts["leads to"], facts)
    truth = rng.random() < 0.5
    candidates = [e for e in exits if (e == facts["leads to"]) == truth and e not in smudged]
    if candidates:
        ask.yes_no("leads", LEADS, truth, letter=rng.choice(candidates))
    readable = [letter for letter in exits if letter not in smudged]
    letter = rng.choice(readable)
    ask.choice(
        "exit side", EXIT_SIDE, exits[letter]["side"], ("top", "bottom", "left", "right"), letter=letter
    )
    if not smudged and rng.random() < 0.6:
        ask.not_shown("exit that isn't there", EXIT_SIDE, letter=rng.choice("DEF"))
    ask.point("point", POINT, facts["dot"], what="the dot", about={"box": facts["dot"]})


def _ask_dice(ask: Asker, facts: Facts) -> None:
    rng, dice = ask.rng, facts["dice"]
    pips, colours = [die["pips"] for die in dice], [die["colour"] for die in dice]
    ask.number("dice sum", DICE_SUM, sum(pips))
    number = rng.choice(pips) if rng.random() < 0.7 else rng.randint(1, 6)
    ask.count("dice with", DICE_WITH, pips.count(number), pips=number)
    alone = [die for die in dice if colours.count(die["colour"]) == 1]
    if alone:
        for die in rng.sample(alone, min(2, len(alone))):
            ask.number("die", DIE, die["pips"], colour=die["colour"])
        die = rng.choice(alone)
        ask.box("box", BOX, die["box"], what=f"the {die['colour']} die", about={"box": die["box"]})
    if rng.random() < 0.5:
        ask.not_shown("die that isn't there", DIE, colour=rng.choice([n for n in NAMES if n not in colours]))


def _ask_dominoes(ask: Asker, facts: Facts) -> None:
    rng, tiles = ask.rng, facts["tiles"]
    readable = [tile for tile in tiles if tile["letter"] not in facts["smudged"]]
    tile = rng.choice(readable)
    ask.number("tile sum", TILE_SUM, tile["upper"] + tile["lower"], letter=tile["letter"])
    half = rng.choice(("upper", "lower"))
    ask.number("tile half", TILE_HALF, tile[half], half=half, letter=tile["letter"])
    ask.box("box", BOX, tile["box"], what=f"domino {tile['letter']}", about={"box": tile["box"]})
    sums = sorted(tile["upper"] + tile["lower"] for tile in tiles)
    if sums[-1] > sums[-2]:
        most = max(tiles, key=lambda tile: tile["upper"] + tile["lower"])
        _ask_letter(ask, "tile with most", TILE_MOST, most["letter"], facts)
    tile = rng.choice([t for t in tiles if t["letter"] in facts["smudged"]] or tiles)
    _ask_letter(
        ask, "tile letter", TILE_LETTER, tile["letter"], facts, upper=tile["upper"], lower=tile["lower"]
    )
    if not facts["smudged"] and rng.random() < 0.5:
        ask.not_shown("tile that isn't there", TILE_SUM, letter="ABCDEFGH"[len(tiles)])


def _ask_odd(ask: Asker, facts: Facts) -> None:
    rng, things = ask.rng, facts["things"]
    odd = how = None
    for name, key in (("colour", "colour"), ("shape", "shape"), ("size", "size"), ("direction", "turn")):
        values = [thing[key] for thing in things]
        for thing in things:
            if values.count(thing[key]) == 1:
                odd, how = thing, name
    assert odd and how
    _ask_letter(ask, "odd one", ODD, odd["letter"], facts)
    ask.choice("how odd", HOW_ODD, how, ("colour", "shape", "size", "direction"))
    ask.box("box", BOX, odd["box"], what="the odd one out", about={"box": odd["box"]})
    thing = rng.choice([thing for thing in things if thing["letter"] not in facts["smudged"]])
    ask.colour("colour of thing", THING, thing["colour"], letter=thing["letter"])
    if not facts["smudged"] and rng.random() < 0.5:
        ask.not_shown("thing that isn't there", THING, letter="ABCDEFGHIJKL"[len(things)])


def _ask_pattern(ask: Asker, facts: Facts) -> None:
    right = patterns.mirrored if facts["asked"] == "mirror" else patterns.turned
    change = "mirrored left to right" if facts["asked"] == "mirror" else "turned clockwise by a quarter"
    (letter,) = [name for name, cells in facts["options"].items() if cells == right(facts["model"])]
    ask.text("image", IMAGE, letter, alternatives=[f"option {letter}"], change=change)
    (same,) = [[name for name, cells in facts["options"].items() if cells == facts["model"]]]
    if same:
        ask.text("same pattern", IMAGE, same[0], alternatives=[f"option {same[0]}"], change="unchanged")
    ask.box("box", BOX, facts["model box"], what="the pattern at the top", about={"box": facts["model box"]})
    letter = ask.rng.choice(list(facts["boxes"]))
    ask.point(
        "point", POINT, facts["boxes"][letter], what=f"option {letter}", about={"box": facts["boxes"][letter]}
    )


def _ask_matrix(ask: Asker, facts: Facts) -> None:
    rng, cells = ask.rng, facts["cells"]
    answer = patterns.completed(cells)
    (letter,) = [name for name, option in facts["options"].items() if option == answer]
    ask.text("matrix", MATRIX, letter, alternatives=[f"option {letter}"])
    row, column = rng.choice([(r, c) for r in range(3) for c in range(3) if cells[r][c]])
    ask.count("shapes in cell", SHAPES_IN, cells[row][column]["number"], row=row + 1, column=column + 1)
    if rng.random() < 0.4:
        ask.not_shown("shapes outside", SHAPES_IN, row=4, column=rng.randint(1, 3))
    ask.point("point", POINT, facts["gap"], what="the question mark", about={"box": facts["gap"]})
    name = rng.choice(list(facts["boxes"]))
    ask.box("box", BOX, facts["boxes"][name], what=f"option {name}", about={"box": facts["boxes"][name]})


ASK = {
    "noughts and crosses": _ask_noughts,
    "sudoku": _ask_sudoku,
    "magic square": _ask_numbers,
    "number grid": _ask_numbers,
    "crossword": _ask_crossword,
    "board with pieces": _ask_pieces,
    "maze": _ask_maze,
    "dice": _ask_dice,
    "dominoes": _ask_dominoes,
    "odd one out": _ask_odd,
    "pattern": _ask_pattern,
    "matrix": _ask_matrix,
}
