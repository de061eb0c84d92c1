"""Speaks with a Piper voice in a process of its own.

Piper (piper-tts) is GPL-3.0-or-later and optional. It is never imported by Clearsight: this script is run by path,
isolated, and talked to over its pipes, and imports nothing of Clearsight.

    python -I piper_worker.py VOICE.onnx THREADS

At the start one line of JSON: {"sample_rate": 22050}. Then for each line {"text": ..., "speed": ...} on standard input
a line {"bytes": n} and n bytes of 16-bit mono samples, or {"error": ...}. It ends when its input does.
"""

import json
import sys
from pathlib import Path


def main(model: Path, threads: int) -> None:
    import onnxruntime
    from piper import PiperVoice, SynthesisConfig
    from piper.config import PiperConfig

    output = sys.stdout.buffer

    def say(line: dict[str, object], samples: bytes = b"") -> None:
        output.write(json.dumps(line).encode() + b"\n" + samples)
        output.flush()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # others want the cores between sentences
    settings = json.loads(model.with_name(model.name + ".json").read_text(encoding="utf-8"))
    voice = PiperVoice(
        session=onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"]),
        config=PiperConfig.from_dict(settings),
    )
    say({"sample_rate": voice.config.sample_rate})
    for line in sys.stdin:
        wanted = json.loads(line)
        pace = SynthesisConfig(length_scale=voice.config.length_scale / wanted["speed"])
        try:
            samples = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(wanted["text"], pace))
        except Exception as error:  # the next sentence may go well
            say({"error": f"{type(error).__name__}: {error}"})
        else:
            say({"bytes": len(samples)}, samples)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
