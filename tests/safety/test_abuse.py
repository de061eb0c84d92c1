"""Signs of abuse: found where they are, and ordinary use is left alone."""

import random

from clearsight.safety.abuse import Event, Limits, Signal, signals


def test_five_refusals_in_an_hour_are_a_signal_and_over_a_day_are_not() -> None:
    fast = [Event("refusal", 60.0 * n, "a", "x") for n in range(5)]
    slow = [Event("refusal", 7200.0 * n, "b", "x") for n in range(20)]
    assert signals(fast + slow) == [Signal("repeated-refusals", "a", 5, 0.0)]
    assert signals(fast[:4]) == []


def test_many_accounts_are_counted_per_address_and_not_per_visit() -> None:
    farm = [Event("sign-up", n, f"a{n}", "x") for n in range(5)]
    same = [Event("sign-up", n, "a", "y") for n in range(50)]
    assert signals(farm + same) == [Signal("many-accounts", "x", 5, 0.0)]


def test_scraping_is_many_different_pictures_not_one_asked_about_often() -> None:
    bulk = [Event("request", n / 2, "bot", "x", f"p{n}") for n in range(100)]
    talk = [Event("request", n / 2, "person", "x", "p") for n in range(100)]
    found = signals(bulk + talk)
    assert [signal.subject for signal in found] == ["bot"]
    assert found[0].kind == "scraping" and found[0].count == 100


def test_the_order_of_events_does_not_matter() -> None:
    events = [Event("refusal", 60.0 * n, "a", "x") for n in range(9)]
    shuffled = events[:]
    random.Random(0).shuffle(shuffled)
    assert signals(shuffled) == signals(events)


def test_limits_can_be_set() -> None:
    events = [Event("refusal", n, "a", "x") for n in range(2)]
    assert signals(events, Limits(refusals=2))[0].count == 2
    assert signals(events, Limits(refusals=3)) == []
