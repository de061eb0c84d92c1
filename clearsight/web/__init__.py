"""The web client: static files that need no build step. The server is given the folder and serves what is in it."""

from pathlib import Path


def folder() -> Path:
    """Where the client's files are: index.html, worker.js, manifest.webmanifest, assets/ and vendor/."""
    return Path(__file__).parent
