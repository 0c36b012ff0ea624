"""How a SCIM service provider is reached."""

from dataclasses import dataclass, field

import httpx

from streams.contracts.errors import Rejected


@dataclass(frozen=True, slots=True)
class ScimSettings:
    """Times in seconds. No call of the port lasts longer than `longest_call`: a lease must be longer than that.

    `url` is the root of the endpoints (`{url}/Users`). The environment's proxy settings are not used: name `proxy` where
    one is needed. `ca_file`: the authority that the server's certificate is checked against; empty: the usual ones.
    """

    url: str
    token: str = field(repr=False)
    name: str = "scim"
    hosting: str = "onprem"
    ca_file: str = ""
    proxy: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    deadline: float = 20.0
    connections: int = 8
    page_size: int = 100

    def __post_init__(self) -> None:
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in {"http", "https"} or not url.host or url.query or url.userinfo:
            raise Rejected("settings.invalid", "SCIM address: https://host/path")
        if not self.token:
            raise Rejected("settings.invalid", "SCIM needs a bearer token")
        if min(self.connect_timeout, self.read_timeout, self.deadline, self.connections, self.page_size) <= 0:
            raise Rejected("settings.invalid", "SCIM times and sizes are above zero")

    @property
    def longest_call(self) -> float:
        """Seconds: the deadline, then a connection and an answer that began before it."""
        return self.deadline + self.connect_timeout + self.read_timeout
