"""OAuth 2 bearer tokens: JWT access tokens (RFC 9068) checked against the issuer's public keys; none is issued here."""

import json
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from streams.clock import SystemClock
from streams.contracts.errors import KallanError, Rejected

ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]
_LEEWAY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks signature, issuer, audience and life of a token; keys are read again when the file changes."""

    jwks: Path
    issuer: str
    audience: str

    def client_of(self, token: str) -> str:
        """The client id of a valid token. Raises `Rejected("access.unauthenticated")`.

        Token life is real time, not business time: a replay on a virtual clock must not let old tokens in.
        """
        rules = jwt.JWTClaimsRegistry(
            now=int(SystemClock().now().timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            client_id={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._keys(), algorithms=ALGORITHMS)
            rules.validate(decoded.claims)
        except (JoseError, ValueError):
            raise Rejected("access.unauthenticated", "token") from None
        client = decoded.claims["client_id"]
        if not isinstance(client, str):
            raise Rejected("access.unauthenticated", "client_id")
        return client

    def _keys(self) -> KeySet:
        try:
            return KeySet.import_key_set(json.loads(self.jwks.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise KallanError("service.unavailable", "token keys") from error
