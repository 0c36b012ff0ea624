"""The SCIM server's own process: `python -m deploy.embedded.scim_process PORT FILE TOKEN-FILE`. Loopback only.

RFC 7643 and 7644 by scim2-server with its default schemas (User with the enterprise extension, Group). Only requests
with the bearer token of the token file are served.
"""

import secrets
import sys
from pathlib import Path

import uvicorn
from scim2_models import ScimProvider, UnauthorizedException
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.service import ScimService
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from deploy.embedded.ports import LOOPBACK
from deploy.embedded.scim_store import FileStorage


class TokenApplication(ASGIApplication):
    """The SCIM application for whoever holds the one bearer token."""

    def __init__(self, storage: FileStorage, provider: ScimProvider, token: str) -> None:
        super().__init__(AsyncInMemoryStorage(storage), provider, ScimService(provider))
        self._token = token

    def check_auth(self, request: ScimRequest) -> None:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), self._token.encode()):
            raise UnauthorizedException


def application(file: Path, token: str) -> TokenApplication:
    """The server over this file. Raises ValueError for an empty token: it would accept everybody who sends none."""
    if not token:
        raise ValueError("the token is empty")
    config = load_default_service_provider_config()
    config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )
    return TokenApplication(FileStorage(file, provider), provider, token)


def main(port: int, file: Path, token_file: Path) -> None:
    app = application(file, token_file.read_text().strip())
    # No access log: its lines hold filter values. A client that keeps its connection must not hold up the end.
    uvicorn.run(app, host=LOOPBACK, port=port, access_log=False, log_level="info", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
