"""What all charts and diagrams must keep: no text touches another or leaves the page, and no name is in both splits."""

import pytest

from clearsight.data.worlds import load
from clearsight.data.worlds.charts.page import Page
from clearsight.data.worlds.charts.subjects import GROUPS, LETTERS, PLACES, QUANTITIES, TITLES
from clearsight.data.worlds.diagrams.subjects import PARTS, PROCESSES
from clearsight.data.worlds.scene import Split

DRAWN_ON_PAGES = (
    "bar_charts",
    "line_charts",
    "pie_charts",
    "flow_charts",
    "networks",
    "box_plots",
    "heat_maps",
    "scatter_plots",
    "histograms",
    "trees",
    "venn_diagrams",
)


@pytest.mark.parametrize("name", DRAWN_ON_PAGES)
@pytest.mark.parametrize("split", ["train", "eval"])
def test_no_text_touches_another_or_leaves_the_page(name, split, seeds, monkeypatch) -> None:
    finish, pages = Page.finish, []

    def noted(page: Page):
        pages.append(page)
        return finish(page)

    monkeypatch.setattr(Page, "finish", noted)
    for seed in range(seeds):
        load(name).sample(seed, split)
        page = pages.pop()
        assert not page.collisions(), (seed, page.template, page.collisions())


def test_no_name_on_a_chart_or_diagram_is_in_both_splits() -> None:
    """A name learnt in training could be recognised instead of read."""

    def names(split: Split) -> set[str]:
        found = {name for group in GROUPS[split] for name in group.members}
        found |= {quantity.name for quantity in QUANTITIES[split]}
        found |= {name for texts in PROCESSES[split] for text in texts for name in text.split(", ")}
        return found | {*LETTERS[split], *PARTS[split], *PLACES[split], *TITLES[split]}

    assert not names("train") & names("eval")
