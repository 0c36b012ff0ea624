"""The release under which documents leave for the topics: whether it is in force today, and whether it says something else
than it did when what stands on the topics was published.

A release that has ended gives nothing more, but it must not keep an end or a marking from whoever acts on it: what is urgent
then goes out as withheld, and everything else waits (docs/decisions/0151).
"""

import datetime as dt
import hashlib
import logging

import msgspec
import psycopg

from mmd.domain.release import Release
from mmd.store.dirty import BULK, Dirty, mark
from mmd.store.disclosing import effective_release
from streams.clock import Ticker

logger = logging.getLogger(__name__)

CAUSE = "release"
"""The cause of a version that only the amended release made."""
_SAY_EVERY = 60.0

_HELD = "select digest from mmd.topic_release"
_HOLD = """
insert into mmd.topic_release (digest) values (%s) on conflict (one) do update set digest = excluded.digest
"""
_EVERYBODY = """
with held as (select id from mmd.document order by id for no key update)
update mmd.document d set number = d.number + 1 from held where d.id = held.id returning d.id, d.number
"""


class TopicRelease:
    """For one relay, and only while it has the lease."""

    def __init__(self, release: Release, ticker: Ticker) -> None:
        self.release = release
        self._ticker = ticker
        self._said = float("-inf")
        self._looked = False

    def in_force(self, on: dt.date) -> bool:
        """Whether documents may go out on that day. Says so if not, once a minute."""
        if self.release.in_force(on):
            return True
        now = self._ticker.monotonic()
        if now - self._said >= _SAY_EVERY:
            self._said = now
            when = f"ended on {self.release.valid_until}" if on > self.release.valid_until else "has not begun"
            logger.error("the topic's release %s: only ends and protection are published, as withheld", when)
        return False

    def organisation_changed(self) -> None:
        """A release for a subtree of units may cover others now."""
        self._looked = self._looked and not (self.release.units and self.release.subtree)

    def follow(self, connection: psycopg.Connection, on: dt.date, now: dt.datetime) -> None:
        """Where the release says something else than when we looked last, everybody is published again under it.

        The dates, the purpose and the name of the reader change nobody's document.
        """
        if self._looked:
            return
        with connection.cursor(binary=True) as cursor:
            digest = _digest(effective_release(cursor, self.release, on))
            held = cursor.execute(_HELD).fetchone()
            if held is not None and held[0] != digest:
                rows = cursor.execute(_EVERYBODY).fetchall()
                logger.warning("the topic's release was amended: %d documents are published again", len(rows))
                mark(cursor, [Dirty(row, BULK, number, CAUSE, now) for row, number in rows])
            if held is None or held[0] != digest:
                cursor.execute(_HOLD, [digest])
        self._looked = True


def _digest(release: Release) -> str:
    said = (
        sorted(release.attributes),
        None if release.persona_types is None else sorted(release.persona_types),
        None if release.units is None else sorted(release.units),
        release.marked,
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
