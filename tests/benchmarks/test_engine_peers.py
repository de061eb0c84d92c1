"""What the engine's benchmark takes for granted about its questions, files and ratios."""

import json
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.engine_peers import environments, gguf_files
from benchmarks.engine_peers.contenders import FULL, Contender, Failed, Worker, everyone
from benchmarks.engine_peers.figures import MEASURES, Figures
from benchmarks.engine_peers.protocol import Prompt
from clearsight.models import hf
from clearsight.models.presets import MINI
from clearsight.models.vlm import VisionLanguageModel


def named(program: str, bits: int = 8, **more) -> Contender:
    return Contender(program, f"{bits} bits", bits, "worker_nobody", **more)


def figures(**rates: float) -> Figures:
    """Prefill rates by program, all of 8 bits."""
    made = Figures([named(program) for program in rates])
    for contender, rate in zip(made.contenders, rates.values(), strict=True):
        made.add(contender, "prefill", rate)
    return made


def test_a_ratio_is_above_one_where_clearsight_is_better_whatever_the_measure() -> None:
    assert figures(clearsight=300, slow=100, fast=200).ratio("prefill") == 1.5
    made = Figures([named("clearsight"), named("peer")])
    for contender, seconds in zip(made.contenders, (0.1, 0.4), strict=True):
        made.add(contender, "first_1", seconds)
    assert made.ratio("first_1") == pytest.approx(4)


def test_a_peer_of_another_width_is_no_peer_at_equal_bits_but_counts_against_all() -> None:
    made = Figures([named("clearsight"), named("peer"), named("peer", 4)])
    for contender, rate in zip(made.contenders, (300, 100, 600), strict=True):
        made.add(contender, "prefill", rate)
    assert made.ratio("prefill", 8) == 3
    assert made.ratio("prefill", against_all=True) == 0.5


def test_the_oracle_is_never_the_peer_that_clearsight_is_measured_against() -> None:
    made = Figures([named("clearsight"), named("oracle", headline=False)])
    for contender in made.contenders:
        made.add(contender, "prefill", 100)
    assert made.ratio("prefill") is None
    assert made.headline()["prefill_vs_best_peer"] is None


def test_decode_is_judged_by_the_worse_of_both_widths() -> None:
    made = Figures([named(program, bits) for bits in (8, 4) for program in ("clearsight", "peer")])
    for contender, rate in zip(made.contenders, (200, 100, 300, 200), strict=True):
        made.add(contender, "decode", rate)
    assert made.headline()["decode_vs_best_peer"] == 1.5
    json.dumps(made.everything())


def test_every_measure_of_a_contender_is_in_the_last_line() -> None:
    made = Figures(everyone(bfloat16=False))
    for contender in made.contenders:
        for measure in MEASURES:
            made.add(contender, measure.name, 1.0)
    told = made.everything()["contenders"]
    assert set(told) == {contender.name for contender in made.contenders}
    assert all(measure.name in told["llama.cpp Q4_0"] for measure in MEASURES)


def test_a_prompt_comes_apart_into_text_and_pictures_in_order() -> None:
    prompt = Prompt("?", ("a.png", "b.png"), (1, 9, 9, 5, 9, 9, 6), image_id=9)
    assert prompt.parts() == [(1,), "a.png", (5,), "b.png", (6,)]


def test_rows_of_q_and_k_come_back_from_llama_cpps_order() -> None:
    with torch.device("meta"):
        model = VisionLanguageModel(MINI)
    for part, heads in (("q", 9), ("k", 3)):
        rows = torch.arange(heads * 64.0)[:, None].expand(-1, 32).contiguous()
        name = f"model.text_model.layers.7.self_attn.{part}_proj.weight"
        stored = gguf_files._decoder_rows(model, name, rows)
        assert not torch.equal(stored, rows)
        assert gguf_files._decoder_name(name) == f"blk.7.attn_{part}.weight"
        found, back = hf.gguf_to_public(f"blk.7.attn_{part}.weight", stored, 9, 3)
        assert found == name
        assert torch.equal(back, rows)


def test_every_tensor_of_the_model_has_a_name_in_llama_cpps_files() -> None:
    with torch.device("meta"):
        names = dict(VisionLanguageModel(MINI).named_parameters())
    text = [name for name in names if name.startswith("model.text_model.")]
    seen = {gguf_files._decoder_name(name) for name in text}
    seen |= {gguf_files._tower_name(name) for name in names if name not in text}
    assert len(seen) == len(names)


def test_an_environment_that_failed_says_why_and_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "vllm").mkdir()
    stamp = {"recipe": environments.RECIPES["vllm"].identity, "failed": "needs CUDA"}
    (tmp_path / "vllm" / "stamp.json").write_text(json.dumps(stamp))
    with pytest.raises(environments.Missing, match="needs CUDA"):
        environments.make(tmp_path, "vllm")


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")
def test_a_worker_that_can_not_start_is_an_error_and_no_hang(tmp_path: Path) -> None:
    worker = Worker(Contender("nobody", "", FULL, "worker_nobody"), tmp_path, threads=1)
    with pytest.raises(Failed, match="worker_nobody"):
        worker.ask(do="load", folder=str(tmp_path), variant="", threads=1)
    worker.close()


def test_a_run_in_which_nothing_was_measured_has_a_last_line_too() -> None:
    made = Figures([named("clearsight"), named("peer")])
    assert set(made.headline().values()) == {None}
    json.dumps(made.everything())
