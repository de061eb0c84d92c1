"""Groups 19, 22 and 23: bodies of the wrong shape, broken JSON, and fields that would hand the server's inside out."""

import json
from collections.abc import Iterator
from typing import Any

from tests.server.corpus.case import Case
from tests.server.corpus.pictures import tiny_png_url
from tests.server.corpus.text import said

INSIDE = [
    "chat_template",
    "chat_template_kwargs",
    "mm_processor_kwargs",
    "media_io_kwargs",
    "cache_salt",
    "uuid",
    "mm_hashes",
    "prompt_embeds",
    "guided_decoding_backend",
    "add_generation_prompt",
    "continue_final_message",
    "documents",
    "kv_transfer_params",
    "trust_remote_code",
    "lora_path",
    "adapter_path",
    "custom_logit_processor",
    "image_data",
    "input_ids",
    "mm_placeholders",
    "processor_kwargs",
    "images_kwargs",
    "tokenizer",
    "allowed_local_media_path",
]
VALUES: tuple[Any, ...] = ({}, {"a": 1}, "x", 1, [1], True)

WRONG: tuple[Any, ...] = (
    None,
    1,
    1.5,
    True,
    "",
    [],
    {},
    [None],
    [1],
    ["x"],
    [[]],
    [{}],
    {"a": 1},
    -1,
    10**30,
)

PART_SHAPES: tuple[Any, ...] = (
    {"type": "image_url"},
    {"type": "image_url", "image_url": None},
    {"type": "image_url", "image_url": 1},
    {"type": "image_url", "image_url": []},
    {"type": "image_url", "image_url": {}},
    {"type": "image_url", "image_url": {"url": None}},
    {"type": "image_url", "image_url": {"url": 1}},
    {"type": "image_url", "image_url": {"url": []}},
    {"type": "image_url", "image_url": {"url": {"url": "x"}}},
    {"type": "image_url", "image_url": {"url": tiny_png_url(), "detail": "huge"}},
    {"type": "image_url", "image_url": {"url": tiny_png_url(), "detail": 1}},
    {"type": "image_url", "image_url": {"url": tiny_png_url(), "uuid": "x"}},
    {"type": "image_url", "image_url": {"url": tiny_png_url(), "sha256": "0" * 64}},
    {"type": "image"},
    {"type": "image", "data": "AAAA"},
    {"type": "image_embeds", "image_embeds": "AAAA"},
    {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}},
    {"type": "image_pil", "image_pil": "x"},
    {"type": "unknown"},
    {"type": None},
    {"type": 1},
    {"type": []},
    {"type": "text"},
    {"type": "text", "text": None},
    {"type": "text", "text": 1},
    {"type": "text", "text": ["a"]},
    {"text": "a"},
    {},
    None,
    1,
    [],
)

RAW = {
    "empty": b"",
    "white": b"  \n",
    "null": b"null",
    "number": b"1",
    "list": b"[]",
    "string": b'"x"',
    "cut": b'{"model": "MODEL", "messages": [{"role": "user"',
    "comma": b'{"model": "MODEL", "messages": [{"role": "user", "content": "x"},]}',
    "comment": b'{"model": "MODEL", /* x */ "messages": [{"role": "user", "content": "x"}]}',
    "single quotes": b"{'model': 'MODEL'}",
    "invalid UTF-8": b'{"model": "MODEL", "messages": [{"role": "user", "content": "\xff\xfe"}]}',
    "overlong UTF-8": b'{"model": "MODEL", "messages": [{"role": "user", "content": "\xc0\xaf"}]}',
    "surrogate in UTF-8": b'{"model": "MODEL", "messages": [{"role": "user", "content": "\xed\xa0\x80"}]}',
    "UTF-16": '{"model": "MODEL"}'.encode("utf-16"),
    "NaN": b'{"model": "MODEL", "temperature": NaN, "messages": [{"role": "user", "content": "x"}]}',
    "Infinity": b'{"model": "MODEL", "temperature": Infinity, "messages": [{"role": "user", "content": "x"}]}',
    "-Infinity": b'{"model": "MODEL", "top_p": -Infinity, "messages": [{"role": "user", "content": "x"}]}',
    "huge exponent": b'{"model": "MODEL", "temperature": 1e999, "messages": [{"role": "user", "content": "x"}]}',
    "huge integer": b'{"model": "MODEL", "messages": [], "max_tokens": ' + b"9" * 5000 + b"}",
    "deep lists": b'{"model": "MODEL", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"model": "MODEL", "metadata": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    "unclosed lists": b"[" * 1_000_000,
    "XML": b"<?xml version='1.0'?><a/>",
    "a form": b"model=MODEL&messages=x",
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0",
    "BOM alone": b"\xef\xbb\xbf",
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Fields that a request must not carry are refused by name, whatever their value."""
    for name in INSIDE:
        for number, value in enumerate(VALUES):
            yield Case(23, f"{name} {number}", "refused", fields=said("Hi") | {name: value})
    for value in WRONG:
        yield Case(22, f"messages {json.dumps(value)[:20]}", "refused", fields={"messages": value})
        yield Case(22, f"a message {json.dumps(value)[:20]}", "refused", fields={"messages": [value]})
        if value != "":
            yield Case(22, f"content {json.dumps(value)[:20]}", "refused", fields=said(value))
        yield Case(22, f"model {json.dumps(value)[:20]}", "refused", fields=said("Hi") | {"model": value})
    for number, part in enumerate(PART_SHAPES):
        yield Case(22, f"part {number}", "refused", fields=said([part]))
        yield Case(
            22, f"part {number} behind text", "refused", fields=said([{"type": "text", "text": "a"}, part])
        )
    for name, raw in RAW.items():
        yield Case(22, name, "refused", raw=raw)
    yield Case(
        22,
        "a name twice",
        "either",
        raw=b'{"model": "x", "model": "MODEL", "messages": [{"role": "user", "content": "x"}]}',
    )
    yield Case(
        22,
        "ten thousand messages",
        "either",
        fields={"messages": [{"role": "user", "content": "a"}] * 10_000},
    )
    yield Case(22, "ten thousand parts", "either", fields=said([{"type": "text", "text": "a"}] * 10_000))
    for name in ("max_tokens", "temperature", "top_p", "n", "seed", "stream"):
        for number, value in enumerate(("x", [], {}, "1e5x")):
            yield Case(22, f"{name} of another type {number}", "refused", fields=said("Hi") | {name: value})
    picture = {"type": "image_url", "image_url": {"url": tiny_png_url()}}
    for count in (51, 101, 1000):
        yield Case(19, f"{count} pictures", "refused", fields=said([picture] * count))
    for count in (0, 1, 3, 100):
        yield Case(
            19, f"{count} placeholders without a picture", "accepted", fields=said("x" + "<image>" * count)
        )
    for role in ("system", "assistant", "tool", "developer"):
        yield Case(
            19,
            f"a picture of the {role}",
            "refused",
            fields={"messages": [said([picture], role)["messages"][0], said("Hi")["messages"][0]]},
        )
