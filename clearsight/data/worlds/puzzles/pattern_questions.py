"""What is asked of puzzles made of drawings: mazes, dice, dominoes, odd ones out, patterns and matrices.

Letters that mark exits and tiles may be smudged; asked for one of these, the answer is that it can't be read.
"""

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing.palette import NAMES
from clearsight.data.worlds.puzzles import patterns
from clearsight.data.worlds.puzzles.board_questions import BOX, POINT
from clearsight.data.worlds.puzzles.boards import Facts

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


def _ask_letter(
    ask: Asker, skill: str, ways: tuple[str, ...], letter: str, facts: Facts, **rest: object
) -> None:
    """Ask for the letter of something, which may be illegible."""
    if letter in facts["smudged"]:
        ask.cant_be_read(f"{skill}, smudged", ways, **rest)
    else:
        ask.text(skill, ways, letter, **rest)


def ask_maze(ask: Asker, facts: Facts) -> None:
    """Which exit the way leads to, and on which side exits are."""
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


def ask_dice(ask: Asker, facts: Facts) -> None:
    """Sums of pips, how many dice show a number, and what single dice show."""
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


def ask_dominoes(ask: Asker, facts: Facts) -> None:
    """Sums and halves of tiles, and which tile has most."""
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


def ask_odd(ask: Asker, facts: Facts) -> None:
    """Which thing differs from the rest, and in what."""
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


def ask_pattern(ask: Asker, facts: Facts) -> None:
    """Which option is the mirrored or turned pattern."""
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


def ask_matrix(ask: Asker, facts: Facts) -> None:
    """Which option completes the matrix."""
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
