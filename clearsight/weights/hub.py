"""Fetches a model repository from the Hugging Face hub: safetensors, JSON, templates and word lists only.

Resuming, sharing between processes and falling back to what is cached when the network is away are the
hub library's own work; it is only told to keep everything under Clearsight's cache folder.
"""

import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from clearsight.weights.cache import WeightsError, cache_folder, disk_errors_explained, is_offline
from clearsight.weights.progress import announced

WANTED_FILES = ["*.safetensors", "*.json", "*.jinja", "*.txt"]
_COMMIT = re.compile(r"[0-9a-f]{40}")


def fetch_repository(repository: str, revision: str | None, *, offline: bool | None = None) -> Path:
    """Give the folder of a hub repository `owner/name` at a branch, tag or commit (None: its main branch).

    Raises WeightsError when it cannot be had or holds no safetensors.
    """
    name = f"hf:{repository}" + (f"@{revision}" if revision else "")
    local_only = is_offline(offline)
    if not local_only and revision and _COMMIT.fullmatch(revision):
        try:  # a commit never changes: no need to ask anyone
            return _with_weights(name, _snapshot(repository, revision, local_only=True))
        except WeightsError:
            pass
    with nullcontext() if local_only or sys.stderr.isatty() else announced(name, None):
        return _with_weights(name, _snapshot(repository, revision, local_only=local_only))


def _snapshot(repository: str, revision: str | None, *, local_only: bool) -> Path:
    from huggingface_hub import errors, snapshot_download

    folder = cache_folder() / "hub"
    name = f"hf:{repository}"
    try:
        with disk_errors_explained(name, folder):
            path = snapshot_download(
                repository,
                revision=revision,
                cache_dir=folder,
                allow_patterns=WANTED_FILES,
                local_files_only=local_only,
                tqdm_class=None if sys.stderr.isatty() else _no_bar(),
            )
    except errors.GatedRepoError as error:
        raise WeightsError(
            f"{name} asks each user to accept its terms first: open its page on the hub, accept them, sign "
            "in with `hf auth login`, and run the same command again."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise WeightsError(
            f"The hub has no repository {repository}, or it is private. Correct the name (owner/name), or "
            "sign in with `hf auth login`."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise WeightsError(
            f"{name} has no revision {revision!r}: name one of its branches, tags or commits after the @."
        ) from error
    except errors.HFValidationError as error:
        raise WeightsError(f"{name} is not a repository on the hub: write hf:owner/name.") from error
    except errors.LocalEntryNotFoundError as error:
        raise _not_here(name, folder, local_only) from error
    except Exception as error:
        if isinstance(error, WeightsError):
            raise
        if _is_network_error(error):
            raise _not_here(name, folder, local_only=False) from error
        raise WeightsError(f"The hub did not give {name}: {_first_line(error)}. Try again later.") from error
    return Path(path)


def _not_here(name: str, folder: Path, local_only: bool) -> WeightsError:
    if local_only:
        return WeightsError(
            f"{name} cannot be fetched in offline mode, and {folder} does not have it whole. Fetch it once "
            "with the network, with CLEARSIGHT_OFFLINE and HF_HUB_OFFLINE unset: python -m "
            f"clearsight.weights {name}"
        )
    return WeightsError(
        f"The hub cannot be reached, is out of order, or the connection broke off, and {folder} does not "
        f"have {name} whole. Check the network and proxy (HTTPS_PROXY, HF_ENDPOINT) and run the same "
        "command again: it goes on where it stopped."
    )


def _is_network_error(error: BaseException) -> bool:
    """Whether a connection failed: the hub library's transport changed its error types between versions."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"ConnectionError", "TransportError", "TimeoutException", "Timeout", "TimeoutError"})


def _with_weights(name: str, folder: Path) -> Path:
    if not any(folder.rglob("*.safetensors")):
        raise WeightsError(
            f"{name} has no safetensors files. If it holds *.bin or *.pt files, those are pickle, which "
            "Clearsight never loads because loading runs code; pick a repository or revision with "
            "safetensors."
        )
    return folder


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _no_bar() -> type[Any]:
    from tqdm import tqdm

    class NoBar(tqdm):
        """A bar that never shows: logs get one line before and one after instead."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": True})

    return NoBar
