"""Records to messages and back, and everything that does not hold together."""

import datetime as dt
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import catalogue
from streams.codec import (
    Decoded,
    Failed,
    Incoming,
    Outgoing,
    PublishedCodec,
    RecordCodec,
    Skipped,
    schema_uri,
    tombstone,
)
from streams.contracts.claims import (
    AccountFacts,
    Claim,
    Employment,
    Name,
    Protection,
    SourceRecord,
    UnitName,
    UnitNode,
)
from streams.contracts.documents import PersonDocument, Published, Redirect, UnitDocument, Version
from streams.contracts.errors import Rejected
from streams.envelope import Envelope, Message
from streams.keys import MemoryKeyRing
from streams.sealing import KeyClass, KeyState, seal

NOW = dt.datetime(2025, 3, 1, 12, 30, 15, 123456, dt.UTC)
CANARY = "Kanariefågel"


def envelope_of(subject: str, key_id: str = "", source: str = "navet", version: str = "1") -> Envelope:
    """As the codec would write it."""
    schema = catalogue.RECORD_SCHEMA
    of = f"urn:kallan:source:{source}"
    return Envelope("e", of, f"kallan.{schema}", subject, NOW, schema_uri(schema), key_id, version=version)


def person(subject: str = "s1", text: str = CANARY, version: str = "1") -> SourceRecord:
    return SourceRecord("navet", "post", version, subject, (Claim(Name(given=text)),))


def unit(claims: tuple[Claim, ...] = (Claim(UnitNode(unit_type="skola")),)) -> SourceRecord:
    return SourceRecord("org", "u1", "1", "unit:kommun:1", claims)


def outgoing(
    record: SourceRecord, topic: str = catalogue.SOURCE_PERSON, event_id: str = "e1"
) -> Outgoing[SourceRecord]:
    return Outgoing(topic, record, event_id, NOW)


def code_of(found: "Decoded[SourceRecord] | Decoded[Published]") -> str:
    assert isinstance(found, Failed)
    return found.error.code


def one(codec: RecordCodec, record: SourceRecord, topic: str = catalogue.SOURCE_PERSON) -> Message:
    (message,) = codec.encode([outgoing(record, topic)])
    return message


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50), st.booleans())
def test_what_is_encoded_comes_back_equal(text: str, total: bool) -> None:
    codec = RecordCodec(MemoryKeyRing())
    record = SourceRecord("navet", "post", "1", "s1", (Claim(Name(given=text)),), total=total)
    (found,) = codec.decode([one(codec, record)])
    assert isinstance(found, Incoming)
    assert found.record == record
    assert found.envelope.time == NOW


def test_a_persons_content_is_sealed_and_the_envelope_names_nobody() -> None:
    message = one(RecordCodec(MemoryKeyRing()), person())
    assert CANARY.encode() not in (message.value or b"")
    assert CANARY not in str(message.headers) + message.key
    assert message.headers["ce_kallankeyid"] == "inner/s1/1"
    assert message.headers["content-type"] == "application/vnd.kallan.sealed+json"


def test_a_units_record_goes_in_clear_and_comes_back() -> None:
    codec = RecordCodec(MemoryKeyRing())
    message = one(codec, unit(), catalogue.SOURCE_ORGANISATION)
    assert b"skola" in (message.value or b"")
    assert message.headers["content-type"] == "application/json"
    (found,) = codec.decode([message])
    assert isinstance(found, Incoming)
    assert found.record == unit()


def test_a_units_record_may_not_say_anything_about_a_person() -> None:
    codec = RecordCodec(MemoryKeyRing())
    with pytest.raises(Rejected, match=r"input\.invalid"):
        codec.encode([outgoing(unit((Claim(Name(given="x")),)))])
    forged = one(codec, unit())
    (found,) = codec.decode([replace(forged, value=msgspec.json.encode(unit((Claim(Name(given="x")),))))])
    assert code_of(found) == "input.invalid"


def test_a_persons_record_in_clear_is_refused() -> None:
    codec = RecordCodec(MemoryKeyRing())
    envelope = envelope_of("s1")
    clear = Message(catalogue.SOURCE_PERSON, "s1", msgspec.json.encode(person()), envelope.headers())
    (found,) = codec.decode([clear])
    assert code_of(found) == "key.unknown"


def test_an_erased_owner_is_left_out_and_the_rest_is_sent() -> None:
    keys = MemoryKeyRing()
    codec = RecordCodec(keys)
    keys.erase({"s1"})
    sent = codec.encode([outgoing(person("s1")), outgoing(person("s2"), event_id="e2")])
    assert [message.headers["ce_id"] for message in sent] == ["e2"]


