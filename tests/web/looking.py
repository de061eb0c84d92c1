"""Looking at the page as axe does, and as somebody who chose a theme or a model."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

THEMES = ("light", "dark", "contrast")
SETTLED = """Promise.allSettled(
    document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1).map((one) => one.finished)
)"""


def complaints(page: Page) -> list[str]:
    """What axe finds wrong, once every colour has changed."""
    page.evaluate(SETTLED)
    violations = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in violations]


def set_theme(page: Page, theme: str) -> None:
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)


def with_mini(page: Page) -> None:
    """Ask the bundled model instead of the parrot."""
    expect(page.locator("#main")).to_be_visible()
    page.evaluate(
        "import(document.querySelector('script[type=module]').src.replace('main.js', 'state.js'))"
        ".then(({app}) => {app.settings = {model: 'mini'}; app.change()})"
    )
