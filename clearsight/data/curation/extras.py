"""Libraries that only curation needs, imported when they are used."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


class ExtraMissing(RuntimeError):
    """A library that is not installed; the message says what to install."""


def require(name: str, purpose: str, extra: str = "curation") -> ModuleType:
    """Import a library. Raises ExtraMissing with what to install."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ExtraMissing(
            f"{name.split('.')[0]} is needed {purpose}; install it with: pip install 'clearsight[{extra}]'"
        ) from error


def installed(*modules: str) -> bool:
    """Whether packages are there, without importing them."""
    return all(find_spec(module) is not None for module in modules)
