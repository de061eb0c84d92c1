"""Plain English prose for pages of text: sentences about everyday things, put together from word lists.

The sentences mean little but read like sentences: what a page world needs is text that no model knows by heart. Of
every word list one word in four is kept for evaluation, so the two splits share function words only.
"""

import random
from functools import cache

from clearsight.data.worlds.scene import Split, belongs_to

# Items are separated by commas.
NOUNS = """
    garden, window, ladder, market, kettle, harbour, teacher, blanket, letter, machine, bridge, farmer,
    bottle, wagon, lantern, mirror, basket, engine, painter, candle, valley, tunnel, captain, cabinet,
    meadow, printer, doctor, pillow, island, cottage, sailor, hammer, orchard, baker, library, saddle,
    fountain, tailor, journal, bucket, curtain, river, gardener, violin, chimney, factory, stable,
    traveller, carpet, teapot, neighbour, station, miller, pasture, clock, builder, compass, kitchen,
    singer, drawer, village, ferry, scholar, attic, needle, cellar, potter, rooftop, camera, forest,
    keeper, trumpet, workshop, guest
"""
ADJECTIVES = """
    quiet, wooden, bright, narrow, heavy, early, gentle, hollow, careful, distant, yellow, ancient,
    modest, curious, smooth, rainy, patient, broken, golden, silent, crooked, cheerful, dusty, famous,
    lonely, polished, sturdy, northern, frozen, simple, hidden, pale, proud, rusty, steep, tender, useful,
    warm, weary, young, busy, calm, clever, damp, eager, faded, grand, humble, slender, noisy, round,
    shallow, brave, tidy, plain, ripe
"""
VERBS = """
    carried, painted, repaired, watched, opened, followed, measured, visited, borrowed, counted, noticed,
    polished, gathered, lifted, covered, described, crossed, remembered, cleaned, finished, ordered,
    reached, sketched, trusted, wrapped, guarded, collected, moved, praised, studied, emptied, admired,
    rented, closed, decorated, delivered, inspected, folded, greeted, planted, sold, bought, warmed,
    lowered
"""
ADVERBIALS = """
    slowly, again, yesterday, together, quickly, twice, quietly, every morning, before noon, at last, in
    summer, after lunch, without haste, by chance, on Monday, at night, for years, in turn, with care,
    once more, on foot, in autumn, since spring, at dawn, for an hour, all winter, by lamplight, before
    supper, on Friday, in the evening, now and then, with ease
"""
PLACES = """
    near the coast, behind the school, under the bridge, along the road, in the courtyard, beside the
    mill, at the corner, across the lake, on the hill, inside the barn, by the gate, above the shop, near
    the church, in the hallway, at the border, beyond the fields, on the platform, between two houses, in
    the old town, at the quay, below the tower, around the square, past the bakery, on the upper floor, in
    the shade, outside the walls, under the roof, behind the station, on the stairs, beside the stove,
    near the harbour wall, at the crossing, in the library, over the archway, among the tents, on the
    balcony, at the far end, by the well
"""
FIRST_NAMES = """
    Anna, Marcus, Helen, Oscar, Clara, Victor, Nora, Felix, Irene, Hugo, Alice, Martin, Julia, Simon,
    Edith, Paul, Laura, Peter, Greta, Arthur, Sophie, Daniel, Rosa, Frank, Ellen, Leo, Maria, George, Ida,
    Thomas, Vera, Samuel, Lucy, Adam, Olga, Walter
"""
SURNAMES = """
    Hartley, Moreno, Lindqvist, Okafor, Bergman, Castellan, Dupont, Ferris, Galloway, Hansen, Ivarsson,
    Jablonski, Keller, Lombardi, Meyer, Novak, Ortega, Pereira, Quint, Rossi, Sandoval, Tanaka, Ueda,
    Vasquez, Whitcombe, Yilmaz, Zeller, Abbott, Brandt, Corbin, Delgado, Eklund, Farrow, Grantham,
    Holloway
"""
TASKS = """
    sharpen the pencils, water the plants, sweep the floor, check the boiler, feed the hens, sort the
    stamps, oil the hinges, wash the jars, label the boxes, pack the crates, mend the fence, fill the
    lamps, count the tickets, wind the clocks, air the rooms, dust the shelves, peel the apples, stack the
    logs, bind the reports, ring the bell, rinse the glasses, trim the hedge, post the parcels, test the
    alarm, lock the shed, clear the gutters, paint the railing, turn the compost, weigh the flour, knead
    the dough, iron the sheets, rake the leaves, tune the piano, shut the valves, read the meters, close
    the blinds, empty the bins, polish the brass, wipe the benches, renew the signs
"""


