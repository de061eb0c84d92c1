"""Text-only conversations for the bundled model's training: our prompts, answered by the base model itself.

Learning to see must not cost the decoder what it knows. Its own greedy answers keep it where it is.

    python -m recipes.mini.replies          # writes recipes/mini/chat.jsonl
"""

import json
from collections import defaultdict
from pathlib import Path

import torch
from rich.progress import track

from clearsight import mini
from clearsight.conversation import Conversation, user

OUT = Path(__file__).with_name("chat.jsonl")
MAX_TOKENS = 80

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


@torch.inference_mode()
def main() -> None:
    model, processor = mini.base_model(), mini.processor()
    by_length: dict[int, list[tuple[str, torch.Tensor]]] = defaultdict(list)
    for prompt in prompts():
        ids = processor.prepare(Conversation((user(prompt),))).input_ids_T
        by_length[len(ids)].append((prompt, ids))
    records = []
    for group in track(list(by_length.values()), description="answering"):
        ids = torch.stack([ids for _, ids in group])
        cache = model.new_cache(len(group), ids.shape[1] + MAX_TOKENS)
        replies = torch.full((len(group), MAX_TOKENS), processor.end_of_turn_id)
        ended = torch.zeros(len(group), dtype=torch.bool)
        for step in range(MAX_TOKENS):
            chosen = model(ids, cache=cache, logits_to_keep=1)[:, -1].argmax(-1)
            ended |= chosen == processor.end_of_turn_id
            if ended.all():
                break
            replies[:, step] = torch.where(ended, processor.end_of_turn_id, chosen)
            ids = chosen[:, None]
        for (prompt, _), reply in zip(group, replies.tolist(), strict=True):
            text = processor.tokenizer.decode(reply).strip()
            if processor.end_of_turn_id not in reply:
                text = text[: max(text.rfind(end) + 1 for end in (".", "!", "?"))].strip()  # whole sentences
            if text:
                records.append({"prompt": prompt, "reply": text})
    OUT.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    print(f"{len(records)} replies in {OUT}")


if __name__ == "__main__":
    main()
