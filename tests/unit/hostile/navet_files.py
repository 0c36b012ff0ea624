"""Bad files of the population register. The first post of a good file is made bad; the second is somebody else's."""

import datetime as dt
import gzip
from collections.abc import Callable

from connectors.sources.navet.writer import FileHeader, file_bytes
from streams.contracts.testnumbers import test_number
from tests.unit.hostile.case import CANARY, Case

NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
FIRST, SECOND = (test_number(dt.date(1992, 9, day), "female") for day in (9, 10))
WHOLE = file_bytes(
    [
        {"PersonNr": FIRST, "Fornamn": "Ida", "Efternamn": CANARY, "totalpost": True, "SkyddadFolkbokforing": "J"},
        {"PersonNr": SECOND, "Fornamn": "Eva", "Efternamn": "Alm", "totalpost": True},
    ],
    FileHeader(1),
    NOW,
)
_NAME = CANARY.encode()
_DECLARATION, _, _BODY = WHOLE.partition(b"?>\n")


def _with_name(text: bytes) -> Callable[[], bytes]:
    return lambda: WHOLE.replace(_NAME, text)


def _with(old: bytes, new: bytes) -> Callable[[], bytes]:
    assert old in WHOLE, old
    return lambda: WHOLE.replace(old, new, 1)


def _entities() -> bytes:
    lines = [f'<!ENTITY a0 "{CANARY}">']
    lines += [f'<!ENTITY a{one} "{f"&a{one - 1};" * 10}">' for one in range(1, 10)]
    return f"<!DOCTYPE Navetavisering [{''.join(lines)}]>".encode() + _BODY.replace(_NAME, b"&a9;")


def _outside(declaration: bytes) -> Callable[[], bytes]:
    return lambda: b"<!DOCTYPE Navetavisering " + declaration + b">" + _BODY.replace(_NAME, b"&x;")


def _encoded(encoding: str, declared: bytes = b"UTF-8") -> Callable[[], bytes]:
    return lambda: WHOLE.replace(b"UTF-8", declared).decode().encode(encoding)


def _cut(tenth: int) -> Callable[[], bytes]:
    return lambda: WHOLE[: len(WHOLE) * tenth // 10]


FILE_CASES = (
    Case("an empty file", lambda: b"", "input.empty"),
    Case("white space", lambda: b" \n\t", "input.empty"),
    *(Case(f"cut off at {tenth}/10", _cut(tenth), "input.not-decodable") for tenth in range(1, 10)),
    Case("JSON", lambda: f'{{"{CANARY}": 1}}'.encode(), "input.not-decodable"),
    Case("HTML", lambda: f"<html>{CANARY}</html>".encode(), "input.unknown-schema"),
    Case("another root element", lambda: WHOLE.replace(b"Navetavisering", b"Annat"), "input.unknown-schema"),
    Case("gzip", lambda: gzip.compress(WHOLE), "input.not-decodable"),
    Case("NUL bytes", lambda: bytes(1000), "input.not-decodable"),
    Case("two files in one", lambda: WHOLE + WHOLE, "input.not-decodable"),
    Case("entities that grow to a thousand million", _entities, "input.markup-forbidden"),
    Case("an entity that is a file", _outside(b'[<!ENTITY x SYSTEM "file:///etc/passwd">]'), "input.markup-forbidden"),
    Case(
        "an entity on the network", _outside(b'[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]'), "input.markup-forbidden"
    ),
    Case("a parameter entity", _outside(b'[<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]'), "input.markup-forbidden"),
    Case("a document type elsewhere", _outside(b'SYSTEM "http://127.0.0.1:9/x.dtd"'), "input.markup-forbidden"),
    Case("an undeclared entity", _with_name(b"&x;"), "input.not-decodable"),
    Case("an encoding that there is not", _with(b"UTF-8", b"x-none"), "input.not-decodable"),
    Case("Latin-1 declared as UTF-8", _encoded("latin-1"), "input.not-decodable"),
    Case("UTF-32", lambda: WHOLE.decode().encode("utf-32"), "input.not-decodable"),
    Case("EBCDIC declared, UTF-8 sent", _with(b"UTF-8", b"IBM037"), "input.not-decodable"),
    Case("a NUL byte in a name", _with_name(b"A\0B"), "input.not-decodable"),
    Case("a NUL reference in a name", _with_name(b"A&#0;B"), "input.not-decodable"),
    Case("a control character in a name", _with_name(b"A&#7;B"), "input.not-decodable"),
    Case("half a surrogate pair in a name", _with_name(b"A&#xD800;B"), "input.not-decodable"),
    Case("a surrogate in UTF-8", _with_name(b"A\xed\xa0\x80B"), "input.not-decodable"),
    Case("elements a hundred thousand deep", _with_name(b"<a>" * 100_000), "input.not-decodable"),
    Case("a name of twelve megabytes", _with_name(b"x" * 12_000_000), "input.not-decodable|input.too-large"),
    Case("twenty megabytes of empty elements in a post", _with_name(b"<a/>" * 5_000_000), "input.too-large"),
    Case("a million elements before any post", lambda: b"<Navetavisering>" + b"<a/>" * 1_000_000, "input.too-large"),
    Case("an order number that is a text", _with(b"<LopNr>1<", b"<LopNr>" + _NAME + b"<"), "input.invalid"),
    Case("a file number of twenty digits", _with(b"<FilNr>1<", b"<FilNr>99999999999999999999<"), "input.invalid"),
)
"""The file is refused, from here or from the bad place on; what stands before that is published."""

POST_CASES = (
    Case("a name of ten megabytes", _with_name(b"x" * 9_900_000), "input.too-large", "Efternamn"),
    Case("a name of 5,000 characters", _with_name(b"x" * 5000), "input.too-large", "Efternamn"),
    Case("elements in a name", _with_name(b"<a/>" * 20), "input.invalid", "Efternamn"),
    Case(
        "XInclude",
        _with_name(b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'),
        "input.invalid",
    ),
    Case("UTF-8 declared as Latin-1", _with(b"UTF-8", b"ISO-8859-1"), "input.not-decodable", "Efternamn"),
    Case("a C1 control character", _with_name(b"A&#x9b;31mB"), "input.invalid", "Efternamn"),
    Case("a turned direction of writing", _with_name("A\u202eB".encode()), "input.invalid", "Efternamn"),
    Case("no number", _with(f"<PersonNr>{FIRST}</PersonNr>".encode(), b""), "input.missing", "PersonId"),
    Case("letters in the number", _with(FIRST.encode(), _NAME), "identifier.invalid"),
    Case("ten digits", _with(FIRST.encode(), FIRST[2:].encode()), "identifier.ambiguous"),
    Case("no stamp", _with(b'andringstidpunkt="20260115090000" ', b""), "stamp.missing"),
    Case("a stamp of next year", _with(b'"20260115090000"', b'"20270115090000"'), "stamp.missing"),
    Case("a stamp that is a text", _with(b'"20260115090000"', b'"' + _NAME + b'"'), "stamp.missing"),
    Case("a date that there is not", _with(b"<Namn>", b"<Fodelsedatum>20261345</Fodelsedatum><Namn>"), "input.invalid"),
    Case(
        "a date that is a text", _with(b"<Namn>", b"<Fodelsedatum>" + _NAME + b"</Fodelsedatum><Namn>"), "input.invalid"
    ),
    Case(
        "a reference to no number",
        _with(b"<Namn>", b"<HanvisningsPersonNr>x</HanvisningsPersonNr><Namn>"),
        "identifier.invalid",
    ),
)
"""One post is rejected; its marking, where it tells whose, and the other posts are published."""
