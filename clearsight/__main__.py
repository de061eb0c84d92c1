"""`python -m clearsight`: the command, for launchers that start modules, such as torchrun."""

from clearsight.cli import main

if __name__ == "__main__":
    main()
