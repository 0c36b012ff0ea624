"""Every topic that is consumed as a door: good records for it, and records of any shape under a good envelope."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from streams.bus import Handler
from streams.catalogue import MMD_ORGANISATION, SOURCE_ORGANISATION, TOPICS
from streams.codec import schema_uri
from streams.contracts.claims import group_key, place_key, unit_key
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.contracts.testnumbers import all_test_numbers
from streams.envelope import Envelope, Message
from streams.hashing import id_subject, subject_of, uuid8
from streams.sealing import Key, KeyClass, KeyRing, seal
from tests.integration.mmd.conftest import SUBJECT_SECRET
from tests.unit.hostile.case import CANARY

Content = dict[str, Any]
CONSUMED = tuple(topic.name for topic in TOPICS if topic.readers)
"""Every topic that a worker of ours reads."""
IN_CLEAR = frozenset({SOURCE_ORGANISATION, MMD_ORGANISATION})
"""Topics whose good record here is a unit's, which goes in clear."""
TIME = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


_NUMBERS = tuple(itertools.islice(all_test_numbers(), 8000))


def identifier(number: int) -> Identifier:
    return Identifier(IdentifierType.PERSONNUMMER, _NUMBERS[number])


def subject(number: int) -> str:
    return subject_of(SUBJECT_SECRET, identifier(number))


def document(number: int) -> str:
    return uuid8(number.to_bytes(16, "big"))


def unit(number: int) -> str:
    return unit_key("kommun", f"u{number}")


def _record(source: str, claims: list[Content], number: int, key: str) -> Content:
    found: Content = {"source": source, "source_key": key, "version": "1", "subject": key, "claims": claims}
    if source not in {"org", "iam"}:
        found["identifier"] = msgspec.to_builtins(identifier(number))
    return found


def person_post(number: int) -> Content:
    claims = [{"body": {"kind": "protection"}}, {"body": {"kind": "name", "given": CANARY}}]
    return _record("navet", claims, number, subject(number))


def employment(number: int) -> Content:
    segment = {"valid_from": "2020-01-01", "unit": unit(1), "title": CANARY}
    body = {"kind": "employment", "employer": "kommun", "employment_id": f"E{number}", "segments": [segment]}
    return _record("hr", [{"body": body}], number, subject(number)) | {"source_key": f"kommun:E{number}"}


def role(kind: str) -> Callable[[int], Content]:
    """A record of a role beside employment, from the register that is designated for it."""
    source = {"enrolment": "school", "mandate": "politicians", "consultancy": "consultants", "robot": "robots"}[kind]

    def record(number: int) -> Content:
        segment = {"valid_from": "2020-01-01", "unit": unit(1), "title": CANARY}
        body = {"kind": kind, "employer": "kommun", "source_id": f"R{number}", "segments": [segment]}
        body |= {"enrolment": {"school_type": "GR"}, "consultancy": {"company": "5599999991"}}.get(kind, {})
        return _record(source, [{"body": body}], number, subject(number)) | {"source_key": f"{kind}:kommun:R{number}"}

    return record


def raised(number: int) -> Content:
    return _record("navet", [{"body": {"kind": "protection", "skyddad_folkbokforing": True}}], number, subject(number))


def unit_record(number: int) -> Content:
    body = {"kind": "unit-name", "names": [{"name": CANARY, "valid_from": "2020-01-01"}]}
    return _record("org", [{"body": body}], number, unit(number))


def place(number: int) -> str:
    return place_key("kommun", f"p{number}")


def group(number: int) -> str:
    return group_key("kommun", f"g{number}")


def place_record(number: int) -> Content:
    body = {"kind": "place", "names": [{"name": CANARY, "valid_from": "2020-01-01"}], "address": {"street": CANARY}}
    return _record("places", [{"body": body}], number, place(number))


