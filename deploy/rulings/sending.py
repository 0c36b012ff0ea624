"""How a ruling is said: a record of the source `ruling` on `source.ruling.v1`, sealed like any other, and never stored here.

What it does is decided where all claims meet, in ingest (docs/decisions/0210).
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.sources.ids import holds_number
from mmd.domain.register import SourceRegister
from mmd.store.reader import Reader
from streams.bus import Producer
from streams.catalogue import SOURCE_RULING
from streams.clock import Clock
from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import Claim, DeathReversal, Lift, Merge, Return, SourceRecord, Split
from streams.contracts.decisions import two_persons
from streams.contracts.errors import Rejected
from streams.contracts.time import local_date
from streams.envelope import Message, new_event_id

SOURCE = "ruling"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why, and by whom: one asks, another approves. `evidence` is a reference to what was decided on, in words."""

    evidence: str
    asked_by: str
    approved_by: str

    def check(self) -> None:
        """Raises `Rejected`: input.missing, decision.two-persons."""
        if not self.evidence.strip():
            raise Rejected("input.missing", "evidence")
        names_nobody(evidence=self.evidence, asked_by=self.asked_by, approved_by=self.approved_by)
        if not two_persons(self.asked_by, self.approved_by):
            raise Rejected("decision.two-persons")


@dataclass(frozen=True, slots=True)
class Desk:
    """What rulings are made with."""

    reader: Reader
    register: SourceRegister
    codec: RecordCodec
    producer: Producer
    clock: Clock

    def record(self, name: str, subject: str, body: Merge | Split | Lift | Return | DeathReversal) -> SourceRecord:
        """The ruling `name` about a subject, said now.

        Raises `Rejected("source.undesignated")` where the source register does not let operators rule on this.
        """
        claim = Claim(body)
        if not self.register.designated(claim.kind, SOURCE, local_date(self.clock.now())):
            raise Rejected("source.undesignated", f"{SOURCE}: {claim.kind}")
        version = f"{self.clock.now().astimezone(dt.UTC):%Y%m%d%H%M%S%f}"
        return SourceRecord(SOURCE, name, version, subject, (claim,))

    def messages(self, records: Sequence[SourceRecord]) -> list[Message]:
        """The records sealed. Raises `Rejected("key.erased")` where somebody whom they are about is erased."""
        now = self.clock.now()
        sealed = self.codec.encode([Outgoing(SOURCE_RULING, one, new_event_id(), now) for one in records])
        if len(sealed) < len(records):
            raise Rejected("key.erased")
        return sealed

    def send(self, records: Sequence[SourceRecord]) -> None:
        """Publish and wait for delivery. Raises `Unavailable` if it fails: say it again then."""
        for message in self.messages(records):
            self.producer.send(message)
        self.producer.flush()


def names_nobody(**texts: str) -> None:
    """Texts of a decision stand in logs, lists and events: none may hold the number of a person.

    Raises `Rejected("input.invalid")` with the name of the text, never with what stands in it.
    """
    for name, text in texts.items():
        if holds_number(text):
            raise Rejected("input.invalid", f"{name}: a personnummer stands in it")


def new_name(kind: str) -> str:
    """A name that no other ruling has."""
    return f"{kind}-{uuid.uuid4()}"
