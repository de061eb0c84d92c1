"""One module a group of addresses; each has a `router`. `audio` is put in by the app, with a meter."""

from clearsight.server.routes import (
    account,
    audio_status,
    chat,
    client,
    conversations,
    describe,
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
    *(files.router, images.router, moderations.router, audio_status.router),
    *(conversations.router, describe.router, trust.router),
)
