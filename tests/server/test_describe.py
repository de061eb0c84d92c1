"""POST /v1/describe, the check of an answer, and words for pictures: what a client gets, in which order."""

import base64
import io
import json
import time
from typing import Any

import httpx2
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from serving import Served

pytestmark = [pytest.mark.bundled, pytest.mark.slow]


def events(response: httpx2.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    lines = [line for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def as_part(data: bytes) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def types(found: list[dict[str, Any]]) -> list[str]:
    """Kinds of events in order, runs of one kind once."""
    return [
        one["type"] for place, one in enumerate(found) if not place or found[place - 1]["type"] != one["type"]
    ]


def test_description_comes_after_quality_and_before_cautions_and_doubts(
    served: Served, sample: bytes
) -> None:
    with served.client() as http:
        before = http.get("/v1/conversations").json()
        found = events(http.post("/v1/describe", json={"image": as_part(sample)}))
        assert types(found) == ["quality", "delta", "done", "writing", "cautions", "doubts"]
        text = "".join(one["text"] for one in found if one["type"] == "delta")
        assert text == next(one["text"] for one in found if one["type"] == "done") != ""
        assert found[-1]["samples"] == 5
        for doubt in found[-1]["doubts"]:
            assert text[doubt["start"] : doubt["end"]] == doubt["text"]
        assert http.get("/v1/conversations").json() == before


def test_blurred_picture_is_advised_about_before_anything_is_said(served: Served, sample: bytes) -> None:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(sample)).convert("RGB").filter(ImageFilter.GaussianBlur(8)).save(buffer, "PNG")
    with served.client() as http:
        body = {"image": as_part(buffer.getvalue()), "check": False, "read": False}
        found = events(http.post("/v1/describe", json=body))
    assert found[0]["findings"][0]["problem"] == "blurred"
    assert "Hold still" in found[0]["findings"][0]["advice"]
    assert types(found) == ["quality", "delta", "done", "cautions"]


def test_writing_is_read_word_for_word_and_cautioned_about(served: Served) -> None:
    lines = ("Corner Cafe", "Total due $ 12.50")
    picture = Image.new("RGB", (480, 200), "white")
    font = ImageFont.load_default(40)
    for number, line in enumerate(lines):
        ImageDraw.Draw(picture).text((30, 30 + 80 * number), line, fill="black", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    with served.client() as http:
        body = {"image": as_part(buffer.getvalue()), "check": False, "keep": True}
        found = events(http.post("/v1/describe", json=body))
        read = next(one for one in found if one["type"] == "writing")
        assert (read["text"].replace("$ ", "$"), read["by"]) == ("Corner Cafe\nTotal due $12.50", "PP-OCR")
        assert "money" in [one["topic"] for one in found[-1]["cautions"]]
        answer = http.get(f"/v1/conversations/{found[1]['id']}").json()["messages"][1]
        assert answer["details"]["writing"] == read["text"]


@pytest.mark.parametrize("size", [(1, 1), (1, 180), (300, 2)])
def test_pictures_too_narrow_for_writing_have_none(served: Served, size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", size, "white").save(buffer, "PNG")
    with served.client() as http:
        found = events(http.post("/v1/describe", json={"image": as_part(buffer.getvalue()), "check": False}))
    assert next(one["text"] for one in found if one["type"] == "writing") == ""


def test_kept_description_is_a_conversation_with_its_doubts_and_words_for_the_picture(
    served: Served, sample: bytes
) -> None:
    with served.client() as http:
        uploaded = http.post("/v1/images", files={"file": ("a.png", sample, "image/png")}).json()
        body = {"image": {"type": "image", "sha256": uploaded["sha256"]}, "keep": True}
        found = events(http.post("/v1/describe", json=body))
        assert types(found)[:3] == ["quality", "conversation", "answer"]
        conversation = http.get(f"/v1/conversations/{found[1]['id']}").json()
        turn, answer = conversation["messages"]
        assert turn["content"][0]["sha256"] == uploaded["sha256"] and turn["details"]["quality"]["usable"]
        assert answer["details"]["samples"] == 5 and "doubts" in answer["details"]
        assert conversation["title"]
        about = f"/v1/images/{uploaded['sha256']}/about"
        deadline = time.monotonic() + 60
        while not (alt := http.get(about).json()["alt"]) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert alt
        assert http.put(about, json={"alt": "  A black\nstar "}).json()["alt"] == "A black star"
        checked = http.post(f"/v1/conversations/{conversation['id']}/messages/{answer['id']}/check", json={})
        assert checked.json()["details"]["samples"] == 5
        assert http.get(about).json()["alt"] == "A black star"


def test_only_finished_answers_about_pictures_can_be_checked(served: Served) -> None:
    with served.client() as http:
        conversation = http.post("/v1/conversations", json={}).json()["id"]
        answered = http.post(
            f"/v1/conversations/{conversation}/answers",
            json={"content": "Say yes.", "settings": {"max_tokens": 4}},
        )
        answer = events(answered)[-1]["message"]["id"]
        path = f"/v1/conversations/{conversation}/messages"
        refused = http.post(f"{path}/{answer}/check", json={})
        assert refused.status_code == 400 and "picture" in refused.json()["error"]["message"]
        assert http.post(f"{path}/msg_unknown/check", json={}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"image": {"type": "image", "sha256": "0" * 64}},
        {"image": {"type": "image", "sha256": "../../etc/passwd"}},
        {"image": {"type": "text", "text": "no picture"}},
        {"image": {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}},
        {"image": {"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}}},
        {"image": {"type": "image", "sha256": "0" * 64}, "task": "judge"},
    ],
)
def test_bad_request_is_refused_in_words(served: Served, body: dict[str, Any]) -> None:
    with served.client() as http:
        answer = http.post("/v1/describe", json=body)
    assert answer.status_code in (400, 404) and answer.json()["error"]["message"]


def test_key_without_inference_may_not_describe_nor_spend_on_checks(served: Served, sample: bytes) -> None:
    key = served.new_key(["conversations"])
    with httpx2.Client(base_url=served.url, headers={"authorization": f"Bearer {key}"}, timeout=60) as http:
        assert http.post("/v1/describe", json={"image": as_part(sample)}).status_code == 403
