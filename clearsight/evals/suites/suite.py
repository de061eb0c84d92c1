"""A suite: a name, its items, and which control sees nothing of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from clearsight.evals.item import Control, Item


@dataclass(frozen=True)
class Suite:
    """`items` begins anew each time it is called, and always gives the same ones.

    `about` says in a sentence what is asked; `control` is None where no picture is. `published` holds the scores
    others reported under the same name, by model, in per cent. `notes` are printed under the table. A suite that is
    `held_out` is run once by a model. `named` is how the command line asks for it, with the `count` given there.
    """

    name: str
    items: Callable[[], Iterator[Item]]
    about: str = ""
    control: Control | None = "grey"
    published: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    held_out: bool = False
    named: str = ""
    count: int | None = None
