"""What cannot be trusted or read as a whole still protects: a marking too many is put right, one too few is not."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from streams.catalogue import MMD_ORGANISATION, MMD_PERSON, MMD_URGENT, SOURCE_PERSON, SOURCE_URGENT
from streams.consume import Runner
from streams.contracts.claims import Marking
from streams.dead_letters import DeadLetters
from streams.envelope import Message
from tests.integration.hostile.bad_records import NUMBER
from tests.integration.hostile.conftest import Pool
from tests.integration.hostile.doors import Door


def codes(door: Door, pool: Pool, group: str, *messages: Message) -> list[str]:
    letters = DeadLetters(pool)
    Runner(door.handle, letters, group=group).handle(list(messages))
    return [one.code for one in letters.list() if one.group == group]


@pytest.mark.parametrize("topic", [MMD_PERSON, MMD_URGENT])
@pytest.mark.parametrize("level", ["hemlig", "", "SEKRETESSMARKERING"])
def test_a_level_of_marking_that_is_not_known_restricts_the_person(
    every_door: Mapping[str, Door], pool: Pool, topic: str, level: str
) -> None:
    door, number = every_door[topic], 4000 + ["hemlig", "", "SEKRETESSMARKERING"].index(level) + 10 * len(topic)
    person = door.content(number)["person"] | {"marking": level}
    assert codes(door, pool, f"{topic}-{level}", door.saying(number, person=person)) == []
    with pool.connection() as connection:
        row = connection.execute(
            "select restricted from iam.world_person where id = %s", [door.key_of(number)]
        ).fetchone()
    assert row == (True,)


def test_a_level_that_is_not_known_is_read_as_the_highest() -> None:
    assert Marking("of a later program") is Marking.SKYDDAD_FOLKBOKFORING


@pytest.mark.parametrize("topic", [SOURCE_PERSON, SOURCE_URGENT])
@pytest.mark.parametrize("bad", ["source", "type", "version"])
def test_a_raise_in_an_envelope_that_says_otherwise_is_a_dead_letter_and_counts(
    every_door: Mapping[str, Door], pool: Pool, topic: str, bad: str
) -> None:
    door = every_door[topic]
    number = 4200 + 10 * len(topic) + len(bad)
    protection = {"body": {"kind": "protection", "sekretessmarkering": True}}
    content = door.content(number) | {"claims": [protection, {"body": {"kind": "name", "given": "A"}}]}
    plain = msgspec.json.encode(content)
    message = door.sealed(number, plain, door.envelope(number, content, **{bad: "urn:kallan:source:hr"}))
    assert codes(door, pool, f"{topic}-{bad}", message) == ["envelope.forged"]
    with pool.connection() as connection:
        kinds = connection.execute("select kind from mmd.claim where subject = %s", [door.key_of(number)]).fetchall()
    assert kinds == [("protection",)]


def test_a_tombstone_of_a_unit_or_of_nothing_erases_nobody(every_door: Mapping[str, Door], pool: Pool) -> None:
    door = every_door[MMD_ORGANISATION]
    bad = [
        door.placed(Message(topic, key, None))
        for topic in (MMD_ORGANISATION, MMD_PERSON)
        for key in ("unit:k:1", "", "x\0", "x" * 201)
    ]
    assert codes(door, pool, "tombstones", *bad) == ["input.empty"] * len(bad)
    with pool.connection() as connection:
        assert connection.execute("select count(*) from iam.world_person where id like 'unit:%%'").fetchone() == (0,)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "custody", "relations": [{"type": "V", "subject": NUMBER}]},
        {"kind": "number-reference", "other": {"type": "personnummer", "value": NUMBER}, "other_subject": NUMBER},
    ],
    ids=lambda one: str(one["kind"]),
)
def test_a_number_in_the_place_of_a_subject_is_refused_and_stored_nowhere(
    every_door: Mapping[str, Door], pool: Pool, body: dict[str, object]
) -> None:
    door, number = every_door[SOURCE_PERSON], 4400 + len(str(body["kind"]))
    raised = {"body": {"kind": "protection", "sekretessmarkering": True}}
    message = door.saying(number, claims=[raised, {"body": body}])
    assert codes(door, pool, str(body["kind"]), message) == ["input.invalid"]
    with pool.connection() as connection:
        kinds = connection.execute("select kind from mmd.claim where subject = %s", [door.key_of(number)]).fetchall()
        kept = [
            connection.execute(f"select * from mmd.{table}".encode()).fetchall()
            for table in ("subject", "identity", "edge", "referrer")
        ]
    assert kinds == [("protection",)]
    assert NUMBER not in str(kept)
