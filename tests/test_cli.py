"""The command line as people and programs use it; with the bundled model, nothing in between."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from clearsight.cli import app

pytestmark = pytest.mark.bundled
runner = CliRunner()


def run(*arguments: str | Path, input: bytes | str | None = None):
    return runner.invoke(app, [str(argument) for argument in arguments], input=input)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A folder with one picture in every common form."""
    folder = tmp_path_factory.mktemp("pictures")
    square = Image.new("RGB", (300, 200), (250, 250, 250))
    square.paste((220, 20, 20), (80, 40, 220, 160))
    for name in ("a.png", "a.jpg", "a.webp", "a.gif"):
        square.save(folder / name)
    square.save(folder / "wrong-extension.txt", format="PNG")
    square.convert("CMYK").save(folder / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    Image.effect_noise((4000, 3000), 40).convert("RGB").save(folder / "photo.jpg", exif=exif)
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    Image.new("RGB", (1, 100_000)).save(folder / "thread.png")
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("this is no picture")
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:-400])
    (folder / "huge.png").write_bytes(_png_that_promises(50_000, 50_000))
    return folder


def _png_that_promises(width: int, height: int) -> bytes:
    """A valid PNG header of so many pixels, and nothing behind it."""
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


@pytest.mark.parametrize(
    "name", ["a.png", "a.webp", "wrong-extension.txt", "cmyk.jpg", "photo.jpg", "one.png", "thread.png"]
)
def test_every_readable_picture_is_answered(pictures: Path, name: str) -> None:
    result = run("ask", pictures / name, "What colour is the shape?", "--json", "--max-tokens", "2")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["usage"]["image_tokens"] == 16
    assert answer["usage"]["completion_tokens"] >= 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty.png", "0 bytes"),
        ("text.png", "not a picture"),
        ("cut.jpg", "cut short|truncated|damaged"),
        ("huge.png", "50,000|50000 x 50000|far more"),
        ("missing.png", "there is no file"),
        (".", "is a folder"),
    ],
)
def test_a_picture_that_can_not_be_used_is_one_clear_line(pictures: Path, name: str, message: str) -> None:
    result = run("ask", pictures / name, "What is it?")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("clearsight: ")
    assert any(part in line for part in message.split("|")), line
    as_json = run("ask", pictures / name, "What is it?", "--json")
    assert set(json.loads(as_json.stdout)) == {"error"}


def test_two_pictures_are_read_in_order(pictures: Path) -> None:
    result = run(
        "ask", pictures / "a.jpg", pictures / "a.gif", "Which is larger?", "--json", "--max-tokens", "2"
    )
    assert json.loads(result.stdout)["usage"]["image_tokens"] == 32


def test_a_picture_comes_through_standard_input(pictures: Path) -> None:
    result = run(
        "ask", "-", "What is it?", "--json", "--max-tokens", "2", input=(pictures / "a.png").read_bytes()
    )
    assert json.loads(result.stdout)["usage"]["image_tokens"] == 16


def test_log_probabilities_come_when_asked_for(pictures: Path) -> None:
    result = run("ask", pictures / "a.png", "What is it?", "--json", "--logprobs", "2", "--max-tokens", "3")
    entries = json.loads(result.stdout)["logprobs"]
    assert len(entries) == json.loads(result.stdout)["usage"]["completion_tokens"]
    assert all(len(entry["top"]) == 2 and entry["logprob"] <= 0 for entry in entries)


def test_a_question_without_a_picture_is_answered_by_the_decoder() -> None:
    result = run("ask", "What is the capital of France?", "--max-tokens", "12")
    assert result.exit_code == 0
    assert "Paris" in result.stdout


def test_forgetting_the_question_is_explained(pictures: Path) -> None:
    result = run("ask", pictures / "a.png")
    assert result.exit_code == 2
    assert "the last argument is the question" in result.stderr


def test_tiles_writes_what_the_model_saw(pictures: Path, tmp_path: Path) -> None:
    result = run("tiles", pictures / "a.png", "--out", tmp_path / "seen.png", "--json")
    facts = json.loads(result.stdout)
    assert facts["tiles"] == 1 and facts["image_tokens"] == 16
    assert Image.open(tmp_path / "seen.png").size[0] > 100


def test_chat_keeps_the_conversation_and_survives_a_wrong_path(pictures: Path) -> None:
    asked = ["What colour is the shape?", "/nonsense", "And now?", "/quit"]
    lines = "\n".join([f"/image {pictures / name}" for name in ("missing.png", "a.png")] + asked) + "\n"
    result = run("chat", "--json", "--max-tokens", "3", input=lines)
    assert result.exit_code == 0, result.output
    wrong, first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert "there is no file" in wrong["error"]
    assert first["usage"]["image_tokens"] == second["usage"]["image_tokens"] == 16
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]


def test_describe_answers(pictures: Path) -> None:
    result = run("describe", pictures / "a.png", "--max-tokens", "20")
    assert result.exit_code == 0 and result.stdout.strip()


def test_doctor_finds_this_installation_well() -> None:
    result = run("doctor", "--json")
    findings = {finding["what"]: finding["ok"] for finding in json.loads(result.stdout)}
    assert findings["base weights"] and findings["trained parts"] and findings["experts"]
    assert result.exit_code == 0


