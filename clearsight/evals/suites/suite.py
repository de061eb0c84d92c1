"""A suite: a name, its items, and which control sees nothing of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from clearsight.evals.item import Control, Item


@dataclass(frozen=True)
class Suite:
    """`items` begins anew each time it is called, and always gives the same ones.

    `about` says in a sentence what is asked; `control` is None where no picture is. `published` holds the scores
    others reported under the same name, by model, in per cent. `notes` are printed under the table.
    """

    name: str
    items: Callable[[], Iterator[Item]]
    about: str = ""
    control: Control | None = "grey"
    published: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
