"""Fetch what hearing and speaking need, and nothing else: `python -m clearsight.speech`; prints the paths."""

import argparse
import sys

from clearsight.speech.errors import WeightsMissing
from clearsight.speech.weights import fetch_joe, fetch_whisper


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when fetched, 1 with a sentence on stderr when not, 130 when stopped with Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m clearsight.speech", description=__doc__)
    parser.add_argument("--offline", action="store_true", default=None, help="use only what is in the cache")
    options = parser.parse_args(arguments)
    try:
        print(fetch_whisper(offline=options.offline))
        print(fetch_joe(offline=options.offline))
    except WeightsMissing as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing half-done was kept; the same command starts again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
