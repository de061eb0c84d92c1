"""The one data type: what is in it is valid, survives JSON, and pictures are who they say they are."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PILImage

from clearsight.conversation import (
    Conversation,
    ConversationError,
    Image,
    Message,
    Text,
    assistant,
    system,
    user,
)

PNG = Image(pixels=PILImage.new("RGB", (3, 2), (1, 2, 3))).encoded()


def test_two_pictures_of_equal_bytes_but_other_shape_are_not_the_same_picture() -> None:
    wide, high = PILImage.new("RGB", (6, 2)), PILImage.new("RGB", (2, 6))
    assert wide.tobytes() == high.tobytes()
    assert Image(pixels=wide).sha256 != Image(pixels=high).sha256


def test_a_file_never_shares_an_identity_with_pixels_that_spell_it() -> None:
    pixels = PILImage.frombytes("L", (len(PNG), 1), PNG)
    assert Image(pixels=pixels).sha256 != Image(data=PNG).sha256


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant"]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_json_gives_the_same_conversation_back(turns, with_system) -> None:
    messages = [Message(role, (Text(text),)) for role, text in turns]
    messages[0] = user(Image(data=PNG, detail="low"), Image(pixels=PILImage.new("RGB", (2, 2))), "x")
    conversation = Conversation((*([system("s")] if with_system else []), *messages))
    again = Conversation.from_json(json.dumps(conversation.to_json()))
    assert again == conversation
    assert [image.sha256 for image in again.images] == [image.sha256 for image in conversation.images]


def test_pictures_can_travel_by_hash_alone() -> None:
    conversation = Conversation((user(Image(data=PNG), "what?"),))
    value = conversation.to_json(with_data=False)
    assert "data" not in value["messages"][0]["content"][0]
    store = {conversation.images[0].sha256: PNG}
    assert Conversation.from_json(value, store.__getitem__) == conversation
    with pytest.raises(ConversationError, match="data is missing"):
        Conversation.from_json(value)


def test_a_swapped_picture_is_noticed() -> None:
    value = Conversation((user(Image(data=PNG), "what?"),)).to_json()
    value["messages"][0]["content"][0]["data"] = base64.b64encode(PNG + b" ").decode()
    with pytest.raises(ConversationError, match="do not match their hash"):
        Conversation.from_json(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conversation(()), "at least one message"),
        (lambda: Message("user", ()), "empty"),
        (lambda: Message("robot", (Text("x"),)), "a role is one of"),
        (lambda: Message("assistant", (Image(data=PNG),)), "belong to user messages"),
        (lambda: Conversation((user("a"), system("b"))), "only the first"),
        (lambda: Image(), "exactly one"),
        (lambda: Image(data=PNG, detail="huge"), "detail is one of"),
        (lambda: Text("\ud800"), "surrogate"),
        (lambda: Text(3), "holds a string"),
        (lambda: Conversation.from_json("{"), "not JSON"),
        (lambda: Conversation.from_json("[]"), "is an object"),
        (lambda: Conversation.from_json({"messages": [{"role": "user"}]}), "no content"),
        (
            lambda: Conversation.from_json({"messages": [{"role": "user", "content": [{"type": "video"}]}]}),
            "text or image",
        ),
        (
            lambda: Conversation.from_json(
                {"messages": [{"role": "user", "content": [{"type": "image", "data": "%%"}]}]}
            ),
            "not base64",
        ),
    ],
)
def test_what_is_malformed_is_refused_with_a_sentence(make, message: str) -> None:
    with pytest.raises(ConversationError, match=message):
        make()


def test_a_string_stands_for_one_text_part() -> None:
    value = {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]}
    assert Conversation.from_json(value) == Conversation((user("hello"), assistant("hi")))


def test_a_missing_file_and_a_folder_are_named(tmp_path) -> None:
    with pytest.raises(ConversationError, match=r"there is no file .*nothing\.png"):
        Image.from_file(tmp_path / "nothing.png")
    with pytest.raises(ConversationError, match="is a folder"):
        Image.from_file(tmp_path)
