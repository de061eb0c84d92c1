"""`clearsight serve`: the platform and its client on this machine."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from clearsight.commands.terminal import UsageError, reported


def serve(
    config: Annotated[
        Path | None, typer.Option(help="A TOML file; without one the bundled model is served on 127.0.0.1.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 8360 by default.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="mini, a checkpoint folder, hf:owner/name, or a server's https://host/v1#model; any with +experts."
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for conversations, pictures and keys.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Server processes.")] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser, logged in as the owner.")
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Show every setting as it would be, and end.")
    ] = False,
) -> None:
    """Serve an API like OpenAI's and the web client.

    On first start it prints a link that logs the owner in once, and one API key.
    """
    with reported(False):
        from clearsight.server.config import ModelSettings, read_config

        settings = read_config(
            config,
            network__host=host,
            network__port=port,
            network__processes=processes,
            store__data=str(data) if data else None,
        )
        if model is not None:
            if config is not None:
                raise UsageError("--model goes without --config; name models in the file")
            from clearsight.engine.upstream import is_address
            from clearsight.experts.engine import without_suffix

            model, told = without_suffix(model)
            where = {"upstream": (model,)} if is_address(model) else {"path": model}
            chosen = ModelSettings(**where, experts=told)
            name = model.rpartition("#")[2] if is_address(model) else Path(model).name.rpartition(":")[2]
            settings = settings.model_copy(update={"models": {name: chosen}})
        if print_config:
            print(settings.model_dump_json(indent=2))
            return
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        from clearsight.server.run import run
        from clearsight.web import folder

        run(settings, folder(), open_page=open_page)
