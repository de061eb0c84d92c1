def pytest_addoption(parser) -> None:
    parser.addoption(
        "--seeds", type=int, default=12, help="pictures of each world that the truth is checked on"
    )
    parser.addoption(
        "--schedules", type=int, default=1000, help="random schedules that the engine is held to (slow test)"
    )
