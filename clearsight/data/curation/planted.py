"""A set with known defects among clean records, and how many of each kind curation finds: `python -m` runs it.

Clean records are drawn from worlds, asked one question each, and written from sentences of the Python documentation
that lies beside the interpreter. Defects of each kind are made from some of these, so that what is planted looks like
what surrounds it. Personal data, dates, versions and order numbers are invented; numbers that only look personal are
planted as clean, so that precision is tested where it is hard. What is not tested here, because no such set comes
along: real photographs, and languages other than those of the few sentences below.
"""

import argparse
import ast
import io
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.curation.options import Options
from clearsight.data.curation.pipeline import Runner, curate
from clearsight.data.curation.report import Report, write_report
from clearsight.data.record import Provenance, Record
from clearsight.data.verify import Truth
from clearsight.data.worlds import WORLDS, load
from clearsight.data.worlds.scene import Scene

LEAST = 0.95  # precision and recall of every kind

# Kind of defect to the step and, where the step has several, the reason that must find it.
FOUND_BY: dict[str, tuple[str, str]] = {
    "licence": ("licences", ""),
    "broken picture": ("decode", ""),
    "tiny or narrow picture": ("size", ""),
    "exact copy": ("exact", ""),
    "resized picture": ("pictures", ""),
    "recompressed picture": ("pictures", ""),
    "cropped picture": ("pictures", ""),
    "near copy of a text": ("texts", ""),
    "foreign language": ("language", ""),
    "poor text": ("quality", ""),
    "blank picture": ("quality", ""),
    "evaluation picture": ("contamination", "an evaluation's picture"),
    "changed evaluation picture": ("contamination", "a copy of an evaluation's picture"),
    "evaluation text": ("contamination", "text of an evaluation"),
    "e-mail address": ("personal", "e-mail address"),
    "phone number": ("personal", "phone number"),
    "card number": ("personal", "card number"),
    "IBAN": ("personal", "IBAN"),
    "social security number": ("personal", "social security number"),
    "IP address": ("personal", "IP address"),
}


@dataclass(frozen=True)
class Score:
    """How one kind of defect was found. `taken` are clean records that the same reason removed."""

    kind: str
    planted: int
    found: int
    taken: int

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.taken) if self.found + self.taken else 1.0


@dataclass(frozen=True)
class PlantedSet:
    """Records with, for each, the kind of its defect; empty for a clean one."""

    records: tuple[Record, ...]
    kinds: tuple[str, ...]
    evaluation: tuple[Record, ...]


# ---------------------------------------------------------------------------------------------------
# Clean records


def scenes(world: str, count: int, split: str = "train") -> Iterator[Scene]:
    module = load(world)
    for seed in range(count):
        yield module.sample(seed, split)


def asked(scene: Scene, rng: random.Random) -> Record:
    """One question about a scene, its pictures as PNG files."""
    question, name = rng.choice(scene.questions), f"worlds.{scene.world}"
    conversation = _shown([_png(picture) for picture in scene.pictures], question.text, question.answer)
    return Record(conversation, Provenance(name, "CC0-1.0", generator=name), (question.truth,))


def found_record(
    files: list[bytes], question: str, answer: str, truths: tuple[Truth | None, ...] = ()
) -> Record:
    """A record with pictures from elsewhere."""
    return Record(_shown(files, question, answer), Provenance("found", "CC0-1.0"), truths)


def _shown(files: list[bytes], question: str, answer: str) -> Conversation:
    return Conversation((user(*(Image(data=data) for data in files), question), assistant(answer)))


def text_record(text: str, licence: str = "Apache-2.0") -> Record:
    return Record(
        Conversation((user("Write about this."), assistant(text))),
        Provenance(source="manual", licence=licence),
    )


@cache
def sentences(most: int) -> tuple[str, ...]:
    """Different English sentences without digits or "@", the same for one version of the interpreter."""
    kept: dict[str, None] = {}
    library = Path(ast.__file__).parent
    for file in sorted(library.rglob("*.py")):
        if len(kept) >= most:
            break
        if not {"site-packages", "test", "tests", "idlelib"} & set(file.relative_to(library).parts):
            for text in _docstrings(file):
                for sentence in re.split(r"(?<=[.])\s+(?=[A-Z])", " ".join(text.split())):
                    plain = re.fullmatch(r"[A-Z][A-Za-z ,;:'()-]+\.", sentence)
                    if plain and 8 <= len(sentence.split()) <= 40:
                        kept[sentence] = None
    return tuple(kept)


