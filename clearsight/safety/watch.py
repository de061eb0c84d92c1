"""Watches an answer while it is streamed: what may go out, and when to stop.

Pieces are held back until a sentence is complete, judged together with what went out just before, and released. So that
the stream stays alive, no more than so many characters are held, and none longer than so many seconds: then everything
up to the last space is judged and released. What is released is the answer unchanged; when a violation is found, the
sentence that holds it is not released and nothing is after it. The caller then ends with finish_reason
`content_filter`. A violation that only a later sentence completes can't be called back: what went out stays out.
"""

import re
import time
from collections.abc import Callable

from clearsight.safety.moderation import Moderator
from clearsight.safety.verdict import Verdict

HELD_CHARACTERS = 240
HELD_SECONDS = 1.0
CONTEXT_CHARACTERS = 240  # of what went out, judged again together with what comes

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*\s|\n")
_SPACE = re.compile(r"\s(?=\S*\Z)")


class OutputWatch:
    """For one answer. `verdict` is that of the blocked part, or of the last part that was flagged; None before.

    Not for several threads: an answer has one stream.
    """

    def __init__(
        self,
        moderator: Moderator,
        *,
        held_characters: int = HELD_CHARACTERS,
        held_seconds: float = HELD_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.verdict: Verdict | None = None
        self._moderator, self._clock = moderator, clock
        self._held_characters, self._held_seconds = held_characters, held_seconds
        self._context = self._held = ""
        self._since: float | None = None  # when the oldest held character came

    @property
    def stopped(self) -> bool:
        """Whether a violation was found; nothing is released any more."""
        return self.verdict is not None and self.verdict.blocked

    def feed(self, piece: str) -> str:
        """Take the next piece; give what may go out now, which may be nothing."""
        if self.stopped:
            return ""
        if self._since is None and piece:
            self._since = self._clock()
        self._held += piece
        return self._released(self._ready())

    def poll(self) -> str:
        """What may go out because it was held long enough; for a timer, while no piece comes."""
        return "" if self.stopped else self._released(self._ready())

    def finish(self) -> str:
        """The answer is complete: the rest, if it may go out."""
        return "" if self.stopped else self._released(len(self._held))

    def _ready(self) -> int:
        """How many of the held characters are to be judged now."""
        held = self._held
        end = max((match.end() for match in _SENTENCE_END.finditer(held)), default=0)
        late = self._since is not None and self._clock() - self._since >= self._held_seconds
        if late or len(held) - end > self._held_characters:
            space = _SPACE.search(held, end)
            if space:
                end = space.end()
            elif len(held) - end > self._held_characters:
                end = len(held)
        if (
            end and end == len(held) and "\ud800" <= held[-1] <= "\udbff"
        ):  # the other half comes with the next piece
            end -= 1
        return end

    def _released(self, count: int) -> str:
        if not count:
            return ""
        going = self._held[:count]
        verdict = self._moderator.text(self._context + going, "output")
        if verdict.flagged:
            self.verdict = verdict
        if verdict.blocked:
            self._held = ""
            return ""
        self._held = self._held[count:]
        self._since = self._clock() if self._held else None
        self._context = (self._context + going)[-CONTEXT_CHARACTERS:]
        return going
