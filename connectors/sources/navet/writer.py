"""Writes Navet files, valid against Navetavisering.xsd: the synthetic municipality and inline records of scenarios.

A record is a mapping with Navet's own element names, flattened: `PersonNr` (or `TilldelatPersonNrSamordningsNr`), the
markings, `andringstidpunkt`, `totalpost`, names, dates, addresses and `Relationer`. A value of None is written as
`xsi:nil`, an empty text as an empty element; what is left out is absent.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.sources.posts import NativeRecord
from streams.contracts.errors import Rejected
from streams.contracts.time import STOCKHOLM

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NAME = ("Tilltalsnamnsmarkering", "Fornamn", "Mellannamn", "Efternamn", "Aviseringsnamn")
_REGISTRATION = ("Folkbokforingsdatum", "LanKod", "KommunKod", "ForsamlingKod", "Fastighetsbeteckning")
_ADDRESS = ("CareOf", "Utdelningsadress1", "Utdelningsadress2", "PostNr", "Postort")
_DEREGISTRATION = ("AvregistreringsorsakKod", "Avregistreringsdatum")
_RELATION = ("Relationstyp", "RelationFromdatum", "RelationTomdatum")
_KNOWN = frozenset(
    {
        "Sekretessmarkering",
        "SkyddadFolkbokforing",
        "andringstidpunkt",
        "totalpost",
        "PostId",
        "Arendetyp",
        "PersonNr",
        "TilldelatPersonNrSamordningsNr",
        "HanvisningsPersonNr",
        "Fodelsedatum",
        "Folkbokforingsadress",
        "SarskildPostadress",
        "CivilstandKod",
        "Relationer",
        "MedborgarskapslandKod",
        *_DEREGISTRATION,
        *_NAME,
        *_REGISTRATION,
    }
)


@dataclass(frozen=True, slots=True)
class FileHeader:
    """File `file` of `files` in one delivery; `number` is LopNr, counted without gaps over deliveries."""

    number: int
    total: bool = False
    file: int = 1
    files: int = 1
    posts_in_all: int | None = None
    job: int = 1
    order: str = "00000236-FO01-0001"


def file_bytes(records: Sequence[NativeRecord], header: FileHeader, now: dt.datetime) -> bytes:
    """One file. `now` stamps the posts that have no `andringstidpunkt` of their own.

    Raises `Rejected("scenario.invalid")` naming a field that Navet does not have.
    """
    root = etree.Element("Navetavisering", nsmap={"xsi": "http://www.w3.org/2001/XMLSchema-instance"})
    root.append(_information(len(records), header, now))
    posts = etree.SubElement(root, "Folkbokforingsposter")
    for record in records:
        posts.append(_post(record, now))
    etree.indent(root, " ")
    content: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def _information(count: int, header: FileHeader, now: dt.datetime) -> Any:
    found = etree.Element("Aviseringsinformation")
    _leaves(etree.SubElement(found, "Medieleverantor"), {"OrgNr": "162021005448", "Organisationsnamn": "Skatteverket"})
    receiver = {"KundNr": "00000236", "OrgNr": "162120000000", "Organisationsnamn": "Exempelkommun"}
    _leaves(etree.SubElement(found, "Mediemottagare"), receiver)
    information = etree.SubElement(found, "Filinformation")
    kind = "TOTAL" if header.total else "ANDRINGAR"
    _leaves(information, {"BestallningsId": header.order, "Filtyp": "XML", "Bestallningstyp": kind, "Produkt": "NAVET"})
    _leaves(
        etree.SubElement(information, "Utfil"),
        {
            "Filnamn": f"NAVET-{header.number:05d}-{header.file:03d}",
            "Effektueringsdatum": f"{now.astimezone(STOCKHOLM):%Y%m%d}",
            "AntalPoster": count,
            "AntalPosterTotalt": count if header.posts_in_all is None else header.posts_in_all,
            "AntalFiler": header.files,
            "FilNr": header.file,
            "JobbId": header.job,
            "LopNr": header.number,
        },
    )
    return found


def _post(record: NativeRecord, now: dt.datetime) -> Any:
    unknown = sorted(set(record) - _KNOWN)
    if unknown:
        raise Rejected("scenario.invalid", f"navet record: {', '.join(unknown)}")
    post = etree.Element("Folkbokforingspost")
    _leaves(post, _only(record, ("Sekretessmarkering", "SkyddadFolkbokforing")))
    case = etree.SubElement(post, "Arendeuppgift")
    stamp = record.get("andringstidpunkt", f"{now.astimezone(STOCKHOLM):%Y%m%d%H%M%S}")
    if stamp is not None:
        case.set("andringstidpunkt", _text(stamp))
    if record.get("totalpost"):
        case.set("totalpost", "J")
    _leaves(case, _only(record, ("PostId", "Arendetyp")))
    _person(etree.SubElement(post, "Personpost"), record)
    return post


def _person(person: Any, record: NativeRecord) -> None:
    number = _only(record, ("PersonNr", "TilldelatPersonNrSamordningsNr"))
    _leaves(etree.SubElement(person, "PersonId"), number or {"PersonNr": None})
    _leaves(person, _only(record, ("HanvisningsPersonNr",)))
    _group(person, "Avregistrering", _only(record, _DEREGISTRATION))
    _leaves(person, _only(record, ("Fodelsedatum",)))
    _group(person, "Namn", _only(record, _NAME))
    _group(person, "Folkbokforing", _only(record, _REGISTRATION))
    addresses = {name: record[name] for name in ("Folkbokforingsadress", "SarskildPostadress") if name in record}
    if addresses:
        element = etree.SubElement(person, "Adresser")
        for name, address in addresses.items():
            _leaves(etree.SubElement(element, name), _only(address, _ADDRESS))
    _group(person, "Civilstand", _only(record, ("CivilstandKod",)))
    if "Relationer" in record:
        _relations(etree.SubElement(person, "Relationer"), record["Relationer"] or ())
    _group(person, "Medborgarskap", _only(record, ("MedborgarskapslandKod",)))


def _relations(parent: Any, relations: Iterable[Mapping[str, Any]]) -> None:
    for relation in relations:
        element = etree.SubElement(parent, "Relation")
        if relation.get("status"):
            element.set("status", relation["status"])
        _leaves(etree.SubElement(element, "RelationId"), {"PersonNr": relation["PersonNr"]})
        _leaves(element, _only(relation, _RELATION))
        _group(element, "Namn", _only(relation, _NAME))


def _only(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _group(parent: Any, name: str, values: Mapping[str, Any]) -> None:
    if values:
        _leaves(etree.SubElement(parent, name), values)


def _leaves(parent: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        element = etree.SubElement(parent, name)
        if value is None:
            element.set(_NIL, "true")
        else:
            element.text = _text(value)


def _text(value: object) -> str:
    """Dates are written as Navet writes them, whole or incomplete."""
    if isinstance(value, dt.date):
        return f"{value:%Y%m%d}"
    return str(value).replace("-", "") if isinstance(value, str) and _is_dashed(value) else str(value)


def _is_dashed(value: str) -> bool:
    digits = value.replace("-", "")
    return "-" in value and digits.isdigit() and len(digits) in (8, 12)
