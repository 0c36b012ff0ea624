"""OAuth 2 bearer tokens: JWT access tokens (RFC 9068) checked against the issuer's public keys; none is issued here."""

import json
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from streams.clock import SystemClock
from streams.contracts.errors import Rejected, Unavailable

ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
"""Signatures only. A key of a message authentication code could sign as well as check, so none of those is accepted."""

_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_KEY_TYPES = frozenset({"EC", "RSA", "OKP"})
_LEEWAY_SECONDS = 10
_TOKEN_MOST = 8192  # characters
_Stamp = tuple[int, int, int]


class Verifier:
    """Checks signature, type, issuer, audience and life of a token. Safe in several threads.

    `jwks` is a file with the issuer's public keys (RFC 7517); it is read again when it changes, so keys can be rolled.
    """

    def __init__(self, jwks: Path, issuer: str, audience: str) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._held: tuple[_Stamp, KeySet] | None = None

    def client_of(self, token: str) -> str:
        """The client id of a valid token. Raises `Rejected("access.unauthenticated")`, or
        `Unavailable("service.unavailable")` where the keys cannot be read.

        Token life is real time, not business time: a replay on a virtual clock must not let old tokens in.
        """
        keys = self.keys()
        if len(token) > _TOKEN_MOST:
            raise Rejected("access.unauthenticated", "token")
        rules = jwt.JWTClaimsRegistry(
            now=int(SystemClock().now().timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            client_id={"essential": True},
        )
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            rules.validate(decoded.claims)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise Rejected("access.unauthenticated", "token") from None
        if str(decoded.header.get("typ")).lower() not in _TYPES:
            raise Rejected("access.unauthenticated", "typ")
        client = decoded.claims["client_id"]
        if not isinstance(client, str):
            raise Rejected("access.unauthenticated", "client_id")
        return client

    def keys(self) -> KeySet:
        """The issuer's keys as the file has them now. Raises `Unavailable("service.unavailable")`."""
        try:
            found = self._jwks.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            held = self._held
            if held is not None and held[0] == stamp:
                return held[1]
            listed = json.loads(self._jwks.read_text(encoding="utf-8"))["keys"]
            keys = KeySet([JWKRegistry.import_key(one) for one in listed if _used(one)])
        except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
            raise Unavailable("service.unavailable", f"token keys: {type(error).__name__}") from None
        if not keys:
            raise Unavailable("service.unavailable", "token keys: none")
        self._held = (stamp, keys)
        return keys


def _used(key: Any) -> bool:
    """Keys of other kinds and for other uses may stand in the file (RFC 7517, section 5)."""
    return isinstance(key, dict) and key.get("kty") in _KEY_TYPES and key.get("use", "sig") == "sig"