def test_export_refuses_to_write_over_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    result = run("export", "--out", tmp_path)
    assert result.exit_code == 2 and "not an empty folder" in result.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep me"


def test_a_folder_without_a_model_is_explained(tmp_path: Path) -> None:
    result = run("ask", "--model", tmp_path, "Hello?")
    assert result.exit_code == 1 and "clearsight: " in result.stderr and "Traceback" not in result.output


def test_every_command_has_help_with_an_example() -> None:
    for command in ("ask", "describe", "chat", "tiles", "export", "doctor", "demo", "eval"):
        result = run(command, "--help")
        assert result.exit_code == 0
        assert f"clearsight {command}" in result.stdout


def test_the_installed_command_answers_and_streams() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clearsight.cli", "demo", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line)["text"] for line in done.stdout.splitlines())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_stays_below_three_gigabytes(pictures: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from clearsight.assistant import Assistant\n"
        "Assistant.load('mini').ask([Path(sys.argv[1]), Path(sys.argv[1]), 'What is it?'], max_tokens=4)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pictures / "photo.jpg")], capture_output=True, text=True, timeout=120
    )
    assert int(done.stdout) * 1024 < 3e9, done.stderr


def test_bytes_on_standard_input_that_are_no_picture_name_standard_input() -> None:
    result = run("ask", "-", "What is it?", input=b"junk")
    assert result.exit_code == 1 and "standard input" in result.stderr


def test_a_long_question_is_a_question_and_no_file_name(pictures: Path) -> None:
    question = "What is this? " + "Please look closely. " * 20
    assert len(question) > 255
    assert run("ask", pictures / "a.png", question, "--max-tokens", "1").exit_code == 0


def test_a_doctor_that_finds_something_wrong_says_so_in_one_json_object(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path))
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert not all(finding["ok"] for finding in json.loads(result.stdout))


def test_brackets_in_a_wrong_path_do_not_end_the_chat(pictures: Path) -> None:
    result = run("chat", "--max-tokens", "2", input="/image x[/y].png\nHello!\n")
    assert result.exit_code == 0
    assert "x[/y].png" in result.stderr and result.stdout.strip()


def test_tiles_never_writes_over_the_picture_it_reads(pictures: Path) -> None:
    before = (pictures / "a.png").read_bytes()
    assert run("tiles", pictures / "a.png", "--out", pictures / "a.png").exit_code == 2
    assert run("tiles", pictures / "a.png", "--out", pictures / "seen").exit_code == 2
    assert (pictures / "a.png").read_bytes() == before


def test_a_wrong_detail_is_wrong_usage(pictures: Path) -> None:
    assert run("ask", pictures / "a.png", "What?", "--detail", "bogus").exit_code == 2


def test_a_users_file_is_scored_continued_and_compared(pictures: Path, tmp_path: Path) -> None:
    rows = [{"image": "a.png", "question": f"What colour is shape {i}?", "answer": "red"} for i in range(3)]
    suite = pictures / "mine.jsonl"
    suite.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first = run("eval", suite, "--out", tmp_path / "a", "--json")
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert found["all"]["n"] == 3 and found["all"]["clusters"] == 1 and "blind" in found["all"]
    again = run("eval", suite, "--out", tmp_path / "a", "--json")
    assert json.loads(again.stdout) == found
    compared = run("eval", "compare", tmp_path / "a" / "mine", tmp_path / "a" / "mine", "--json")
    assert json.loads(compared.stdout)["all"]["p"] == 1
    assert (tmp_path / "a" / "mine" / "report.html").exists()


def test_a_held_out_exam_is_sat_once_and_its_questions_are_looked_for_in_training_data(
    pictures: Path, tmp_path: Path
) -> None:
    pytest.importorskip("daft")
    questions = [{"image": "a.png", "question": "What colour?", "choices": ["red", "blue"], "answer": "A"}]
    section = {"section": "Colours", "kind": "multiple choice", "questions": questions}
    (pictures / "exam.json").write_text(json.dumps({"exam": "One", "held_out": True, "sections": [section]}))
    asked = ("eval", f"exam:{pictures}", "--out", tmp_path)
    first = run(*asked, "--json")
    assert first.exit_code == 0 and json.loads(first.stdout)["all"]["points"]["of"] == 1, first.output
    second = run(*asked)
    assert second.exit_code == 1 and "held out" in second.stderr and "add --again" in second.stderr
    assert run(*asked, "--again").exit_code == 0
    corpus = pictures / "corpus.jsonl"
    corpus.write_text(json.dumps({"image": "a.png", "question": "Well?", "answer": "Yes."}) + "\n")
    found = run("eval", "contamination", tmp_path / "exam-one", "--corpus", corpus, "--json")
    assert json.loads(found.stdout)["how"]["the same file"] == 1, found.output
    assert "in the corpus" in run("eval", "contamination", tmp_path / "exam-one", "--corpus", corpus).stdout
    assert run("eval", "contamination", tmp_path / "exam-one").exit_code == 2


def test_a_suite_that_is_not_there_is_one_clear_line() -> None:
    result = run("eval", "docvqa2")
    assert result.exit_code == 1 and "there is no suite 'docvqa2'" in result.stderr
    assert run("eval", "compare", "one-folder").exit_code == 2