def group_record(number: int) -> Content:
    member = {"subject": subject(1), "persona_type": "pupil", "valid_from": "2020-01-01"}
    base = {"kind": "group", "names": [{"name": CANARY, "valid_from": "2020-01-01"}], "unit": unit(1)}
    claims = [{"body": base}, {"body": {"kind": "group-members", "members": [member]}}]
    return _record("groups", claims, number, group(number))


def account(number: int) -> Content:
    body = {"kind": "account", "account": f"a{number}", "uid": CANARY}
    return _record("iam", [{"body": body}], number, id_subject(document(number)))


def ruling(number: int) -> Content:
    raised = {"source": "navet", "source_key": subject(number), "version": "1", "digest": "d"}
    body = {"kind": "protection-lift", "raises": [raised], "evidence": CANARY, "asked_by": "anna"}
    return _record("ruling", [{"body": body}], number, subject(number)) | {"source_key": f"lift-{number}"}


def person_document(number: int) -> Content:
    stamp = {"source": "navet", "source_key": "s", "version": "1", "logged_at": "2026-03-02T08:00:00Z"}
    name = {"given": CANARY, "middle": "", "family": "B", "call_name": "", "stamp": stamp}
    person = {"id": document(number), "marking": "none", "names": [name]}
    return {"version": {"epoch": 1, "number": 1}, "person": person, "cause": "c"}


def unit_document(number: int) -> Content:
    return {"version": {"epoch": 1, "number": 1}, "unit": {"id": unit(number), "unit_type": CANARY}, "cause": "c"}


@dataclass
class Door:
    """One topic with the handler that reads it. `key_of` names the record about the n-th thing; `table` is where a record
    that was taken in can be seen, by that key."""

    topic: str
    handle: Handler
    keys: KeyRing
    content: Callable[[int], Content]
    key_of: Callable[[int], str]
    key_class: KeyClass | None
    table: str
    schema: str = "source-record.v1"
    offset: int = field(default=0, init=False)

    def key(self, number: int, key_class: KeyClass | None = None) -> Key | None:
        owner, kind = self.key_of(number), key_class or self.key_class
        return None if kind is None else self.keys.current(kind, {owner})[owner]

    def envelope(self, number: int, content: Mapping[str, Any], **given: Any) -> Envelope:
        key = self.key(number)
        version = content.get("version", "")
        if isinstance(version, dict):
            version = f"{version.get('epoch')}.{version.get('number')}"
        source = f"urn:kallan:source:{content['source']}" if "source" in content else "urn:kallan:mmd"
        fields: dict[str, Any] = {
            "id": f"event-{self.topic}-{number}",
            "source": source,
            "type": f"kallan.{self.schema}",
            "subject": self.key_of(number),
            "time": TIME,
            "dataschema": schema_uri(self.schema),
            "key_id": key.id if key else "",
            "version": str(version),
        }
        return Envelope(**fields | given)

    def sealed(self, number: int, plain: bytes, envelope: Envelope, key: Key | None = None) -> Message:
        """These bytes as the content of a record, under a key (the right one) and this envelope."""
        key = key or self.key(number)
        value = seal(key, plain, envelope.associated_data()) if key else plain
        return self.placed(Message(self.topic, self.key_of(number), value, envelope.headers()))

    def saying(self, number: int, **changed: Any) -> Message:
        """A record of another content, otherwise good. A field that is given None is left out."""
        content = {name: value for name, value in (self.content(number) | changed).items() if value is not None}
        return self.sealed(number, msgspec.json.encode(content), self.envelope(number, content))

    def good(self, number: int) -> Message:
        return self.saying(number)

    def raw(self, number: int, plain: bytes) -> Message:
        return self.sealed(number, plain, self.envelope(number, self.content(number)))

    def placed(self, message: Message) -> Message:
        """At the next place of the one partition."""
        self.offset += 1
        return Message(message.topic, message.key, message.value, message.headers, 0, self.offset)
