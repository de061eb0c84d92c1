"""How a server is set up: a TOML file, or nothing at all.

    [models.mini]
    path = "mini"
    experts = true

    [models.big]
    upstream = ["https://gpu-1:8000/v1#some/model", "https://gpu-2:8000/v1#some/model"]

    [store]
    database = "postgresql+asyncpg://clearsight@db/clearsight"
    blobs = "s3://clearsight-blobs"
    limits = "redis://cache:6379/0"

An unknown key is refused with the nearest one there is. `clearsight serve --print-config` shows every setting with
its default.
"""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class ServerConfigError(ValueError):
    """A setting that can't be meant; the message says which and what to write instead."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Network(_Settings):
    """Where it listens and to whom."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8360
    public_url: str = ""
    """What users type, such as https://see.example.org; by default http://host:port. With https, cookies are Secure."""
    allowed_hosts: tuple[str, ...] = ()
    """Values of the Host header that are answered; by default those of public_url, host and loopback names."""
    processes: Annotated[int, Field(ge=1)] = 1
    """Server processes on this machine. Above 1 database, blobs and limits have to be shared."""
    grace_seconds: Annotated[int, Field(ge=0)] = 30
    """How long answers may go on when the server is told to end."""
    trust_proxy: bool = False
    """Whether X-Forwarded-For comes from a proxy of one's own; otherwise it is ignored."""


class ModelSettings(_Settings):
    """One model that is offered: computed here (`path`) or by other servers (`upstream`); exactly one of the two."""

    path: str = ""
    """mini (bundled), a checkpoint folder, or hf:owner/name[@revision]."""
    upstream: tuple[str, ...] = ()
    """https://host/v1#model, one each replica; the key, if one is needed, is in CLEARSIGHT_UPSTREAM_KEY."""
    experts: bool = False
    """Whether a text recogniser and a classifier of photographs tell the model what they find in each picture."""
    weights: Literal["auto", "model", "float32", "int8", "int4"] = "auto"
    threads: int | None = None
    max_sequences: Annotated[int, Field(ge=1)] = 16
    cache_tokens: Annotated[int, Field(ge=1024)] = 32_768
    max_queue: Annotated[int, Field(ge=1)] = 512
    """Answers that may wait or run at once; more are told to come back later (503)."""


class Store(_Settings):
    """Where things are kept. `{data}` stands for the data folder."""

    data: str = platformdirs.user_data_dir("clearsight")
    database: str = "sqlite+aiosqlite:///{data}/clearsight.db"
    blobs: str = "file://{data}/blobs"
    """Any address of fsspec, such as s3://bucket/folder."""
    limits: str = "memory://"
    """memory:// or redis://host:port/n (Valkey and Redis)."""
    retention_days: Annotated[int | None, Field(ge=1)] = None
    """Conversations untouched for so long are deleted, unless an organisation has its own period."""


class Limits(_Settings):
    """For each key or session, unless the key has limits of its own."""

    requests_per_minute: Annotated[int, Field(ge=1)] = 600
    tokens_per_minute: Annotated[int, Field(ge=1)] = 1_000_000
    megapixels_per_minute: Annotated[int, Field(ge=1)] = 2_000
    concurrency: Annotated[int, Field(ge=1)] = 128
    monthly_tokens: Annotated[int | None, Field(ge=1)] = None
    """Budget of an organisation; None is without end."""
    login_attempts_per_minute: Annotated[int, Field(ge=1)] = 20


class Pictures(_Settings):
    """What is accepted of pictures."""

    remote: bool = False
    """Whether https:// addresses in requests are fetched. Off, pictures come as data URLs, uploads or file ids."""
    max_megabytes: Annotated[int, Field(ge=1)] = 20
    max_megapixels: Annotated[int, Field(ge=1)] = 64
    max_per_request: Annotated[int, Field(ge=1)] = 50
    max_megabytes_per_request: Annotated[int, Field(ge=1)] = 50
    workers: Annotated[int, Field(ge=1)] = 1


