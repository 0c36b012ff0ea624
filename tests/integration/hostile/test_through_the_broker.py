"""The same bad records through a real broker and the real workers: one after the other in one partition, each followed by a
good one that must get through."""

from __future__ import annotations

from collections.abc import Iterator

import confluent_kafka as ck
import pytest

from streams.catalogue import MMD_PERSON, PUBLISHED_SCHEMA, SOURCE_ORGANISATION, SOURCE_PERSON, SOURCE_URGENT
from streams.envelope import Message
from streams.kafka_client import settings
from streams.sealing import KeyClass
from tests.integration.hostile import doors
from tests.integration.hostile.bad_records import NUMBER, bad_records
from tests.integration.hostile.conftest import taken_in
from tests.integration.hostile.doors import Door
from tests.stack.life import Life, alive, until
from tests.unit.hostile.case import CANARY

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
WITHIN = 150.0
TOPICS = (SOURCE_PERSON, SOURCE_URGENT, SOURCE_ORGANISATION, MMD_PERSON)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with alive(tmp_path_factory.mktemp("hostile")) as found:
        yield found


def door_of(topic: str, life: Life) -> Door:
    """What the records are made with; the workers hold the handlers."""

    def nobody(batch: object) -> None:
        raise AssertionError("the workers handle these")

    keys = life.world.base.keys
    if topic == MMD_PERSON:
        table = "iam.world_person:id"
        return Door(topic, nobody, keys, doors.person_document, doors.document, KeyClass.OUTER, table, PUBLISHED_SCHEMA)
    table = "mmd.claim:subject"
    if topic == SOURCE_ORGANISATION:

        def unit(number: int) -> doors.Content:  # by the name that the register of the stack has
            return doors.unit_record(number) | {"source": "organisation"}

        return Door(topic, nobody, keys, unit, doors.unit, None, table)
    content = doors.person_post if topic == SOURCE_PERSON else doors.raised
    return Door(topic, nobody, keys, content, doors.subject, KeyClass.INNER, table)


class OnePartition:
    """Writes to partition 0, whatever the key."""

    def __init__(self, life: Life) -> None:
        self._producer = ck.Producer(
            settings(life.found.master.broker, {"enable.idempotence": True, "message.max.bytes": 1_040_000})
        )
        self.offsets: list[int] = []

    def send(self, message: Message) -> None:
        headers: list[tuple[str, str | bytes | None]] = [
            (name, text.encode()) for name, text in message.headers.items()
        ]
        self._producer.produce(
            message.topic, message.value, message.key.encode(), 0, headers=headers, on_delivery=self._delivered
        )

    def _delivered(self, error: ck.KafkaError | None, record: ck.Message) -> None:
        assert error is None, error
        self.offsets.append(int(record.offset() or 0))

    def flush(self) -> list[int]:
        """The offsets, in the order in which it was sent."""
        assert self._producer.flush(60) == 0
        return self.offsets


def test_no_bad_record_stops_a_partition_or_reaches_a_log(life: Life) -> None:
    expected: dict[str, list[str]] = {}
    wanted: list[tuple[Door, int]] = []
    for place, topic in enumerate(TOPICS):
        door, out = door_of(topic, life), OnePartition(life)
        number = 1000 * place
        codes: list[str] = []
        for bad in bad_records(door):
            number += 4
            out.send(bad.make(door, number))
            out.send(door.good(number + 2))
            codes.append(bad.code)
            wanted.append((door, number + 2))
        bad_offsets = out.flush()[::2]
        expected |= {f"{topic}/0/{at}": code.split("|") for at, code in zip(bad_offsets, codes, strict=True)}
    pool = life.world.base.pool

    def missing() -> list[str]:
        return [f"{door.topic} {number}" for door, number in wanted if not taken_in(pool, door, number)]

    until(lambda: not missing(), WITHIN, "every good record", 1.0)
    letters = {one.pointer: one.code for one in life.world.base.dead_letters.list(most=10_000)}
    for pointer, may_be in expected.items():
        assert letters.pop(pointer, "") in may_be, pointer
    assert letters == {}
    for path in life.found.stack.logs.glob("*.log"):
        said = path.read_text(encoding="utf-8", errors="replace")
        assert CANARY not in said, path.name
        assert NUMBER not in said, path.name
