"""What a replay, a report or an operator reads: the stores and the targets, never by way of a worker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import psycopg_pool
from psycopg.rows import TupleRow

from connectors.targets.port import Observed, Presence, Target
from deploy.leaks import LeakSearch
from mmd.domain.disclosing_things import disclose_thing
from mmd.domain.disclosure import disclose
from mmd.domain.release import Release
from mmd.store.reader import Reader
from streams.clock import Clock, today
from streams.contracts.documents import PersonDocument, Redirect, Thing
from streams.contracts.identifiers import parse_identifier
from streams.hashing import subject_of


@dataclass(frozen=True, slots=True)
class Readings:
    pool: psycopg_pool.ConnectionPool[psycopg.Connection]
    reader: Reader
    releases: Mapping[str, Release]
    targets: Mapping[str, Target]
    subject_secret: bytes
    clock: Clock
    leaks: LeakSearch

    def person_id(self, number: str) -> str | None:
        return self.reader.person_id_of_subject(self.subject(number))

    def subject(self, number: str) -> str:
        """Of a TF or interim number with its issuer, a space between. Raises `Rejected` for a number that is none."""
        text, _, issuer = number.partition(" ")
        return subject_of(self.subject_secret, parse_identifier(text, today(self.clock), issuer=issuer.strip()))

    def person(self, number: str) -> PersonDocument | None:
        """The master's document of the person with this number, superseded numbers included."""
        found = self.person_id(number)
        return None if found is None else self.document(found)

    def document(self, person: str) -> PersonDocument | None:
        """The master's document by person id, ids of earlier numbers included."""
        document = self.reader.person(person)
        if isinstance(document, Redirect):
            document = self.reader.person(document.to)
        return document if isinstance(document, PersonDocument) else None

    def answer(self, document: PersonDocument, release: Release) -> PersonDocument | None:
        """What a reader under the release is told of a person today, as by the API; None: nothing, not even that there is
        such a person."""
        on = today(self.clock)
        whole = release.with_units(self.reader.units(), on) if release.subtree else release
        return disclose(document, whole, on, people=self.reader.people_in(document))

    def thing(self, key: str, release: Release) -> Thing | None:
        """What a reader under the release is told of a unit, place, group or legal organisation today, as by the API."""
        on = today(self.clock)
        document = self.reader.thing(key)
        if document is None:
            return None
        whole = release.with_units(self.reader.units(), on) if release.subtree else release
        return disclose_thing(document, whole, on, self.reader.people_in(document))

    def account_keys(self, person: str, account_class: str = "") -> list[str]:
        """The account keys of a person, oldest first; with a class only those of it."""
        with self.pool.connection() as connection:
            rows = connection.execute(
                "select id::text from iam.account where person_id = %s and %s in ('', class) order by created_at, id",
                (person, account_class),
            ).fetchall()
        return [row[0] for row in rows]

    def owner(self, key: str) -> str:
        """The person whose account has this key; what is no account's key is given back."""
        found = list(self._rows("select person_id from iam.account where id::text = %s", key))
        return str(found[0][0]) if found else key

    def account(self, number: str, target: str, account_class: str = "") -> Observed | None:
        """The person's account in a target, read from the target itself."""
        person = self.person_id(number)
        return None if person is None else self.account_of(person, target, account_class)

    def account_of(self, person: str, target: str, account_class: str = "") -> Observed | None:
        """As `account`, by person id. Without a class all count. Of several, one that is enabled goes before one that is
        not: whoever asks whether somebody is disabled must not be told of the other. Then the oldest."""
        keys = self.account_keys(person, account_class)
        found = [one for key in keys if (one := self.targets[target].read(key)) is not None]
        enabled = (one for one in found if one.state.presence is Presence.ENABLED)
        return next(enabled, found[0] if found else None)

    def target_calls(self) -> dict[str, int]:
        """Calls that could change something, by target, as the journal has them: an intent is written before each."""
        rows = self._rows("select target, count(*) from iam.journal where kind = 'intent' group by target")
        return {str(target): int(count) for target, count in rows}

    def master_changes(self) -> int:
        """The sum of all document versions: rises by one for each change of a document."""
        return int(next(self._rows("select coalesce(sum(number), 0) from mmd.document"))[0])

    def dead_letters(self) -> dict[str, int]:
        """Open dead letters and records kept at the edge, by code."""
        rows = self._rows(
            "select code, count(*) from (select code from streams.dead_letter where state = 'open'"
            " union all select code from connectors.rejected) as kept group by code"
        )
        return {str(code): int(count) for code, count in rows}

    def conflicts(self) -> list[dict[str, str]]:
        """What undesignated sources say that differs from what the master holds, oldest first."""
        found = sorted(
            self.reader.conflicts(today(self.clock)), key=lambda one: (one.logged_at, one.attribute, one.source)
        )
        return [{"attribute": one.attribute, "source": one.source} for one in found]

    def _rows(self, query: LiteralString, *values: object) -> Iterator[TupleRow]:
        with self.pool.connection() as connection:
            yield from connection.execute(query, values).fetchall()