def test_a_key_that_is_renewed_or_erased_is_a_skip_that_says_which() -> None:
    keys = MemoryKeyRing()
    codec = RecordCodec(keys)
    renewed, erased = one(codec, person("s1")), one(codec, person("s2"))
    keys.renew(KeyClass.INNER, "s1")
    keys.destroy_older(KeyClass.INNER, "s1")
    keys.erase({"s2"})
    assert codec.decode([renewed, erased]) == [
        Skipped(renewed, KeyState.RENEWED, "1"),
        Skipped(erased, KeyState.ERASED, "1"),
    ]


def test_a_bad_message_fails_alone_and_the_order_is_kept() -> None:
    codec = RecordCodec(MemoryKeyRing())
    good = one(codec, person("s1"))
    found = codec.decode([replace(good, value=b"x"), good, replace(good, headers={})])
    assert [type(part) for part in found] == [Failed, Incoming, Failed]
    assert [code_of(found[0]), code_of(found[2])] == ["envelope.forged", "envelope.invalid"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_id", "another"),
        ("ce_time", "1999-01-01T00:00:00+00:00"),
        ("ce_type", "another"),
        ("ce_source", "urn:kallan:source:hr"),
        ("ce_mmdclass", "open"),
        ("ce_mmdsourceversion", "9"),
    ],
)
def test_a_changed_envelope_does_not_open(header: str, value: str) -> None:
    codec = RecordCodec(MemoryKeyRing())
    message = one(codec, person())
    (found,) = codec.decode([replace(message, headers={**message.headers, header: value})])
    assert code_of(found) == "envelope.forged"


def test_a_value_that_was_moved_to_another_subject_does_not_open() -> None:
    codec = RecordCodec(MemoryKeyRing())
    first, second = one(codec, person("s1")), one(codec, person("s2"))
    (found,) = codec.decode([replace(second, value=first.value)])
    assert code_of(found) == "envelope.forged"
    (found,) = codec.decode([replace(first, key="s2")])
    assert code_of(found) == "envelope.forged"
    (found,) = codec.decode([replace(first, headers={**first.headers, "ce_kallankeyid": "inner/s2/1"})])
    assert code_of(found) == "envelope.forged"


def test_content_that_names_another_subject_than_its_envelope_is_refused() -> None:
    keys = MemoryKeyRing()
    key = keys.current(KeyClass.INNER, {"s1"})["s1"]
    envelope = envelope_of("s1", key_id=key.id)
    value = seal(key, msgspec.json.encode(person("s2")), envelope.associated_data())
    (found,) = RecordCodec(keys).decode([Message(catalogue.SOURCE_PERSON, "s1", value, envelope.headers())])
    assert code_of(found) == "envelope.forged"


@pytest.mark.parametrize("key_id", ["inner/s1/9", "inner/s1", "inner/s1/01", "nothing/s1/1", "outer/s1/1", "inner//1"])
def test_an_unknown_key_or_a_class_that_is_not_ours_is_refused(key_id: str) -> None:
    keys = MemoryKeyRing()
    keys.current(KeyClass.OUTER, {"s1"})
    codec = RecordCodec(keys)
    message = one(codec, person())
    (found,) = codec.decode([replace(message, headers={**message.headers, "ce_kallankeyid": key_id})])
    assert code_of(found) == "key.unknown"


def test_an_unknown_schema_is_refused() -> None:
    codec = RecordCodec(MemoryKeyRing())
    message = one(codec, person())
    changed = {**message.headers, "ce_dataschema": schema_uri("source-record.v2")}
    (found,) = codec.decode([replace(message, headers=changed)])
    assert code_of(found) == "input.unknown-schema"


def test_a_nul_byte_is_refused_both_ways_and_a_written_backslash_is_not_one() -> None:
    codec = RecordCodec(MemoryKeyRing())
    with pytest.raises(Rejected, match=r"input\.nul-byte"):
        one(codec, person(text="a\0b"))
    (found,) = codec.decode([one(codec, person(text="a\\u0000b"))])
    assert isinstance(found, Incoming)
    clear = one(codec, unit())
    nul = (clear.value or b"").replace(b"skola", b"sk\\u0000la")
    assert code_of(codec.decode([replace(clear, value=nul)])[0]) == "input.nul-byte"
    assert code_of(codec.decode([replace(clear, headers={**clear.headers, "ce_id": "\0"})])[0]) == "input.nul-byte"


def test_content_above_the_limit_is_refused_both_ways() -> None:
    codec = RecordCodec(MemoryKeyRing())
    with pytest.raises(Rejected, match=r"input\.too-large"):
        one(codec, person(text="x" * 1_000_001))
    (found,) = codec.decode([replace(one(codec, unit()), value=b" " * 1_100_000)])
    assert code_of(found) == "input.too-large"


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b'{"source":"x","y":' + b"[" * 100_000])
def test_content_that_is_no_json_is_not_decodable(value: bytes) -> None:
    codec = RecordCodec(MemoryKeyRing())
    (found,) = codec.decode([replace(one(codec, unit()), value=value)])
    assert code_of(found) == "input.not-decodable"