@cache
def of_split(split: Split, items: str) -> tuple[str, ...]:
    """The items of a list above that belong to the split."""
    return tuple(item for item in " ".join(items.split()).split(", ") if belongs_to(split, item, every=4))


def pick(rng: random.Random, split: Split, items: str) -> str:
    """One of the items of a list above that belong to the split."""
    return rng.choice(of_split(split, items))


def sentence(rng: random.Random, split: Split) -> str:
    """One sentence of 6 to 18 words."""

    def one(items: str) -> str:
        return pick(rng, split, items)

    def thing() -> str:
        noun = one(NOUNS)
        return f"{rng.choice(('the', 'the', 'that', 'our', 'this'))} " + (
            f"{one(ADJECTIVES)} {noun}" if rng.random() < 0.5 else noun
        )

    form = rng.randrange(8)
    if form == 0:
        said = f"{thing()} {one(PLACES)} was {one(ADJECTIVES)} and {one(ADJECTIVES)}"
    elif form == 1:
        said = f"{one(FIRST_NAMES)} {one(VERBS)} {thing()} {one(ADVERBIALS)}"
    elif form == 2:
        said = f"{one(ADVERBIALS)}, {one(FIRST_NAMES)} {one(VERBS)} {thing()} {one(PLACES)}"
    elif form == 3:
        said = f"nobody {one(VERBS)} {thing()}, but {one(FIRST_NAMES)} {one(VERBS)} {thing()}"
    elif form == 4:
        said = f"there were {rng.randint(3, 90)} of them {one(PLACES)}, and {thing()} was {one(ADJECTIVES)}"
    elif form == 5:
        said = f"{thing()} and {thing()} were {one(VERBS)} {one(ADVERBIALS)}"
    elif form == 6:
        said = f"when {one(FIRST_NAMES)} {one(VERBS)} {thing()}, {thing()} seemed {one(ADJECTIVES)}"
    else:
        said = f"{one(FIRST_NAMES)} {one(SURNAMES)} {one(VERBS)} {thing()} {one(PLACES)}"
    return said[0].upper() + said[1:] + "."


def paragraph(rng: random.Random, split: Split, sentences: int) -> str:
    return " ".join(sentence(rng, split) for _ in range(sentences))


def _plural(noun: str) -> str:
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"


def heading(rng: random.Random, split: Split) -> str:
    """A heading of two to four words."""
    first, second = rng.sample(of_split(split, NOUNS), 2)
    adjective = pick(rng, split, ADJECTIVES)
    forms = (
        f"The {adjective} {first}",
        f"from {first} to {second}",
        f"A {first} for the {second}",
        f"{adjective} {_plural(first)}",
        f"Notes on the {first}",
        f"Beyond the {adjective} {first}",
    )
    said = rng.choice(forms)
    return said[0].upper() + said[1:]


def task(rng: random.Random, split: Split) -> str:
    """A short item for a list of things to do."""
    said = pick(rng, split, TASKS)
    return said[0].upper() + said[1:]


def person(rng: random.Random, split: Split) -> str:
    return f"{pick(rng, split, FIRST_NAMES)} {pick(rng, split, SURNAMES)}"
