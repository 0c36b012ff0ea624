"""The tables of schema `iam` as SQLModel classes: for ordinary reads, and the one description of each column.

Person ids and unit keys are text, account keys uuid; execution's own tables (`work`, `relay_lease`) are described
beside it. Instants are UTC. Bodies (`bytea`) are sealed with the person's outer key (`key_id`; empty: in clear, only
where nothing about a person is inside), bound to their row by associated data (`iam.store.bodies`).
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, MetaData, SQLModel

METADATA = MetaData(schema="iam")


class IamTable(SQLModel):
    """Base of the tables of this schema; their metadata is kept apart from every other package's."""

    metadata = METADATA


def _texts() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


def _instant(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=nullable))


def _big() -> Any:
    return Field(sa_column=Column(BigInteger, nullable=False))


class WorldPerson(IamTable, table=True):
    """The newest document of a person. `body` None: not known yet, moved, or erased as of the version; empty: withheld.
    `policy`: what it was last evaluated with. `next_change`: when to look again; `cause`, `caused_at`: the event that made
    this version."""

    __tablename__ = "world_person"
    id: str = Field(primary_key=True)
    epoch: int = _big()
    number: int = _big()
    key_id: str
    body: bytes | None
    restricted: bool
    erased: bool
    policy: str
    next_change: dt.datetime | None = _instant()
    cause: str
    caused_at: dt.datetime | None = _instant()


class WorldUnit(IamTable, table=True):
    """The newest document of an organisation unit, in clear. `parents`: every parent it has or had, for the closure."""

    __tablename__ = "world_unit"
    id: str = Field(primary_key=True)
    epoch: int = _big()
    number: int = _big()
    body: bytes
    parents: list[str] = _texts()


class WorldRedirect(IamTable, table=True):
    """The person `id` lives on under `to_id`, which may live on elsewhere in turn (`iam.lives_on`): by a published redirect
    (with its version), or because the newest document of `to_id` lists it among its aliases (`claimed`). `since`: when
    that was heard of."""

    __tablename__ = "world_redirect"
    id: str = Field(primary_key=True)
    to_id: str
    epoch: int = _big()
    number: int = _big()
    claimed: bool
    since: dt.datetime = _instant(nullable=False)


class ReadIndex(IamTable, table=True):
    """`person` was evaluated with a look at `thing` (`unit key` or `person:<id>`), whether it existed or not."""

    __tablename__ = "read_index"
    thing: str = Field(primary_key=True)
    person: str = Field(primary_key=True)


class Due(IamTable, table=True):
    """The evaluation queue and timers: evaluate `person` at `at`, lowest `priority` number first."""

    __tablename__ = "due"
    person: str = Field(primary_key=True)
    at: dt.datetime = _instant(nullable=False)
    priority: int = Field(sa_column=Column(SmallInteger, nullable=False))
    cause: str
    caused_at: dt.datetime | None = _instant()


class Account(IamTable, table=True):
    """One login: (person, employer, class). `id` is the opaque, permanent account key. `personas`: whom it serves.
    `served`: all that it ever served, with the number of the decision by which it first did. After a merge a person may
    have two of one class: both stay, and each persona is served by one of them. `first_person`: whom it was made for;
    `person_id` is where that person lives now."""

    __tablename__ = "account"
    id: uuid.UUID = Field(primary_key=True)
    person_id: str
    first_person: str
    employer: str
    account_class: str = Field(sa_column=Column("class", Text, nullable=False))
    personas: list[str] = _texts()
    served: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: dt.datetime = _instant(nullable=False)


class NameLedger(IamTable, table=True):
    """A name that was given, for ever: never to a second account. Kinds: uid, eppn, mail."""

    __tablename__ = "name_ledger"
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    account: uuid.UUID
    allocated_at: dt.datetime = _instant(nullable=False)
    event_id: str


class Outbox(IamTable, table=True):
    """Ledger decisions for `source.account.v1`; `facts` is msgspec JSON of `AccountFacts`. A row of kind `allocated`
    must be delivered before the first call to a target for this account; `personas` rows hold nobody up."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    event_id: str
    account: uuid.UUID
    person_id: str
    kind: str
    facts: bytes
    created_at: dt.datetime = _instant(nullable=False)
    delivered_at: dt.datetime | None = _instant()


class DesiredRow(IamTable, table=True):
    """What an account shall be in a target; written by evaluate only. `version` rises only when `digest` changes.

    `body`: sealed msgspec JSON of `iam.domain.account.Intent`. `create_missing`: whether the account is to be made where
    it does not exist (False: it is only to be disabled if it does). `presence` and `groups` repeat the body in clear.
    """

    __tablename__ = "desired"
    account: uuid.UUID = Field(primary_key=True)
    target: str = Field(primary_key=True)
    version: int = _big()
    lane: str
    digest: str
    create_missing: bool
    presence: str
    groups: list[str] = _texts()
    key_id: str
    body: bytes
    cause: str
    caused_at: dt.datetime | None = _instant()
    source_stamp: str
    changed_at: dt.datetime = _instant(nullable=False)


class ObservedRow(IamTable, table=True):
    """What was last read back; written by execute only. `digest` is that of `DesiredRow` (`iam.domain.account.digest`);
    `version`: the desired version that it equals."""

    __tablename__ = "observed"
    account: uuid.UUID = Field(primary_key=True)
    target: str = Field(primary_key=True)
    status: str
    attempt: int = _big()
    digest: str
    presence: str
    version: int = _big()
    groups: list[str] = _texts()
    native_id: str
    target_version: str
    read_at: dt.datetime | None = _instant()
    next_try_at: dt.datetime | None = _instant()
    failures: int
    error_code: str


class JournalRow(IamTable, table=True):
    """Append-only. `at` is business time, `recorded_at` real time. `reasons` are rule ids, persona keys and claim
    references. Names of attributes and digests, never a value of a person."""

    __tablename__ = "journal"
    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    at: dt.datetime = _instant(nullable=False)
    recorded_at: dt.datetime = _instant(nullable=False)
    kind: str
    person_id: str
    account: uuid.UUID
    target: str
    lane: str
    attempt: int = _big()
    desired_version: int = _big()
    attributes: list[str] = _texts()
    groups_added: list[str] = _texts()
    groups_removed: list[str] = _texts()
    groups: list[str] = _texts()
    presence: str
    digest_before: str
    digest_after: str
    outcome: str
    error_code: str
    duration_ms: int | None
    cause: str
    caused_at: dt.datetime | None = _instant()
    reasons: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
