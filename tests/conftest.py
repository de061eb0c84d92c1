def pytest_addoption(parser) -> None:
    parser.addoption(
        "--seeds", type=int, default=12, help="pictures of each world that the truth is checked on"
    )
