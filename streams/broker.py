"""Where Kafka is, and as whom a process talks to it: the same for both client libraries."""

from dataclasses import dataclass, field

MECHANISM = "SCRAM-SHA-512"
"""How a process proves who it is (RFC 5802, RFC 7677); the broker never holds the password itself."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where Kafka is, and as whom it is talked to.

    With a `user`: SASL (`MECHANISM`) over TLS; the brokers' certificates are checked against `ca_file` (PEM), empty: the
    authorities of the system. Without: neither TLS nor a login, for a broker on this machine only.
    """

    address: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    def __str__(self) -> str:
        return self.address


Bootstrap = Broker | str
"""A text is the address of a broker without protection."""


def broker_of(bootstrap: Bootstrap) -> Broker:
    return bootstrap if isinstance(bootstrap, Broker) else Broker(bootstrap)
