import pytest


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--seeds")
