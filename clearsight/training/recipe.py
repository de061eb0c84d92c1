"""A recipe is a Python file: `recipe()` returns the settings of a run; `task`, if it is there, says what is learned.

    def recipe() -> Config: ...
    task = Reading                       # a Task; without it, packed conversations

A task with settings of its own takes a subclass of Config, which recipe() returns; they are set, converted and refused
like any other. A recipe within a package may import its neighbours.
"""

import difflib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from clearsight.training.config import Config, ConfigError
from clearsight.training.conversations import Conversations
from clearsight.training.parallel import World
from clearsight.training.task import Show, Task

RECIPES = Path(__file__).parents[2] / "recipes"  # in a checkout
MakeTask = Callable[[Any, Path, World, Show], Task[Any]]  # from settings, folder, ranks, and who is told


@dataclass(frozen=True)
class Recipe:
    """The settings of a run, and what makes its task."""

    config: Config
    task: MakeTask = Conversations


def read_recipe(path: Path) -> Recipe:
    """Run a recipe file. Raises ConfigError when it is missing, fails, or gives no Config."""
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.py")], 1)
        place = RECIPES if RECIPES.is_dir() else "recipes/ of the source"
        hint = f"did you mean {path.parent / near[0]}?" if near else f"{place} holds those that come along."
        raise ConfigError(f"There is no recipe {path}; {hint}")
    try:
        module = _imported(path)
        config = module.recipe() if callable(getattr(module, "recipe", None)) else None
    except Exception as error:  # whatever the user's file raises
        raise ConfigError(f"The recipe {path} fails: {type(error).__name__}: {error}") from error
    if not isinstance(config, Config):
        raise ConfigError(f"The recipe {path} has no function recipe() that returns a Config.")
    return Recipe(config, getattr(module, "task", Conversations))


def _imported(path: Path) -> ModuleType:
    """The file as a module, by its full name if it is in a package, so that its classes can go to loader workers."""
    names, root = [path.stem], path.resolve().parent
    while (root / "__init__.py").exists():
        names.insert(0, root.name)
        root = root.parent
    if len(names) > 1 and str(root) not in sys.path:
        sys.path.append(str(root))
    name = ".".join(names) if len(names) > 1 else f"recipe {path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
