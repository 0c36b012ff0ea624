"""Nobody who is not cleared can read anything of a protected person, while everything moves and afterwards.

Canaries are texts of one person alone: family name, street, personnummer. The search looks into every table, topic, log
and target, as bytes and as each principal can open them, and asks the API over HTTP as each client that is not cleared.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from connectors.targets.port import Presence
from deploy.municipality import cast as roles
from deploy.municipality.cast import Member
from deploy.municipality.changes import Changes
from iam.store.bodies import open_person, seal_person
from streams.catalogue import MMD_PERSON, SOURCE_ACCOUNT
from streams.codec import Outgoing, PublishedCodec
from streams.contracts.claims import Marking
from streams.contracts.documents import PersonDocument, Published, Stamp, TextValue, Version
from streams.contracts.time import STOCKHOLM
from streams.envelope import Message
from streams.kafka import KafkaProducer
from streams.sealing import KeyClass, KeyState
from tests.stack.life import Life, alive, until
from tests.stack.outside import Outside, append, plant_in_directory
from tests.stack.town import Town, new_town

URGENT = ("ingest-urgent", "evaluate-urgent")
GONE_WITHIN = 20.0
"""Seconds, generous: the figure is logged and belongs to the bench (5 s on an idle machine)."""

log = logging.getLogger(__name__)
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True, slots=True)
class Scene:
    """A stack after the first loads, and all ways to look."""

    life: Life
    town: Town

    def leaks(self, *texts: str) -> list[str]:
        """Every place, inside and outside, where one of the texts can be read."""
        readings = self.life.world.readings
        people = [self.town.cast[role] for role in (roles.JOINER, roles.MARKED, roles.PROTECTED, roles.MOVER)]
        ids = [found for found in (readings.person_id(one.number) for one in people) if found]
        outside = Outside(self.life.found).places(texts, ids, [one.number for one in people])
        return sorted({*readings.leaks.find(*texts), *outside})

    def account_is(self, member: Member, presence: Presence) -> bool:
        found = self.life.world.readings.account(member.number, "directory")
        return found is not None and found.state.presence is presence

    def still_to_do(self) -> set[str]:
        """But for what waits for the urgent workers, where they are stopped."""
        return set(self.life.world.quiet.pending()) - {f"messages for {name}" for name in URGENT}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    town = new_town(tmp_path_factory.mktemp("town"), seed=11, persons=30, units=6)
    with alive(tmp_path_factory.mktemp("home")) as life:
        life.feed(town.first)
        life.world.settle()
        yield Scene(life, town)


def test_of_one_who_is_marked_from_the_start_nothing_is_seen_even_without_urgent_workers_and_with_hr_first(
    scene: Scene,
) -> None:
    life, member = scene.life, scene.town.cast[roles.JOINER]
    assert member.job is not None
    now = dt.datetime.now(STOCKHOLM)
    for name in URGENT:
        life.found.stack.stop_process(name)
    looks = 0
    employment = member.job.row(member.person, startDate=now.date(), agreedDisplayName=None)
    post = member.person.post(now, Sekretessmarkering="J", Folkbokforingsdatum=now.date())
    for source, record in (("hr", employment), ("navet", post)):
        life.world.feed(source, [record], total=False)
        busy = True
        while busy:
            busy = bool(scene.still_to_do())
            assert scene.leaks(*member.canaries) == []
            looks += 1
        until(lambda: scene.account_is(member, Presence.ENABLED), 30, "an account in the directory")
    for name in URGENT:
        life.found.stack.start_process(name)
    life.world.settle()
    assert scene.leaks(*member.canaries) == []
    assert looks >= 2
    document = life.world.readings.person(member.number)
    assert document is not None
    assert document.marking is Marking.SEKRETESSMARKERING
    assert document.names[-1].family == member.person.family, "the master has what nobody else may see"


@pytest.mark.parametrize("role", [roles.MARKED, roles.PROTECTED])
def test_of_one_who_is_marked_later_everything_is_gone_from_every_live_store(scene: Scene, role: str) -> None:
    life, member = scene.life, scene.town.cast[role]
    before = scene.leaks(*member.canaries)
    for kind in ("target directory", "target collaboration", "directory raw", "api search to e-services", "table iam."):
        assert any(place.startswith(kind) for place in before), f"the search sees an ordinary person in {kind}"
    changes = Changes(scene.town.cast, {"navet": 100 + len(role), "hr": 100})
    now = dt.datetime.now(dt.UTC)
    marked = changes.sekretessmarkering(now) if role == roles.MARKED else changes.skyddad_folkbokforing(now)
    began = time.monotonic()
    life.feed(marked)
    left = before
    while left and time.monotonic() - began < GONE_WITHIN:
        looked = time.monotonic()
        left = scene.leaks(*member.canaries)
    ended = time.monotonic()
    log.info("%s: a look from %.1f s to %.1f s after the file came found nothing", role, looked - began, ended - began)
    assert left == []
    life.world.settle()
    assert scene.leaks(*member.canaries) == []
    assert scene.account_is(member, Presence.ENABLED), "the work goes on"


def test_the_journal_tells_what_was_done_to_the_marked_without_any_value(scene: Scene) -> None:
    """After the tests above."""
    readings = scene.life.world.readings
    keys = readings.account_keys(readings.person_id(scene.town.cast[roles.MARKED].number) or "")
    with readings.pool.connection() as connection:
        row = connection.execute("select count(*) from iam.journal where account::text = any(%s)", [keys]).fetchone()
    assert row is not None
    assert row[0] > 0


# --- planted leaks: each kind of place turns the search red. Last, for what is planted on the log stays there. ---


def _stamp() -> Stamp:
    return Stamp("navet", "planted", "1", dt.datetime(2025, 1, 1, tzinfo=dt.UTC))


def _in_a_table(scene: Scene, text: str) -> None:
    with scene.life.world.base.pool.connection() as connection:
        connection.execute("create table iam.planted (note text)")
        connection.execute("insert into iam.planted values (%s)", [text])


def _in_an_opened_row(scene: Scene, text: str) -> None:
    base = scene.life.world.base
    with base.pool.connection() as connection:
        person, key_id, body = connection.execute(
            "select id, key_id, body from iam.world_person where key_id <> '' order by id limit 1"  # '': withheld
        ).fetchall()[0]
        keys = base.keys.find({key_id})
        document = open_person(keys, person, key_id, bytes(body))
        assert isinstance(document, PersonDocument)
        key = keys[key_id]
        assert not isinstance(key, KeyState)
        planted = msgspec.structs.replace(document, agreed_name=TextValue(text, _stamp()))
        connection.execute("update iam.world_person set body = %s where id = %s", [seal_person(key, planted), person])


def _in_the_journal(scene: Scene, text: str) -> None:
    with scene.life.world.base.pool.connection() as connection:
        connection.execute(
            "insert into iam.journal (at, kind, account, error_code) values (now(), 'evaluated', gen_random_uuid(), %s)",
            [text],
        )


def _in_a_log(scene: Scene, text: str) -> None:
    append(scene.life.found.stack.log_of("relay"), text)


def _in_the_directory(scene: Scene, text: str) -> None:
    found = scene.life.world.readings.account(scene.town.cast[roles.MOVER].number, "directory")
    assert found is not None
    plant_in_directory(scene.life.found, found.state.uid, text)


def _on_a_topic(scene: Scene, text: str) -> None:
    producer = KafkaProducer(scene.life.found.master.kafka)
    producer.send(Message(SOURCE_ACCOUNT, "planted", text.encode(), {}))
    producer.flush()


def _in_a_header(scene: Scene, text: str) -> None:
    producer = KafkaProducer(scene.life.found.master.kafka)
    producer.send(Message(SOURCE_ACCOUNT, "planted", b"x", {"ce_note": text}))
    producer.flush()


def _sealed_for_iam_on_a_topic(scene: Scene, text: str) -> None:
    """A document that goes out with what its reader must not see; too old a version for anybody to act on."""
    base = scene.life.world.base
    person = scene.life.world.readings.person_id(scene.town.cast[roles.MARKED].number)
    assert person is not None
    document = PersonDocument(id=person, agreed_name=TextValue(text, _stamp()))
    record = Published(version=Version(0, 0), person=document)
    assert base.keys.current(KeyClass.OUTER, {person})
    producer = KafkaProducer(scene.life.found.master.kafka)
    for message in PublishedCodec(base.keys).encode([Outgoing(MMD_PERSON, record, "planted", _stamp().logged_at)]):
        producer.send(message)
    producer.flush()


PLANTS: tuple[tuple[Callable[[Scene, str], None], str], ...] = (
    (_in_a_table, "table iam.planted"),
    (_in_the_journal, "table iam.journal"),
    (_in_an_opened_row, "table iam.world_person as iam opens it"),
    (_in_a_log, "log relay.log"),
    (_in_the_directory, "target directory"),
    (_sealed_for_iam_on_a_topic, f"topic {MMD_PERSON} as iam opens it"),
    (_in_a_header, f"topic {SOURCE_ACCOUNT}"),
    (_on_a_topic, f"topic {SOURCE_ACCOUNT}"),
)


def _text(plant: Callable[[Scene, str], None]) -> str:
    return f"Kanariefågel {plant.__name__}"


@pytest.fixture(scope="module")
def unplanted(scene: Scene) -> Scene:
    assert scene.life.world.readings.leaks.find(*(_text(plant) for plant, _ in PLANTS)) == []
    return scene


@pytest.mark.parametrize(("plant", "place"), PLANTS)
def test_a_planted_leak_turns_the_search_red(unplanted: Scene, plant: Callable[[Scene, str], None], place: str) -> None:
    plant(unplanted, _text(plant))
    assert place in unplanted.life.world.readings.leaks.find(_text(plant))


def test_the_canaries_are_in_nothing_that_is_not_searched(scene: Scene) -> None:
    """Every folder of the stack is either searched, a server's own, secrets, or what the test itself put there."""
    home: Path = scene.life.found.stack.home
    servers = {"kafka", "postgres", "ldap", "scim"}
    known = {"logs", "work", "secrets", "stack.json", ".lock", "jwks.json", *servers}
    assert {path.name for path in home.iterdir()} <= known
