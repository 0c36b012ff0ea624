"""Bad records: what can stand in a topic that no program of ours would write, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from streams.contracts.testnumbers import all_test_numbers
from streams.envelope import Message
from streams.sealing import KeyClass
from tests.integration.hostile.doors import Door
from tests.unit.hostile.case import CANARY

Make = Callable[[Door, int], Message]
NUMBER = next(all_test_numbers())


@dataclass(frozen=True, slots=True)
class BadRecord:
    """`make(door, number)` gives it about the n-th thing. `code` is that of the dead letter; empty: it is taken in.
    Where it depends on the topic, or on random bytes, all that may come stand there."""

    name: str
    make: Make
    code: str

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def headers(message: Message, without: str = "", **changed: str) -> Message:
    found = {name: text for name, text in message.headers.items() if name != without} | changed
    return replace(message, headers=found)


def with_header(name: str, text: str) -> Make:
    return lambda door, number: headers(door.good(number), **{name: text})


def lacking(name: str) -> Make:
    return lambda door, number: headers(door.good(number), without=name)


def valued(change: Callable[[bytes], bytes | None]) -> Make:
    return lambda door, number: replace(message := door.good(number), value=change(message.value or b""))


def plain(content: bytes) -> Make:
    return lambda door, number: door.raw(number, content)


def _of_another(door: Door, number: int) -> Message:
    """The value of another one's record under this one's envelope."""
    return replace(door.good(number), value=door.good(number + 1).value)


def _under_key_of_another(door: Door, number: int) -> Message:
    other = door.key(number + 1)
    content = door.content(number)
    envelope = door.envelope(number, content, key_id=other.id if other else "")
    return door.sealed(number, msgspec.json.encode(content), envelope, other)


def _under_class(key_class: KeyClass) -> Make:
    def make(door: Door, number: int) -> Message:
        key = door.key(number, key_class)
        content = door.content(number)
        envelope = door.envelope(number, content, key_id=key.id if key else "")
        return door.sealed(number, msgspec.json.encode(content), envelope, key)

    return make


def _in_clear(door: Door, number: int) -> Message:
    content = door.content(number)
    envelope = door.envelope(number, content, key_id="")
    return door.placed(Message(door.topic, door.key_of(number), msgspec.json.encode(content), envelope.headers()))


def _saying_another(**given: Any) -> Make:
    """An envelope that says otherwise than its content, sealed as it stands."""

    def make(door: Door, number: int) -> Message:
        content = door.content(number)
        return door.sealed(number, msgspec.json.encode(content), door.envelope(number, content, **given))

    return make


ENVELOPES = (
    BadRecord("no headers", lambda door, number: replace(door.good(number), headers={}), "envelope.invalid"),
    *(
        BadRecord(f"without {name}", lacking(name), "envelope.invalid")
        for name in ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_dataschema")
    ),
    BadRecord("another CloudEvents version", with_header("ce_specversion", "2.0"), "envelope.invalid"),
    *(
        BadRecord(f"a time that is {what}", with_header("ce_time", text), "envelope.invalid")
        for what, text in {
            "none": CANARY,
            "without a zone": "2026-03-02T08:00:00",
            "after the last year": "9999-12-31T23:59:59-12:00",
            "before the first year": "0001-01-01T00:00:00+12:00",
        }.items()
    ),
    BadRecord("a later schema version", with_header("ce_dataschema", "urn:kallan:schema:x.v9"), "input.unknown-schema"),
    BadRecord("a schema of another kind", with_header("ce_dataschema", CANARY), "input.unknown-schema"),
    BadRecord("a NUL byte in a header", with_header("ce_id", f"{CANARY}\0"), "input.nul-byte"),
    BadRecord("another subject in the envelope", with_header("ce_subject", CANARY), "envelope.forged"),
    BadRecord("another key than the subject", lambda d, n: replace(d.good(n), key=CANARY), "envelope.forged"),
    BadRecord("no key", lambda d, n: replace(d.good(n), key=""), "envelope.forged"),
    BadRecord("a NUL byte in the key", lambda d, n: replace(d.good(n), key=f"{CANARY}\0"), "input.nul-byte"),
    BadRecord("a key id of no form", with_header("ce_kallankeyid", CANARY), "key.unknown"),
    BadRecord(
        "a key id of a number", with_header("ce_kallankeyid", f"inner/{NUMBER}/1"), "key.unknown|envelope.forged"
    ),
    BadRecord("an envelope of another source", _saying_another(source="urn:kallan:source:x"), "envelope.forged"),
    BadRecord("an envelope of another type", _saying_another(type=CANARY), "envelope.forged"),
    BadRecord("an envelope of another version", _saying_another(version=CANARY), "envelope.forged"),
    BadRecord("a value of more than a megabyte", valued(lambda _: b"x" * 1_000_100), "input.too-large"),
)

SEALS = (
    BadRecord("the type changed after sealing", with_header("ce_type", CANARY), "envelope.forged"),
    BadRecord("the source changed after sealing", with_header("ce_source", CANARY), "envelope.forged"),
    BadRecord("the time changed after sealing", with_header("ce_time", "2026-03-02T08:00:01Z"), "envelope.forged"),
    BadRecord("the id changed after sealing", with_header("ce_id", CANARY), "envelope.forged"),
    BadRecord(
        "a generation that there is not",
        lambda d, n: headers(
            message := d.good(n), ce_kallankeyid=message.headers["ce_kallankeyid"].rpartition("/")[0] + "/99"
        ),
        "key.unknown",
    ),
    BadRecord("the key of another subject", _under_key_of_another, "envelope.forged"),
    BadRecord("a system key", _under_class(KeyClass.SYSTEM), "key.unknown"),
    BadRecord("without the key id", lacking("ce_kallankeyid"), "input.not-decodable|input.invalid|input.nul-byte"),
    BadRecord("a person in clear", _in_clear, "key.unknown"),
    BadRecord("one byte less", valued(lambda value: value[:-1]), "envelope.forged"),
    BadRecord("five bytes", valued(lambda value: value[:5]), "envelope.forged"),
    BadRecord("no bytes", valued(lambda _: b""), "envelope.forged"),
    BadRecord(
        "one bit flipped", valued(lambda value: value[:20] + bytes([value[20] ^ 1]) + value[21:]), "envelope.forged"
    ),
    BadRecord("the value of another subject", _of_another, "envelope.forged"),
    BadRecord("a megabyte of rubbish", valued(lambda _: b"x" * 1_000_028), "envelope.forged"),
)

CONTENTS = (
    BadRecord("no JSON", plain(CANARY.encode()), "input.not-decodable"),
    BadRecord("empty content", plain(b""), "input.not-decodable"),
    BadRecord("half a record", plain(b'{"source": "' + CANARY.encode()), "input.not-decodable"),
    BadRecord("bytes that are not UTF-8", plain(b'{"source": "\xff"}'), "input.not-decodable|input.invalid"),
    BadRecord("half a surrogate pair", plain(b'{"source": "\\ud800"}'), "input.not-decodable"),
    BadRecord("a NUL byte in a text", plain(b'{"source": "\\u0000"}'), "input.nul-byte"),
    BadRecord("a list", plain(b"[]"), "input.invalid"),
    BadRecord("null", plain(b"null"), "input.invalid"),
    BadRecord("an empty object", plain(b"{}"), "input.invalid|input.empty"),
    BadRecord("NaN", plain(b'{"version": NaN}'), "input.not-decodable"),
    BadRecord("brackets a hundred thousand deep", plain(b"[" * 100_000), "input.not-decodable|input.invalid"),
    BadRecord("objects a hundred thousand deep", plain(b'{"x":' * 100_000), "input.not-decodable"),
    BadRecord(
        "a number of 5,000 digits", plain(b'{"version": ' + b"9" * 5000 + b"}"), "input.not-decodable|input.invalid"
    ),
)

RECORDS = (
    BadRecord("a tombstone", valued(lambda _: None), "input.empty"),
    BadRecord("another subject inside", lambda d, n: d.saying(n, subject=d.key_of(n + 1)), "envelope.forged"),
    BadRecord("claims of the wrong type", lambda d, n: d.saying(n, claims=CANARY), "input.invalid"),
    BadRecord("no claims at all", lambda d, n: d.saying(n, claims=None), "input.invalid"),
    BadRecord(
        "a claim of an unknown kind", lambda d, n: d.saying(n, claims=[{"body": {"kind": CANARY}}]), "input.invalid"
    ),
    BadRecord("a claim that is a text", lambda d, n: d.saying(n, claims=[CANARY]), "input.invalid"),
    BadRecord("an identifier of the wrong type", lambda d, n: d.saying(n, identifier=CANARY), "input.invalid"),
    BadRecord("no source", lambda d, n: d.saying(n, source=""), "input.invalid"),
    BadRecord("a source of 5,000 characters", lambda d, n: d.saying(n, source="x" * 5000), "input.invalid"),
    BadRecord("the number of a person as the subject", lambda d, n: _named(d, n, NUMBER), "input.invalid|key.unknown"),
    BadRecord("no record key", lambda d, n: d.saying(n, source_key=""), "input.invalid"),
    BadRecord("no version, which keeps no marking out", lambda d, n: d.saying(n, version=""), "stamp.missing|"),
    BadRecord("a version of 5,000 characters", lambda d, n: d.saying(n, version="9" * 5000), "input.invalid"),
    BadRecord(
        "a claim for another topic", lambda d, n: d.saying(n, claims=[_foreign(d)]), "envelope.forged|input.invalid"
    ),
    BadRecord(
        "an absence of nothing known",
        lambda d, n: d.saying(n, claims=[_absent(CANARY)]),
        "input.invalid|envelope.forged",
    ),
)


def _named(door: Door, number: int, subject: str) -> Message:
    """A record about a subject of that name, sealed with a key of its own, and good otherwise."""
    key = None if door.key_class is None else door.keys.current(door.key_class, {subject})[subject]
    content = door.content(number) | {"subject": subject}
    envelope = door.envelope(number, content, subject=subject, key_id=key.id if key else "")
    return replace(door.sealed(number, msgspec.json.encode(content), envelope, key), key=subject)


def _foreign(door: Door) -> dict[str, Any]:
    """A good claim, but not of the kinds that may travel here."""
    if door.key_class is KeyClass.INNER:
        return {"body": {"kind": "account", "account": "a", "uid": CANARY}}
    return {"body": {"kind": "name", "given": CANARY}}


def _absent(of: str) -> dict[str, Any]:
    return {"body": {"kind": "absent", "of": of}}


DOCUMENTS = (
    BadRecord(
        "another id inside",
        lambda d, n: d.saying(n, person=_part(d, n + 1, "person"), unit=_part(d, n + 1, "unit")),
        "envelope.forged",
    ),
    BadRecord("two documents", lambda d, n: d.saying(n, redirect={"id": d.key_of(n), "to": "x"}), "input.invalid"),
    BadRecord("no version", lambda d, n: d.saying(n, version=None), "input.invalid"),
    BadRecord("a version of the wrong type", lambda d, n: d.saying(n, version=CANARY), "input.invalid"),
    BadRecord("a time of the wrong type", lambda d, n: d.saying(n, caused_at=CANARY), "input.invalid"),
    BadRecord("a document of the wrong type", lambda d, n: d.saying(n, person=7, unit=None), "input.invalid"),
)


def _part(door: Door, number: int, name: str) -> dict[str, Any] | None:
    found = door.content(number).get(name)
    return found if isinstance(found, dict) else None


def bad_records(door: Door) -> Iterator[BadRecord]:
    """Those that can stand in this topic."""
    yield from ENVELOPES
    yield from CONTENTS
    if door.key_class is not None:
        yield from SEALS
    yield from RECORDS if door.schema.startswith("source") else DOCUMENTS
