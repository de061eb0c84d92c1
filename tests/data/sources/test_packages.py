"""Data that comes in packages: small copies of each layout here, and the real thing where it is installed."""

import itertools
import json
from pathlib import Path

import pytest

from clearsight.conversation import Text
from clearsight.data.sources import clip_art, debian, encyclopedia, icon_sets, manuals, stamps, wordnet
from clearsight.data.sources.contract import SourceError, Tally, Unusable
from clearsight.data.verify import verify
from clearsight.data.worlds.drawing import fonts

RED = '<rect x="1" y="1" width="5" height="5" fill="red"/>'


def qa(record) -> tuple[str, str]:
    question, answer = record.conversation.messages
    return question.text, answer.text


def resumed(source, count: int, **options) -> None:
    """Reading on at any position gives what reading on without a stop gives."""
    whole = list(itertools.islice(source.records(**options), count))
    tally = Tally()
    reading = source.records(tally=tally, **options)
    first = list(itertools.islice(reading, 2))
    rest = source.records(skip=tally.position, **options)
    assert [*first, *itertools.islice(rest, count - 2)] == whole


# ---------------------------------------------------------------------------------------- clip art


def svg(
    title: str, licence: str = "http://web.resource.org/cc/PublicDomain", body: str = RED, size: str = "8pt"
) -> str:
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}"><metadata>
      <rdf:RDF xmlns:cc="http://web.resource.org/cc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
       xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cc:Work rdf:about=""><dc:title>{title}</dc:title>
       <dc:subject><rdf:Bag><rdf:li>animal</rdf:li><rdf:li>hash(0x1)</rdf:li></rdf:Bag></dc:subject>
       <cc:license rdf:resource="{licence}"/></cc:Work></rdf:RDF></metadata>{body}</svg>"""


def test_clip_art_has_its_title_keywords_and_its_own_licence(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    drawings = {
        "a.svg": svg("Tom &amp; cat_01"),
        "b.svg": svg("Dog", licence="http://creativecommons.org/licenses/GPL/2.0/"),
        "c.svg": svg("Horse", licence=""),
        "flags/d.svg": svg("France - Brittany"),
        "e.svg": svg("Blank", body=""),
        "f.svg": "<svg",
        "g.svg": svg("Part of the Flat Collection (2004)"),
        **{f"h{n}.svg": svg("Some theme of mine") for n in range(5)},
    }
    (tmp_path / "flags").mkdir()
    for name, text in drawings.items():
        (tmp_path / name).write_text(text)
    tally = Tally()
    found = {r.provenance.uri: r for r in clip_art.records(tmp_path, side=40, tally=tally)}
    assert {uri: (qa(r)[1], r.provenance.licence) for uri, r in found.items()} == {
        "a.svg": ("Tom & cat", "CC-PDDC"),
        "b.svg": ("Dog", "GPL-2.0-only"),
        "c.svg": ("Horse", "unknown"),
        "flags/d.svg": ("flag of France, Brittany", "CC-PDDC"),
    }
    assert found["a.svg"].tags == {"keywords": ["animal"]}
    assert found["a.svg"].truths[0].answer == "Tom & cat"
    assert tally.left_out == {"title of a collection": 5, "no title": 2, "blank drawing": 1}
    resumed(clip_art, 4, folder=tmp_path, side=40)


# ------------------------------------------------------------------------------------------ stamps


def test_stamps_have_captions_in_the_languages_that_are_asked_for(tmp_path: Path, drawn) -> None:
    pytest.importorskip("resvg_py")
    (tmp_path / "animals").mkdir()
    (tmp_path / "animals/frog.png").write_bytes(drawn("green"))
    (tmp_path / "animals/frog.txt").write_text("A frog.\nde.utf8=Ein Frosch.\nfr.utf8=\n")
    (tmp_path / "brain.svg").write_text(svg("x"))
    (tmp_path / "brain.txt").write_text("Because a brain is a terrible thing to waste.\nde.utf8=Hirn.\n")
    (tmp_path / "none.png").write_bytes(drawn())
    tally = Tally()
    found = list(stamps.records(tmp_path, languages=("en", "de", "fr"), tally=tally))
    assert [(r.provenance.uri, qa(r)[1], r.skills) for r in found] == [
        ("animals/frog.png", "A frog.", ("name",)),
        ("animals/frog.png#de", "Ein Frosch.", ("name",)),
        ("brain.svg", "Because a brain is a terrible thing to waste.", ("describe",)),
        ("brain.svg#de", "Hirn.", ("name",)),
    ]
    assert qa(found[1])[0].endswith("Answer in German.")
    assert verify(found[0].truths[0], "frog").right
    assert tally.left_out == {"no caption": 5}
    assert {r.provenance.licence for r in found} == {"GPL-2.0-or-later"}
    with pytest.raises(SourceError, match="no captions in 'xx'"):
        stamps.records(tmp_path, languages=("xx",))
    resumed(stamps, 4, folder=tmp_path, languages=("en", "de", "fr"))


# ------------------------------------------------------------------------------------------- icons


def test_icons_are_named_in_words_under_the_licence_of_their_set(monkeypatch) -> None:
    pytest.importorskip("resvg_py")
    icons = {
        "alarm-clock-outline": {"body": RED},
        "h-1": {"body": RED},
        "old-thing": {"body": RED, "hidden": True},
        "empty-thing": {"body": ""},
    }
    sets = {"mdi": icon_sets.IconSet("mdi", "Material Design Icons", "Apache-2.0", 24, 24, icons)}
    monkeypatch.setattr(icon_sets, "read", lambda prefixes: sets)
    tally = Tally()
    (record,) = icon_sets.records(("mdi",), tally=tally)
    assert qa(record)[1] == "alarm clock"
    assert (record.provenance.licence, record.provenance.uri) == ("Apache-2.0", "mdi:alarm-clock-outline")
    assert tally.left_out == {"no telling name": 1, "withdrawn icon": 1, "blank drawing": 1}
    with pytest.raises(SourceError, match="'ph' is kept for evaluation"):
        icon_sets.records(("mdi", "ph"))


# ----------------------------------------------------------------------------------------- WordNet

NOUNS = """\
  1 The licence stands in lines that begin with two spaces.
