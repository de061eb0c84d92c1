"""Ranks meet, whatever those of earlier attempts have left in the store."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
import torch.distributed as dist

from clearsight.training.rendezvous import fresh_store

SIZE = 3
SECONDS = timedelta(seconds=20)


@pytest.fixture
def server():
    return dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)


def client(server: dist.TCPStore) -> dist.TCPStore:
    return dist.TCPStore("127.0.0.1", server.port, is_master=False, wait_for_workers=False)


def attempt(server: dist.TCPStore) -> list[dist.Store]:
    with ThreadPoolExecutor(SIZE) as pool:
        tasks = [pool.submit(fresh_store, client(server), rank, SIZE, SECONDS) for rank in range(SIZE)]
        return [task.result() for task in tasks]


def test_ranks_of_one_attempt_share_a_store_and_those_of_the_next_have_another(server):
    for number in range(4):
        stores = attempt(server)
        assert not any(store.check(["address"]) for store in stores)
        stores[number % SIZE].set("address", str(number))
        assert {store.get("address") for store in stores} == {str(number).encode()}


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_a_rank_that_died_while_it_waited_is_not_taken_for_one_that_is_there(server, dead):
    with pytest.raises(TimeoutError, match=f"rank {dead}"):
        fresh_store(client(server), dead, SIZE, timedelta(seconds=0.2))
    stores = attempt(server)
    stores[0].set("address", "here")
    assert {store.get("address") for store in stores} == {b"here"}


def test_a_rank_that_comes_late_to_an_attempt_that_is_over_does_not_disturb_the_next(server):
    attempt(server)
    with pytest.raises(TimeoutError, match="rank 1"):
        fresh_store(client(server), 1, SIZE, timedelta(seconds=1))
    stores = attempt(server)
    stores[1].set("address", "here")
    assert {store.get("address") for store in stores} == {b"here"}


def test_a_late_rank_beside_its_successor_spoils_one_attempt_at_most(server):
    """It may be in time to be taken for its successor, who waits in vain; the attempt after that must succeed."""

    def lone() -> None:
        with suppress(TimeoutError):
            fresh_store(client(server), 1, SIZE, timedelta(seconds=1))

    late = threading.Thread(target=lone)
    late.start()
    try:
        stores = attempt(server)
    except TimeoutError:
        assert not late.is_alive()
        stores = attempt(server)
    late.join()
    stores[1].set("address", "here")
    assert {store.get("address") for store in stores} == {b"here"}


def test_an_answer_that_a_late_rank_wrote_over_is_given_again(server):
    meeting = dist.PrefixStore("clearsight", client(server))
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(fresh_store, client(server), rank, SIZE, SECONDS) for rank in (0, 1)]
        meeting.set("name/2", "third")
        meeting.wait(["list", "answer/1"], SECONDS)
        meeting.set("answer/1", "what the late one read")
        meeting.set("answer/2", meeting.get("list"))
        stores = [task.result() for task in tasks]
    stores[1].set("address", "here")
    assert stores[0].get("address") == b"here"
