"""What all commands share: where notes go, and how what goes wrong is told.

Standard output holds the result, or with --json one JSON object; everything else goes to standard error.
Exit codes: 0 done, 1 something went wrong (the message says what to do), 2 wrong usage, 130 interrupted.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from clearsight.conversation import ConversationError

notes = Console(stderr=True, highlight=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


class UsageError(ValueError):
    """Arguments that can't be meant; exit code 2."""


@contextmanager
def reported(as_json: bool) -> Iterator[None]:
    """Turn what can go wrong into one clear line and an exit code; anything else is a bug and shows itself."""
    try:
        yield
    except typer.Exit:
        raise
    except UsageError as error:
        _fail(str(error), as_json, 2)
    except KeyboardInterrupt:
        _fail("interrupted", as_json, 130)
    except Exception as error:
        if not isinstance(error, expected_errors()):
            raise
        _fail(str(error), as_json, getattr(error, "exit_code", 1))


def expected_errors() -> tuple[type[Exception], ...]:
    """What users and their files can cause; imported only once something failed, because torch is slow to load."""
    from clearsight.data.build import BuildError
    from clearsight.data.curation import CurationError
    from clearsight.data.curation.extras import ExtraMissing
    from clearsight.data.shards import ShardError
    from clearsight.data.sources.contract import SourceError
    from clearsight.data.worlds.drawing.fonts import FontsMissing
    from clearsight.decoding.sampling import SamplingError
    from clearsight.decoding.structure import StructureError
    from clearsight.decoding.text import ContextError
    from clearsight.engine.config import EngineError
    from clearsight.evals.item import EvalError
    from clearsight.evals.metrics.by_name import MetricError
    from clearsight.mini import PartsMissing
    from clearsight.models.hf import CheckpointError
    from clearsight.processing.images import ImageError
    from clearsight.processing.processor import ProcessorError
    from clearsight.processing.template import TemplateError
    from clearsight.processing.tokenizer import TokenizerError
    from clearsight.safety.policy import PolicyError
    from clearsight.server.config import ServerConfigError
    from clearsight.server.errors import ApiError
    from clearsight.server.store.backup import BackupError
    from clearsight.server.store.migrate import NewerDatabase
    from clearsight.training.checkpoint import CheckpointError as TrainingCheckpointError
    from clearsight.training.config import ConfigError
    from clearsight.training.plots import PlotsMissing
    from clearsight.training.record import RecordError
    from clearsight.training.trainer import TrainingStopped
    from clearsight.weights import WeightsError

    checkpoint = (CheckpointError, PartsMissing, ProcessorError, TemplateError, TokenizerError, WeightsError)
    question = (ConversationError, ContextError, EngineError, ImageError, SamplingError, StructureError)
    data = (BuildError, CurationError, ExtraMissing, FontsMissing, ShardError, SourceError)
    training = (ConfigError, PlotsMissing, RecordError, TrainingCheckpointError, TrainingStopped)
    evals = (EvalError, MetricError)
    server = (ApiError, BackupError, NewerDatabase, PolicyError, ServerConfigError)
    return (*checkpoint, *question, *data, *training, *evals, *server, FloatingPointError, OSError)


def _fail(message: str, as_json: bool, code: int) -> None:
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))
    else:
        print(f"clearsight: {message}", file=sys.stderr)
    raise typer.Exit(code)
