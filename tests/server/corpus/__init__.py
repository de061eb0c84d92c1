"""Bad and odd inputs, made by code with seeds, that every entrance of the server is held to.

    for case in cases():
        post("/v1/chat/completions", case.body("mini"))

Groups are numbered as in the project's list of bad inputs: 1-9 addresses, 10-19 pictures, 20-23 text and bodies.
`refused` means 4xx in the error shape; `accepted` means that the picture or text as such is none of the reasons for a
refusal; `either` means that both are right, as long as it isn't 5xx, slow or large.
"""

from collections.abc import Iterator

from tests.server.corpus import addresses, bodies, pictures, text
from tests.server.corpus.case import Case

SOURCES = (
    ({1, 2, 3, 6, 7, 16}, addresses.cases),
    *pictures.SOURCES,
    ({20, 21, 22}, text.cases),
    ({19, 22, 23}, bodies.cases),
)


def cases(groups: range | set[int] = range(1, 24)) -> Iterator[Case]:
    """All cases of these groups, one at a time: some hold megabytes."""
    for made, source in SOURCES:
        if made & set(groups):
            yield from (case for case in source() if case.group in groups)
