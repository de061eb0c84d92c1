"""One server for all tests of the API, with the bundled model; a PostgreSQL and a Redis for those that share."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from serving import Served, serving

from tests.server.databases import running_postgres, running_redis


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(
        tmp_path_factory.mktemp("served"),
        limits={
            "requests_per_minute": 100_000,
            "tokens_per_minute": 100_000_000,
            "megapixels_per_minute": 100_000,
        },
        models={"mini": {"path": "mini", "threads": 2}},
    ) as server:
        yield server


@pytest.fixture(scope="session")
def client(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.key, timeout=120)


@pytest.fixture(scope="session")
def sample() -> bytes:
    """The picture of a black star that the bundled model was taught to see."""
    from clearsight import mini

    return Path(str(mini.bundled_folder())).joinpath("sample.png").read_bytes()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A cluster; the address of its database `postgres`, to which /name of another can be put."""
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis (or Valkey) that keeps nothing."""
    with running_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address
