"""What is sealed at rest: claims under the inner key of their subject, documents of persons under one of their subjects'.

Organisation units and redirects are in clear (empty key id). Each seal is bound to its row: a body moved under another
id does not open.
"""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

import msgspec

from streams.contracts.claims import Claim
from streams.contracts.documents import PersonDocument, Redirect, UnitDocument
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier
from streams.sealing import Key, KeyRing, KeyState, seal, unseal

Document = PersonDocument | UnitDocument | Redirect


class StoredClaim(msgspec.Struct, frozen=True, omit_defaults=True):
    """A claim's body with the identifier that its record carried."""

    claim: Claim
    identifier: Identifier | None = None


_encoder = msgspec.json.Encoder()
_claims = msgspec.json.Decoder(StoredClaim)
_persons = msgspec.json.Decoder(PersonDocument)
_units = msgspec.json.Decoder(UnitDocument)
_redirects = msgspec.json.Decoder(Redirect)
_documents: Mapping[str, Callable[[bytes], Document]] = {
    "person": _persons.decode,
    "unit": _units.decode,
    "redirect": _redirects.decode,
}


def encoded(document: Document) -> bytes:
    """The document as stored and shown, stamps included."""
    return _encoder.encode(document)


def seal_claim(key: Key | None, row: UUID, stored: StoredClaim) -> bytes:
    plain = _encoder.encode(stored)
    return plain if key is None else seal(key, plain, b"claim\n" + row.bytes)


def open_claim(key: Key | None, row: UUID, body: bytes) -> StoredClaim:
    """Raises `Rejected("envelope.forged")` for a body that was not sealed for this row."""
    return _claims.decode(body if key is None else unseal(key, body, b"claim\n" + row.bytes))


def seal_document(key: Key | None, row: str, plain: bytes) -> bytes:
    return plain if key is None else seal(key, plain, b"document\n" + row.encode())


def open_document(key: Key | None, row: str, kind: str, body: bytes) -> Document:
    """Raises `Rejected("envelope.forged")` for a body that was not sealed for this row."""
    plain = body if key is None else unseal(key, body, b"document\n" + row.encode())
    return _documents[kind](plain)


def find_keys(keys: KeyRing, key_ids: Iterable[str]) -> dict[str, Key | None]:
    """The keys of rows: None for the empty id (in clear). Keys that were destroyed by an erasure are left out.

    Raises `Rejected("key.unknown")` where the key ring has never heard of a key: the store and the keys do not belong
    together, and going on would derive persons from half their claims.
    """
    wanted = set(key_ids)
    found: dict[str, Key | None] = {"": None} if "" in wanted else {}
    wanted.discard("")
    for name, key in (keys.find(wanted) if wanted else {}).items():
        if key is KeyState.UNKNOWN:
            raise Rejected("key.unknown", "a stored row's key")
        if isinstance(key, Key):
            found[name] = key
    return found
