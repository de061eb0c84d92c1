"""The engine: many conversations at once, answered token by token by one thread.

    engine = Engine.load("mini")
    stream = engine.submit(conversation, Sampling(max_tokens=64))
    for piece in stream.text():
        print(piece, end="")

`submit` may be called from any thread. Headers are read, text is encoded and new pictures are decoded there; everything
else happens in the engine's own thread, a step at a time (`clearsight.engine.core`).
"""

import hashlib
import logging
import queue
import threading
import time
from functools import partial
from pathlib import Path

import torch

from clearsight import checkpoints
from clearsight.conversation import Conversation, Detail
from clearsight.decoding.choice import Chooser
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Grammars
from clearsight.decoding.text import AnswerText, ContextError
from clearsight.engine.blocks import BlockPool
from clearsight.engine.config import EngineConfig, EngineError
from clearsight.engine.contract import ConversationEngine
from clearsight.engine.core import Core
from clearsight.engine.parts import take_apart
from clearsight.engine.pictures import FeatureCache
from clearsight.engine.prompt import read_prompt
from clearsight.engine.runner import Runner
from clearsight.engine.scheduler import Limits
from clearsight.engine.sequence import Sequence
from clearsight.engine.speculation import PromptLookup
from clearsight.engine.stream import Stream
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

log = logging.getLogger(__name__)
PRIORITY_SECONDS = 10.0
"""How much later a request counts as having come for each step of its priority."""


class Engine(ConversationEngine):
    """One model that answers many conversations at once."""

    def __init__(self, model: VisionLanguageModel, processor: Processor, config: EngineConfig | None = None):
        """Takes the model over: its weights may be repacked.

        Raises EngineError for what can't be had here, CheckpointError when model and processor are not a pair.
        """
        checkpoints.check_pair(model, processor)
        self.config = config = config or EngineConfig()
        self.processor = processor
        self.model_config = model.config
        self.end_ids = {model.config.eos_token_id, processor.end_of_turn_id}
        num_blocks = config.cache_tokens // config.block_size
        self.context = min(model.config.text.max_position_embeddings, num_blocks * config.block_size)
        found = take_apart(model, config, num_blocks)
        self.weights = found.weights
        features = FeatureCache(config.feature_cache_bytes)
        self.core = Core(
            Runner(processor, found.embeddings_VD, found.encoder, found.decoder, features),
            BlockPool(num_blocks, config.block_size),
            Limits(config.max_sequences, config.max_step_tokens),
            prefix_cache=config.prefix_cache,
        )
        self.metrics = self.core.metrics
        identity = f"{processor.tokenizer.identity}\0{processor.tile_settings}\0{processor.template}"
        self._identity = hashlib.sha256(identity.encode()).digest()
        self._grammars: Grammars | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._inbox: queue.SimpleQueue[tuple[str, Sequence | None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="clearsight-engine", daemon=True)
        self._thread.start()

    @classmethod
    def load(
        cls, spec: str | Path = "mini", config: EngineConfig | None = None, *, offline: bool | None = None
    ) -> "Engine":
        """An engine for the bundled model (`mini`), a checkpoint folder, or `hf:owner/name`.

        Raises as `checkpoints.load` does, and EngineError.
        """
        config = config or EngineConfig()
        dtype = config.dtype if config.weights in ("auto", "model") else torch.float32
        return cls(*checkpoints.load(spec, dtype, offline=offline), config)

    def submit_many(
        self,
        conversation: Conversation,
        sampling: Sampling | None = None,
        count: int = 1,
        *,
        detail: Detail | None = None,
        tenant: str = "",
        priority: int = 0,
    ) -> list[Stream]:
        """Begin `count` answers to one prompt, which is read once; returns at once. Each next answer has the next seed.

        `tenant`: what is computed for one is never reused for another. `priority`: each step up waits as if it had
        come ten seconds later, each step down as if ten seconds earlier. Raises ImageError, StructureError or
        ContextError for what can't be answered, EngineError after `close`.
        """
        sampling = sampling or Sampling()
        domain = self._identity + tenant.encode()
        ids, pictures = read_prompt(self.processor, conversation, domain, detail)
        room = self.context - len(ids)
        if room < 1:
            raise ContextError(
                f"the prompt has {len(ids)} tokens and this engine reads {self.context}; shorten the conversation or "
                "send pictures with detail low"
            )
        choosers = [self._chooser(sampling.nth(number), ids) for number in range(count)]
        for picture in pictures:
            if picture.span.name not in self.core.runner.features:
                picture.cut_tiles(self.processor)
        now = time.monotonic()
        streams, leader = [], None
        for chooser in choosers:
            decoder = self.processor.tokenizer.stream_decoder()
            stream = Stream()
            sequence = Sequence(
                tokens=list(ids),
                pictures=pictures,
                chooser=chooser,
                text=AnswerText(decoder, sampling.stop, self.end_ids, min(room, sampling.max_tokens or room)),
                lookup=PromptLookup(self.config.proposals, frozenset({self.processor.image_token_id})),
                domain=domain,
                deliver=stream.deliver,
                order=now + priority * PRIORITY_SECONDS,
                submitted=now,
                max_logprobs=sampling.logprobs,
                leader=leader,
            )
            stream.cancelled_by(partial(self._inbox.put, ("cancel", sequence)))
            if self.config.prefix_cache and leader is None:
                leader = sequence
            streams.append(stream)
            self._send("add", sequence)
        return streams

    def close(self) -> None:
        """Cancel what is running and end the engine's thread."""
        with self._lock:
            self._closed = True
            self._inbox.put(("close", None))
        self._thread.join()

    def _send(self, what: str, sequence: Sequence) -> None:
        with self._lock:
            if self._closed:
                raise EngineError("the engine is closed; make a new one")
            self._inbox.put((what, sequence))

    def _chooser(self, sampling: Sampling, ids: list[int]) -> Chooser:
        matcher = None
        if sampling.structure is not None:
            with self._lock:
                if self._grammars is None:
                    vocab_size = self.model_config.text.vocab_size
                    self._grammars = Grammars(self.processor.tokenizer, vocab_size, self.end_ids)
            matcher = self._grammars.matcher(sampling.structure)
        return Chooser(sampling, ids, self.end_ids, matcher)

    def _run(self) -> None:
        if self.config.threads is not None:
            torch.set_num_threads(self.config.threads)
        while self._receive(wait=not self.core.busy):
            if self.core.busy:
                self._step()
        self.core.cancel_all("the engine was closed")

    def _step(self) -> None:
        """One step. What no sequence can be blamed for ends all of them, but never the thread: readers would wait."""
        try:
            self.core.step()
        except Exception as error:
            log.exception("the engine failed between two steps")
            failure = EngineError(f"the engine failed ({error!r}); ask again")
            self.core.fail_all(failure)

    def _receive(self, wait: bool) -> bool:
        """Take in what came; waits for something if told to. False when the engine is to end."""
        while wait or not self._inbox.empty():
            wait = False
            what, sequence = self._inbox.get()
            if sequence is None:
                return False
            if what == "add":
                self.core.add(sequence)
            else:
                self.core.cancel(sequence)
        return True
