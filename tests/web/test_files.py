"""The client's files: whole, as they were published, cached as they may be, and nothing beside them."""

import hashlib
import json
import re
import urllib.error
import urllib.request

import pytest

from clearsight.server.routes.client import Client
from clearsight.web import folder

VENDOR = folder() / "vendor"
CSS = (folder() / "assets/css/tokens.css").read_text(encoding="utf-8")
THEMES = {
    "light": r":root \{",
    "dark": r':root\[data-theme="dark"\] \{',
    "contrast": r':root\[data-theme="contrast"\] \{',
}
TEXT_PAIRS = [
    *((text, ground) for text in ("ink", "faint") for ground in ("paper", "surface", "sunken", "raised")),
    *(("accent", ground) for ground in ("paper", "surface", "sunken", "accent-soft")),
    *(("ink", ground) for ground in ("mine", "accent-soft", "danger-soft")),
    *((f"on-{ground}", ground) for ground in ("accent", "amber", "danger")),
    *(("danger", ground) for ground in ("paper", "surface", "danger-soft", "raised")),
    ("on-warning", "warning-soft"),
    ("on-accent", "accent-strong"),
]
EDGE_PAIRS = [
    *(("edge", ground) for ground in ("paper", "surface", "sunken", "raised")),
    *(("focus", ground) for ground in ("paper", "surface", "sunken", "raised")),
]


def test_libraries_are_the_ones_that_were_published() -> None:
    packages = json.loads((VENDOR / "lock.json").read_text(encoding="utf-8"))["packages"]
    locked = {name: digest for package in packages for name, digest in package["files"].items()}
    there = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "lock.json"
    }
    assert there == locked
    for package in packages:
        assert package["licence"] and package["integrity"].startswith("sha512-")
        assert f"{package['name']}/LICENSE" in package["files"]


def colours(theme: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for wanted in ("light", theme):
        body = re.search(THEMES[wanted] + r"\n(.*?)\n\}", CSS, re.DOTALL)
        assert body
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body[1]))
    return found


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_edges_can_be_seen_in_every_theme(theme: str) -> None:
    known = colours(theme)
    faint = [
        f"{front} on {ground}: {contrast(known[front], known[ground]):.2f}"
        for pairs, least in ((TEXT_PAIRS, 7.0 if theme == "contrast" else 4.5), (EDGE_PAIRS, 3.0))
        for front, ground in pairs
        if contrast(known[front], known[ground]) < least
    ]
    assert not faint


def test_the_systems_dark_and_contrast_are_the_same_as_the_chosen_ones() -> None:
    for theme, query in (("dark", "prefers-color-scheme: dark"), ("contrast", "prefers-contrast: more")):
        body = re.search(r"\(" + query + r"\) \{.*?\{\n(.*?)\n  \}\n\}", CSS, re.DOTALL)
        chosen = re.search(THEMES[theme] + r"\n(.*?)\n\}", CSS, re.DOTALL)
        assert body and chosen
        assert [line.strip() for line in body[1].split("\n")] == [
            line.strip() for line in chosen[1].split("\n")
        ]


def test_page_has_no_inline_script_or_style() -> None:
    page = (folder() / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)
    for path in (folder() / "assets/js").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'\sstyle="|innerHTML|insertAdjacentHTML|\beval\(|new Function', text), path.name


def test_every_address_in_the_page_is_there() -> None:
    client = Client(folder())
    page = client.pages["index.html"].body.decode()
    for address in re.findall(r'(?:src|href)="/assets/([^"]+)"', page):
        assert client.asset(address), address
    shell = re.search(r"const SHELL = (\[.*?\]);", client.pages["worker.js"].body.decode())
    assert shell and all(client.asset(one.removeprefix("/assets/")) for one in json.loads(shell[1]))


def test_page_without_formulas_is_small() -> None:
    client = Client(folder())
    parts = [
        file
        for name, file in client.assets.items()
        if name.startswith(("css/", "js/")) or name == "icons.svg"
    ]
    parts += [
        file for name, file in client.assets.items() if name.startswith("vendor/") and "katex" not in name
    ]
    sent = sum(len(file.compressed or file.body) for file in parts)
    assert sent <= 300_000


@pytest.mark.slow
def test_files_are_cached_compressed_and_nothing_else_is_served(served) -> None:
    def fetch(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(served.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    status, headers, body = fetch("/")
    assert status == 200 and headers["cache-control"] == "no-cache"
    assert "unsafe" not in headers["content-security-policy"]
    script = re.search(rb'src="(/assets/[0-9a-f]{16}/js/main.js)"', body)
    assert script
    status, headers, plain = fetch(script[1].decode())
    assert status == 200 and "immutable" in headers["cache-control"]
    assert headers["content-type"].startswith("text/javascript")
    assert fetch(script[1].decode(), **{"if-none-match": headers["etag"]})[0] == 304
    status, headers, small = fetch("/assets/js/main.js", **{"accept-encoding": "gzip"})
    assert headers["content-encoding"] == "gzip" and headers["cache-control"] == "no-cache"
    assert len(small) < len(plain)
    for path in (
        "/assets/../__init__.py",
        "/assets/%2e%2e/__init__.py",
        "/assets/__init__.py",
        "/assets/vendor/lock.json",
        "/assets//js/main.js",
        "/assets/js/",
        "/assets/0000000000000000/js/main.js",
    ):
        assert fetch(path)[0] == 404, path
