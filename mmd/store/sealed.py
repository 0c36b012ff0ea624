"""What is sealed at rest: claims under the inner key of their subject, documents under one of their subjects'.

Organisation units and redirects are in clear (empty key id). Each seal is bound to its row: a body moved under another
id does not open.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from streams.contracts.claims import Claim
from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    PersonDocument,
    PlaceDocument,
    Redirect,
    Thing,
    UnitDocument,
)
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import Identifier
from streams.sealing import Key, KeyRing, KeyState, seal, unseal

Document = PersonDocument | Thing | Redirect
T = TypeVar("T")


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
    "place": msgspec.json.Decoder(PlaceDocument).decode,
    "group": msgspec.json.Decoder(GroupDocument).decode,
    "legal-organisation": msgspec.json.Decoder(LegalOrganisationDocument).decode,
    "redirect": _redirects.decode,
}


def encoded(document: Document) -> bytes:
    """The document as stored and shown, stamps included."""
    return _encoder.encode(document)


def seal_claim(key: Key | None, row: bytes, stored: StoredClaim) -> bytes:
    plain = _encoder.encode(stored)
    return plain if key is None else seal(key, plain, b"claim\n" + row)


def open_claim(key: Key | None, row: bytes, body: bytes) -> StoredClaim:
    """Raises `Rejected("envelope.forged")` for a body that was not sealed for this row, or is no claim."""
    return _decoded(_claims.decode, body if key is None else unseal(key, body, b"claim\n" + row))


def seal_document(key: Key | None, row: str, plain: bytes) -> bytes:
    return plain if key is None else seal(key, plain, b"document\n" + row.encode())


def open_document(key: Key | None, row: str, kind: str, body: bytes) -> Document:
    """Raises `Rejected("envelope.forged")` for a body that was not sealed for this row, or is no such document."""
    return _decoded(_documents[kind], body if key is None else unseal(key, body, b"document\n" + row.encode()))


def _decoded(decode: Callable[[bytes], T], plain: bytes) -> T:
    try:
        return decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected("envelope.forged", "a stored row's content") from None


DocumentRow = tuple[str, str, str, bytes]
"""A row of `mmd.document`: id, kind, key id, body."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Documents by id. Whose key an erasure destroyed is in neither; `unreadable` tells why of those that should open."""

    documents: Mapping[str, Document]
    unreadable: Mapping[str, Rejected]

    def whole(self) -> Mapping[str, Document]:
        """The documents. Raises the first refusal where one should open and does not."""
        for refused in self.unreadable.values():
            raise refused
        return self.documents


def open_documents(keys: KeyRing, rows: Iterable[DocumentRow]) -> Opened:
    listed = list(rows)
    found = key_states(keys, (row[2] for row in listed))
    documents: dict[str, Document] = {}
    unreadable: dict[str, Rejected] = {}
    for one in listed:
        try:
            document = open_row(found, one)
        except Rejected as error:
            unreadable[one[0]] = error
        else:
            if document is not None:
                documents[one[0]] = document
    return Opened(documents, unreadable)


def open_row(keys: Mapping[str, Key | KeyState | None], one: DocumentRow) -> Document | None:
    """None where an erasure destroyed the key. Raises `Rejected` (key.unknown, envelope.forged)."""
    row, kind, key_id, body = one
    key = keys[key_id]
    if key is KeyState.UNKNOWN:
        raise _unknown()
    return None if isinstance(key, KeyState) else open_document(key, row, kind, body)


def find_keys(keys: KeyRing, key_ids: Iterable[str]) -> dict[str, Key | None]:
    """The keys of rows: None for the empty id (in clear). Keys that were destroyed by an erasure are left out.

    Raises `Rejected("key.unknown")` where the key ring has never heard of a key: the store and the keys do not belong
    together, and going on would derive persons from half their claims.
    """
    found = key_states(keys, key_ids)
    if KeyState.UNKNOWN in found.values():
        raise _unknown()
    return {name: key for name, key in found.items() if not isinstance(key, KeyState)}


def key_states(keys: KeyRing, key_ids: Iterable[str]) -> dict[str, Key | KeyState | None]:
    """Each key, or why there is none; None for the empty id (in clear)."""
    sealed = set(key_ids) - {""}
    found: dict[str, Key | KeyState | None] = dict(keys.find(sealed)) if sealed else {}
    return found | {"": None}


def _unknown() -> Rejected:
    return Rejected("key.unknown", "a stored row's key")
