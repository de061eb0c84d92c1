"""llama.cpp through llama-cpp-python's bindings, several sequences in one batch, as its own server computes.

Pictures go through libmtmd. It always cuts them into a grid and an overview; the overview alone is the one tile that
this model is shown, so only that is encoded, and prompts have the same ids as everywhere. Nothing is kept from one
prompt to the next, as in `MTMDChatHandler`.
"""

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp import mtmd_cpp as mtmd

from benchmarks.engine_peers.protocol import Prompt, Subject, Tell, serve

CONTEXT = 16_384  # tokens of all sequences together
AT_ONCE = 2_048  # tokens in a batch
SEQUENCES = 16


@dataclass(frozen=True)
class Row:
    """One token of a batch: what it is (an id, or the embedding of an image token) and where it belongs."""

    content: int | np.ndarray
    position: int
    sequence: int
    wanted: bool = False  # whether scores are wanted behind it


class LlamaCpp(Subject):
    many = "one batch of all sequences at every step"

    def load(self, folder: Path, variant: str, threads: int) -> str:
        self._silence = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._silence, ctypes.c_void_p(0))
        mtmd.mtmd_helper_log_set(self._silence, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        model = folder / "gguf" / f"decoder-{variant}.gguf"
        settings = llama_cpp.llama_model_default_params()
        self.model = llama_cpp.llama_model_load_from_file(str(model).encode(), settings)
        if not self.model:
            raise RuntimeError(f"llama.cpp does not load {model}")
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_seq_max = CONTEXT, AT_ONCE, SEQUENCES
        settings.n_threads = settings.n_threads_batch = threads
        settings.kv_unified = True
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.width = llama_cpp.llama_model_n_embd(self.model)
        self.tokens = llama_cpp.llama_batch_init(AT_ONCE, 0, 1)
        self.embeddings = llama_cpp.llama_batch_init(AT_ONCE, self.width, 1)
        settings = mtmd.mtmd_context_params_default()
        settings.use_gpu, settings.print_timings, settings.n_threads = False, False, threads
        tower = folder / "gguf" / f"tower-{'F16' if variant in ('F16', 'BF16') else 'Q8_0'}.gguf"
        self.tower = mtmd.mtmd_init_from_file(str(tower).encode(), self.model, settings)
        if not self.tower:
            raise RuntimeError(f"libmtmd does not load {tower}")
        return f"decoder {variant}, tower {tower.stem.split('-')[1]}"

    def answer(self, prompt: Prompt, count: int, tell: Tell) -> int:
        self._write([prompt], count, lambda tokens: tell(tokens[0]))
        return len(prompt.ids)

    def answers(self, prompts: Sequence[Prompt], count: int) -> list[list[int]]:
        answers: list[list[int]] = [[] for _ in prompts]

        def tell(tokens: Sequence[int]) -> None:
            for answer, token in zip(answers, tokens, strict=True):
                answer.append(token)

        self._write(prompts, count, tell)
        return answers

    def _write(self, prompts: Sequence[Prompt], count: int, tell: Any) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        chosen = self._read(prompts)
        tell(chosen)
        lengths = [len(prompt.ids) for prompt in prompts]
        for step in range(count - 1):
            rows = [
                Row(token, length + step, sequence, True)
                for sequence, (token, length) in enumerate(zip(chosen, lengths, strict=True))
            ]
            chosen = [token for _, token in sorted(self._compute(rows))]
            tell(chosen)

    def _read(self, prompts: Sequence[Prompt]) -> list[int]:
        """The first token of each answer. Parts of prompts go together: text of all, pictures of all, text of all."""
        waiting = [list(prompt.parts()) for prompt in prompts]
        lengths = [0] * len(prompts)
        first: dict[int, int] = {}
        while any(waiting):
            rows: list[Row] = []
            for sequence, parts in enumerate(waiting):
                if not parts:
                    continue
                part = parts.pop(0)
                contents = self._encode(part) if isinstance(part, str) else part
                start = lengths[sequence]
                rows += [Row(content, start + place, sequence) for place, content in enumerate(contents)]
                lengths[sequence] += len(contents)
                if not parts:
                    rows[-1] = Row(rows[-1].content, rows[-1].position, sequence, True)
            for embedded in (False, True):
                same = [row for row in rows if isinstance(row.content, np.ndarray) == embedded]
                for start in range(0, len(same), AT_ONCE):
                    first |= dict(self._compute(same[start : start + AT_ONCE]))
        return [first[sequence] for sequence in range(len(prompts))]

    def _compute(self, rows: Sequence[Row]) -> Iterable[tuple[int, int]]:
        """Run the decoder over these rows, all ids or all embeddings; (sequence, likeliest next token) where wanted."""
        embedded = isinstance(rows[0].content, np.ndarray)
        batch = self.embeddings if embedded else self.tokens
        batch.n_tokens = len(rows)
        if embedded:
            values = np.ascontiguousarray([row.content for row in rows], np.float32)
            ctypes.memmove(batch.embd, values.ctypes.data, values.nbytes)
        for place, row in enumerate(rows):
            if not embedded:
                batch.token[place] = row.content
            batch.pos[place] = row.position
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = row.sequence
            batch.logits[place] = row.wanted
        if code := llama_cpp.llama_decode(self.context, batch):
            raise RuntimeError(f"llama_decode gives {code}")
        return [(row.sequence, self._likeliest(place)) for place, row in enumerate(rows) if row.wanted]

    def _likeliest(self, place: int) -> int:
        scores = llama_cpp.llama_get_logits_ith(self.context, place)
        return int(np.ctypeslib.as_array(scores, (self.vocabulary,)).argmax())

    def _encode(self, name: str) -> list[np.ndarray]:
        """The embeddings of a picture's image tokens."""
        data = Path(name).read_bytes()
        buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        bitmap = mtmd.mtmd_helper_bitmap_init_from_buf(self.tower, buffer, len(data), False)
        chunks = mtmd.mtmd_input_chunks_init()
        marker = mtmd.mtmd_default_marker()
        text = mtmd.mtmd_input_text(text=marker, text_len=len(marker), add_special=False, parse_special=True)
        pictures = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
        try:
            if code := mtmd.mtmd_tokenize(self.tower, chunks, ctypes.byref(text), pictures, 1):
                raise RuntimeError(f"mtmd_tokenize gives {code}")
            found = [
                mtmd.mtmd_input_chunks_get(chunks, place)
                for place in range(mtmd.mtmd_input_chunks_size(chunks))
            ]
            overview = [
                chunk
                for chunk in found
                if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE
            ][-1]
            if code := mtmd.mtmd_encode_chunk(self.tower, overview):
                raise RuntimeError(f"mtmd_encode_chunk gives {code}")
            count = mtmd.mtmd_input_chunk_get_n_tokens(overview)
            values = mtmd.mtmd_get_output_embd(self.tower)
            return list(np.ctypeslib.as_array(values, (count, self.width)).copy())
        finally:
            mtmd.mtmd_input_chunks_free(chunks)
            mtmd.mtmd_bitmap_free(bitmap)


if __name__ == "__main__":
    serve(LlamaCpp())
