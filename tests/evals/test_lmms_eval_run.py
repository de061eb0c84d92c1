"""lmms-eval, unmodified, asks our model over HTTP and scores it; our metrics and our own runner find the same."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pyarrow
import pytest
import yaml
from peers import environment
from pyarrow import parquet

from benchmarks.engine_peers.environments import Missing
from clearsight.evals.evaluate import evaluate
from clearsight.evals.item import Item
from clearsight.evals.metrics.anls import anls
from clearsight.evals.metrics.exact import exact_match
from clearsight.evals.subject import opened
from clearsight.evals.suites import files, mini

pytestmark = [pytest.mark.peer, pytest.mark.bundled]
TASK, QUESTIONS, MAX_TOKENS = "clearsight_drawn", 100, 16
WORLDS = ("shapes", "icons", "flags", "solids", "marks")
PICTURES = '''"""The pictures of a row, as lmms-eval's tasks hand them over."""

import io

from PIL import Image


def pictures(doc):
    return [Image.open(io.BytesIO(doc["picture"])).convert("RGB")]
'''


@pytest.fixture(scope="module")
def interpreter() -> str:
    try:
        return environment.interpreter()
    except Missing as reason:
        pytest.skip(f"lmms-eval can't be had here: {reason}")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn questions twice: as a task of lmms-eval and as a suite of ours."""
    folder = tmp_path_factory.mktemp("drawn")
    items = [item for item in mini.suite(8, WORLDS).items() if plainly_answered(item)]
    rows, lines = [], []
    for number, item in enumerate(items[:: max(1, len(items) // QUESTIONS)][:QUESTIONS]):
        picture = item.conversation.images[0].encoded()
        (folder / f"{number}.png").write_bytes(picture)
        answers = [item.truth.answer, *item.truth.alternatives]
        rows.append({"picture": picture, "question": item.question, "answers": answers})
        lines.append(
            {"id": str(number), "image": f"{number}.png", "question": item.question, "answer": answers}
        )
    (folder / "drawn.jsonl").write_text(
        "".join(json.dumps(line | {"metric": "anls", "max_tokens": MAX_TOKENS}) + "\n" for line in lines)
    )
    parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "drawn.parquet")
    (folder / "task").mkdir()
    (folder / "task" / "task.py").write_text(PICTURES)
    (folder / "task" / f"{TASK}.yaml").write_text(task(folder / "drawn.parquet"))
    return folder


def plainly_answered(item: Item) -> bool:
    """With a word or a number, from one picture; the bundled model gets some of these right."""
    return len(item.conversation.images) == 1 and item.truth.kind in ("text", "number", "yes or no")


def task(data: Path) -> str:
    """lmms-eval's description of a task."""
    told = {
        "task": TASK,
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{question}}",
        "doc_to_target": "answers",
        "generation_kwargs": {"max_new_tokens": MAX_TOKENS, "temperature": 0, "do_sample": False},
        "metric_list": [
            {"metric": "anls", "aggregation": "mean", "higher_is_better": True},
            {
                "metric": "exact_match",
                "aggregation": "mean",
                "higher_is_better": True,
                "ignore_case": True,
                "ignore_punctuation": True,
            },
        ],
    }
    return yaml.safe_dump(told) + "doc_to_visual: !function task.pictures\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bundled model behind the endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("endpoint") / "log"
    command = [sys.executable, "-m", "clearsight.evals.endpoint", "--model", "mini", "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            try:
                httpx2.get(f"http://127.0.0.1:{port}/v1/models").raise_for_status()
                break
            except httpx2.TransportError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def told(interpreter: str, drawn: Path, address: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What lmms-eval reports, and the samples it logs, in the order of the questions."""
    command = [
        *(interpreter, "-m", "lmms_eval", "--model", "openai", "--tasks", TASK, "--batch_size", "1"),
        *("--model_args", f"model_version=mini,base_url={address},api_key=none,num_concurrent=4"),
        *("--include_path", str(drawn / "task"), "--output_path", str(drawn / "out"), "--log_samples"),
    ]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(drawn / "hf")}
    done = subprocess.run(command, env=os.environ | offline, capture_output=True, text=True, timeout=900)
    found = list((drawn / "out").rglob("*_results.json"))
    assert len(found) == 1, done.stderr[-3000:]  # it ends with 0 even when it failed
    [samples] = (drawn / "out").rglob(f"*_samples_{TASK}.jsonl")
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    return json.loads(found[0].read_text())["results"][TASK], sorted(rows, key=lambda row: row["doc_id"])


def test_its_scores_are_those_of_our_metrics_on_the_replies_it_logged(told: Any, drawn: Path) -> None:
    results, samples = told
    items = list(files.load(drawn / "drawn.jsonl").items())
    assert len(samples) == len(items) == QUESTIONS
    answers = [[item.truth.answer, *item.truth.alternatives] for item in items]
    replies = [sample["filtered_resps"] for sample in samples]
    for name, metric in (("anls", anls), ("exact_match", exact_match)):
        ours = [metric(said, right).under["lmms-eval"] for said, right in zip(replies, answers, strict=True)]
        assert ours == pytest.approx([sample[name] for sample in samples])
        assert sum(ours) / len(ours) == pytest.approx(results[f"{name},none"]) and 0 < sum(ours) < QUESTIONS


def test_our_own_runner_gets_the_same_replies_and_the_same_score(told: Any, drawn: Path) -> None:
    results, samples = told
    with opened("mini") as subject:
        evaluate(files.load(drawn / "drawn.jsonl"), subject, drawn / "ours", blind=False)
    rows = [json.loads(line) for line in (drawn / "ours" / "results.jsonl").read_text().splitlines()]
    assert [row["reply"] for row in rows] == [sample["filtered_resps"] for sample in samples]
    ours = [row["under"]["lmms-eval"] for row in rows]
    assert sum(ours) / len(ours) == pytest.approx(results["anls,none"])
