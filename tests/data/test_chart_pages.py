"""On a chart or diagram no text may touch another or leave the page: nobody could read it."""

import pytest

from clearsight.data.worlds import load
from clearsight.data.worlds.chart_page import Page

DRAWN_ON_PAGES = ("bar_charts", "line_charts", "pie_charts", "flow_charts", "networks")


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
