"""What `clearsight export` writes of the bundled model, transformers loads and answers alike."""

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor
from typer.testing import CliRunner

from clearsight import checkpoints
from clearsight.assistant import Assistant
from clearsight.cli import app
from clearsight.conversation import Conversation, Image, user
from recipes.mini.primer import shapes

pytestmark = pytest.mark.bundled
QUESTION = "Describe this picture."


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("exported") / "mini"
    result = CliRunner().invoke(app, ["export", "--to", "hf", "--out", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    return str(folder)


@torch.inference_mode()
def test_the_exported_bundled_model_gives_the_same_greedy_tokens_in_transformers(exported: str) -> None:
    model, ours = checkpoints.load(exported, torch.float32)
    theirs = AutoModelForImageTextToText.from_pretrained(exported, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(exported)
    picture = shapes.sample(3, "eval").picture
    content = [{"type": "image", "image": picture}, {"type": "text", "text": QUESTION}]
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    prepared = ours.prepare(Conversation((user(Image(pixels=picture), QUESTION),)))
    assert inputs["input_ids"][0].tolist() == prepared.input_ids_T.tolist()
    generated = theirs.generate(**inputs, max_new_tokens=32, min_new_tokens=32, do_sample=False)
    expected = generated[0, inputs["input_ids"].shape[1] :]
    ids, tiles = prepared.input_ids_T[None], prepared.tiles_NCSS.float() / 127.5 - 1
    features = model.encode_images(tiles)
    for _ in range(32):
        logits = model(ids, image_features=features, logits_to_keep=1)[:, -1]
        logits[:, ours.end_of_turn_id] = -torch.inf  # as min_new_tokens does
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], dim=1)
    assert ids[0, -32:].tolist() == expected.tolist()


def test_the_exported_folder_answers_as_the_bundled_model_does(exported: str) -> None:
    picture = shapes.sample(4, "eval").picture
    question = [picture, "What shape is this?"]
    with Assistant.load("mini") as bundled, Assistant.load(exported) as again:
        assert again.ask(question, max_tokens=8).text == bundled.ask(question, max_tokens=8).text
