"""What the page costs a browser: its weight, first paint, and a conversation of five hundred messages.

A real server with the bundled model and Debian's Chromium on the same machine. Five hundred messages (headings, lists,
tables, code and formulas among them) and twenty pictures come in as an import does; the conversation is opened,
scrolled from its end to its beginning, and goes on with one more answer. Frames are those that the browser asks the
page for; a smooth one comes every 16.7 ms. The last line is JSON.

    python -m benchmarks.client
    python -m benchmarks.client --messages 2000 --chromium /usr/bin/google-chrome
"""

import argparse
import io
import json
import statistics
import tempfile
import time
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from benchmarks.server_process import ServerProcess, running_server

PAINTS = 9
PICTURES = 20
STEP = 160  # pixels that are scrolled in a frame: a quick finger
ANSWERS = (
    "It is a blue disc on a pink ground.",
    "## Opening hours\n\n| Day | Opens | Closes |\n|:--|--:|--:|\n| Monday | 08:30 | 17:00 |\n",
    "1. Mind the step.\n2. Use the `left` door.\n   - It is heavy.\n\n> Closed on holidays",
    '```python\nfor number in range(10):\n    print(f"{number}: {number ** 2}")\n```\n\nThat prints ten lines.',
    "The area is $A = \\pi r^2$, so about $$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$ of it is left.",
)
PAGE_WORK = (
    "ScriptDuration",
    "LayoutDuration",
    "RecalcStyleDuration",
)  # seconds; what watches the page left out
SCROLL = """async (step) => {
    const area = document.querySelector('#main > .scroll');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const took = [];
    let before = await frame();
    while (area.scrollTop > 0) {
        area.scrollTop -= step;
        const now = await frame();
        took.push(now - before);
        before = now;
    }
    return took;
}"""


