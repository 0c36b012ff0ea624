"""Rows of `mmd.claim` as they are read, and the logged claims that they are."""

import datetime as dt
from typing import NamedTuple

from mmd.domain.claims import LoggedClaim
from mmd.store.sealed import StoredClaim, open_claim
from streams.sealing import Key


class ClaimAsRead(NamedTuple):
    """The columns of a select on `mmd.claim`, in this order."""

    id: bytes
    subject: str
    source: str
    source_key: str
    version: str
    digest: str
    event: str
    logged_at: dt.datetime
    key_id: str
    body: bytes

    def opened(self, key: Key | None) -> LoggedClaim:
        """Raises `Rejected("envelope.forged")` for a body that was not sealed for this row."""
        return self.of(open_claim(key, self.id, self.body))

    def of(self, stored: StoredClaim | LoggedClaim) -> LoggedClaim:
        """With content that is open already."""
        return LoggedClaim(
            subject=self.subject,
            source=self.source,
            source_key=self.source_key,
            version=self.version,
            digest=self.digest,
            claim=stored.claim,
            event=self.event,
            logged_at=self.logged_at.astimezone(dt.UTC),
            identifier=stored.identifier,
        )
