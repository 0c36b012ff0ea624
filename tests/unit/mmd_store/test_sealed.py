"""What is sealed at rest opens only in its own row and with its own key."""

import datetime as dt
import uuid

import pytest

from mmd.store.sealed import StoredClaim, encoded, find_keys, open_claim, open_document, seal_claim, seal_document
from streams.contracts.claims import Claim, Marking, Name
from streams.contracts.documents import PersonDocument, Redirect, UnitDocument
from streams.contracts.errors import Rejected
from streams.keys import MemoryKeyRing
from streams.sealing import Key, KeyClass

STORED = StoredClaim(Claim(Name("Kanarie"), dt.date(2020, 1, 1)))


def a_key(ring: MemoryKeyRing, owner: str = "subject") -> Key:
    return ring.current(KeyClass.INNER, {owner})[owner]


def test_a_claim_opens_in_its_row_and_in_no_other() -> None:
    key, row = a_key(MemoryKeyRing()), uuid.uuid4().bytes
    body = seal_claim(key, row, STORED)
    assert b"Kanarie" not in body
    assert open_claim(key, row, body) == STORED
    with pytest.raises(Rejected, match="envelope.forged"):
        open_claim(key, uuid.uuid4().bytes, body)


def test_a_document_opens_under_its_id_and_under_no_other() -> None:
    key, document = a_key(MemoryKeyRing()), PersonDocument("person-1", marking=Marking.NONE)
    body = seal_document(key, "person-1", encoded(document))
    assert open_document(key, "person-1", "person", body) == document
    with pytest.raises(Rejected, match="envelope.forged"):
        open_document(key, "person-2", "person", body)


@pytest.mark.parametrize("document", [UnitDocument("unit:kommun:1"), Redirect("person-1", "person-2")])
def test_units_and_redirects_are_in_clear(document: UnitDocument | Redirect) -> None:
    kind = "unit" if isinstance(document, UnitDocument) else "redirect"
    assert open_document(None, document.id, kind, seal_document(None, document.id, encoded(document))) == document


def test_erased_keys_are_left_out_and_unknown_ones_stop_the_reading() -> None:
    ring = MemoryKeyRing()
    kept, erased = a_key(ring, "kept"), a_key(ring, "erased")
    ring.erase({"erased"})
    assert find_keys(ring, ["", kept.id, erased.id]) == {"": None, kept.id: kept}
    with pytest.raises(Rejected, match="key.unknown"):
        find_keys(ring, ["inner/never-heard-of/1"])
