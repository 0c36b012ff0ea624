"""An authorization server of the tests: keys of its own, and tokens with whatever is asked for in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from mmd.api.tokens import Verifier
from streams.clock import SystemClock

ISSUER = "https://issuer.test"
AUDIENCE = "kallan"


def now() -> int:
    return int(SystemClock().now().timestamp())


class Issuer:
    """`jwks` is the file with its public key. A new one in the same folder has rolled its keys."""

    def __init__(self, folder: Path, kid: str = "first") -> None:
        made = ECKey.generate_key("P-256").as_dict(private=True)
        self.key = ECKey.import_key({**made, "kid": kid})
        self.jwks = folder / "jwks.json"
        self.publish(self.public)

    @property
    def public(self) -> dict[str, Any]:
        return dict(self.key.as_dict(private=False))

    def publish(self, *keys: dict[str, Any]) -> None:
        written = self.jwks.with_suffix(".new")
        written.write_text(json.dumps({"keys": list(keys)}), encoding="utf-8")
        written.replace(self.jwks)

    def verifier(self) -> Verifier:
        return Verifier(self.jwks, ISSUER, AUDIENCE)

    def token(self, client: str, *, header: dict[str, Any] | None = None, without: str = "", **claims: Any) -> str:
        """A good token for a client, but for what is said. `without`: a claim that is left out."""
        content: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client,
            "client_id": client,
            "iat": now(),
            "exp": now() + 300,
            **claims,
        }
        content.pop(without, None)
        head = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid, **(header or {})}
        return jwt.encode(head, content, self.key, algorithms=["ES256"])
