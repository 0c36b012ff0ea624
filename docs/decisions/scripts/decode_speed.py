"""How fast a sealed record becomes a validated object: msgspec, and the standard library's json with pydantic.

    python docs/decisions/scripts/decode_speed.py

Prints microseconds per record, the best of several rounds. The pydantic models are made from the msgspec types, field by
field, so that both check the same things (types, enumerations, dates, the pattern of incomplete dates).
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import pydantic

from streams.codec import Outgoing, RecordCodec
from streams.contracts.claims import (
    Birth,
    Body,
    Claim,
    Name,
    PostalAddress,
    Protection,
    RegisteredAddress,
    Registration,
    SourceRecord,
)
from streams.contracts.identifiers import Identifier, IdentifierType
from streams.envelope import Envelope
from streams.keys import MemoryKeyRing
from streams.sealing import KeyClass, unseal

COUNT, ROUNDS = 2000, 7


def record(number: int) -> SourceRecord:
    day = dt.date(2020, 1, 1)
    address = PostalAddress(street="Storgatan 12 lgh 1101", postal_code="123 45", locality="Exempelstad")
    claims = (
        Claim(Protection()),
        Claim(Name("Anna Maria", "", "Exempelsson", "Anna"), day),
        Claim(Birth("1985-03-04")),
        Claim(Registration("", "2001-02-03")),
        Claim(RegisteredAddress(address, "0114", "EXEMPEL 1:23"), day),
    )
    identifier = Identifier(IdentifierType.TF, "19850304TF01", "navet")
    return SourceRecord("navet", f"post-{number}", "20250301120000-000001", f"s{number}", claims, identifier)


def as_pydantic() -> type[pydantic.BaseModel]:
    """The same types as pydantic models."""
    made: dict[type, Any] = {}

    def convert(kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return model(kind)
        arguments = getattr(kind, "__args__", ())
        if not arguments or hasattr(kind, "__metadata__"):
            if hasattr(kind, "__metadata__"):
                return Annotated[str, pydantic.StringConstraints(pattern=kind.__metadata__[0].pattern)]
            return kind
        converted = tuple(convert(one) for one in arguments)
        if getattr(kind, "__origin__", None) is tuple:
            return tuple[converted]  # type: ignore[valid-type]
        union: Any = converted[0]
        for one in converted[1:]:
            union = union | one
        if kind == Body:
            return Annotated[union, pydantic.Field(discriminator="kind")]
        return union

    def model(kind: type[msgspec.Struct]) -> Any:
        if kind not in made:
            fields: dict[str, Any] = {}
            for field in msgspec.structs.fields(kind):
                default = ... if field.required else field.default
                fields[field.name] = (convert(field.type), default)
            tag = kind.__struct_config__.tag
            if tag:
                fields["kind"] = (Literal[tag], tag)
            made[kind] = pydantic.create_model(kind.__name__, __config__={"frozen": True}, **fields)
        return made[kind]

    result: type[pydantic.BaseModel] = model(SourceRecord)
    return result


def best(action: Callable[[], object]) -> float:
    """Microseconds per record."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        rounds.append(time.perf_counter() - started)
    return min(rounds) / COUNT * 1e6


def main() -> None:
    keys = MemoryKeyRing()
    codec = RecordCodec(keys)
    now = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
    outgoing = [Outgoing("source.person.v1", record(number), f"event-{number}", now) for number in range(COUNT)]
    messages = codec.encode(outgoing)
    records = [one.record for one in outgoing]
    plain = [msgspec.json.encode(one) for one in records]
    envelopes = [Envelope.read(message.headers) for message in messages]
    secrets = [keys.current(KeyClass.INNER, {envelope.subject})[envelope.subject] for envelope in envelopes]
    decoder = msgspec.json.Decoder(SourceRecord)
    model = as_pydantic()
    together = list(zip(secrets, messages, envelopes, strict=True))
    data = [envelope.associated_data() for envelope in envelopes]
    steps: list[tuple[str, Callable[[], object]]] = [
        ("msgspec: decode and validate", lambda: [decoder.decode(one) for one in plain]),
        ("json.loads alone", lambda: [json.loads(one) for one in plain]),
        ("json.loads, then pydantic", lambda: [model.model_validate(json.loads(one)) for one in plain]),
        ("pydantic model_validate_json", lambda: [model.model_validate_json(one) for one in plain]),
        ("msgspec: encode", lambda: [msgspec.json.encode(one) for one in records]),
        ("read the envelope", lambda: [Envelope.read(message.headers) for message in messages]),
        ("associated data of the seal", lambda: [envelope.associated_data() for envelope in envelopes]),
        (
            "unseal (AES-256-GCM)",
            lambda: [
                unseal(key, message.value or b"", one) for (key, message, _), one in zip(together, data, strict=True)
            ],
        ),
        ("RecordCodec.decode, all of it", lambda: codec.decode(messages)),
        ("RecordCodec.encode, all of it", lambda: codec.encode(outgoing)),
    ]
    if model.model_validate_json(plain[0]).model_dump(mode="json") != _full(records[0]):
        raise SystemExit("the pydantic models are not the same types")
    print(f"{len(plain[0])} bytes of JSON a record, {COUNT} records, best of {ROUNDS} rounds")
    for name, action in steps:
        print(f"{best(action):8.1f} us  {name}")


def _full(value: SourceRecord) -> Any:
    """With every default written out, and the tag last as in the model."""
    return json.loads(json.dumps(_dump(value)))


def _dump(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        found = {field: _dump(getattr(value, field)) for field in value.__struct_fields__}
        tag = value.__struct_config__.tag
        return {**found, "kind": tag} if tag else found
    if isinstance(value, tuple):
        return [_dump(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


if __name__ == "__main__":
    main()
