"""What the base model says about itself is worth learning only when it is said well, and again when asked again."""

import itertools

import pytest
import torch
from tiny_model import TINY_BYTES, byte_processor
from torch import Tensor

from clearsight.conversation import Conversation, user
from clearsight.data.sources import base_replies
from clearsight.data.sources.base_replies import Answer, answers, check, goes_in_circles, is_english, records
from clearsight.data.sources.contract import Tally, Unusable
from clearsight.models.vlm import VisionLanguageModel

PROMPTS = ["Hi?", "Why?", "Who?", "What is it?", "Hi there?", "Ha?", "When?"]


@pytest.fixture(scope="module")
def processor():
    return byte_processor()


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    torch.manual_seed(0)
    model = VisionLanguageModel(TINY_BYTES).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=parameter[0].numel() ** -0.5)
    return model


class Scripted(VisionLanguageModel):
    """Says the same bytes to every prompt, then ends, and is sure of it."""

    def __init__(self, said: str):
        super().__init__(TINY_BYTES)
        self.script, self.step = [*said.encode(), TINY_BYTES.eos_token_id], 0

    def logits(self, hidden: Tensor) -> Tensor:
        scores = torch.zeros(*hidden.shape[:-1], TINY_BYTES.text.vocab_size)
        scores[..., self.script[self.step % len(self.script)]] = 50.0
        self.step += 1
        return scores


def test_prompts_answered_together_get_the_answers_they_get_alone(model, processor) -> None:
    together = answers(model, processor, PROMPTS, max_tokens=12)
    assert len(together) == len(PROMPTS)
    for prompt, answer in zip(PROMPTS, together, strict=True):
        ids = processor.prepare(Conversation((user(prompt),))).input_ids_T[None]
        said, logs, ended = [], [], False
        for _ in range(12):
            scores = model(ids)[0, -1]
            scores[TINY_BYTES.image_token_id] = -torch.inf  # no picture is ever said
            shares = torch.log_softmax(scores, -1)
            chosen = int(shares.argmax())
            logs.append(float(shares[chosen]))
            if chosen == processor.end_of_turn_id:
                ended = True
                break
            said.append(chosen)
            ids = torch.cat([ids, torch.tensor([[chosen]])], 1)
        assert answer.text == processor.tokenizer.decode(said).strip()
        assert answer.ended == ended
        assert answer.sureness == pytest.approx(sum(logs) / len(logs), abs=1e-4)
    assert [a.text for a in answers(model, processor, PROMPTS, max_tokens=12, batch_size=1)] == [
        a.text for a in together
    ]


def test_an_answer_that_is_said_well_becomes_a_record(processor) -> None:
    (record,) = records(["Who?"], Scripted("The cat is here."), processor, source="tiny", licence="MIT")
    assert [message.text for message in record.conversation.messages] == ["Who?", "The cat is here."]
    assert (record.provenance.source, record.provenance.licence, record.provenance.uri) == (
        "tiny",
        "MIT",
        "0",
    )
    assert record.skills == ("talk",)
    assert record.tags["sureness"] == pytest.approx(0, abs=1e-3)


def test_reading_on_gives_the_same_answers_sampled_ones_too(model, processor, monkeypatch) -> None:
    monkeypatch.setattr(base_replies, "WINDOW", 3)
    monkeypatch.setattr(base_replies, "check", lambda prompt, answer: None)
    monkeypatch.setattr(base_replies, "answered", lambda q, a, *rest: _kept(q, a or "-", *rest))
    options = {"max_tokens": 8, "temperature": 1.0, "seed": 5}
    whole = list(records(PROMPTS, model, processor, **options))
    assert len(whole) == len(PROMPTS)
    other = list(records(PROMPTS, model, processor, **(options | {"seed": 6})))
    assert [r.id for r in other] != [r.id for r in whole]
    for stop in range(1, len(PROMPTS)):
        tally = Tally()
        reading = records(PROMPTS, model, processor, tally=tally, **options)
        first = list(itertools.islice(reading, stop))
        rest = list(records(PROMPTS, model, processor, skip=tally.position, **options))
        assert [r.id for r in first + rest] == [r.id for r in whole]


_kept = base_replies.answered

GOOD = (
    "The moon is a ball of rock that goes around the earth. It takes about a month, and it is lit by the sun."
)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(GOOD, False, -0.3), "does not end"),
        (Answer(" ...", True, -0.3), "says nothing"),
        (Answer("a " * 3000, True, -0.3), "too long"),
        (Answer("Well, <|im_start|>user", True, -0.3), "leaks the template"),
        (Answer("What is the moon? It is a ball.", True, -0.3), "repeats the question"),
        (Answer("I’m sorry, but I can’t help with that.", True, -0.3), "refuses"),
        (Answer("As an AI language model, I think so.", True, -0.3), "refuses"),
        (Answer("I'm so glad you're here. " * 5, True, -0.3), "goes in circles"),
        (
            Answer(
                "Der Mond ist ein Ball aus Stein " + "und er dreht sich um die Erde herum " * 2, True, -0.3
            ),
            "leaves",
        ),
        (Answer(GOOD, True, -2.0), "not sure"),
    ],
)
def test_an_answer_that_is_said_badly_is_left_out_with_its_cause(answer: Answer, cause: str) -> None:
    with pytest.raises(Unusable, match=cause):
        check("What is the moon?", answer)


def test_good_answers_of_all_kinds_pass() -> None:
    poem = "The moon is high,\nthe night is long,\nthe stars go by,\nand sing their song."
    code = "Here is a function:\n```python\ndef add(a, b):\n    return a + b\n" + "x = add(1, 2)\n" + "```"
    fruit = "1. Apple\n2. Banana\n3. Orange\n4. Grape\n5. Mango"
    for text in (GOOD, poem, code, fruit, "Bonjour", "42", "Paris.", "William Shakespeare wrote it."):
        check("Tell me.", Answer(text, True, -0.3))
    assert not goes_in_circles(poem)
    assert goes_in_circles("yes no " * 30)
    assert is_english("Bonjour")
    assert not is_english("Луна — это спутник")
