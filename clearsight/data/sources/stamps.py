"""The stamps of Tux Paint as Debian has them: cut-outs of photos and drawings, with captions in many languages.

Their licence is the GPL, version 2 or later, so a build of permissive sources refuses them. A caption of up to four
words names the thing and is a truth; a longer one only describes it. Not every caption is translated.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from clearsight.conversation import Conversation, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import SourceError, Tally, Unusable, picture, records_of
from clearsight.data.sources.debian import find, named_with_version
from clearsight.data.sources.drawings import drawn
from clearsight.data.sources.questions import DESCRIBE, NAME, wording
from clearsight.data.verify import Truth

PACKAGE = "tuxpaint-stamps-default"
PLACES = ("/usr/share/tuxpaint/stamps", "/usr/local/share/tuxpaint/stamps")
LICENCE = "GPL-2.0-or-later"
SIDE = 448  # pixels, of the stamps that are SVG
WORDS_OF_A_NAME = 4
LANGUAGES = {
    "en": "English",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh_CN": "Chinese",
}


def records(
    folder: str | Path | None = None,
    *,
    languages: Sequence[str] = ("en",),
    skip: int = 0,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """A record of each stamp in each language (see LANGUAGES), by default from where the Debian package puts them.

    Raises SourceError when they are not there or a language is unknown.
    """
    unknown = [language for language in languages if language not in LANGUAGES]
    if unknown:
        raise SourceError(f"There are no captions in {unknown[0]!r}; use some of {', '.join(LANGUAGES)}.")
    root = find(PACKAGE, PLACES, folder, "stamps (.png with .txt)")
    source = named_with_version(PACKAGE) if folder is None else root.resolve().name
    files = sorted(path for path in root.rglob("*") if path.suffix in (".png", ".svg"))
    stamps = [(path, language) for path in files for language in languages]

    def build(stamp: tuple[Path, str]) -> Record:
        path, language = stamp
        uri = path.relative_to(root).as_posix() + ("" if language == "en" else f"#{language}")
        caption = captions(path.with_suffix(".txt")).get(language)
        if not caption:
            raise Unusable("no caption", f"none in {LANGUAGES[language]}")
        if path.suffix == ".svg":
            image = drawn(path.read_text(encoding="utf-8", errors="replace"), SIDE)
        else:
            image = picture(path.read_bytes())
        is_name = len(caption.split()) <= WORDS_OF_A_NAME and "!" not in caption
        question = wording(NAME if is_name else DESCRIBE, uri)
        if language != "en":
            question += f" Answer in {LANGUAGES[language]}."
        return Record(
            Conversation((user(image, question), assistant(caption))),
            Provenance(source, LICENCE, uri=uri),
            (Truth("text", caption),) if is_name else (),
            ("name" if is_name else "describe",),
        )

    items = ((f"{path.relative_to(root)} ({language})", (path, language)) for path, language in stamps[skip:])
    return records_of(str(root), items, build, skip=skip, tally=tally)


@cache
def captions(path: Path) -> dict[str, str]:
    """The captions in a stamp's text file by language: English is the first line, others are `xx.utf8=...`."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found = {"en": lines[0].strip()} if lines else {}
    for line in lines[1:]:
        language, mark, caption = line.partition(".utf8=")
        if mark and caption.strip():
            found[language] = caption.strip()
    return found
