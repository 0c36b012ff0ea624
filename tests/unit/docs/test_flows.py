"""The flow inventory says what is on the wire: what travels, under which key, and what goes in clear."""

import datetime as dt
import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from connectors.sources.lanes import Lanes
from connectors.sources.posts import Context, Post
from connectors.sources.registry import SOURCES
from deploy.docs.flows import flows
from deploy.municipality import Changes, generate
from deploy.settings import CONFIG
from deploy.wiring.data import read_policy, read_releases
from streams.catalogue import PUBLISHED_SCHEMA, SOURCE_ACCOUNT, TOPICS, Topic
from streams.codec import Outgoing, PublishedCodec, RecordCodec
from streams.contracts.claims import ABOUT, Absent, AccountFacts, Claim, Name, SourceRecord
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    PersonDocument,
    PlaceDocument,
    Published,
    Redirect,
    UnitDocument,
    Version,
    Withheld,
)
from streams.contracts.testnumbers import test_number as number_of
from streams.contracts.time import local_date
from streams.envelope import Message
from streams.hashing import subject_of
from streams.keys import MemoryKeyRing
from streams.sealing import KeyClass

NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
SECRET = b"s" * 32
PARTS = {
    "person": Published(Version(1, 1), person=PersonDocument("p")),
    "unit": Published(Version(1, 1), unit=UnitDocument("unit:k:1")),
    "place": Published(Version(1, 1), place=PlaceDocument("place:k:1")),
    "group": Published(Version(1, 1), group=GroupDocument("group:k:1")),
    "legal_organisation": Published(Version(1, 1), legal_organisation=LegalOrganisationDocument("legal:1")),
    "redirect": Published(Version(1, 1), redirect=Redirect("p", "q")),
    "withheld": Published(Version(1, 1), withheld=Withheld("p")),
}


def key_class_of(message: Message) -> str:
    return message.headers.get("ce_kallankeyid", "").partition("/")[0]


@pytest.mark.parametrize("topic", [one for one in TOPICS if one.name.startswith("source.")], ids=lambda one: one.name)
def test_what_a_source_says_is_sealed_as_the_catalogue_says(topic: Topic) -> None:
    body = AccountFacts("a") if topic.name == SOURCE_ACCOUNT else Name("x")
    sealed = SourceRecord("s", "k", "1", "subject", (Claim(body),))
    codec = RecordCodec(MemoryKeyRing(), KeyClass(topic.sealed_with))
    (message,) = codec.encode([Outgoing(topic.name, sealed, "e", NOW)])
    assert key_class_of(message) == topic.sealed_with
    for kind in topic.in_clear:
        assert ABOUT[kind] == "unit"
        record = SourceRecord("s", "k", "1", "unit:k:1", (Claim(Absent(kind)),))
        (message,) = codec.encode([Outgoing(topic.name, record, "e", NOW)])
        assert key_class_of(message) == ""


@pytest.mark.parametrize("topic", [one for one in TOPICS if one.schema == PUBLISHED_SCHEMA], ids=lambda one: one.name)
def test_what_the_master_says_is_sealed_as_the_catalogue_says(topic: Topic) -> None:
    codec = PublishedCodec(MemoryKeyRing())
    for part in topic.contents:
        (message,) = codec.encode([Outgoing(topic.name, PARTS[part], "e", NOW)])
        assert key_class_of(message) == ("" if part in topic.in_clear else topic.sealed_with), part


def registers() -> list[Outgoing[SourceRecord]]:
    """One role of each kind that has ended, and raises a marking: what its register sends."""
    context = Context(NOW, local_date(NOW), lambda one: subject_of(SECRET, one), lambda text: text)
    number, other = (number_of(dt.date(year, 5, 5), "female") for year in (1990, 1991))
    common = {"startDate": "2025-01-01", "endDate": "2025-06-30", "orgId": "1"}
    rows: dict[str, list[dict[str, Any]]] = {
        "school": [
            {"enrolmentId": "1", "schoolType": "GR", "enroledAt": "1"},
            {"placementId": "1", "schoolType": "FS", "placedAt": "1"},
        ],
        "consultants": [
            {"consultancyId": "1", "organisationNumber": "5599999991", "sponsor": {"personNumber": other}},
        ],
        "politicians": [{"mandateId": "1", "office": "ledamot"}],
        "robots": [{"dutyId": "1", "robotId": "r", "owner": {"personNumber": other}}],
    }
    person = {"civicNo": number, "personNumber": number, "securityMarking": "?", "isClassified": True}
    found = []
    for source, own in rows.items():
        reader = SOURCES[source]
        lanes = Lanes(reader.topic, reader.dataclass, SECRET, NOW, local_date(NOW))
        content = reader.write([person | common | one for one in own], context, 1, False)
        for post in [item for item in reader.read(io.BytesIO(content), context) if isinstance(item, Post)]:
            found += [lanes.bulk(post.record), *lanes.raises(post.record), *lanes.ends(post.record)]
    return found


def test_a_source_topic_carries_the_kinds_that_the_catalogue_says_and_no_others(tmp_path: Path) -> None:
    """Over the synthetic municipality and everything that happens in it: nothing else comes, and nothing never comes."""
    cast = generate(tmp_path / "kommun", seed=3, persons=200, units=24)
    changes = Changes(cast)
    happens = (changes.leaver, changes.sekretessmarkering, changes.agreed_name, changes.skyddad_folkbokforing)
    files = [*cast.files, *(file for change in (*happens, changes.hr_conflict) for file in change(NOW))]
    context = Context(NOW, local_date(NOW), lambda one: subject_of(SECRET, one), lambda text: text)
    seen: dict[str, set[str]] = defaultdict(set)
    for file in files:
        reader = SOURCES[file.source]
        lanes = Lanes(reader.topic, reader.dataclass, SECRET, NOW, local_date(NOW))
        with file.path.open("rb") as stream:
            items = list(reader.read(stream, context))
        for record in (item.record for item in items if isinstance(item, Post)):
            for sent in (lanes.bulk(record), *lanes.raises(record), *lanes.ends(record)):
                seen[sent.topic] |= {claim.kind for claim in sent.record.claims}
    for sent in registers():
        seen[sent.topic] |= {claim.kind for claim in sent.record.claims}
    told = {one.name: set(one.contents) for one in TOPICS}
    unseen = {topic: told[topic] - kinds for topic, kinds in seen.items()}
    assert all(kinds <= told[topic] for topic, kinds in seen.items())
    assert {topic: kinds for topic, kinds in unseen.items() if kinds} == {
        "source.person.v1": {"number-reference", "identity-assurance"},  # nobody changes number, nor comes from SPAR
        "source.organisation.v1": {"legal-organisation"},  # its companies are in no file
        "source.employment.v1": {"protection"},  # HR raises nobody's protection
        "source.urgent.v1": {"registration"},  # and nobody dies
    }


def test_every_topic_release_and_target_is_on_the_page() -> None:
    releases, policy = read_releases(CONFIG / "releases.yml"), read_policy(CONFIG / "policy.yml")
    page = flows(releases, policy)
    for name in [one.name for one in TOPICS] + list(releases.by_id) + list(policy.targets):
        assert f"| `{name}` |" in page
    for name, release in releases.by_id.items():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert release.legal_basis in row
        used_by = row.split(" | ")[1]
        assert all(client in used_by for client, has in releases.clients.items() if name in has)
        assert ("`mmd.person.v1`" in used_by) is (release is releases.topic)