WEIGHT = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter((one) => !one.name.includes('/v1/'))
    .reduce((sum, one) => sum + one.transferSize, 0)"""


def export_of(count: int) -> bytes:
    """An export with one conversation of `count` messages, a picture in one question of twelve, up to twenty."""
    pictures: dict[str, bytes] = {}
    turns: list[dict[str, Any]] = []
    for number in range(count):
        mine = number % 2 == 0
        content: list[dict[str, Any]] = []
        if mine and number % 24 == 0 and len(pictures) < PICTURES:
            data = picture(len(pictures))
            pictures[sha256(data).hexdigest()] = data
            content.append({"type": "image", "sha256": sha256(data).hexdigest(), "alt": f"Picture {number}"})
        text = f"Question {number // 2 + 1}?" if mine else ANSWERS[number // 2 % len(ANSWERS)]
        content.append({"type": "text", "text": text})
        turns.append(
            {
                "id": f"m{number}",
                "conversation_id": "long",
                "parent_id": f"m{number - 1}" if number else None,
                "sequence": number + 1,
                "role": "user" if mine else "assistant",
                "content": content,
                "status": "complete",
                "details": {},
                "created_at": number,
                "updated_at": number,
            }
        )
    conversation = {
        "id": "long",
        "user_id": "",
        "title": f"{count} messages",
        "settings": {"model": "mini"},
        "metadata": {},
        "pinned": False,
        "last_sequence": count,
        "created_at": 0,
        "updated_at": 0,
        "messages": turns,
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps({"format": "clearsight-export", "version": 1}))
        archive.writestr("conversations.jsonl", json.dumps(conversation) + "\n")
        for name, data in pictures.items():
            archive.writestr(f"blobs/{name}", data)
    return whole.getvalue()


def picture(number: int) -> bytes:
    """A disc; each number has a colour of its own."""
    image = Image.new("RGB", (640, 480), f"hsl({18 * number}, 70%, 90%)")
    ImageDraw.Draw(image).ellipse((120, 80, 380 + 10 * number, 400), fill=f"hsl({18 * number}, 70%, 40%)")
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def imported(page: Page, address: str, export: bytes) -> str:
    """The id of the conversation that an export holds, brought in by whoever is logged in."""
    csrf = page.request.get(f"{address}/v1/session").json()["csrf_token"]
    file = {"name": "export.zip", "mimeType": "application/zip", "buffer": export}
    answer = page.request.post(
        f"{address}/v1/account/import", headers={"x-csrf-token": csrf}, multipart={"file": file}
    )
    assert answer.ok, answer.text()
    return str(page.request.get(f"{address}/v1/conversations").json()["data"][0]["id"])


def painting(browser: Browser, address: str, state: Any) -> dict[str, float]:
    """Median seconds to the first paint and to a message box that takes text, and kB that came over the wire."""
    paints, ready, weight = [], [], 0
    for _ in range(PAINTS):
        context = browser.new_context(storage_state=state, service_workers="block")
        page = context.new_page()
        began = time.perf_counter()
        page.goto(address)
        page.get_by_role("textbox", name="Message").wait_for()
        ready.append(time.perf_counter() - began)
        paints.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
        )
        weight = page.evaluate(WEIGHT)
        context.close()
    return {
        "first_paint_s": statistics.median(paints),
        "first_paint_worst_s": max(paints),
        "ready_s": statistics.median(ready),
        "page_kb": weight / 1000,
    }


def long_conversation(browser: Browser, address: str, state: Any, count: int) -> dict[str, float]:
    """Seconds to open it, milliseconds of frames while it is scrolled, and of work for a word of one more answer."""
    context = browser.new_context(storage_state=state, service_workers="block")
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("textbox", name="Message").wait_for()
    conversation = imported(page, address, export_of(count))
    began = time.perf_counter()
    page.evaluate("(id) => (location.hash = `#/c/${id}`)", conversation)
    page.locator("article.message").nth(count - 1).wait_for()
    opened = time.perf_counter() - began
    page.wait_for_timeout(1000)
    frames = page.evaluate(SCROLL, STEP)
    busy = context.new_cdp_session(page)
    busy.send("Performance.enable")

    def work() -> float:
        metrics = busy.send("Performance.getMetrics")["metrics"]
        return float(sum(one["value"] for one in metrics if one["name"] in PAGE_WORK))

    box = page.get_by_role("textbox", name="Message")
    box.fill("Tell me a story about the sea.")
    before = work()
    box.press("Enter")
    page.locator("article.message").nth(count + 1).wait_for()
    page.get_by_role("button", name="Stop", exact=True).wait_for(state="hidden")
    spent = 1000 * (work() - before)
    pieces = page.locator("article.message").last.inner_text().count(" ") + 1
    context.close()
    return {
        "messages": count,
        "open_s": opened,
        "frames": len(frames),
        "frame_ms_median": statistics.median(frames),
        "frame_ms_95": statistics.quantiles(frames, n=20)[-1],
        "frame_ms_worst": max(frames),
        "work_ms_per_word": spent / pieces,
    }


def login(browser: Browser, server: ServerProcess) -> Any:
    """The cookies of the owner."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.link)
    page.get_by_role("textbox", name="Message").wait_for()
    state = context.storage_state()
    context.close()
    return state


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    arguments = parser.parse_args()
    notes = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory() as name,
        running_server(Path(name)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        state = login(browser, server)
        page = painting(browser, server.url, state)
        notes.print(f"First paint {page['first_paint_s']:.2f} s, page {page['page_kb']:.0f} kB")
        long = long_conversation(browser, server.url, state, arguments.messages)
        notes.print(
            f"{arguments.messages} messages: open in {long['open_s']:.2f} s; "
            f"frames of {long['frame_ms_median']:.1f} ms (95%: {long['frame_ms_95']:.1f}, "
            f"worst {long['frame_ms_worst']:.0f}); "
            f"{long['work_ms_per_word']:.1f} ms of work for a word"
        )
        browser.close()
    print(json.dumps({key: round(value, 3) for key, value in {**page, **long}.items()}))


if __name__ == "__main__":
    main()
