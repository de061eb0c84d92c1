"""One request against the limits of whoever asks, and its line in the ledger."""

from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fastapi import Request

from clearsight.decoding.text import Usage
from clearsight.server.limits import Admission
from clearsight.server.principal import Principal, principal_of, request_id_of
from clearsight.server.store import usage as ledger

if TYPE_CHECKING:
    from clearsight.server.platform import Platform


async def counted(request: Request) -> AsyncIterator[None]:
    """For routes whose cost is known at their end alone: they leave `audio_ms` in the request's state."""
    principal = principal_of(request)
    headers = request.scope["state"].setdefault("headers", {})
    path = request.scope["path"]
    platform: Platform = request.app.state.platform
    meter = await Meter.begin(platform, principal, request_id_of(request), path, "audio", headers=headers)
    status: ledger.Status = "failed"
    try:
        yield
        status = "complete"
    finally:
        await meter.settle(Usage(0, 0, 0, 0), status, getattr(request.state, "audio_ms", 0))


@dataclass
class Meter:
    """A request that was let in. `settle` is called once, whatever came of it."""

    platform: "Platform"
    admission: Admission
    reserved: ledger.Reserved
    cost: ledger.Cost

    @classmethod
    async def begin(
        cls,
        platform: "Platform",
        principal: Principal,
        request_id: str,
        route: str,
        model: str,
        *,
        tokens: int = 0,
        pixels: int = 0,
        headers: MutableMapping[str, str],
    ) -> "Meter":
        """Let a request in that may cost so much, or raise ApiError 429; `headers` receives x-ratelimit-*."""
        limits = platform.config.limits
        admission = await platform.limiter.admit(
            principal.id, limits.model_copy(update=principal.limits), tokens=tokens, pixels=pixels
        )
        headers.update(admission.headers)
        try:
            own = (await platform.organisation(principal.organisation_id)).monthly_tokens
            budget = limits.monthly_tokens if own is None else own
            reserved = await ledger.reserve(platform.database, principal.organisation_id, tokens, budget)
        except BaseException:
            await admission.settle(0)
            await platform.limiter.leave(admission.principal_id, admission.slot)
            raise
        cost = ledger.Cost(
            request_id=request_id,
            organisation_id=principal.organisation_id,
            user_id=principal.user_id,
            key_id=principal.key_id,
            route=route,
            model=model,
            pixels=pixels,
        )
        return cls(platform, admission, reserved, cost)

    async def settle(self, usage: Usage, status: ledger.Status, audio_ms: int = 0) -> None:
        """Write down what it came to, and give back what was set aside beyond that."""
        cost = replace(
            self.cost,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            image_tokens=usage.image_tokens,
            cached_tokens=usage.cached_tokens,
            audio_ms=audio_ms,
            status=status,
        )
        try:
            await self.platform.ledger.settle(self.reserved, cost)
        finally:
            await self.admission.settle(cost.tokens)
            await self.platform.limiter.leave(self.admission.principal_id, self.admission.slot)
        count = self.platform.metrics.tokens
        count.labels(cost.model, "prompt").inc(cost.prompt_tokens)
        count.labels(cost.model, "completion").inc(cost.completion_tokens)