def test_a_wrong_value_is_named_by_its_place_and_never_shown() -> None:
    codec = RecordCodec(MemoryKeyRing())
    clear = one(codec, unit((Claim(UnitName()),)))
    (found,) = codec.decode([replace(clear, value=(clear.value or b"").replace(b"unit-name", CANARY.encode()))])
    assert isinstance(found, Failed)
    assert (found.error.code, found.error.detail) == ("input.invalid", "$.claims[0].body.kind")
    assert CANARY not in repr(found.error)
    assert found.error.__cause__ is None


GOOD = {"body": {"kind": "employment", "employer": "kommun", "employment_id": "7", "cancelled": True}}
RAISED = {"body": {"kind": "protection", "skyddad_folkbokforing": True}}
UNREADABLE: list[object] = [
    {"body": {"kind": "of-a-newer-program", "given": CANARY}},
    {"body": {"kind": "name", "given": 7}},
    {"body": {"kind": "name", "given": CANARY + "\0"}},
    {"body": {"kind": "birth", "date": "1980-1-1"}},
    {"body": {"kind": "birth", "date": "1980\n"}},
    {"body": [CANARY]},
    7,
]


def sealed(keys: MemoryKeyRing, **content: object) -> Message:
    """A record of any shape, sealed as a connector with the key of its subject would."""
    key = keys.current(KeyClass.INNER, {"s1"})["s1"]
    whole = {"source": "navet", "source_key": "post", "version": "1", "subject": "s1", **content}
    envelope = envelope_of("s1", key_id=key.id)
    value = seal(key, msgspec.json.encode(whole), envelope.associated_data())
    return Message(catalogue.SOURCE_PERSON, "s1", value, envelope.headers())


@pytest.mark.parametrize("bad", UNREADABLE)
def test_a_claim_that_cannot_be_read_does_not_take_a_marking_or_an_end_with_it(bad: object) -> None:
    keys = MemoryKeyRing()
    (found,) = RecordCodec(keys).decode([sealed(keys, claims=[bad, RAISED, GOOD])])
    assert isinstance(found, Incoming)
    assert [claim.body for claim in found.record.claims] == [
        Protection(skyddad_folkbokforing=True),
        Employment("kommun", "7", cancelled=True),
    ]
    assert found.refused is not None
    assert found.refused.code in {"input.invalid", "input.nul-byte"}
    assert CANARY not in str(found.refused)


@pytest.mark.parametrize("token", ["J", 1, None, {}])
def test_a_protection_claim_that_cannot_be_read_counts_as_an_unknown_token(token: object) -> None:
    keys = MemoryKeyRing()
    bad = {"body": {"kind": "protection", "sekretessmarkering": token}}
    (found,) = RecordCodec(keys).decode([sealed(keys, claims=[bad])])
    assert isinstance(found, Incoming)
    assert found.record.claims == (Claim(Protection(unknown_token=True)),)


@pytest.mark.parametrize(
    "identifier", [{"type": "of-a-newer-program", "value": "1"}, "1", {"type": "tf", "value": "\0"}]
)
def test_of_a_record_whose_identifier_cannot_be_read_only_the_marking_is_left(identifier: object) -> None:
    keys = MemoryKeyRing()
    (found,) = RecordCodec(keys).decode([sealed(keys, claims=[RAISED, GOOD], identifier=identifier)])
    assert isinstance(found, Incoming)
    assert found.record.claims == (Claim(Protection(skyddad_folkbokforing=True)),)
    assert found.record.identifier is None
    assert found.refused is not None


@pytest.mark.parametrize("content", [{"claims": [7]}, {"claims": 7}, {"claims": [RAISED], "source": None}])
def test_a_record_of_which_nothing_can_be_read_is_refused_whole(content: dict[str, object]) -> None:
    keys = MemoryKeyRing()
    assert code_of(RecordCodec(keys).decode([sealed(keys, **content)])[0]) == "input.invalid"


def test_what_is_left_of_a_record_is_checked_like_a_whole_one() -> None:
    keys = MemoryKeyRing()
    codec = RecordCodec(keys)
    other = sealed(keys, claims=[7, RAISED], subject="s2")
    key = keys.current(KeyClass.ACCOUNT, {"s1"})["s1"]
    envelope = envelope_of("s1", key_id=key.id, source="iam")
    plain = msgspec.json.encode(
        {"source": "iam", "source_key": "a", "version": "1", "subject": "s1", "claims": [7, RAISED]}
    )
    account_key = Message(
        catalogue.SOURCE_ACCOUNT, "s1", seal(key, plain, envelope.associated_data()), envelope.headers()
    )
    mmd = RecordCodec(keys, allowed=(KeyClass.INNER, KeyClass.ACCOUNT))
    assert [code_of(found) for found in (*codec.decode([other]), *mmd.decode([account_key]))] == ["envelope.forged"] * 2


