def pytest_addoption(parser) -> None:
    parser.addoption(
        "--seeds", type=int, default=40, help="pictures of each world that the truth is checked on"
    )
