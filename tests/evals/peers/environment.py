"""Where lmms-eval lives: an environment of its own, made once, with what its imports need and no more.

Its own requirements bring a hundred packages, among them torch for NVIDIA cards by way of torchvision. Here it is
installed without them, unmodified, behind the packages that the command line, the client of OpenAI's API and the
metrics import. torch is the build that pip finds; where that is not the one for processors alone, name a place that has
it, as for the peers of the engine (benchmarks/engine_peers/environments.py).

    python -m tests.evals.peers.environment         # make it; --again after a failure
"""

import sys

from platformdirs import user_cache_path

from benchmarks.engine_peers.environments import TORCH, Recipe, make

VERSION = "0.7.3"
NAME = f"lmms-eval-{VERSION}"
FOLDER = user_cache_path("clearsight") / "peers"
IMPORTED = (
    *("accelerate>=1.1", "aiohttp", "datasets>=4,<6", "dill", "editdistance", "evaluate", "filelock<4"),
    *(
        "jinja2",
        "loguru",
        "numpy",
        "openai",
        "packaging",
        "pandas",
        "pillow",
        "pycocotools",
        "pydantic",
        "python-dotenv",
        "pytz",
    ),
    *("pyyaml", "requests", "sacrebleu", "scipy", "tenacity", "tqdm", "transformers==5.24.0"),
)
RECIPE = Recipe(
    ((TORCH, *IMPORTED), ("--no-deps", "pycocoevalcap==1.2", f"lmms-eval=={VERSION}")),
    "lmms_eval.evaluator",
    seconds=1800,
)


def interpreter(*, again: bool = False) -> str:
    """The environment's Python. Raises Missing with the reason when it can't be had here."""
    return str(make(FOLDER, NAME, RECIPE, again=again, note=lambda text: print(text, file=sys.stderr)))


if __name__ == "__main__":
    print(interpreter(again="--again" in sys.argv))
