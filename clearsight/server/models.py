"""The models that are offered: each a pool of engines, computed here or by other servers, behind one name."""

import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from clearsight.conversation import Conversation, ConversationError
from clearsight.decoding.sampling import Sampling, SamplingError
from clearsight.decoding.structure import StructureError
from clearsight.decoding.text import ContextError
from clearsight.engine import ConversationEngine, Engine, EngineConfig, EngineError
from clearsight.engine.upstream import PromptSize, Upstream, UpstreamError
from clearsight.experts import Experts
from clearsight.experts.engine import ToldEngine, plain
from clearsight.processing.images import ImageError
from clearsight.processing.processor import Processor
from clearsight.server.config import ModelSettings, ServerConfig
from clearsight.server.draining import Draining
from clearsight.server.errors import ApiError
from clearsight.server.routing import NoReplica, Pool, Replica, RoutedStream
from clearsight.server.store.tables import now_ms

log = logging.getLogger(__name__)


@dataclass
class Model:
    """One model under its public name."""

    name: str
    pool: Pool
    max_queue: int
    created: int = field(default_factory=lambda: now_ms() // 1000)

    @property
    def processor(self) -> Processor | None:
        """How pictures and text become tokens; None where another server knows it."""
        engine = plain(self.pool.replicas[0].engine)
        return engine.processor if isinstance(engine, Engine) else None

    @property
    def context(self) -> int | None:
        """Tokens of prompt and answer together; None where another server knows it."""
        engine = plain(self.pool.replicas[0].engine)
        return engine.context if isinstance(engine, Engine) else None

    @property
    def vocabulary(self) -> int | None:
        engine = plain(self.pool.replicas[0].engine)
        return engine.model_config.text.vocab_size if isinstance(engine, Engine) else None

    @property
    def experts(self) -> Experts | None:
        """Who else looks at its pictures."""
        engine = self.pool.replicas[0].engine
        return engine.experts if isinstance(engine, ToldEngine) else None

    @asynccontextmanager
    async def answers(
        self, conversation: Conversation, sampling: Sampling, count: int, *, tenant: str, priority: int = 0
    ) -> AsyncIterator[list[RoutedStream]]:
        """`count` answers being made; what is left of them at the end is cancelled.

        Raises ApiError for a prompt that can't be answered, and 503 when too many are waiting or no replica can be
        asked.
        """
        if self.pool.running + count > self.max_queue:
            raise ApiError(
                503,
                "Too many answers are waiting; try again shortly.",
                code="overloaded",
                headers={"retry-after": "2"},
                retry=True,
            )
        async with AsyncExitStack() as stack:
            with engine_errors():
                streams = await stack.enter_async_context(
                    self.pool.answers(conversation, sampling, count, tenant=tenant, priority=priority)
                )
            yield streams

    def prompt_size(self, conversation: Conversation) -> PromptSize | None:
        """What a server that can count says of a prompt's text; blocks. None for all others."""
        for replica in self.pool.replicas:
            engine = plain(replica.engine)
            if isinstance(engine, Upstream) and not replica.is_down:
                return engine.prompt_size(conversation)
        return None

    def close(self) -> None:
        self.pool.close()


@contextlib.contextmanager
def engine_errors() -> Iterator[None]:
    """What an engine may say about a request, as answers with the field that is meant."""
    try:
        yield
    except ContextError as error:
        raise ApiError(400, _sentence(error), param="messages", code="context_length_exceeded") from error
    except (ImageError, ConversationError) as error:
        raise ApiError(400, _sentence(error), param="messages", code="invalid_image") from error
    except StructureError as error:
        raise ApiError(400, _sentence(error), param="response_format", code="invalid_schema") from error
    except SamplingError as error:
        raise ApiError(400, _sentence(error)) from error
    except UpstreamError as error:
        log.error("another server failed: %s", error)
        if error.is_of_request:
            raise ApiError(
                400,
                "The model's server refused this request: it may be too long for it, or name what it doesn't know.",
                code="upstream_refused",
            ) from error
        raise _try_again() from error
    except NoReplica as error:
        raise _try_again() from error
    except EngineError as error:
        log.error("the engine refused: %s", error)
        raise _try_again() from error


def _try_again() -> ApiError:
    return ApiError(
        503,
        "The model can't answer just now; try again.",
        code="engine",
        headers={"retry-after": "2"},
        retry=True,
    )


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


class Models:
    """All models by name, loaded in the background while the server already answers."""

    def __init__(self, config: ServerConfig, draining: Draining):
        self._draining = draining
        self._settings: Mapping[str, ModelSettings] = config.models
        self._models: dict[str, Model] = {}
        self._failed: dict[str, str] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def names(self) -> list[str]:
        return list(self._settings)

    @property
    def default(self) -> str:
        return next(iter(self._settings))

    @property
    def ready(self) -> bool:
        return len(self._models) == len(self._settings)

    @property
    def loaded(self) -> list[Model]:
        return [self._models[name] for name in self._settings if name in self._models]

    @property
    def failures(self) -> dict[str, str]:
        """Why models could not be loaded, for the server's own log and administrators."""
        return dict(self._failed)

    def get(self, name: str) -> Model:
        """The model of this name, for a new answer. Raises ApiError: 404, or 503 while it loads or the server ends."""
        self._draining.check()
        found = self._models.get(name)
        if found is not None:
            return found
        if name in self._failed:
            raise ApiError(
                503,
                f"The model {name} could not be loaded; the log says why.",
                code="model_failed",
                retry=False,
            )
        if name in self._settings:
            raise ApiError(
                503,
                f"The model {name} is still loading; try again in a few seconds.",
                code="model_loading",
                headers={"retry-after": "2"},
                retry=True,
            )
        raise ApiError(
            404,
            f"There is no model {name[:60]!r} here; there are {', '.join(self.names)}.",
            param="model",
            code="model_not_found",
        )

    def load(self, offline: bool | None = None) -> None:
        """Load what is configured, one after another; blocks. What fails is noted, the rest goes on."""
        for name, settings in self._settings.items():
            try:
                model = Model(name, Pool(_replicas(settings, offline)), settings.max_queue)
            except Exception as error:
                self._failed[name] = str(error)
                log.error("model %s could not be loaded: %s", name, error)
                continue
            with self._lock:
                if self._closed:
                    model.close()
                    return
                self._models[name] = model

    def close(self) -> None:
        with self._lock:
            self._closed = True
        for model in self._models.values():
            model.close()


def _replicas(settings: ModelSettings, offline: bool | None) -> list[Replica]:
    experts = Experts.ready(offline) if settings.experts else None

    def told(engine: ConversationEngine) -> ConversationEngine:
        return ToldEngine(engine, experts) if experts else engine

    if settings.upstream:
        return [Replica(told(Upstream.at(address, retries=0)), address) for address in settings.upstream]
    config = EngineConfig(
        weights=settings.weights,
        threads=settings.threads,
        max_sequences=settings.max_sequences,
        cache_tokens=settings.cache_tokens,
    )
    return [Replica(told(Engine.load(settings.path, config, offline=offline)), settings.path)]
