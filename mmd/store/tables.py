"""The tables of schema `mmd` as SQLModel classes: one description of each column, and what ordinary reads use.

Bodies (`bytea`) of persons are sealed with an inner key (`key_id`; empty: an organisation unit or redirect, in clear),
bound to their row by associated data (see `mmd.store.sealed`). Instants are UTC. Hot paths use the same tables by
psycopg with explicit SQL; a test compares this file with the migrated schema.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Text
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, MetaData, SQLModel

METADATA = MetaData(schema="mmd")


class MmdTable(SQLModel):
    """Base of the tables of this schema; their metadata is kept apart from every other package's."""

    metadata = METADATA


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's xid8: which transaction wrote a row, never reused."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def _instant(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=nullable))


def _big(*, nullable: bool = False, primary_key: bool = False) -> Any:
    return Field(default=None, sa_column=Column(BigInteger, nullable=nullable, primary_key=primary_key))


def _transaction() -> Any:
    return Field(default=None, sa_column=Column(TransactionId, nullable=False))


class EpochRow(MmdTable, table=True):
    """One row: versions are compared by (epoch, number), and a rebuilt store starts a new, higher epoch. `erasures` counts
    them: what was prepared before one is prepared again."""

    __tablename__ = "epoch"
    one: bool = Field(default=True, primary_key=True)
    number: int = _big()
    erasures: int = _big()


class IdentityRow(MmdTable, table=True):
    """Every document id there ever was, persons' and others'. `survivor` differs from `id` for an alias. The survivor's
    row is what a transaction locks before it derives the document."""

    __tablename__ = "identity"
    id: str = Field(primary_key=True)
    survivor: str
    kind: str


class SubjectRow(MmdTable, table=True):
    """A subject that was claimed about or referred to by a number reference. `own_id` is the id that it has alone."""

    __tablename__ = "subject"
    subject: str = Field(primary_key=True)
    own_id: str


class EdgeRow(MmdTable, table=True):
    """A reference between numbers, kept from all versions of all posts for ever."""

    __tablename__ = "edge"
    from_subject: str = Field(primary_key=True)
    to_subject: str = Field(primary_key=True)
    superseded: bool = Field(primary_key=True)
    logged_at: dt.datetime = _instant()


class MergeRow(MmdTable, table=True):
    """A merge that an operator ruled (`name`, in order of `version`), kept for ever, undone or not."""

    __tablename__ = "merge"
    subject: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    other_subject: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    logged_at: dt.datetime = _instant()


class SplitRow(MmdTable, table=True):
    """A merge of this subject, by name, that an operator undid; the merge itself may come later."""

    __tablename__ = "split"
    subject: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    logged_at: dt.datetime = _instant()


class ClaimRow(MmdTable, table=True):
    """One claim in one version. `id` is a hash of the natural key (source, source key, kind, valid from, version,
    digest), `head` of its first four parts. `standing`: counts in every version for ever and has no head."""

    __tablename__ = "claim"
    subject: str = Field(primary_key=True)
    id: uuid.UUID = Field(primary_key=True)
    head: uuid.UUID
    source: str
    source_key: str
    kind: str
    valid_from: str
    version: str
    digest: str
    standing: bool
    logged_at: dt.datetime = _instant()
    event: str
    key_id: str
    body: bytes


class HeadRow(MmdTable, table=True):
    """The winning version of what a source says about one thing, and the subject it says it about."""

    __tablename__ = "head"
    id: uuid.UUID = Field(primary_key=True)
    claim: uuid.UUID
    subject: str
    version: str
    digest: str


class SharedHeadRow(MmdTable, table=True):
    """A subject that has competed with another one for a head. Of all other heads every claim stands on one subject."""

    __tablename__ = "shared_head"
    head: uuid.UUID = Field(primary_key=True)
    subject: str = Field(primary_key=True)


class FloorRow(MmdTable, table=True):
    """The newest that a source said of one thing about somebody who was erased then: what is older counts of nobody else.
    `logged_at`: since when."""

    __tablename__ = "floor"
    head: uuid.UUID = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    logged_at: dt.datetime = _instant()


class ConflictRow(MmdTable, table=True):
    """The newest that a source that is not designated said of one thing: about whom, and a keyed digest. Never the value.
    An empty digest: it withdrew what it had said."""

    __tablename__ = "conflict"
    source: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    valid_from: str = Field(primary_key=True)
    version: str
    digest: str
    subject: str
    event: str
    logged_at: dt.datetime = _instant()


class KeptAsideRow(MmdTable, table=True):
    """A record about someone who is erased (*gallrad*), by where it stands in the log."""

    __tablename__ = "kept_aside"
    topic: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    position: int = _big(primary_key=True)
    subject: str
    reason: str
    since: dt.datetime = _instant()


class DocumentRow(MmdTable, table=True):
    """The current document. `shown` is a keyed hash of its whole content with stamps, `said` one without: what does not
    change `said` is no new version. `raised`: the marking rose (its own, or of somebody whom a group or firm names) and
    the outer key must be renewed when it is published next. `touched`: which transaction wrote it last, for readers that
    look for what is new. A redirect's body names the survivor."""

    __tablename__ = "document"
    id: str = Field(primary_key=True)
    kind: str
    number: int = _big()
    marking: str | None
    raised: bool
    key_id: str
    body: bytes
    shown: str
    said: str
    next_change: dt.datetime | None = _instant(nullable=True)
    touched: str = _transaction()


class ReferrerRow(MmdTable, table=True):
    """`document` refers to `target` (a person id or unit key), which need not exist yet."""

    __tablename__ = "referrer"
    target: str = Field(primary_key=True)
    document: str = Field(primary_key=True)


class DirtyRow(MmdTable, table=True):
    """A document that the relay has to publish, at least in version `number`. `fan_out`: then those who refer to it."""

    __tablename__ = "dirty"
    document: str = Field(primary_key=True)
    lane: str
    number: int = _big()
    fan_out: bool
    cause: str
    caused_at: dt.datetime = _instant()
    since: dt.datetime = _instant()


class LeaseRow(MmdTable, table=True):
    """Who may do what only one may do at a time, and until when by the database's clock. Until `busy_until` something
    that the owner has begun may still take effect, even if the owner is gone."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    owner: str
    until: dt.datetime = _instant()
    busy_until: dt.datetime = _instant()


class TopicReleaseRow(MmdTable, table=True):
    """At most one row: a hash of what the topics' release said when the relay looked last."""

    __tablename__ = "topic_release"
    one: bool = Field(default=True, primary_key=True)
    digest: str


class FeedReleaseRow(MmdTable, table=True):
    """A release's change feed: its own sequence, and up to which transaction documents have been looked at."""

    __tablename__ = "feed_release"
    release: str = Field(primary_key=True)
    digest: str
    last: int = _big()
    horizon: str = _transaction()


class FeedRow(MmdTable, table=True):
    """The newest entry of a document in a release's feed. `hash` is a keyed hash of the answer bytes; `seq` is null for
    what this reader was never told of."""

    __tablename__ = "feed"
    release: str = Field(primary_key=True)
    document: str = Field(primary_key=True)
    number: int = _big()
    seq: int | None = _big(nullable=True)
    hash: str
    change: str


class DisclosureRow(MmdTable, table=True):
    """Who was given which attribute groups of whom, when and why. Never a value."""

    __tablename__ = "disclosure"
    id: int = _big(primary_key=True)
    release: str
    person: str
    occasion: str
    attribute_groups: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    restricted: bool
    at: dt.datetime = _instant()