def _apart(mine: tuple[str, ...], others: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Both without those of `others` that share seven words in a row with one of `mine`: documentation repeats itself,
    and a clean record that truly holds an evaluation's text would be no clean record."""

    def runs(sentence: str) -> set[str]:
        said = re.findall(r"[a-z']+", sentence.lower())
        return {" ".join(said[start : start + 7]) for start in range(len(said) - 6)}

    known = set().union(*map(runs, mine))
    return mine, tuple(sentence for sentence in others if not known & runs(sentence))


def _docstrings(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            yield ast.get_docstring(node) or ""


def _text(rng: random.Random, pool: tuple[str, ...]) -> str:
    return " ".join(rng.sample(pool, rng.randint(4, 8)))


# ---------------------------------------------------------------------------------------------------
# Defects


def _png(picture: PILImage.Image) -> bytes:
    return _file(picture, "PNG", compress_level=1)


def _file(picture: PILImage.Image, kind: str, **settings: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def _opened(record: Record) -> list[PILImage.Image]:
    return [PILImage.open(io.BytesIO(image.encoded())).convert("RGB") for image in record.conversation.images]


def resized(picture: PILImage.Image, rng: random.Random) -> bytes:
    share = rng.choice((0.5, 0.62, 0.75, 0.9, 1.3, 1.7))
    size = (round(picture.width * share), round(picture.height * share))
    kind = rng.choice(
        (PILImage.Resampling.LANCZOS, PILImage.Resampling.BICUBIC, PILImage.Resampling.BILINEAR)
    )
    return _png(picture.resize(size, kind))


def recompressed(picture: PILImage.Image, rng: random.Random) -> bytes:
    return _file(picture, rng.choice(("JPEG", "WEBP")), quality=rng.randint(30, 92))


def cropped(picture: PILImage.Image, rng: random.Random) -> bytes:
    """Up to 6% from each side, then saved as JPEG."""
    width, height = picture.size
    left, top, right, bottom = (rng.uniform(0, 0.06) for _ in range(4))
    box = (int(left * width), int(top * height), int((1 - right) * width), int((1 - bottom) * height))
    return _file(picture.crop(box), "JPEG", quality=rng.randint(60, 92))


def boundless(data: bytes) -> bytes:
    """A PNG file whose header promises forty thousand pixels a side."""
    header = data[12:16] + (40_000).to_bytes(4, "big") * 2 + data[24:29]
    return data[:12] + header + crc32(header).to_bytes(4, "big") + data[33:]


def broken(picture: PILImage.Image, rng: random.Random) -> bytes:
    data = _png(picture)
    return rng.choice(
        (
            data[: rng.randint(200, len(data) // 2)],
            b"",
            rng.randbytes(4000),
            b"<svg xmlns='http://www.w3.org/2000/svg'></svg>",
            boundless(data),
        )
    )


def reworded(text: str, rng: random.Random) -> str:
    """A word in fifty replaced, another case or sign here and there, a sentence put in front."""
    said = text.split()
    for place in rng.sample(range(len(said)), max(1, len(said) // 50)):
        said[place] = rng.choice(("really", "thus", "again", "here"))
    if rng.random() < 0.5:
        said = [word.replace(",", "").lower() for word in said]
    return rng.choice(("", "See below. ", "Note: ")) + " ".join(said)


PERSONAL: dict[str, Callable[[random.Random], str]] = {}


def _personal(kind: str) -> Callable[[Callable[[random.Random], str]], Callable[[random.Random], str]]:
    def add(make: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
        PERSONAL[kind] = make
        return make

    return add


NAMES = ("maria", "john", "wei", "fatima", "ole", "priya", "carlos", "anna", "kofi", "yuki")
SURNAMES = ("santos", "miller", "zhang", "haddad", "berg", "patel", "rossi", "kim", "mensah", "tanaka")


@_personal("e-mail address")
def _email(rng: random.Random) -> str:
    sign, host = (
        rng.choice("._-+"[: rng.randint(1, 4)]),
        rng.choice(("gmail.com", "web.de", "uni.edu", "mail.co.uk")),
    )
    return f"{rng.choice(NAMES)}{sign}{rng.choice(SURNAMES)}{rng.choice(('', '7', '84'))}@{host}"


@_personal("phone number")
def _phone(rng: random.Random) -> str:
    line = rng.randint(1000, 9999)
    return rng.choice(
        (
            f"+1 212 {rng.randint(200, 999)} {line}",
            f"({rng.choice((212, 415, 312))}) {rng.randint(200, 999)}-{line}",
            f"{rng.choice((212, 415, 312))}-{rng.randint(200, 999)}-{line}",
            f"+44 20 7{rng.randint(100, 999)} {line}",
            f"+49 30 {rng.randint(200000, 999999)}{rng.randint(10, 99)}",
            f"+33 1 42 {rng.randint(10, 99)} {rng.randint(10, 99)} {rng.randint(10, 99)}",
        )
    )


@_personal("card number")
def _card(rng: random.Random) -> str:
    first, length = rng.choice((("4", 16), ("5" + str(rng.randint(1, 5)), 16), ("37", 15), ("6011", 16)))
    digits = first + "".join(rng.choices("0123456789", k=length - 1 - len(first)))
    number = digits + _luhn(digits)
    if length == 16:
        number = rng.choice(("", " ", "-")).join(number[i : i + 4] for i in range(0, 16, 4))
    return number


def _luhn(digits: str) -> str:
    total = sum(
        int(d) if place % 2 else int(d) * 2 - 9 * (int(d) > 4) for place, d in enumerate(reversed(digits))
    )
    return str(-total % 10)


@_personal("IBAN")
def _iban(rng: random.Random) -> str:
    country, length, bank = rng.choice(
        (("DE", 22, ""), ("GB", 22, "NWBK"), ("FR", 27, ""), ("NL", 18, "INGB"))
    )
    account = bank + "".join(rng.choices("0123456789", k=length - 4 - len(bank)))
    number = int("".join(str(int(character, 36)) for character in account + country + "00"))
    found = f"{country}{98 - number % 97:02d}{account}"
    return " ".join(found[i : i + 4] for i in range(0, length, 4)) if rng.random() < 0.5 else found


@_personal("social security number")
def _security(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return f"AB {rng.randint(10, 99)} {rng.randint(10, 99)} {rng.randint(10, 99)} C"
    return f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


@_personal("IP address")
def _ip(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return "2001:470:" + ":".join(f"{rng.randrange(1, 65536):x}" for _ in range(6))
    return (
        f"{rng.choice((8, 81, 151, 213))}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
    )


def looks_personal(rng: random.Random) -> str:
    """Numbers and signs that are nobody's."""
    digits = "4" + "".join(rng.choices("0123456789", k=14))
    wrong = str((int(_luhn(digits)) + rng.randint(1, 9)) % 10)
    return rng.choice(
        (
            f"It was released on {rng.randint(1990, 2026)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}.",
            f"It came with version {rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}.",
            f"The order has the number {digits}{wrong}.",
            f"Write to info@example.com or ask @{rng.choice(NAMES)} there.",
            f"It takes {rng.randint(1, 9)},{rng.randint(100, 999)},{rng.randint(100, 999)} steps in all.",
            f"The local address is 192.168.{rng.randint(0, 255)}.{rng.randint(1, 254)}.",
            f"The result is {rng.random() * 100:.12f} at {rng.randint(0, 23)}:{rng.randint(0, 59):02d}:00.",
            f"The identifier is {rng.getrandbits(64):016x} in the table.",
            f"It costs ${rng.randint(1, 99)}.{rng.randint(0, 99):02d} for {rng.randint(2, 900)} pieces.",
        )
    )


FOREIGN = (
    "Der Zug fährt heute später ab, weil auf der Strecke gebaut wird und die Weichen geprüft werden müssen.",
    "Le musée ouvre ses portes à dix heures, mais les visiteurs arrivent souvent bien avant pour voir le jardin.",
    "La biblioteca cierra temprano los viernes porque los empleados ordenan los libros que llegaron en la semana.",
    "Il mercato si trova dietro la chiesa e vende frutta, verdura e formaggi che vengono dalle valli vicine.",
    "De fietsers rijden langs het kanaal naar de stad, waar ze koffie drinken en daarna naar huis gaan.",
    "Pociąg odjeżdża z trzeciego peronu, a podróżni czekają na ławkach i czytają gazety albo książki.",
    "Поезд отправляется с третьего пути, и пассажиры ждут на скамейках, читают газеты и разговаривают.",
    "図書館は金曜日に早く閉まります。今週届いた本を職員が棚に並べるからです。",
    "火车今天晚点出发,因为线路正在施工,乘客们在站台上等待并看报纸。",
    "المتحف يفتح أبوابه في العاشرة صباحا لكن الزوار يصلون قبل ذلك بكثير لرؤية الحديقة.",
)


def poor(rng: random.Random, pool: tuple[str, ...]) -> str:
    sentence = rng.choice(pool)
    return rng.choice(
        (
            " ".join([sentence] * rng.randint(5, 12)),
            "".join(rng.choices("#$%&*+=<>|~^_/\\", k=rng.randint(200, 400))),
            f"{rng.choice(sentence.split())} " * rng.randint(40, 90),
        )
    )


# ---------------------------------------------------------------------------------------------------
# The set


def plant(
    per_kind: int, clean_pictures: int, clean_texts: int, worlds: Sequence[str] = tuple(WORLDS), seed: int = 0
) -> PlantedSet:
    """At least three worlds' worth of clean pictures is best: what is planted is made from them."""
    rng = random.Random(seed)
    pool = sentences(4 * clean_texts + 20 * per_kind)
    clean_pool, evaluation_pool = _apart(pool[: len(pool) * 3 // 4], pool[len(pool) * 3 // 4 :])
    share = -(-clean_pictures // len(worlds))
    clean = [asked(scene, rng) for world in worlds for scene in scenes(world, share)]
    texts = [
        text_record(_text(rng, clean_pool) + (" " + looks_personal(rng) if rng.random() < 0.5 else ""))
        for _ in range(clean_texts)
    ]
    evaluation = [
        asked(scene, rng)
        for world in worlds
        for scene in scenes(world, -(-per_kind * 2 // len(worlds)), "eval")
    ]
    rng.shuffle(evaluation)
    evaluation_texts = [text_record(_text(rng, evaluation_pool)) for _ in range(per_kind)]
    defects: list[tuple[str, Record]] = []

    def add(kind: str, make: Callable[[int], Record]) -> None:
        defects.extend((kind, make(number)) for number in range(per_kind))

    def again(change: Callable[[PILImage.Image, random.Random], bytes]) -> Callable[[int], Record]:
        """A changed picture of a clean record, with its question."""
        originals = rng.sample(clean, per_kind)

        def make(number: int) -> Record:
            question, answer = (message.text for message in originals[number].conversation.messages)
            changed = [change(one, rng) for one in _opened(originals[number])]
            return found_record(changed, question, answer, originals[number].truths)

        return make

    def text_with(value: Callable[[random.Random], str]) -> Callable[[int], Record]:
        def make(number: int) -> Record:
            before, after = _text(rng, clean_pool), rng.choice(clean_pool)
            return text_record(f"{before} {rng.choice(('Contact', 'Details', 'See'))}: {value(rng)}. {after}")

        return make

    refused = ("CC-BY-NC-4.0", "GPL-3.0-only", "unknown", "proprietary", "CC-BY-SA-4.0 AND GPL-2.0-only")
    add("licence", lambda n: text_record(_text(rng, clean_pool), rng.choice(refused)))
    add("broken picture", again(broken))
    narrow = ((20, 300), (31, 31), (900, 60), (40, 700))
    add("tiny or narrow picture", again(lambda picture, rng: _png(picture.resize(rng.choice(narrow)))))
    copied = rng.sample([*clean, *texts], per_kind)
    add("exact copy", lambda n: copied[n])
    add("resized picture", again(resized))
    add("recompressed picture", again(recompressed))
    add("cropped picture", again(cropped))
    originals = rng.sample(texts, per_kind)
    add(
        "near copy of a text",
        lambda n: text_record(reworded(originals[n].conversation.messages[1].text, rng)),
    )
    add("foreign language", lambda n: text_record(_foreign(rng)))
    add("poor text", lambda n: text_record(poor(rng, clean_pool) + f" {n}"))
    add("blank picture", lambda n: _blank(rng, n))
    hidden = rng.sample(evaluation, 2 * per_kind)
    add(
        "evaluation picture",
        lambda n: _hidden([image.encoded() for image in hidden[n].conversation.images], n),
    )
    changes = (resized, recompressed, cropped)
    add(
        "changed evaluation picture",
        lambda n: _hidden([rng.choice(changes)(one, rng) for one in _opened(hidden[per_kind + n])], n),
    )
    add("evaluation text", lambda n: text_record(_around(evaluation_texts[n], rng, clean_pool)))
    for kind, value in PERSONAL.items():
        add(kind, text_with(value))
    rng.shuffle(defects)
    labelled = [("", record) for record in [*clean, *texts]] + defects  # copies come after their originals
    return PlantedSet(
        tuple(record for _, record in labelled),
        tuple(kind for kind, _ in labelled),
        (*evaluation, *evaluation_texts),
    )


def _foreign(rng: random.Random) -> str:
    """Words of one language, no two records alike."""
    sentence = rng.choice(FOREIGN)
    gap = " " if " " in sentence else ""
    found = sentence.split() if gap else list(sentence)
    return gap.join(rng.choices(found, k=3 * len(found)))


def _blank(rng: random.Random, number: int) -> Record:
    colour = tuple(rng.randrange(256) for _ in range(3))
    size = (rng.randint(200, 400), rng.randint(200, 400))
    return found_record(
        [_png(PILImage.new("RGB", size, colour))], f"What is in picture {number}?", "Nothing."
    )


def _hidden(files: list[bytes], number: int) -> Record:
    return found_record(files, f"Say in a few words what picture {number} shows.", "Several things.")


def _around(record: Record, rng: random.Random, pool: tuple[str, ...]) -> str:
    """An evaluation text, or half of its words in a row, among others."""
    said = record.conversation.messages[1].text.split()
    if rng.random() < 0.5:
        start = rng.randrange(len(said) // 2)
        said = said[start : start + max(14, len(said) // 2)]
    return f"{rng.choice(pool)} {' '.join(said)} {rng.choice(pool)}"


# ---------------------------------------------------------------------------------------------------
# The score


def score(planted: PlantedSet, report: Report) -> list[Score]:
    """How each kind was found by the step and reason meant for it; kinds that share these share their precision."""
    removed = report.removed_rows()
    scores = []
    for kind, meant in FOUND_BY.items():
        rows = [row for row, one in enumerate(planted.kinds) if one == kind]
        found = sum(row in removed and _meant(removed[row], meant) for row in rows)
        taken = sum(not planted.kinds[row] and _meant(by, meant) for row, by in removed.items())
        scores.append(Score(kind, len(rows), found, taken))
    return scores


def _meant(by: tuple[str, str], meant: tuple[str, str]) -> bool:
    return by[0] == meant[0] and meant[1] in ("", by[1])


OPTIONS = Options(languages=("en",))


def main() -> int:
    """Build the set, curate it, print precision and recall; 1 when a kind misses LEAST."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--per-kind", type=int, default=300, help="records with each kind of defect (%(default)s)"
    )
    parser.add_argument(
        "--pictures", type=int, default=4000, help="clean records with pictures (%(default)s)"
    )
    parser.add_argument("--texts", type=int, default=3000, help="clean records of text (%(default)s)")
    parser.add_argument(
        "--worlds", nargs="+", choices=WORLDS, default=tuple(WORLDS), help="to draw pictures from (all)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runner", choices=("native", "ray"), default="native")
    parser.add_argument(
        "--out", type=Path, help="where to keep the curation and its report (default: nowhere)"
    )
    asked_for = parser.parse_args()
    start = time.monotonic()
    planted = plant(asked_for.per_kind, asked_for.pictures, asked_for.texts, asked_for.worlds, asked_for.seed)
    print(f"{len(planted.records):,} records were made in {time.monotonic() - start:.0f} s", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        out = asked_for.out or Path(scratch) / "curation"
        report = _run(planted, out, asked_for.runner)
        if asked_for.out:
            print(f"The report is in {write_report(report, out / 'report.html')}", file=sys.stderr)
        scores = score(planted, report)
    print(f"{'kind':28}{'n':>6}{'recall':>9}{'precision':>11}")
    for one in scores:
        print(f"{one.kind:28}{one.planted:6}{one.recall:9.3f}{one.precision:11.3f}")
    wrong = sum(not planted.kinds[row] for row in report.removed_rows())
    clean = planted.kinds.count("")
    passed = all(min(one.recall, one.precision) >= LEAST for one in scores)
    print(f"{wrong} of {clean:,} clean records were removed")
    print(
        json.dumps(
            {
                "passed": passed,
                "clean": clean,
                "clean_removed": wrong,
                "seconds": round(time.monotonic() - start),
            }
        )
    )
    return 0 if passed else 1


def _run(planted: PlantedSet, out: Path, runner: Runner) -> Report:
    return curate(
        planted.records, out, OPTIONS, evaluation_sets={"held out": planted.evaluation}, runner=runner
    )


if __name__ == "__main__":
    sys.exit(main())
