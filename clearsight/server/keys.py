"""API keys, login links and sessions as secrets: how they are made, hashed and recognised.

A key is cs-LOOKUP-SECRET: LOOKUP finds its row, SECRET (256 bits) is kept as an Argon2id hash alone. Links and session
tokens are 256 random bits as well and kept as SHA-256, because nothing short of guessing them all helps against it.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

KEY = re.compile(r"cs-([0-9a-f]{12})-([A-Za-z0-9_-]{43})")
REMEMBERED = 10_000


def new_key() -> tuple[str, str, str]:
    """A key, its lookup, and the hash of its secret."""
    lookup, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"cs-{lookup}-{secret}", lookup, _hasher.hash(secret)


def parts_of(key: str) -> tuple[str, str] | None:
    """Lookup and secret of something that has the form of a key; None for anything else."""
    found = KEY.fullmatch(key)
    return (found[1], found[2]) if found else None


def new_token() -> tuple[str, str]:
    """A token for a link or a session, and what is kept of it."""
    token = secrets.token_urlsafe(32)
    return token, token_hash(token)


def token_hash(token: str) -> str:
    return hashlib.sha256(b"clearsight:token:1\0" + token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_token(session_token: str) -> str:
    """What a page must send with every change: a page of another site can't know it."""
    return hmac.new(session_token.encode(), b"clearsight:csrf:1", hashlib.sha256).hexdigest()


class Verifier:
    """Holds secrets against hashes. Argon2 takes some 20 ms and 19 MiB on purpose, so one is computed at a time, and
    what was right is remembered under a hash with a random key of this process."""

    def __init__(self) -> None:
        self._pepper = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def remembers(self, secret: str, hashed: str) -> bool:
        """Whether exactly this pair was right before; costs nothing."""
        return self._digest(secret, hashed) in self._known

    def verify(self, secret: str, hashed: str | None) -> bool:
        """Whether the secret is the one. Without a hash it takes as long and says no."""
        with self._lock:
            if hashed is not None and self.remembers(secret, hashed):
                return True  # many requests of one key came at once, and another one was first
            try:
                _hasher.verify(hashed or _NOBODYS, secret)
            except (Argon2Error, InvalidHashError):
                return False
            if hashed is None:
                return False
            self._known[self._digest(secret, hashed)] = None
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return True

    def _digest(self, secret: str, hashed: str) -> bytes:
        return hashlib.blake2b(f"{hashed}\0{secret}".encode(), key=self._pepper).digest()


_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's parameters for Argon2id
_NOBODYS = _hasher.hash(secrets.token_urlsafe(32))
