"""An engine that is told answers as the plain one does, with the notes as part of the prompt."""

import pytest
from PIL import Image as PILImage

from clearsight.assistant import Assistant
from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine, Stream, Upstream
from clearsight.evals.subject import opened
from clearsight.evals.suites.real.provenance import PICTURES
from clearsight.experts import Experts, Notes
from clearsight.experts.engine import ToldEngine, plain, without_suffix

pytestmark = pytest.mark.bundled
FEW = Sampling(max_tokens=4)


@pytest.fixture(scope="module")
def engine():
    with Engine.load("mini") as loaded:
        yield loaded


class Fixed(Experts):
    """Always notes the same, so that what is told is known."""

    def notes(self, image: Image, tenant: str = "") -> Notes:
        return Notes("word " * 200, "cup")


def answer(stream: Stream) -> tuple[str, int]:
    result = stream.result()
    return result.text, result.usage.prompt_tokens


def test_the_notes_are_part_of_the_prompt(engine):
    question = Conversation((user(Image(pixels=PILImage.new("RGB", (60, 60))), "What is it?"),))
    experts = Fixed(True, True)
    told = answer(ToldEngine(engine, experts).submit(question, FEW))
    assert told == answer(engine.submit(experts.told(question), FEW))
    assert told[1] > answer(engine.submit(question, FEW))[1] + 200


@pytest.mark.parametrize("free", [20, 60, 600])
def test_where_the_context_is_nearly_full_the_notes_give_way(engine, free):
    picture = Image(pixels=PILImage.new("RGB", (60, 60)))
    cost = lambda conversation: engine.processor.token_cost(conversation)  # noqa: E731
    empty = cost(Conversation((user(picture, ""),)))
    question = Conversation((user(picture, " a" * (engine.context - empty - free)),))
    asked = []

    class Inner(Fixed):
        def told(self, *arguments: object) -> Conversation:
            asked.append(Experts.told(self, *arguments))
            raise RuntimeError("enough")  # answering so long a prompt would take minutes

    with pytest.raises(RuntimeError, match="enough"):
        ToldEngine(engine, Inner(True, True)).submit(question, FEW)
    assert cost(question) <= cost(asked[0]) <= engine.context - FEW.max_tokens
    assert (cost(asked[0]) > cost(question)) == (free > 20)


def test_closing_closes_the_engine_within(tmp_path):
    inner = Engine.load("mini")
    with ToldEngine(inner, Experts(False, False)) as told:
        assert plain(told) is inner and plain(inner) is inner
    with pytest.raises(Exception, match="closed"):
        inner.submit(Conversation((user("Hello"),)))


@pytest.mark.parametrize(
    "spec, found",
    [
        ("mini+experts", ("mini", True)),
        ("mini", ("mini", False)),
        ("https://host/v1#model+experts", ("https://host/v1#model", True)),
    ],
)
def test_a_suffix_asks_for_experts(spec, found):
    assert without_suffix(spec) == found


def test_another_servers_model_can_be_told_too():
    with Assistant.load("http://127.0.0.1:9/v1#some/model+experts") as assistant:
        assert isinstance(assistant.engine, ToldEngine)
        assert isinstance(assistant.engine.inner, Upstream) and assistant.engine.inner.model == "some/model"


def test_photographs_are_named_by_the_bundled_model_with_experts_and_not_without():
    photographs = {"gorilla": "gorilla", "meerkats": "meerkat", "farm-chicken": "chicken", "toucan": "toucan"}

    def named(model: str) -> int:
        with Assistant.load(model) as assistant:
            said = {
                name: assistant.ask([PICTURES / f"{name}.webp", "Which animal is this?"], max_tokens=12).text
                for name in photographs
            }
        return sum(photographs[name] in text.lower() for name, text in said.items())

    assert named("mini+experts") >= named("mini") + 2


def test_scores_of_both_are_never_taken_for_one_another():
    with opened("mini") as alone, opened("mini+experts") as told:
        assert (alone.name, told.name) == ("mini", "mini+experts")
        assert alone.fingerprint != told.fingerprint