def test_a_tombstone_is_no_source_record() -> None:
    codec = RecordCodec(MemoryKeyRing())
    assert code_of(codec.decode([Message(catalogue.SOURCE_PERSON, "s1", None)])[0]) == "input.empty"


def account(claims: tuple[Claim, ...] = (Claim(AccountFacts("a1", uid="x1")),)) -> SourceRecord:
    return SourceRecord("iam", "a1", "1", "id:p1", claims)


def test_an_account_record_is_opened_by_a_codec_that_is_allowed_the_class() -> None:
    keys = MemoryKeyRing()
    iam = RecordCodec(keys, KeyClass.ACCOUNT)
    message = one(iam, account(), catalogue.SOURCE_ACCOUNT)
    assert message.headers["ce_kallankeyid"] == "account/id:p1/1"
    (found,) = RecordCodec(keys, allowed=(KeyClass.INNER, KeyClass.ACCOUNT)).decode([message])
    assert isinstance(found, Incoming)
    assert found.record == account()
    assert code_of(RecordCodec(keys).decode([message])[0]) == "key.unknown"


def test_a_holder_of_account_keys_cannot_speak_as_another_source() -> None:
    keys = MemoryKeyRing()
    iam = RecordCodec(keys, KeyClass.ACCOUNT)
    mmd = RecordCodec(keys, allowed=(KeyClass.INNER, KeyClass.ACCOUNT))
    moved = one(iam, account(), catalogue.SOURCE_PERSON)
    named = one(iam, account((Claim(Name(given="x")),)), catalogue.SOURCE_ACCOUNT)
    inner = one(RecordCodec(keys), person(), catalogue.SOURCE_ACCOUNT)
    assert [code_of(found) for found in mmd.decode([moved, named, inner])] == ["envelope.forged"] * 3


def test_documents_are_sealed_with_the_outer_key_and_units_and_redirects_go_in_clear() -> None:
    codec = PublishedCodec(MemoryKeyRing())
    documents = [
        Published(Version(1, 7), person=PersonDocument("p1", (CANARY,))),
        Published(Version(1, 1), unit=UnitDocument("unit:kommun:1")),
        Published(Version(1, 2), redirect=Redirect("p0", "p1")),
    ]
    messages = codec.encode(
        [
            Outgoing(catalogue.MMD_ORGANISATION if document.unit else catalogue.MMD_PERSON, document, f"e{i}", NOW)
            for i, document in enumerate(documents)
        ]
    )
    assert [message.key for message in messages] == ["p1", "unit:kommun:1", "p0"]
    assert [message.headers.get("ce_kallankeyid") for message in messages] == ["outer/p1/1", None, None]
    assert messages[0].headers["ce_mmdsourceversion"] == "1.7"
    assert CANARY.encode() not in (messages[0].value or b"")
    assert [found.record for found in codec.decode(messages) if isinstance(found, Incoming)] == documents


def test_a_document_is_exactly_one_thing_and_a_person_never_in_clear() -> None:
    codec = PublishedCodec(MemoryKeyRing())
    (redirect,) = codec.encode(
        [Outgoing(catalogue.MMD_PERSON, Published(Version(1, 2), redirect=Redirect("p0", "p1")), "e", NOW)]
    )
    two = Published(Version(1, 2), unit=UnitDocument("p0"), redirect=Redirect("p0", "p1"))
    person_in_clear = Published(Version(1, 2), person=PersonDocument("p0"))
    nothing = Published(Version(1, 2))
    found = codec.decode(
        [replace(redirect, value=msgspec.json.encode(part)) for part in (two, person_in_clear, nothing)]
    )
    assert [code_of(part) for part in found] == ["input.invalid", "key.unknown", "input.empty"]


def test_a_tombstone_of_a_document_counts_as_erased() -> None:
    tombstone = Message(catalogue.MMD_PERSON, "p1", None)
    assert PublishedCodec(MemoryKeyRing()).decode([tombstone]) == [Skipped(tombstone, KeyState.ERASED)]


def test_a_tombstone_tells_the_version_that_it_ends() -> None:
    message = tombstone(catalogue.MMD_PERSON, "p1", Version(3, 17))
    assert message.value is None
    (found,) = PublishedCodec(MemoryKeyRing()).decode([message])
    assert isinstance(found, Skipped)
    assert Version.read(found.version) == Version(3, 17)


@pytest.mark.parametrize("text", ["", "3", "3.", ".17", "3.17.1", "-3.17", "3.1e5", "3.\u0661", "9" * 19 + ".1"])
def test_a_version_that_is_none_is_not_read(text: str) -> None:
    assert Version.read(text) is None