00000060 03 n 01 animal 0 000 | a living organism that feels and moves
{kind:08d} 05 n 02 dog 0 domestic_dog 0 001 @ 00000060 n 0000 | a member of the genus Canis; "the dog barked all night"
00000400 05 n 01 rude_word 0 000 | an offensive word for a person
00000500 zz damaged
"""


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    text = NOUNS.format(kind=200)
    (tmp_path / "data.noun").write_text(text)
    offset = text.index("00000060")
    (tmp_path / "data.noun").write_text(text.replace("00000060", f"{offset:08d}"))
    for part in ("verb", "adv"):
        (tmp_path / f"data.{part}").write_text("")
    (tmp_path / "data.adj").write_text("00000000 00 a 01 cat-like(p) 0 000 | like a cat\n")
    return tmp_path


def test_words_and_meanings_come_from_the_database_as_people_write_them(dictionary: Path) -> None:
    line = (dictionary / "data.noun").read_bytes().splitlines()[2]
    dog = wordnet.parse(line)
    assert dog.words == ("dog", "domestic dog")
    assert dog.definition == "a member of the genus Canis"
    tally = Tally()
    found = list(wordnet.records(dictionary, tally=tally))
    assert len(found) == 3
    assert tally.left_out == {"offensive word": 1, "damaged line": 1}
    for record in found:
        assert record.provenance.licence == "LicenseRef-WordNet-3.0"
        assert verify(record.truths[0], qa(record)[1]).right
    assert "cat-like" in " ".join(qa(found[-1])) and "(p)" not in " ".join(qa(found[-1]))
    resumed(wordnet, 3, folder=dictionary)


def test_each_way_to_ask_about_a_word(dictionary: Path, monkeypatch) -> None:
    (dictionary / "data.adj").write_text("")
    asked = {}
    for form in range(3):
        monkeypatch.setattr(wordnet.zlib, "crc32", lambda data, form=form: form)
        asked[form] = {r.skills[0]: (*qa(r), r.truths[0]) for r in wordnet.records(dictionary)}
    kind = asked[0]["kind of thing"]
    assert "dog" in kind[0] and kind[1] == "animal"
    word = asked[1]["find the word"]
    assert "a member of the genus Canis" in word[0] and word[1] == "dog"
    assert word[2].alternatives == ("domestic dog",)
    meaning = asked[2]["define"]
    assert "“dog”" in meaning[0] and "a noun" in meaning[0] and meaning[1] == "a member of the genus Canis"


# ------------------------------------------------------------------------------------ encyclopedia


def test_articles_are_asked_about_in_their_own_language(tmp_path: Path) -> None:
    summary = "La Tierra es un planeta del sistema solar que gira alrededor de su estrella, el Sol. " * 2
    articles = {
        title: {"title": title, "extract": summary, "description": "planeta", "topic": "Ciencia"}
        for title in ("Tierra", "Marte", "Venus", "Saturno", "Júpiter", "Urano")
    }
    articles["Corto"] = {"title": "Corto", "extract": "Corto.", "description": ""}
    (tmp_path / encyclopedia.FILES["es"]).write_text(json.dumps(articles))
    tally = Tally()
    found = list(encyclopedia.records(tmp_path, language="es", tally=tally))
    assert tally.left_out == {"no summary": 1}
    assert {record.skills[0] for record in found} == {"know", "know briefly"}
    assert all("¿" in qa(r)[0] or qa(r)[0].endswith(".") for r in found)
    assert found[4].provenance.uri == "https://es.wikipedia.org/wiki/J%C3%BApiter"
    assert found[0].provenance.licence == "CC-BY-SA-4.0"
    resumed(encyclopedia, 6, folder=tmp_path, language="es")
    with pytest.raises(SourceError, match="no summaries in 'de'"):
        encyclopedia.records(language="de")
    (tmp_path / encyclopedia.FILES["fr"]).write_text("{")
    with pytest.raises(SourceError, match="can't be read"):
        encyclopedia.records(tmp_path, language="fr")


# ----------------------------------------------------------------------------------------- manuals

MANUAL = """.TH TRY 1
.SH NAME
try \\- \\fBtries\\fR things and says what came of it
.SH DESCRIPTION
""" + "\n.PP\n".join(f"Paragraph {n} tells at some length what option {n} does." for n in range(12))


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    import shutil

    if not (shutil.which("man") and shutil.which("groff")):
        pytest.skip("man and groff are not installed (apt-get install man-db groff-base)")
    try:
        fonts.monospaced_files("train")
    except fonts.FontsMissing as error:
        pytest.skip(str(error))
    (tmp_path / "man1").mkdir()
    (tmp_path / "man1/try.1").write_text(MANUAL)
    (tmp_path / "man1/empty.1").write_text("")
    return tmp_path


def test_the_text_of_a_manual_is_exactly_what_its_picture_shows(manual: Path) -> None:
    tally = Tally()
    (record,) = manuals.records(manual, tally=tally)
    page = qa(record)[1]
    whole = "\n".join(line.strip() for line in manuals.typeset(manual / "man1/try.1").splitlines())
    assert all(line.strip() in whole for line in page.splitlines())
    assert max(map(len, page.splitlines())) <= manuals.COLUMNS
    assert not any(control in page for control in ("\b", "\x1b", "\\f"))
    assert verify(record.truths[0], page).right
    assert record.provenance.licence == "unknown"
    assert next(manuals.records(manual)).id == record.id, "the same manual gives the same picture"
    assert next(manuals.records(manual, split="eval")).id != record.id
    assert tally.left_out.total() == 1


def test_without_man_what_to_install_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match="apt-get install man-db groff-base"):
        manuals.records(tmp_path)


# ------------------------------------------------------------------------------------------ Debian


@pytest.mark.parametrize(
    ("source", "package"),
    [
        (clip_art, "openclipart-svg"),
        (stamps, "tuxpaint-stamps-default"),
        (wordnet, "wordnet-base"),
        (manuals, "manpages"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_its_command(
    source, package: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(source, "PLACES", (tmp_path / "absent",))
    with pytest.raises(SourceError, match=f"apt-get install {package}"):
        source.records()


def test_an_incomplete_dictionary_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text("")
    with pytest.raises(SourceError, match=r"no data\.verb.*apt-get install wordnet-base"):
        wordnet.records(tmp_path)


def test_a_packages_licence_is_all_that_its_copyright_file_states(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(debian, "DOCUMENTS", tmp_path)
    texts = {
        "mixed": "Format: x\n\nFiles: *\nLicense: GPL-2+ and Expat\n\nFiles: b/*\nLicense: BSD-3-clause\n\n"
        "Files: debian/*\nLicense: GPL-3\n\nLicense: GPL-2+\n text",
        "old": "It is free software.",
        "silent": "Format: x\n\nFiles: *\nCopyright: me\n",
    }
    for package, text in texts.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "copyright").write_text(text)
    debian.licence.cache_clear()
    assert debian.licence("mixed") == "GPL-2.0-or-later AND MIT AND BSD-3-Clause"
    assert [debian.licence(p) for p in ("old", "silent", "absent")] == ["unknown"] * 3
    debian.licence.cache_clear()


@pytest.mark.parametrize(
    ("debian_name", "spdx"),
    [
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("GFDL-NIV-1.3", "GFDL-1.3-only"),
        ("Expat", "MIT"),
        ("public-domain", "LicenseRef-public-domain"),
    ],
)
def test_debians_names_of_licences_become_spdx(debian_name: str, spdx: str) -> None:
    assert debian.spdx(debian_name) == spdx


@pytest.mark.parametrize(
    ("source", "least"),
    [(clip_art, 3), (stamps, 10), (wordnet, 50), (manuals, 3)],
    ids=lambda v: getattr(v, "PACKAGE", v),
)
def test_the_real_package_where_it_is_installed(source, least: int) -> None:
    if not any(Path(place).is_dir() for place in source.PLACES):
        pytest.skip("not installed here")
    try:
        found = list(itertools.islice(source.records(), least))
    except (SourceError, fonts.FontsMissing) as error:
        pytest.skip(str(error))
    assert len(found) == least
    for record in found:
        assert record.provenance.uri and record.provenance.source
        assert all(isinstance(part, Text) and part.text for part in record.conversation.messages[1].parts)
        for truth in record.truths:
            assert truth is None or verify(truth, qa(record)[1]).right


def test_an_icon_without_words_in_its_name_is_left_out() -> None:
    assert icon_sets.spoken("arrow-left-bold-outline") == "arrow left"
    for name in ("ab", "h-1", "2d", "mp3"):
        with pytest.raises(Unusable, match="no telling name"):
            icon_sets.spoken(name)
