"""Teach a model your own pictures: conversations in a JSONL file, pictures in a folder beside it.

    clearsight train recipes/finetune.py --set data.corpora=mine.jsonl
    clearsight ask --model runs/finetune/model photo.jpg "What is this?"

One line of mine.jsonl (five common shapes are understood; see `clearsight data build --help`):

    {"image": "photos/cup.jpg", "conversations": [{"from": "human", "value": "<image>\\nWhat is this?"},
                                                   {"from": "gpt", "value": "My red cup."}]}

Another model:  --set model.start=hf:HuggingFaceTB/SmolVLM-256M-Instruct
All weights of the decoder instead of low-rank updates:  --set model.rank=0 --set optimizer.text=2e-5
"""

from clearsight.training.config import Checkpoints, Config, Data, Model, Optimizer, Schedule


def recipe() -> Config:
    """Connector and decoder learn, the decoder through low-rank updates; the tower stays as it is."""
    return Config(
        name="finetune",
        model=Model(start="mini", trained=("connector", "text"), rank=16),
        data=Data(row_tokens=1024, rows_per_step=4),
        optimizer=Optimizer(connector=5e-5, text=3e-4),
        schedule=Schedule(steps=100, warmup=10),
        checkpoints=Checkpoints(every=50),
    )
