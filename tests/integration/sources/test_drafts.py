"""A reorganisation from its file to the master: verified first, then all of it in one transaction."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sources import registry
from connectors.sources.edge import Edge
from connectors.sources.organisation import drafts
from connectors.sources.organisation.drafts import DraftState
from deploy import reorganisation
from mmd.domain.register import SourceRegister
from mmd.ingest.first import FirstCodec
from mmd.ingest.handler import IngestHandler
from mmd.store.reader import Reader
from streams.bus import MemoryBus, Producer
from streams.catalogue import SOURCE_EMPLOYMENT, SOURCE_ORGANISATION, SOURCE_PERSON
from streams.codec import Incoming, Outgoing
from streams.contracts.claims import (
    Birth,
    Claim,
    Employment,
    Marking,
    Protection,
    Segment,
    SourceRecord,
    UnitNode,
    UnitPart,
    UnitPeriod,
    unit_key,
)
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected, Unavailable
from streams.envelope import Message
from tests.integration.mmd.conftest import (
    DIGEST_SECRET,
    PERSON_SECRET,
    REGISTER,
    SUBJECT_SECRET,
    Master,
    someone,
)

DAY = "2026-04-01"
ON, EVE = dt.date(2026, 4, 1), "2026-03-31"
TOP, OLD, NEW = (unit_key("kommun", one) for one in ("1", "2", "3"))
Row = dict[str, Any]


def row(unit: str, **more: Any) -> Row:
    return {
        "orgId": unit,
        "orgName": f"Enhet {unit}",
        "parentId": "" if unit == "1" else "1",
        "nodeFrom": "2020-01-01",
    } | more


SPLIT: list[Row] = [row("2", nodeTo=EVE), row("3", nodeFrom=DAY)]


class Town:
    """An edge whose records go straight into a master."""

    def __init__(self, master: Master, folder: Path) -> None:
        data = json.loads(json.dumps(REGISTER).replace('"org"', '"organisation"'))
        self.master, self.folder, self.bus = master, folder, MemoryBus()
        self.register = SourceRegister.from_data(data)
        self.reader = Reader(master.pool, master.keys, PERSON_SECRET, DIGEST_SECRET)
        self.edge = self.edge_over(self.bus)
        self.handler = IngestHandler(
            master.pool, master.codec, master.keys, self.register, PERSON_SECRET, DIGEST_SECRET, master.clock
        )

    def edge_over(self, producer: Producer) -> Edge:
        master = self.master
        return Edge(master.pool, master.codec, producer, SUBJECT_SECRET, master.clock, keys=master.keys)

    def export(self, *rows: Row) -> None:
        registry.load_records("organisation", rows, self.edge, total=True)
        self.take_in()

    def take_in(self) -> list[Message]:
        sent = list(self.bus.log(SOURCE_ORGANISATION))
        self.handler(sent)
        return sent

    def load(self, rows: list[Row], draft: str = "omorg-1", **head: Any) -> drafts.Draft:
        first = {
            "format": drafts.FORMAT,
            "extractedAt": self.master.clock.now().isoformat(),
            "total": False,
            "draftId": draft,
            "takesEffect": DAY,
            "decision": "KS 2026/0200",
        } | head
        lines = [first, *rows, {"end": True, "count": len(rows)}]
        path = self.folder / "draft.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
        return reorganisation.load(self.edge, path)

    def found(self, draft: str = "omorg-1") -> set[str]:
        listed = reorganisation.findings(self.edge, self.reader, self.register, drafts.find(self.master.pool, draft))
        return {one.code for one in listed}

    def commit(self, draft: str = "omorg-1", edge: Edge | None = None) -> drafts.Draft:
        return reorganisation.commit(edge or self.edge, self.reader, self.register, draft, "karin")

    def there(self, on: dt.date = ON) -> set[str]:
        return {one.id for one in self.reader.units() if one.exists(on)}


@pytest.fixture
def town(master: Master, tmp_path: Path) -> Town:
    found = Town(master, tmp_path)
    found.export(row("1"), row("2"))
    return found


@pytest.fixture
def master(new_database: Callable[[], str]) -> Iterator[Master]:
    one = Master(new_database())
    yield one
    one.close()


def test_a_draft_changes_nothing_before_it_is_committed_and_then_everything(town: Town) -> None:
    town.load(SPLIT)
    assert town.found() == set()
    town.take_in()
    assert town.there() == {TOP, OLD}
    before = len(town.bus.log(SOURCE_ORGANISATION))
    done = town.commit()
    assert (done.state, done.decided_by) == (DraftState.COMMITTED, "karin")
    assert len(town.take_in()) == before + 1
    assert town.there() == {TOP, NEW}
    assert town.there(ON - dt.timedelta(1)) == {TOP, OLD}
    assert town.commit().state == DraftState.COMMITTED
    assert len(town.take_in()) == before + 1


def test_a_reader_sees_all_of_a_reorganisation_or_nothing_of_it(town: Town) -> None:
    """However often it looks while the record is taken in."""
    many = [row("2", nodeTo=EVE), *(row(str(number), nodeFrom=DAY) for number in range(3, 60))]
    town.load(many)
    town.commit()
    seen: set[int] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(len(town.there()))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        town.take_in()
    finally:
        done.set()
        looking.join()
    assert seen <= {2, 58}
    assert len(town.there()) == 58


def test_a_unit_of_it_that_cannot_be_used_takes_the_others_with_it(town: Town) -> None:
    """Also where it is refused by the master only."""
    whole = town.load(SPLIT)
    good, bad = whole.parts[1], whole.parts[0]
    backwards = Claim(UnitNode((UnitPeriod(ON, ON - dt.timedelta(9)),)))
    record = SourceRecord(
        "organisation",
        good.subject,
        "9",
        good.subject,
        good.claims,
        total=True,
        together=(UnitPart(bad.subject, (backwards,)),),
    )
    message = town.master.codec.encode([Outgoing(SOURCE_ORGANISATION, record, "e", town.master.clock.now(), "open")])
    with pytest.raises(Rejected, match="end-before-start"):
        town.handler(message)
    assert town.there() == {TOP, OLD}


def test_a_unit_of_it_that_cannot_even_be_read_takes_the_others_with_it(town: Town) -> None:
    """As a newer connector might send it."""
    whole = town.load(SPLIT)
    good, other = whole.parts[1], whole.parts[0]
    record = SourceRecord("organisation", good.subject, "9", good.subject, good.claims, total=True, together=(other,))
    (made,) = town.master.codec.encode([Outgoing(SOURCE_ORGANISATION, record, "e", town.master.clock.now(), "open")])
    assert made.value is not None
    first, mark, parts = made.value.partition(b'"together"')
    unknown = first + mark + parts.replace(b'"unit-node"', b'"unit-of-tomorrow"')
    assert unknown != made.value
    with pytest.raises(Rejected, match=r"input\.invalid"):
        town.handler([Message(made.topic, made.key, unknown, made.headers)])
    assert town.there() == {TOP, OLD}


def test_when_the_log_is_read_again_markings_first_all_of_it_waits_for_the_second_reading(town: Town) -> None:
    town.load(SPLIT)
    town.commit()
    opened = FirstCodec(town.master.keys).decode(town.bus.log(SOURCE_ORGANISATION)[-1:])
    assert [(one.record.claims, one.record.together) for one in opened if isinstance(one, Incoming)] == [((), ())]


def test_one_that_does_not_hold_together_is_not_committed(town: Town) -> None:
    town.load([row("1", nodeTo=EVE)])
    assert town.found() == {"parent-closed"}
    with pytest.raises(Rejected) as refused:
        town.commit()
    assert (refused.value.code, refused.value.detail) == ("draft.refused", "parent-closed")
    assert drafts.find(town.master.pool, "omorg-1").state == DraftState.DRAFT


def test_employments_on_a_closed_unit_are_listed_and_hold_nothing_back(town: Town) -> None:
    anna = someone(1)
    stays = Employment("kommun", "E1", (Segment(dt.date(2020, 1, 1), None, OLD),))
    moves = Employment(
        "kommun", "E2", (Segment(dt.date(2020, 1, 1), dt.date(2026, 3, 31), OLD), Segment(ON, None, NEW))
    )
    told = [
        town.master.record(anna, "1", Protection(), one, source="hr", key=one.employment_id) for one in (stays, moves)
    ]
    assert {one.topic for one in told} == {SOURCE_EMPLOYMENT}
    town.handler(told)
    town.load(SPLIT)
    (left,) = reorganisation.findings(town.edge, town.reader, town.register, drafts.find(town.master.pool, "omorg-1"))
    assert (left.code, left.unit, left.about) == ("employments-left", OLD, ("employment:kommun:E1",))
    assert town.commit().state == DraftState.COMMITTED


def test_a_crash_while_publishing_is_taken_up_with_the_same_event(town: Town) -> None:
    class Gone:
        def send(self, message: Message) -> None:
            raise Unavailable("service.unavailable", "Kafka")

        def flush(self) -> None:
            raise AssertionError

    town.load(SPLIT)
    with pytest.raises(Unavailable):
        town.commit(edge=town.edge_over(Gone()))
    cut = drafts.find(town.master.pool, "omorg-1")
    assert cut.state == DraftState.PUBLISHING
    town.master.clock.instant += dt.timedelta(hours=1)
    assert town.commit().version == cut.version
    town.take_in()
    assert town.there() == {TOP, NEW}


def test_an_export_that_has_not_heard_of_it_does_not_take_it_back(town: Town) -> None:
    town.load(SPLIT)
    town.commit()
    town.take_in()
    town.master.clock.instant += dt.timedelta(days=1)
    town.export(row("1"), row("2"))
    assert town.there() == {TOP, NEW}
    town.export(row("1"), row("2", orgName="Annat namn"))
    assert town.there() == {TOP, OLD, NEW}  # what the source really changes is the source's to say


def test_a_draft_that_was_replaced_since_it_was_verified_is_not_published(town: Town) -> None:
    verified = town.load(SPLIT)
    town.load([row("1", nodeTo=EVE)])
    with pytest.raises(Rejected, match=r"draft\.state"):
        drafts.commit(town.edge, verified, "karin")
    assert drafts.find(town.master.pool, "omorg-1").state == DraftState.DRAFT
    town.take_in()
    assert town.there() == {TOP, OLD}


def test_what_is_decided_stays_decided(town: Town) -> None:
    town.load(SPLIT)
    drafts.void(town.edge, "omorg-1", "karin")
    for again in (lambda: town.load(SPLIT), town.commit, lambda: drafts.void(town.edge, "omorg-1", "karin")):
        with pytest.raises(Rejected) as refused:
            again()
        assert refused.value.code == "draft.state"
    town.load(SPLIT, "omorg-2", title="Ny")
    town.load(SPLIT[:1], "omorg-2", title="Nyare")
    newer = drafts.find(town.master.pool, "omorg-2")
    assert (newer.title, len(newer.parts)) == ("Nyare", 1)
    with pytest.raises(Rejected) as refused:
        drafts.commit(town.edge, newer, " ")
    assert refused.value.code == "input.missing"
    with pytest.raises(Rejected) as refused:
        town.commit("omorg-3")
    assert refused.value.code == "resource.unknown"


@pytest.mark.parametrize(
    ("head", "rows", "code"),
    [
        ({"draftId": ""}, SPLIT, "input.invalid"),
        ({"takesEffect": "soon"}, SPLIT, "input.invalid"),
        ({"decision": " "}, SPLIT, "input.missing"),
        ({"format": "org-export.v1"}, SPLIT, "input.unknown-schema"),
        ({}, [], "input.empty"),
        ({}, [row("2"), row("3", orgName="")], "input.missing"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_no_draft(town: Town, head: Row, rows: list[Row], code: str) -> None:
    with pytest.raises(Rejected) as refused:
        town.load(rows, **head)
    assert refused.value.code == code
    assert drafts.listed(town.master.pool) == []


def test_a_header_that_is_no_json_is_refused(town: Town) -> None:
    with pytest.raises(Rejected) as refused:
        drafts.read_draft(io.BytesIO(b"{"), town.edge.context())
    assert refused.value.code == "input.not-decodable"


def test_only_units_come_together(town: Town) -> None:
    """A person's record that brings others is refused, and so is a unit's that brings something else."""
    anna = someone(1)
    part = UnitPart(OLD, (Claim(UnitNode((UnitPeriod(ON),))),))
    of_anna = SourceRecord(
        "navet", anna.subject, "9", anna.subject, (Claim(Protection()),), anna.identifier, together=(part,)
    )
    of_unit = SourceRecord(
        "organisation", OLD, "9", OLD, part.claims, together=(UnitPart("place:kommun:1", part.claims),)
    )
    for record in (of_anna, of_unit):
        sent = Outgoing(SOURCE_ORGANISATION, record, "e", town.master.clock.now())
        with pytest.raises(Rejected):
            town.handler(town.master.codec.encode([sent]))
    assert town.there() == {TOP, OLD}
    assert town.master.rows("select 1 from mmd.document where kind <> 'unit'") == []


def test_a_persons_record_that_brings_others_is_refused_but_for_its_raise(town: Town) -> None:
    anna = someone(1)
    part = UnitPart(OLD, (Claim(UnitNode((UnitPeriod(ON),))),))
    claims = (Claim(Protection(sekretessmarkering=True)), Claim(Birth("1980")))
    record = SourceRecord("navet", anna.subject, "9", anna.subject, claims, anna.identifier, together=(part,))
    with pytest.raises(Rejected, match="together"):
        town.handler(town.master.codec.encode([Outgoing(SOURCE_PERSON, record, "e", town.master.clock.now())]))
    found = town.reader.person(anna.id)
    assert isinstance(found, PersonDocument)
    assert (found.marking, found.birth) == (Marking.SEKRETESSMARKERING, None)
    assert town.there() == {TOP, OLD}
