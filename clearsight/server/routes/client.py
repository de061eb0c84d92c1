"""The web client's files: GET /, /shared/{token}, /assets/..., /worker.js, /manifest.webmanifest, /favicon.ico.

All of them are read into memory once, and what isn't among them does not exist, so a path can't lead out of the
folder. Their common hash is put into the addresses that the pages name (/assets/<hash>/js/main.js); modules
import each other by relative path and so stay below it. Below the hash a file may be cached for ever; everywhere else
it is checked again by its ETag. Text is also kept compressed.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from clearsight.server.errors import ApiError

router = APIRouter(include_in_schema=False)

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""What is served; other files of the folder, such as licences and Python, are not part of the page."""
TEXT = (".css", ".html", ".js", ".json", ".svg", ".webmanifest")
FOR_EVER = "public, max-age=31536000, immutable"
AGAIN = "no-cache"
SHELL = (
    "assets/css/",
    "assets/js/",
    "assets/icons.svg",
    "vendor/lit-html/",
    "vendor/marked/",
    "vendor/dompurify/",
)
"""What a browser keeps to open the page without a network."""


@dataclass(frozen=True)
class ClientFile:
    """One file as it is sent."""

    media_type: str
    body: bytes
    compressed: bytes | None
    etag: str


class Client:
    """All files of a client, by the path they are asked for."""

    def __init__(self, folder: Path):
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in TYPES and path.name != "lock.json"
        }
        whole = hashlib.sha256()
        for name, data in files.items():
            whole.update(f"{name}\0{len(data)}\0".encode() + data)
        self.version = whole.hexdigest()[:16]
        prefix = f"/assets/{self.version}/"
        shell = [
            prefix + name.removeprefix("assets/")
            for name in files
            if name.startswith(SHELL) and not name.endswith(".json")
        ]
        self.pages: dict[str, ClientFile] = {}
        self.assets: dict[str, ClientFile] = {}
        for name, data in files.items():
            if name.startswith("assets/"):
                self.assets[name.removeprefix("assets/")] = _file(name, data)
            elif name.startswith("vendor/"):
                self.assets[name] = _file(name, data)
            else:
                text = data.decode().replace("/assets/", prefix).replace("__SHELL__", json.dumps(shell))
                self.pages[name] = _file(name, text.encode())

    def asset(self, path: str) -> tuple[ClientFile, str] | None:
        """A file below /assets/ and how long it may be cached."""
        version, _, rest = path.partition("/")
        if version == self.version and rest in self.assets:
            return self.assets[rest], FOR_EVER
        return (self.assets[path], AGAIN) if path in self.assets else None


def _file(name: str, data: bytes) -> ClientFile:
    suffix = Path(name).suffix
    compressed = gzip.compress(data, 9, mtime=0) if suffix in TEXT else None
    return ClientFile(TYPES[suffix], data, compressed, f'"{hashlib.sha256(data).hexdigest()[:32]}"')


@router.api_route("/", methods=["GET", "HEAD"])
@router.api_route("/shared/{token}", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """The page; what it shows follows from its address."""
    return _page(request, "index.html")


@router.api_route("/worker.js", methods=["GET", "HEAD"])
async def worker(request: Request) -> Response:
    """The service worker, at the top so that it may answer for the whole page."""
    return _page(request, "worker.js")


@router.api_route("/manifest.webmanifest", methods=["GET", "HEAD"])
async def manifest(request: Request) -> Response:
    """What an installed page is called and looks like."""
    return _page(request, "manifest.webmanifest")


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def favicon(request: Request) -> Response:
    """The icon, for browsers that ask here by themselves."""
    return asset_file(request, "icon.svg")


@router.api_route("/assets/{path:path}", methods=["GET", "HEAD"])
async def asset(request: Request, path: str) -> Response:
    """One file of the client."""
    return asset_file(request, path)


def asset_file(request: Request, path: str) -> Response:
    """A file below /assets/. Raises ApiError 404."""
    found = _client(request).asset(path)
    if found is None:
        raise ApiError(404, "There is no such file.", code="not_found")
    return _answer(request, *found)


def _page(request: Request, name: str) -> Response:
    found = _client(request).pages.get(name)
    if found is None:
        raise ApiError(404, "There is no such file.", code="not_found")
    return _answer(request, found, AGAIN)


def _client(request: Request) -> Client:
    client = request.app.state.client
    if not isinstance(client, Client):
        raise ApiError(
            404, "This server has no web client; start it with clearsight serve.", code="not_found"
        )
    return client


def _answer(request: Request, file: ClientFile, caching: str) -> Response:
    headers = {"cache-control": caching, "etag": file.etag, "vary": "accept-encoding"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    accepted = request.headers.get("accept-encoding", "")
    if file.compressed is not None and "gzip" in accepted and len(file.compressed) < len(file.body):
        headers["content-encoding"] = "gzip"
        return Response(file.compressed, media_type=file.media_type, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