class Safety(_Settings):
    """What is moderated."""

    policy: str = "private"
    """private, public, or a policy file."""
    over: str = ""
    """A policy file that is merged over it, so that it holds only what differs."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Each is merged over the one before it."""
        return (self.policy, self.over) if self.over else (self.policy,)


class Speech(_Settings):
    """Hearing and speaking; loaded when first used."""

    enabled: bool = True
    voice: str = ""


class ClientSettings(_Settings):
    """What the web client offers beside the model."""

    hand_over: str = ""
    """Where a person can be reached when a description isn't enough: tel:+4930123456 or https://...; empty: nowhere."""

    @field_validator("hand_over")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if value and not re.fullmatch(r"tel:\+?[0-9(). -]{3,30}|https://[^\s/]+\S*", value):
            raise ValueError(
                "write a number such as tel:+4930123456, or an address that begins with https://"
            )
        return value


class ServerConfig(_Settings):
    """A whole server."""

    network: Network = Network()
    models: dict[str, ModelSettings] = {"mini": ModelSettings(path="mini", experts=True)}
    """The first one is the default of the client."""
    store: Store = Store()
    limits: Limits = Limits()
    pictures: Pictures = Pictures()
    safety: Safety = Safety()
    speech: Speech = Speech()
    client: ClientSettings = ClientSettings()
    max_request_megabytes: Annotated[int, Field(ge=1)] = 80

    @property
    def data(self) -> Path:
        return Path(self.store.data).expanduser()

    @property
    def database_url(self) -> str:
        return self.store.database.replace("{data}", str(self.data))

    @property
    def blobs_url(self) -> str:
        return self.store.blobs.replace("{data}", str(self.data))

    @property
    def url(self) -> str:
        return self.network.public_url.rstrip("/") or f"http://{self.network.host}:{self.network.port}"

    def check(self) -> "ServerConfig":
        """Self, when the settings fit together. Raises ServerConfigError."""
        for name, model in self.models.items():
            if bool(model.path) == bool(model.upstream):
                raise ServerConfigError(f"models.{name} has either a path or upstream addresses, exactly one")
        if not self.models:
            raise ServerConfigError('there is no model; add [models.mini] with path = "mini"')
        if self.network.processes > 1:
            for wanted, is_shared, what in (
                ("store.limits", self.store.limits != "memory://", "redis://host:port/0"),
                ("store.database", "sqlite" not in self.store.database, "postgresql+asyncpg://host/name"),
            ):
                if not is_shared:
                    raise ServerConfigError(
                        f"network.processes is {self.network.processes}, so {wanted} has to be shared: {what}"
                    )
        return self


def read_config(path: Path | None, **changes: object) -> ServerConfig:
    """The settings of a TOML file (none: all defaults). Raises ServerConfigError with the key that is meant.

    `changes` are settings by dotted path with __ for the dot, such as network__port=9000; None leaves a setting alone.
    """
    values: dict[str, object] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ServerConfigError(f"there is no file {path}; check the spelling and the folder") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ServerConfigError(f"{path} can't be read as TOML: {error}") from error
    for dotted, value in changes.items():
        if value is not None:
            group, _, name = dotted.partition("__")
            target = values.setdefault(group, {})
            assert isinstance(target, dict)
            target[name] = value
    try:
        return ServerConfig.model_validate(values).check()
    except ValidationError as error:
        raise ServerConfigError(_in_words(error)) from error


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"{place}: {first['msg']}"
    group: type[BaseModel] = ServerConfig
    known = list(group.model_fields)
    for step in first["loc"][:-1]:
        annotation = group.model_fields[str(step)].annotation if str(step) in group.model_fields else None
        group = (
            annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel)
            else ModelSettings
        )
        known = list(group.model_fields)
    near = difflib.get_close_matches(str(first["loc"][-1]), known, 1)
    return f"there is no setting {place}; " + (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    )
