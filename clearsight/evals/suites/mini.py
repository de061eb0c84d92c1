"""Mini: every skill of every world, on pictures drawn from seeds that training never uses.

Fonts, drawings, words, layouts, wordings and colour values are those kept for evaluation
(clearsight.data.worlds.scene), the truth is exact, and a seed gives the same question on every machine with the
same fonts. A world's group is its name, a skill is "world: skill". These are drawn pictures: the scores must not be
set beside those of public benchmarks.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from clearsight.conversation import Conversation, Image, user
from clearsight.data import worlds
from clearsight.data.worlds.scene import Question, Scene
from clearsight.evals.item import EvalError, Item
from clearsight.evals.suites.suite import Suite

COUNT = 5  # questions of a skill
SCENES = 24  # pictures of a world looked at, at most, to find them
A_PICTURE = 8  # questions about one picture at most, so that there are many pictures
MAX_TOKENS = {"verbatim": 160, "list": 96, "set": 96}  # by kind of answer
USUAL_TOKENS = 32


def suite(count: int = COUNT, only: Sequence[str] = ()) -> Suite:
    """`count` questions of each skill, of all worlds or only those named. Raises EvalError for an unknown one."""
    unknown = [name for name in only if name not in worlds.WORLDS]
    if unknown:
        raise EvalError(f"there is no world {unknown[0]!r}; there are {', '.join(worlds.WORLDS)}")
    names = tuple(only) or tuple(worlds.WORLDS)

    def items() -> Iterator[Item]:
        for name in names:
            yield from of_world(name, count)

    return Suite(
        "mini", items, about=f"{count} questions of each skill of {len(names)} worlds of drawn pictures."
    )


def of_world(world: str, count: int = COUNT, scenes: int = SCENES, prefix: str = "mini") -> Iterator[Item]:
    """Questions about a world's pictures in the order of seeds, at most `count` of a skill."""
    asked: Counter[str] = Counter()
    for seed in range(scenes):
        scene = worlds.load(world).sample(seed, "eval")
        wanted = [(n, q) for n, q in enumerate(scene.questions) if asked[q.skill] < count]
        wanted.sort(key=lambda one: asked[one[1].skill])  # what was asked least comes first
        pictures = [Image(pixels=picture) for picture in scene.pictures]
        taken = 0
        for number, question in wanted:
            if taken < A_PICTURE and asked[question.skill] < count:
                asked[question.skill] += 1
                taken += 1
                yield item_of(scene, pictures, number, question, prefix)


def item_of(
    scene: Scene,
    pictures: Sequence[Image],
    number: int,
    question: Question,
    prefix: str,
    group: str = "",
    skill: str = "",
) -> Item:
    """A question of a scene, asked alone."""
    return Item(
        id=f"{prefix}:{scene.world}:{scene.seed}:{number}",
        conversation=Conversation((user(*pictures, question.text),)),
        truth=question.truth,
        group=group or scene.world,
        skill=skill or f"{scene.world}: {question.skill}",
        cluster=f"{scene.world}:{scene.seed}",
        max_tokens=MAX_TOKENS.get(question.kind, USUAL_TOKENS),
    )
