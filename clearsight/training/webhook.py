"""Tell someone: a JSON message to an address when a guard acts, or a run goes back, stops or ends.

    notify("https://hooks.example.org/...", {"event": "rollback", "run": "runs/a", "step": 120, "reason": "..."})

Sent from a thread of its own, tried twice, and never raising: a run does not fail because a chat does. The message
holds a field `text` with a sentence, which the incoming webhooks of Slack and Mattermost show as it is.
"""

import contextlib
import http.client
import json
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

KINDS = ("guard", "rollback", "stop", "end")  # what is worth a message; steps and checkpoints are not
TIMEOUT, TRIES = 5.0, 2  # seconds, at most so often
_LOCAL = ("localhost", "127.0.0.1", "::1")


def check_address(url: str, *, allow_http: bool = False) -> None:
    """Raise ValueError for an address that messages are not sent to: what a run says would go over the net in clear."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and (allow_http or parts.hostname in _LOCAL):
        return
    raise ValueError(f"the webhook {url!r} is no https address (http is for this machine alone)")


def notify(url: str, event: dict[str, Any], *, allow_http: bool = False) -> threading.Thread:
    """Post `event` to `url` in the background; `event["event"]` is one of KINDS, anything else is not sent.

    Returns the thread, for who wants to wait before the process ends. Raises ValueError for an unfit address alone.
    """
    check_address(url, allow_http=allow_http)
    body = json.dumps({"text": sentence(event)} | event, default=str).encode()
    thread = threading.Thread(
        target=_post if event.get("event") in KINDS else lambda *_: None,
        args=(url, body),
        name="webhook",
        daemon=True,
    )
    thread.start()
    return thread


def sentence(event: dict[str, Any]) -> str:
    """The event in words."""
    what = {"guard": "a guard acted", "rollback": "went back", "stop": "stopped"}
    said = what.get(event.get("event", ""), "ended")
    more = event.get("reason") or event.get("cause") or ""
    return f"{event.get('run', 'The run')}: {said} at step {event.get('step', 0)}. {more}".rstrip()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could lead off https."""

    def redirect_request(self, *unused: Any, **also_unused: Any) -> None:
        return None


def _post(url: str, body: bytes) -> None:
    send = urllib.request.build_opener(_NoRedirect).open
    for _ in range(TRIES):
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
        with (
            contextlib.suppress(OSError, http.client.HTTPException, ValueError),
            send(request, timeout=TIMEOUT) as answer,
        ):
            answer.read(1)
            return
