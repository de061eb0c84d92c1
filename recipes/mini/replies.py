"""Text-only conversations for the bundled model's training: our prompts, answered by the base model itself.

Learning to see must not cost the decoder what it knows. Its own answers keep it where it is: greedy ones to learn by
heart (stages 2 and 3), and sampled ones, at temperature 1 and however they end, over which stage 4 holds its
predictions to the base model's.

    python -m recipes.mini.replies          # writes recipes/mini/chat.jsonl and recipes/mini/sampled.jsonl
"""

import json
from pathlib import Path

from rich.progress import track

from clearsight import mini
from clearsight.conversation import Conversation, user
from clearsight.data.sources.base_replies import answers
from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine

OUT = Path(__file__).with_name("chat.jsonl")
SAMPLED = Path(__file__).with_name("sampled.jsonl")
MAX_TOKENS = 80
SAMPLES = 3  # a prompt
SAMPLED_TOKENS = 128

THINGS = (
    "the moon",
    "rain",
    "bread",
    "a bicycle",
    "the heart",
    "volcanoes",
    "coffee",
    "music",
    "trees",
    "sleep",
    "the ocean",
    "glass",
    "honey",
    "maps",
    "the sun",
    "winter",
    "a telescope",
    "chess",
    "rice",
    "bridges",
    "paper",
    "whales",
    "money",
    "the eye",
    "colours",
    "friendship",
    "clocks",
    "mountains",
    "the alphabet",
    "electricity",
)
PLACES = ("France", "Japan", "Egypt", "Brazil", "Italy", "India", "Canada", "Kenya", "Spain", "Germany")
FORMS = (
    "Explain {} in two sentences.",
    "Write a short poem about {}.",
    "Tell me an interesting fact about {}.",
    "What is {}?",
    "Give me three words that describe {}.",
    "Why do people like {}?",
)
REQUESTS = (
    "Hello!",
    "How are you today?",
    "Thank you for your help.",
    "What can you do?",
    "Write a polite email asking for a day off.",
    "What is 12 plus 30?",
    "What is 7 times 8?",
    "Translate 'good morning' into French.",
    "List five kinds of fruit.",
    "Give me a recipe for tomato soup.",
    "How do I boil an egg?",
    "Who wrote Romeo and Juliet?",
    "What is the largest planet?",
    "How many days are in a week?",
    "What is the opposite of hot?",
    "Name three animals that can fly.",
    "Tell me a joke.",
    "Write a Python function that adds two numbers.",
    "What is the difference between a lake and a river?",
    "Summarise the story of Cinderella in three sentences.",
    "How can I sleep better?",
    "What should I pack for a trip to the sea?",
    "Write a haiku about autumn.",
    "Is a tomato a fruit or a vegetable?",
    "What does 'curious' mean?",
)


def prompts() -> list[str]:
    about = [
        form.format(thing)
        for i, thing in enumerate(THINGS)
        for form in (FORMS[i % 6], FORMS[(i + 1) % 6], FORMS[(i + 3) % 6])
    ]
    capitals = [f"What is the capital of {place}?" for place in PLACES] + [
        f"What is {place} known for?" for place in PLACES
    ]
    return [*REQUESTS, *about, *capitals]


def many_prompts() -> list[str]:
    """What is answered by sampling: all forms about all things, and what makes longer prose."""
    about = [form.format(thing) for thing in THINGS for form in FORMS]
    longer = [f"Write the beginning of an article about {thing}." for thing in THINGS]
    stories = [f"Begin a story that takes place in {place}." for place in PLACES]
    places = [f"What is {place} known for?" for place in PLACES]
    return [*REQUESTS, *about, *longer, *stories, *places]


def sample() -> None:
    asked = [(prompt, seed) for prompt in many_prompts() for seed in range(SAMPLES)]
    with Engine(mini.base_model(), mini.processor()) as engine:
        streams = [
            engine.submit(
                Conversation((user(prompt),)),
                Sampling(temperature=1.0, max_tokens=SAMPLED_TOKENS, seed=seed),
            )
            for prompt, seed in asked
        ]
        said = [stream.result().text.strip() for stream in track(streams, "sampling")]
    records = [
        {"prompt": prompt, "reply": text} for (prompt, _), text in zip(asked, said, strict=True) if text
    ]
    SAMPLED.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    print(f"{len(records)} sampled replies in {SAMPLED}")


def main() -> None:
    sample()
    asked = prompts()
    said = answers(mini.base_model(), mini.processor(), asked, max_tokens=MAX_TOKENS, batch_size=len(asked))
    records = []
    for prompt, answer in zip(asked, said, strict=True):
        text = answer.text
        if not answer.ended:
            text = text[: max(text.rfind(end) + 1 for end in (".", "!", "?"))].strip()  # whole sentences
        if text:
            records.append({"prompt": prompt, "reply": text})
    OUT.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    print(f"{len(records)} replies in {OUT}")


if __name__ == "__main__":
    main()
