"""The tables of schema `connectors`, described for ordinary reads. A test compares them with the migrated schema."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, MetaData, SQLModel

METADATA = MetaData(schema="connectors")
_INSTANT = sa.DateTime(timezone=True)


class ConnectorTable(SQLModel):
    """Base of the tables of this schema; their metadata is kept apart from every other package's."""

    metadata = METADATA


class SourceRow(ConnectorTable, table=True):
    """One source: its last file number, which numbers never came, and how large its snapshot should be."""

    __tablename__ = "source"
    name: str = Field(primary_key=True)
    last_number: int | None = Field(default=None, sa_type=sa.BigInteger)
    missing: list[int] = Field(default_factory=list, sa_column=sa.Column(ARRAY(sa.BigInteger), nullable=False))
    snapshot_count: int = Field(default=0, sa_type=sa.BigInteger)
    total_stamp: str = ""
    heard_at: dt.datetime | None = Field(default=None, sa_type=_INSTANT)


class LoadRow(ConnectorTable, table=True):
    """One total load (SM8) with its counts. `holds` tells what waits for a decision: `all` or the `absences` only.

    `unnamed` counts rejected records whose source key could not be read: then nothing may be taken for absent.
    """

    __tablename__ = "load"
    id: int | None = Field(default=None, primary_key=True, sa_type=sa.BigInteger)
    source: str
    series: str
    state: str
    holds: str = ""
    reason: str = ""
    stamp: str = ""
    files: int
    declared: int | None = Field(default=None, sa_type=sa.BigInteger)
    found: int = Field(default=0, sa_type=sa.BigInteger)
    rejected: int = Field(default=0, sa_type=sa.BigInteger)
    unnamed: int = Field(default=0, sa_type=sa.BigInteger)
    added: int = Field(default=0, sa_type=sa.BigInteger)
    changed: int = Field(default=0, sa_type=sa.BigInteger)
    absent: int = Field(default=0, sa_type=sa.BigInteger)
    unchanged: int = Field(default=0, sa_type=sa.BigInteger)
    opened_at: dt.datetime = Field(sa_type=_INSTANT)
    settled_at: dt.datetime | None = Field(default=None, sa_type=_INSTANT)
    decided_by: str = ""
    decided_at: dt.datetime | None = Field(default=None, sa_type=_INSTANT)


class DraftRow(ConnectorTable, table=True):
    """A reorganisation that waits for a decision, or was decided. `units`: what each unit becomes, as JSON; no person."""

    __tablename__ = "draft"
    id: str = Field(primary_key=True)
    title: str
    decision: str
    takes_effect: dt.date
    state: str
    version: str = ""
    units: bytes
    loaded_at: dt.datetime = Field(sa_type=_INSTANT)
    decided_by: str = ""
    decided_at: dt.datetime | None = Field(default=None, sa_type=_INSTANT)


class LoadFileRow(ConnectorTable, table=True):
    """One file of a total load, and whether all of it has been read."""

    __tablename__ = "load_file"
    load: int = Field(primary_key=True, sa_type=sa.BigInteger, foreign_key="connectors.load.id")
    number: int = Field(primary_key=True)
    declared: int | None = Field(default=None, sa_type=sa.BigInteger)
    found: int = Field(default=0, sa_type=sa.BigInteger)
    rejected: int = Field(default=0, sa_type=sa.BigInteger)
    unnamed: int = Field(default=0, sa_type=sa.BigInteger)
    complete: bool = False


class StagedRow(ConnectorTable, table=True):
    """A record of a total load that is not settled, sealed under a system key. Deleted when the load is settled.

    `body` is empty for a record that was rejected: the source still has it, so it is not absent. `verdict` is what the
    comparison with the snapshot gave: `added`, `changed` or `unchanged`.
    """

    __tablename__ = "staged"
    load: int = Field(primary_key=True, sa_type=sa.BigInteger)
    file: int = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=sa.BigInteger)
    source_key: str
    version: str
    subject: str
    kinds: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False))
    digest: str
    key_id: str
    body: bytes
    verdict: str = ""


class SnapshotRow(ConnectorTable, table=True):
    """What was last published of a source record: keyed digest of its content, never the content."""

    __tablename__ = "snapshot"
    source: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    digest: str
    version: str
    subject: str
    kinds: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False))
    load: int = Field(sa_type=sa.BigInteger)


class GoneRow(ConnectorTable, table=True):
    """A record that a total load no longer had, with the version of that absence. Deleted when the record comes back."""

    __tablename__ = "gone"
    source: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    version: str


class RejectedRow(ConnectorTable, table=True):
    """A record that the edge could not accept: code and field in clear, the record itself sealed, kept for a short time."""

    __tablename__ = "rejected"
    id: int | None = Field(default=None, primary_key=True, sa_type=sa.BigInteger)
    source: str
    content_digest: str
    code: str
    detail: str
    position: int = Field(sa_type=sa.BigInteger)
    number: int | None = Field(default=None, sa_type=sa.BigInteger)
    seen_at: dt.datetime = Field(sa_type=_INSTANT)
    expires_at: dt.datetime = Field(sa_type=_INSTANT)
    key_id: str
    body: bytes
