"""Blocks: counted right, found by what they hold, never by what they merely look like."""

import pytest

from clearsight.engine.blocks import BlockPool, PictureSpan, next_name, root_name


def names(
    tokens: list[int], size: int, pictures: tuple[PictureSpan, ...] = (), domain: bytes = b""
) -> list[bytes]:
    found, parent = [], root_name(domain)
    for start in range(0, len(tokens) - size + 1, size):
        parent = next_name(parent, tokens[start : start + size], start, pictures)
        found.append(parent)
    return found


def test_a_block_that_nobody_holds_is_found_until_its_place_is_needed() -> None:
    pool = BlockPool(2, 4)
    first = pool.take()
    assert first is not None
    (name,) = names([1, 2, 3, 4], 4)
    pool.publish(first, name)
    pool.release([first])
    assert pool.known([name]) == [first]
    other = pool.take()
    assert other != first  # the one that holds nothing goes first
    assert pool.take() == first
    assert pool.known([name]) == []
    assert pool.take() is None
    pool.check()


def test_of_a_forgotten_beginning_nothing_after_it_is_found() -> None:
    pool = BlockPool(3, 1)
    own = names([7, 8, 9], 1)
    blocks = [pool.take() for _ in own]
    for block, name in zip(blocks[1:], own[1:], strict=True):
        assert block is not None
        pool.publish(block, name)
    assert pool.known(own) == []


def test_the_end_of_a_released_sequence_loses_its_place_before_its_beginning() -> None:
    pool = BlockPool(3, 1)
    own = names([7, 8, 9], 1)
    blocks = [block for block in (pool.take() for _ in own) if block is not None]
    for block, name in zip(blocks, own, strict=True):
        pool.publish(block, name)
    pool.release(blocks)
    pool.take()
    assert pool.known(own) == blocks[:2]


def test_two_holders_release_one_block_twice_and_no_more() -> None:
    pool = BlockPool(1, 4)
    block = pool.take()
    assert block is not None
    pool.hold(block)
    pool.release([block])
    assert pool.num_free == 0
    pool.release([block])
    assert pool.num_free == 1
    with pytest.raises(AssertionError, match="more often"):
        pool.release([block])


def test_of_two_equal_blocks_the_first_keeps_the_name() -> None:
    pool = BlockPool(2, 1)
    a, b = pool.take(), pool.take()
    assert a is not None and b is not None
    (name,) = names([5], 1)
    pool.publish(a, name)
    pool.publish(b, name)
    assert pool.known([name]) == [a]
    pool.release([b])
    assert pool.known([name]) == [a]
    pool.check()


def test_equal_ids_of_different_pictures_places_tenants_and_beginnings_have_different_names() -> None:
    image = [99, 99, 99, 99]
    red, blue = PictureSpan(0, 4, b"r" * 32), PictureSpan(0, 4, b"b" * 32)
    longer = PictureSpan(-4, 8, b"r" * 32)  # the same ids, but the second half of a picture
    kinds = [
        names(image, 4, (red,)),
        names(image, 4, (blue,)),
        names(image, 4, (longer,)),
        names(image, 4),
        names(image, 4, (red,), b"another tenant"),
        names([*image, *image], 4, (red,))[1:],
    ]
    assert len({tuple(kind) for kind in kinds}) == len(kinds)


def test_a_picture_later_in_a_prompt_does_not_rename_what_stands_before_it() -> None:
    tokens = [1, 2, 3, 4, 99, 99, 99, 99]
    red, blue = PictureSpan(4, 4, b"r" * 32), PictureSpan(4, 4, b"b" * 32)
    with_red, with_blue = names(tokens, 4, (red,)), names(tokens, 4, (blue,))
    assert with_red[0] == with_blue[0]
    assert with_red[1] != with_blue[1]
