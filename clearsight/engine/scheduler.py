"""Who computes what in the next step: continuous batching with chunked prefill, preemption and no starvation.

Answers that are being said come first, one token each (and proposals to judge); what is left of a step's tokens goes to
prompts, in pieces. When blocks run out, the sequence that came last gives its own back and waits; it finds most of them
again by name. Sequences have a fixed total order, and the first of them can always take what it needs from the others,
so everything ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from clearsight.engine.blocks import BlockPool
from clearsight.engine.pictures import Picture
from clearsight.engine.sequence import Sequence


@dataclass(frozen=True)
class Limits:
    """What a step may hold at most."""

    sequences: int = 16
    tokens: int = 512
    tiles: int = 8  # encoded in one step while nobody is waiting for a next token
    tiles_beside_answers: int = 1


@dataclass
class Work:
    """`count` tokens of a sequence from its first uncomputed one, then proposals; scores are wanted if that is all."""

    sequence: Sequence
    count: int
    proposed: list[int] = field(default_factory=list)

    @property
    def chooses(self) -> bool:
        return self.count == self.sequence.num_new


@dataclass
class Step:
    """Tiles to encode first (a picture and how many of its next tiles), then tokens to compute."""

    tiles: list[tuple[Picture, int]] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)


class Scheduler:
    """Sequences that wait and those that run, and the blocks they hold."""

    def __init__(
        self,
        pool: BlockPool,
        limits: Limits,
        *,
        prefix_cache: bool = True,
        features_of: Callable[[Picture], bool],
    ):
        """`features_of` tells whether a picture's features are there now, and may fetch them from a cache."""
        self.pool = pool
        self.limits = limits
        self.prefix_cache = prefix_cache
        self.waiting: list[Sequence] = []
        self.running: list[Sequence] = []
        self.preemptions = 0
        self._features_of = features_of

    def add(self, sequence: Sequence) -> None:
        self.waiting.append(sequence)

    def plan(self) -> Step:
        """The next step. Empty only when nobody is there."""
        step = Step()
        chosen: dict[int, Work] = {}
        room = self.limits.tokens
        saying = sorted((s for s in self.running if s.num_new == 1), key=lambda s: s.key)
        for sequence in saying:
            if sequence in self.running and room > 0:
                work = self._next_token(sequence, room, chosen)
                room -= 0 if work is None else work.count + len(work.proposed)
        tiles_left = self.limits.tiles_beside_answers if chosen else self.limits.tiles
        reading = sorted((s for s in self.running if s.num_new > 1), key=lambda s: s.key)
        for sequence in reading:
            if sequence in self.running and room > 0:
                taken, tiles_left = self._read_on(sequence, room, tiles_left, step, chosen)
                room -= taken
        for sequence in sorted(self.waiting, key=lambda s: s.key):
            if room <= 0:
                break
            if sequence.leader is not None and not _is_ready(sequence.leader):
                continue
            if not self._admit(sequence, chosen):
                break
            taken, tiles_left = self._read_on(sequence, room, tiles_left, step, chosen)
            room -= taken
        step.work = list(chosen.values())
        return step

    def computed(self, work: Work, accepted: int) -> None:
        """Note that a step is done: `accepted` proposals were right, and the chosen tokens are in the sequence."""
        sequence, size = work.sequence, self.pool.block_size
        sequence.computed += work.count + accepted
        names = sequence.block_names(size, sequence.computed) if self.prefix_cache else []
        for place, name in enumerate(names):
            self.pool.publish(sequence.blocks[place], name)
        needed = -(-(sequence.computed + 1) // size)
        if work.proposed and len(sequence.blocks) > needed:
            self.pool.release(sequence.blocks[needed:])
            del sequence.blocks[needed:]

    def remove(self, sequence: Sequence) -> None:
        """The sequence has ended, in whatever state it was."""
        sequence.finished = True
        self.pool.release(sequence.blocks)
        sequence.blocks.clear()
        for place in (self.waiting, self.running):
            if sequence in place:
                place.remove(sequence)

    def _next_token(self, sequence: Sequence, room: int, chosen: dict[int, Work]) -> Work | None:
        proposed = sequence.lookup.propose(sequence.tokens)[: room - 1]
        limit = self.pool.num_blocks * self.pool.block_size - len(sequence.tokens)
        proposed = proposed[: max(0, limit)]
        if proposed and not self._has_free(sequence, len(sequence.tokens) + len(proposed)):
            proposed = []  # a guess is worth nobody's blocks
        if not self._hold(sequence, len(sequence.tokens) + len(proposed), chosen):
            return None
        work = chosen[sequence.number] = Work(sequence, 1, proposed)
        return work

    def _read_on(
        self, sequence: Sequence, room: int, tiles_left: int, step: Step, chosen: dict[int, Work]
    ) -> tuple[int, int]:
        """Plan a piece of a prompt, as far as its pictures allow; returns tokens taken and tiles left."""
        end = min(len(sequence.tokens), sequence.computed + room)
        for picture in sequence.pictures:
            span = picture.span
            if span.start >= end or span.start + span.length <= sequence.computed:
                continue
            if self._features_of(picture):
                continue
            if any(picture.span.name == other.span.name for other, _ in step.tiles):
                end = max(sequence.computed, span.start)  # encoded for someone else right now
                break
            count = min(tiles_left, picture.tiles_left)
            if count:
                step.tiles.append((picture, count))
                tiles_left -= count
            if count < picture.tiles_left:
                end = max(sequence.computed, span.start)
                break
        count = end - sequence.computed
        if count <= 0 or not self._hold(sequence, end, chosen):
            return 0, tiles_left
        chosen[sequence.number] = Work(sequence, count)
        return count, tiles_left

    def _admit(self, sequence: Sequence, chosen: dict[int, Work]) -> bool:
        """Let a waiting sequence run, if it fits, or if it may take the place of some that come later."""
        size = self.pool.block_size
        while True:
            known = []
            if self.prefix_cache:  # the last token is always computed: its scores choose the next
                known = self.pool.known(sequence.block_names(size, len(sequence.tokens) - 1))
            needed = -(-len(sequence.tokens) // size) - len(known)
            unheld = sum(self.pool.is_free(block) for block in known)
            spare = len(self.running)  # a block each for those who are saying something
            fits = needed + spare <= self.pool.num_free - unheld or not self.running
            if fits and len(self.running) < self.limits.sequences:
                break
            victim = max(self.running, key=lambda s: s.key, default=None)
            if victim is None or victim.key < sequence.key:
                return False
            self._preempt(victim, chosen)
        for block in known:
            self.pool.hold(block)
        sequence.blocks = known
        sequence.computed = len(known) * size
        if sequence.cached is None:
            sequence.cached = sequence.computed
        self.waiting.remove(sequence)
        self.running.append(sequence)
        return True

    def _has_free(self, sequence: Sequence, length: int) -> bool:
        return -(-length // self.pool.block_size) - len(sequence.blocks) <= self.pool.num_free

    def _hold(self, sequence: Sequence, length: int, chosen: dict[int, Work]) -> bool:
        """Blocks for the first `length` tokens, taken from who comes last if need be; False if that is itself."""
        while len(sequence.blocks) * self.pool.block_size < length:
            block = self.pool.take()
            if block is not None:
                sequence.blocks.append(block)
                continue
            victim = max(self.running, key=lambda s: s.key)
            self._preempt(victim, chosen)
            if victim is sequence:
                return False
        return True

    def _preempt(self, victim: Sequence, chosen: dict[int, Work]) -> None:
        chosen.pop(victim.number, None)
        self.pool.release(victim.blocks)
        victim.blocks.clear()
        victim.computed = 0
        self.preemptions += 1
        self.running.remove(victim)
        self.waiting.append(victim)


def _is_ready(leader: Sequence) -> bool:
    """Whether those who share its prompt can find it by name, or need not wait for it any longer."""
    return leader.finished or leader.prompt_is_computed
