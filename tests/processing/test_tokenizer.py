import json

import hypothesis
import hypothesis.strategies as st
import pytest
from tokenizers import Tokenizer as RawTokenizer

from clearsight.processing.tokenizer import Tokenizer, TokenizerError, smolvlm_special_tokens

whole_text = st.text(st.characters(exclude_categories=["Cs"]))


def test_the_special_tokens_of_smolvlm_have_their_published_ids() -> None:
    ids = smolvlm_special_tokens()
    assert ids["<global-img>"] == 49152
    assert ids["<row_1_col_1>"] == 49153 and ids["<row_2_col_1>"] == 49159 and ids["<row_6_col_6>"] == 49188
    assert ids["<fake_token_around_image>"] == 49189 and ids["<image>"] == 49190
    assert ids["<|reserved_special_token_0|>"] == 49191 and ids["<|reserved_special_token_87|>"] == 49278
    assert ids["<end_of_utterance>"] == 49279 and len(ids) == 128


def test_nothing_a_user_types_becomes_a_special_token(tokenizer: Tokenizer) -> None:
    special = {tokenizer.special(name) for name in tokenizer.special_names}
    for name in tokenizer.special_names:
        for typed in (name, f"a{name}b", f" {name}\n{name}", name[:-1], name * 3):
            ids = tokenizer.encode_text(typed)
            assert not special & set(ids)
            assert tokenizer.decode(ids) == typed


@hypothesis.given(text=whole_text)
def test_text_survives_the_way_to_ids_and_back_even_streamed(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode_text(text)
    assert tokenizer.decode(ids) == text
    stream = tokenizer.stream_decoder()
    pieces = [stream.push(id_) for id_ in ids]
    assert "\N{REPLACEMENT CHARACTER}" in text or not any("\N{REPLACEMENT CHARACTER}" in p for p in pieces)
    assert "".join(pieces) + stream.finish() == text


@hypothesis.given(data=st.data())
def test_any_ids_are_decoded_alike_whole_streamed_and_by_the_library(tokenizer: Tokenizer, data) -> None:
    ids = data.draw(st.lists(st.integers(0, tokenizer.num_ids - 1)))
    whole = tokenizer.decode(ids)
    stream = tokenizer.stream_decoder()
    assert "".join(stream.push(id_) for id_ in ids) + stream.finish() == whole


def test_half_a_character_at_the_end_is_shown_as_a_replacement(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode_text("😀")[:-1]
    stream = tokenizer.stream_decoder()
    assert [stream.push(id_) for id_ in ids] == [""] * len(ids)
    assert stream.finish() == tokenizer.decode(ids) == "\N{REPLACEMENT CHARACTER}"


def test_special_tokens_are_left_out_or_named(tokenizer: Tokenizer) -> None:
    ids = [tokenizer.special("<image>"), *tokenizer.encode_text("the")]
    assert tokenizer.decode(ids) == "the"
    assert tokenizer.decode(ids, skip_special=False) == "<image>the"


def test_digits_are_single_tokens(tokenizer: Tokenizer) -> None:
    assert len(tokenizer.encode_text("2024")) == 4


def test_a_saved_vocabulary_is_read_by_the_tokenizers_library(tokenizer: Tokenizer, tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    text = "User: What is this?\n\n 12 — ñ 日本"
    raw = RawTokenizer.from_file(str(path))
    assert raw.encode(text).ids == tokenizer.encode_text(text) == Tokenizer.from_file(path).encode_text(text)
    assert raw.decode(raw.encode(text).ids) == text
    for name in tokenizer.special_names:
        assert raw.encode(name).ids == [tokenizer.special(name)]


def test_a_vocabulary_with_an_unknown_token_does_not_hand_it_to_users(tokenizer: Tokenizer, tmp_path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    definition = json.loads((tmp_path / "tokenizer.json").read_text())
    definition["model"]["unk_token"] = "<|endoftext|>"
    del definition["model"]["vocab"]["ñ"]  # the byte 0xF1
    ids = Tokenizer(definition).encode_text("a\U00040000b")
    assert 0 not in ids and ids


def test_special_tokens_that_contradict_the_vocabulary_are_refused(
    vocabulary: tuple[list[str], list[str]],
) -> None:
    tokens, merges = vocabulary
    with pytest.raises(TokenizerError, match=r"id 2 is '<\|im_end\|>' in the vocabulary, not '<image>'"):
        Tokenizer.from_vocab(tokens, merges, {"<image>": 2})
    with pytest.raises(TokenizerError, match="the next free id is"):
        Tokenizer.from_vocab(tokens, merges, {"<image>": len(tokens) + 5})


def test_a_missing_or_foreign_tokenizer_is_refused_with_a_remedy(tokenizer: Tokenizer, tmp_path) -> None:
    with pytest.raises(TokenizerError, match=r"needs its tokenizer\.json"):
        Tokenizer.from_file(tmp_path / "nothing.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(TokenizerError, match="fetch the checkpoint again"):
        Tokenizer.from_file(tmp_path / "broken.json")
    with pytest.raises(TokenizerError, match="byte-level BPE"):
        Tokenizer({"model": {"type": "Unigram"}})
    with pytest.raises(TokenizerError, match="no special token '<video>'"):
        tokenizer.special("<video>")
