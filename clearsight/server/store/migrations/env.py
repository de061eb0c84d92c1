"""How Alembic reaches the database: over the connection, and in the transaction, that `migrate` opened.

Run on its own it does nothing useful: `migrate.upgrade` holds the lock that keeps two processes apart.
"""

from typing import Any, Literal

from alembic import context

from clearsight.server.store.tables import Json, Table


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """The one type that is different on the two databases by its name, which script.py.mako declares."""
    return "Json" if kind == "type" and item is Json else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    transactional_ddl=True,  # SQLite can take back a half-made step too, though Alembic wouldn't count on it
    render_item=_render,
    render_as_batch=True,  # SQLite changes a column by copying the table
)
context.run_migrations()
