"""The SCIM target of the compose stack: the embedded stack's server, over TLS, for the other containers."""

from pathlib import Path

import uvicorn

from deploy.embedded.scim_process import application


def serve(file: Path, secrets: Path, port: int) -> None:
    """Until it is stopped. `secrets` holds `scim.token`, `scim.pem`, `scim.key`; the resources are kept in `file`."""
    app = application(file, (secrets / "scim.token").read_text().strip())
    # No access log: its lines hold filter values.
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104  a container's own network
        port=port,
        ssl_certfile=secrets / "scim.pem",
        ssl_keyfile=str(secrets / "scim.key"),
        access_log=False,
        log_level="info",
        timeout_graceful_shutdown=2,
    )
