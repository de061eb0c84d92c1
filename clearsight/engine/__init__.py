"""Inference for many conversations at once: scheduler, blocks, caches, kernels."""

from clearsight.engine.config import EngineConfig, EngineError
from clearsight.engine.contract import ConversationEngine
from clearsight.engine.engine import Engine
from clearsight.engine.stream import Cancelled, Stream
from clearsight.engine.upstream import Upstream, is_address

__all__ = [
    "Cancelled",
    "ConversationEngine",
    "Engine",
    "EngineConfig",
    "EngineError",
    "Stream",
    "Upstream",
    "is_address",
]
