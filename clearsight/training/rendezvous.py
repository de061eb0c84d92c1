"""Where the ranks of one attempt meet: a part of the launcher's store that no earlier attempt has written to.

The agent of torchrun keeps one store over all restarts of its workers, and ranks find each other's addresses in it
(torch/distributed/elastic/rendezvous/dynamic_rendezvous.py). After a restart a rank may find the address of a rank
that is gone, and wait for it until the timeout (https://github.com/pytorch/pytorch/issues/135712). The restart count
is no cure where several machines take part: each agent counts its own. So the ranks agree on a name first.
"""

import hashlib
import time
import uuid
from datetime import timedelta

import torch.distributed as dist

POLL = 0.02  # seconds between two looks


def fresh_store(store: dist.Store, rank: int, size: int, timeout: timedelta) -> dist.Store:
    """The part of `store` that belongs to exactly those `size` ranks that call this now.

    Every rank leaves a name drawn for this call; rank 0 reads out the names it finds until each rank has answered
    to a list that holds its own; the list names the part. What the dead have left is overwritten, or never answers.

    Raises TimeoutError when not all come in time.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    meeting = dist.PrefixStore("clearsight", store)
    mine = uuid.uuid4().hex
    names = [f"name/{other}" for other in range(size)]
    answers = [f"answer/{other}" for other in range(size)]
    read_out = answered = ""
    meeting.set(names[rank], mine)
    while True:
        if rank == 0 and meeting.check(names):
            present = " ".join(_texts(meeting, names))
            if present != read_out:
                meeting.set("list", present)
            read_out = present
        elif meeting.check(["list"]):
            (read_out,) = _texts(meeting, ["list"])
        if mine in read_out.split(" ")[rank : rank + 1]:
            # Looked at again each time: a late rank of an earlier attempt may have written over the answer.
            if answered != read_out or _texts(meeting, [answers[rank]]) != [read_out]:
                meeting.set(answers[rank], read_out)
                answered = read_out
            name = hashlib.sha256(read_out.encode()).hexdigest()
            if rank == 0 and meeting.check(answers) and set(_texts(meeting, answers)) == {read_out}:
                meeting.set(f"begin/{name}", "")
            if meeting.check([f"begin/{name}"]):
                return dist.PrefixStore(f"clearsight/{name}", store)
        elif rank != 0:
            meeting.set(names[rank], mine)  # one who is about to end may have come in between
        if time.monotonic() > deadline:
            raise TimeoutError(f"rank {rank}: not all of {size} processes came within {timeout}")
        time.sleep(POLL)


def _texts(store: dist.Store, keys: list[str]) -> list[str]:
    return [value.decode() for value in store.multi_get(keys)]
