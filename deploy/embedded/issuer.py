"""The token issuer of the embedded demo, and of nothing else: signed JWT access tokens (RFC 9068) with a key in a folder.

In operation the municipality's own authorization server issues the tokens; the API checks them the same way.
"""

import json
import secrets
from datetime import timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.embedded import secret_files
from streams.clock import SystemClock

ISSUER = "urn:kallan:embedded-issuer"
AUDIENCE = "kallan"
_ALGORITHM = "ES256"
_LIFETIME = timedelta(hours=1)


def jwks(home: Path) -> Path:
    """The file with the public key, `home/jwks.json`, which the API is pointed at. Made on first use."""
    public = {"keys": [_key(home).as_dict(private=False)]}
    path = home / "jwks.json"
    content = json.dumps(public, indent=1) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        making = path.with_name(f".jwks.{secrets.token_hex(4)}")
        making.write_text(content, encoding="utf-8")
        making.replace(path)
    return path


def issue(home: Path, client_id: str, lifetime: timedelta = _LIFETIME) -> str:
    """An access token for a client. Its life is real time, also when the business clock stands elsewhere."""
    key = _key(home)
    now = SystemClock().now()
    header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": key.kid}
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": client_id,
        "client_id": client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])


def _key(home: Path) -> ECKey:
    """The signing key in `home/secrets/issuer.key`, made on first use; its id is its thumbprint (RFC 7638)."""
    made = ECKey.generate_key("P-256", private=True)
    text = secret_files.kept(home / "secrets" / "issuer.key", json.dumps(made.as_dict(private=True)))
    loaded = json.loads(text)
    loaded.pop("kid", None)
    unnamed = ECKey.import_key(loaded)
    return ECKey.import_key({**loaded, "kid": unnamed.thumbprint(), "use": "sig", "alg": _ALGORITHM})
