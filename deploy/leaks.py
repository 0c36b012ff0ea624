"""The leak search: where can a text be read that should be nowhere but in the master?

It looks at everything that leaves or is kept, as raw bytes and as each principal can open it: tables, topics, targets,
logs, and what every reader without clearance would be answered. Cleared places are what only the master and the source
connectors can open (INNER keys), and readers whose release is cleared for protected persons.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
import psycopg_pool
from psycopg import sql

from connectors.targets.port import Target
from deploy.replay.hidden import holds_any
from iam.store.bodies import open_intent, open_person
from mmd.domain.disclosure import disclose
from mmd.domain.release import Marked, Release
from mmd.store.reader import Reader
from streams.clock import Clock, today
from streams.codec import Incoming, PublishedCodec, RecordCodec
from streams.contracts.documents import PersonDocument
from streams.envelope import Message
from streams.sealing import KeyClass, KeyRing, KeyState

SCHEMAS = ("streams", "connectors", "mmd", "iam")
_TABLES = "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2"


@dataclass(frozen=True, slots=True)
class LeakSearch:
    """`topics` reads every record of every topic, `logs` names the log files; both may be empty."""

    pool: psycopg_pool.ConnectionPool[psycopg.Connection]
    keys: KeyRing
    reader: Reader
    releases: Mapping[str, Release]
    targets: Mapping[str, Target]
    clock: Clock
    topics: Callable[[], Iterable[Message]]
    logs: Callable[[], Sequence[Path]]

    def find(self, *texts: str) -> list[str]:
        """Every place where one of the texts can be read, named without the text itself; each place once."""
        found = {place for place, content in self._everything() if holds_any(content, texts)}
        return sorted(found)

    def _everything(self) -> Iterator[tuple[str, bytes]]:
        yield from self._tables()
        yield from self._opened_rows()
        yield from self._topics()
        yield from self._answers()
        for name, target in self.targets.items():
            for observed in target.read_all():
                yield f"target {name}", repr((observed.state, observed.native_id)).encode()
        for path in self.logs():
            yield f"log {path.name}", path.read_bytes()

    def _tables(self) -> Iterator[tuple[str, bytes]]:
        with self.pool.connection() as connection:
            for schema, table in connection.execute(_TABLES, [list(SCHEMAS)]).fetchall():
                rows = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table)))
                for row in rows:
                    parts = (bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row)
                    yield f"table {schema}.{table}", b"\n".join(parts)

    def _opened_rows(self) -> Iterator[tuple[str, bytes]]:
        """What iam can open of its own copy."""
        with self.pool.connection() as connection:
            persons = connection.execute("select id, key_id, body from iam.world_person where key_id <> ''").fetchall()
            intents = connection.execute("select account::text, target, key_id, body from iam.desired").fetchall()
        keys = self.keys.find({row[1] for row in persons} | {row[2] for row in intents if row[2]})
        for person, key_id, body in persons:
            document = open_person(keys, person, key_id, bytes(body))
            if not isinstance(document, KeyState):
                yield "table iam.world_person as iam opens it", msgspec.json.encode(document)
        for account, target, key_id, body in intents:
            intent = open_intent(keys, account, target, key_id, bytes(body))
            if not isinstance(intent, KeyState):
                yield "table iam.desired as iam opens it", msgspec.json.encode(intent)

    def _topics(self) -> Iterator[tuple[str, bytes]]:
        published, accounts = PublishedCodec(self.keys), RecordCodec(self.keys, KeyClass.ACCOUNT)
        for message in self.topics():
            head = f"{message.key}\n{dict(message.headers)}".encode()
            yield f"topic {message.topic}", head + b"\n" + (message.value or b"")
            if message.topic.startswith("mmd."):
                opened = published.decode([message])[0]
                if isinstance(opened, Incoming):
                    yield f"topic {message.topic} as iam opens it", msgspec.json.encode(opened.record)
            elif message.topic == "source.account.v1":
                facts = accounts.decode([message])[0]
                if isinstance(facts, Incoming):
                    yield f"topic {message.topic} as iam opens it", msgspec.json.encode(facts.record)

    def _answers(self) -> Iterator[tuple[str, bytes]]:
        """What the API would answer each reader that is not cleared, about everybody."""
        on, units = today(self.clock), self.reader.units()
        uncleared = {
            name: release.with_units(units, on)
            for name, release in self.releases.items()
            if release.marked is not Marked.CLEARED
        }
        with self.pool.connection() as connection:
            ids = [row[0] for row in connection.execute("select id from mmd.document where kind = 'person'").fetchall()]
        for one in ids:
            document = self.reader.person(one)
            if isinstance(document, PersonDocument):
                people = self.reader.people_in(document)
                for name, release in uncleared.items():
                    answer = disclose(document, release, on, people=people)
                    yield f"answer to {name}", msgspec.json.encode(answer)
