"""The Navet files that we write are valid against Skatteverket's schema, and every enumeration of it is known to us."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.sources.navet.reader import NavetReader
from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.posts import Context, Post
from deploy.municipality import Changes, generate
from streams.contracts.testnumbers import test_coordination_number, test_number
from streams.contracts.time import local_date
from streams.hashing import subject_of

SCHEMA = Path(__file__).parents[4] / "shared" / "reference" / "navet" / "Navetavisering.xsd"
NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
pytestmark = pytest.mark.skipif(not SCHEMA.exists(), reason=f"Skatteverket's schema is not here: {SCHEMA.name}")


@pytest.fixture(scope="module")
def schema() -> Any:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def assert_valid(schema: Any, content: bytes) -> None:
    valid = schema.validate(etree.fromstring(content))
    assert valid, [(error.line, error.message) for error in schema.error_log][:5]


def test_every_file_of_the_synthetic_municipality_is_valid(schema: Any, tmp_path: Path) -> None:
    cast = generate(tmp_path, seed=1, persons=120, units=20)
    changes = Changes(cast)
    for change in (changes.joiner, changes.name_change, changes.sekretessmarkering, changes.skyddad_folkbokforing):
        change(NOW)
    found = sorted(tmp_path.glob("navet-*.xml"))
    assert len(found) == 7
    for path in found:
        assert_valid(schema, path.read_bytes())


def test_a_post_with_everything_that_the_writer_can_write_is_valid(schema: Any) -> None:
    number, old = test_number(dt.date(1984, 2, 29), "female"), test_coordination_number(dt.date(1984, 2, 29), "female")
    address = {
        "CareOf": "Ombud",
        "Utdelningsadress1": "Lgh 2",
        "Utdelningsadress2": "Gatan 1",
        "PostNr": "01234",
        "Postort": "ORT",
    }
    whole = {
        "Sekretessmarkering": "J",
        "SkyddadFolkbokforing": "",
        "andringstidpunkt": "20251105101500",
        "totalpost": True,
        "PostId": "1",
        "Arendetyp": "NAMN",
        "PersonNr": number,
        "HanvisningsPersonNr": old,
        "AvregistreringsorsakKod": "UV",
        "Avregistreringsdatum": "20250000",
        "Fodelsedatum": None,
        "Tilltalsnamnsmarkering": 10,
        "Fornamn": "Anna",
        "Mellannamn": None,
        "Efternamn": "Berg",
        "Aviseringsnamn": "Berg, Anna",
        "Folkbokforingsdatum": "20200301",
        "LanKod": "14",
        "KommunKod": "80",
        "ForsamlingKod": "01",
        "Fastighetsbeteckning": "HAGA 1:2",
        "Folkbokforingsadress": address,
        "SarskildPostadress": address,
        "CivilstandKod": "Ä",
        "Relationer": [
            {"PersonNr": number, "Relationstyp": "V", "RelationTomdatum": "20290101", "status": "NY", "Fornamn": "A"}
        ],
        "MedborgarskapslandKod": "SE",
    }
    superseded = {"TilldelatPersonNrSamordningsNr": old, "HanvisningsPersonNr": number, "AvregistreringsorsakKod": "GS"}
    assert_valid(schema, file_bytes([whole, superseded], FileHeader(1), NOW))


@pytest.mark.parametrize("kind", ["AvregistreringsorsakKodTYPE", "RelationstypTYPE"])
def test_every_code_of_the_schema_is_read_without_a_reject(kind: str) -> None:
    xs = "{http://www.w3.org/2001/XMLSchema}"
    tree = etree.parse(str(SCHEMA))
    codes = [
        str(e.get("value"))
        for t in tree.iter(f"{xs}simpleType")
        if t.get("name") == kind
        for e in t.iter(f"{xs}enumeration")
    ]
    assert codes
    number = test_number(dt.date(1984, 2, 29), "female")
    posts = [{"PersonNr": number, "Fornamn": "A", "Efternamn": "B"} | _with_code(kind, number, code) for code in codes]
    context = Context(NOW, local_date(NOW), lambda one: subject_of(b"s" * 32, one), lambda text: text)
    items = list(NavetReader().read(io.BytesIO(file_bytes(posts, FileHeader(1), NOW)), context))
    assert len([item for item in items if isinstance(item, Post)]) == len(codes)


def _with_code(kind: str, number: str, code: str) -> dict[str, Any]:
    if kind == "AvregistreringsorsakKodTYPE":
        return {"AvregistreringsorsakKod": code}
    return {"Relationer": [{"PersonNr": number, "Relationstyp": code}]}
