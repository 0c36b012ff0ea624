"""Bulk: source records as the connectors make them, for as many persons as are asked for, sealed and ready to be sent.

Templates come from native files through the real readers; each is used again and again under a TF identifier of its own
(SS 12000), because there are not test numbers enough. Sizes and shapes are those of the real records.
"""

import datetime as dt
import io
import random
from collections.abc import Iterator, Sequence

import msgspec

from connectors.sources.hr.reader import HrReader
from connectors.sources.navet.reader import NavetReader
from connectors.sources.posts import Post, SourceReader
from deploy.municipality.people import Numbers, jobs, people
from deploy.municipality.tree import Unit
from deploy.replay.live import LiveWorld
from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import Claim, Employment, RegisteredAddress, SourceRecord
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.time import STOCKHOLM
from streams.envelope import Message
from streams.hashing import subject_of
from streams.sealing import KeyClass

TEMPLATES = 300
_FIRST_BIRTH = dt.date(1950, 1, 1)
_A_DAY = 100
_SEALED_AT_ONCE = 1000


def identifier(number: int) -> Identifier:
    """The TF identifier with this number, from 0; every number has another."""
    birth = _FIRST_BIRTH + dt.timedelta(days=number // _A_DAY)
    return Identifier(IdentifierType.TF, f"{birth:%Y%m%d}TF{number % _A_DAY:02d}", "bench")


def _moved(claim: Claim, turn: int) -> Claim:
    if not isinstance(claim.body, RegisteredAddress):
        return claim
    address = msgspec.structs.replace(claim.body.address, street=f"Nya gatan {turn}")
    return msgspec.structs.replace(claim, body=msgspec.structs.replace(claim.body, address=address))


class Bulk:
    """Makes messages about persons nobody has heard of. Two calls never give the same person twice."""

    def __init__(self, world: LiveWorld, subject_secret: bytes, units: Sequence[Unit], seed: int) -> None:
        self._world = world
        self._secret = subject_secret
        self._codec = RecordCodec(world.base.keys, KeyClass.INNER)
        chance = random.Random(seed)  # noqa: S311  # reproducible on purpose
        residents = people(chance, Numbers(chance), TEMPLATES, 0)
        work = jobs(chance, units, residents, 1)
        now = world.edge.now()
        persons = {one.number: one for one in residents}
        self._navet = NavetReader()
        self._hr = HrReader()
        self._posts = self._read(self._navet, [one.post(now.astimezone(STOCKHOLM)) for one in residents])
        self._employments = self._read(self._hr, [job.row(persons[job.person], manager=None) for job in work])
        self._next = 0
        self._changes = 0
        self._chance = chance

    @property
    def told(self) -> int:
        """How many persons messages were made about."""
        return self._next

    def _read(self, reader: SourceReader, rows: Sequence[dict[str, object]]) -> list[SourceRecord]:
        context = self._world.edge.context()
        content = reader.write(rows, context, 1, False)
        return [item.record for item in reader.read(io.BytesIO(content), context) if isinstance(item, Post)]

    def messages(self, persons: int, employed: int = 0) -> list[Message]:
        """One post of the population register for each of so many new persons, and an employment for the first of them,
        as messages that wait to be sent: every data key is made."""
        first, self._next = self._next, self._next + persons
        outgoing = [*self._outgoing(first, persons, employed)]
        made: list[Message] = []
        for start in range(0, len(outgoing), _SEALED_AT_ONCE):
            made += self._codec.encode(outgoing[start : start + _SEALED_AT_ONCE])
        return made

    def changes(self, persons: int) -> tuple[list[Message], str]:
        """A post with another registered address for each of so many of those told of, drawn at random, and what the
        versions of these posts end in."""
        self._changes += 1
        ending = f"~{self._changes:06}"
        navet = self._world.edge.lanes(self._navet)
        outgoing = []
        for number in self._chance.sample(range(self._next), persons):
            who = identifier(number)
            subject = subject_of(self._secret, who)
            post = self._posts[number % len(self._posts)]
            outgoing.append(
                navet.bulk(
                    msgspec.structs.replace(
                        post,
                        source_key=subject,
                        subject=subject,
                        identifier=who,
                        version=post.version + ending,
                        claims=tuple(_moved(claim, self._changes) for claim in post.claims),
                    )
                )
            )
        made: list[Message] = []
        for start in range(0, len(outgoing), _SEALED_AT_ONCE):
            made += self._codec.encode(outgoing[start : start + _SEALED_AT_ONCE])
        return made, ending

    def _outgoing(self, first: int, persons: int, employed: int) -> Iterator[Outgoing[SourceRecord]]:
        navet, hr = self._world.edge.lanes(self._navet), self._world.edge.lanes(self._hr)
        for number in range(first, first + persons):
            who = identifier(number)
            subject = subject_of(self._secret, who)
            post = self._posts[number % len(self._posts)]
            yield navet.bulk(msgspec.structs.replace(post, source_key=subject, subject=subject, identifier=who))
            if number - first < employed:
                yield hr.bulk(self._employment(number, subject, who))

    def _employment(self, number: int, subject: str, who: Identifier) -> SourceRecord:
        template = self._employments[number % len(self._employments)]
        name, key = f"B{number}", ""
        claims = []
        for claim in template.claims:
            if isinstance(claim.body, Employment):
                key = f"{claim.body.employer}:{name}"
                claims.append(
                    msgspec.structs.replace(claim, body=msgspec.structs.replace(claim.body, employment_id=name))
                )
            else:
                claims.append(claim)
        return msgspec.structs.replace(template, source_key=key, subject=subject, identifier=who, claims=tuple(claims))
