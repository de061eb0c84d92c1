"""One module a group of addresses; each has a `router`. `audio` is put in by the app, with a meter."""

from clearsight.server.routes import (
    account,
    chat,
    client,
    conversations,
    files,
    health,
    images,
    models,
    moderations,
    responses,
    session,
    tokens,
    trust,
)

ROUTERS = (
    *(health.router, session.router, account.router),
    client.router,
    *(models.router, chat.router, responses.router, tokens.router),
    *(files.router, images.router, moderations.router),
    *(conversations.router, trust.router),
)
