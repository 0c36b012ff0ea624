"""Navet files as files: headers, encodings, namespaces, hostile XML, and any bytes at all."""

import contextlib
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sources.navet.names import call_name
from connectors.sources.navet.reader import NavetReader
from connectors.sources.navet.writer import FileHeader, file_bytes
from connectors.sources.posts import Alarm, Context, Header, Item, Post, Reject
from streams.contracts.claims import Name
from streams.contracts.errors import TEXTS, Rejected
from streams.contracts.testnumbers import test_number

Read = Callable[..., list[Item]]
NOW = dt.datetime(2026, 1, 15, 8, tzinfo=dt.UTC)
NUMBER = test_number(dt.date(1979, 3, 5), "male")
POST = {"PersonNr": NUMBER, "Fornamn": "Åke Émile", "Efternamn": "Ödqvist", "Sekretessmarkering": "J"}
PLAIN = file_bytes([POST], FileHeader(1), NOW)


def name_of(items: list[Item]) -> Name:
    posts = [item for item in items if isinstance(item, Post)]
    return next(claim.body for claim in posts[0].record.claims if isinstance(claim.body, Name))


def test_the_header_tells_total_counts_and_place_in_the_delivery(read: Read) -> None:
    header = FileHeader(number=12, total=True, file=2, files=3, posts_in_all=7, job=5)
    items = read("navet", file_bytes([POST, POST], header, NOW))
    assert items[0] == Header(True, "20260115000000", 2, 7, 2, 3, 12, "00000236-FO01-0001/5/20260115")


def test_a_file_without_file_information_is_a_delta(read: Read) -> None:
    posts = PLAIN[PLAIN.index(b"<Folkbokforingsposter") : PLAIN.index(b"</Navetavisering>")]
    items = read("navet", b"<Navetavisering>" + posts + b"</Navetavisering>")
    assert items[0] == Header()
    assert len(items) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_the_declared_encoding_decides(read: Read, encoding: str) -> None:
    text = PLAIN.decode("utf-8").replace("encoding='UTF-8'", f"encoding='{encoding.upper()}'")
    assert name_of(read("navet", text.encode(encoding))).family == "Ödqvist"


def test_a_qualified_wrapper_with_unqualified_posts_is_read(read: Read) -> None:
    posts = PLAIN[PLAIN.index(b"<Folkbokforingsposter") : PLAIN.index(b"</Navetavisering>")].decode()
    wrapped = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<v:PersonpostResponse xmlns:v="http://xmls.skatteverket.se/se/skatteverket/folkbokforing/na/epersondata/V1">'
        f"{posts}</v:PersonpostResponse></s:Body></s:Envelope>"
    )
    assert name_of(read("navet", wrapped.encode())).given == "Åke Émile"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE Navetavisering [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]>
<Navetavisering><Folkbokforingsposter>&e;</Folkbokforingsposter></Navetavisering>"""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOMB, "input.markup-forbidden"),
        (b'<!DOCTYPE Navetavisering SYSTEM "file:///etc/passwd"><Navetavisering/>', "input.markup-forbidden"),
        (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><Navetavisering>&e;</Navetavisering>',
            "input.markup-forbidden",
        ),
        (b"", "input.empty"),
        (b"   \n", "input.empty"),
        (b"<Navetavisering>", "input.not-decodable"),
        (PLAIN[:-60], "input.not-decodable"),
        (b"<html><body/></html>", "input.unknown-schema"),
        (b'{"format": "hr-export.v1"}', "input.not-decodable"),
        (b'<?xml version="1.0" encoding="no-such"?><Navetavisering/>', "input.not-decodable"),
        (PLAIN.replace(b"<AntalPoster>1", b"<AntalPoster>one"), "input.invalid"),
    ],
)
def test_what_is_no_navet_file_is_refused_with_a_code_and_without_its_content(
    read: Read, content: bytes, code: str
) -> None:
    with pytest.raises(Rejected) as refused:
        read("navet", content)
    assert refused.value.code == code
    assert "passwd" not in str(refused.value)


def test_what_stands_before_the_break_of_a_truncated_file_is_read(context: Context) -> None:
    whole = file_bytes([POST, POST, POST], FileHeader(1), NOW)
    found: list[Item] = []
    with pytest.raises(Rejected):
        found.extend(NavetReader().read(io.BytesIO(whole[: whole.rindex(b"<Personpost>")]), context))
    assert len([item for item in found if isinstance(item, Post)]) == 2


def test_a_value_of_absurd_length_rejects_its_post_alone(read: Read) -> None:
    items = read("navet", file_bytes([POST | {"Efternamn": "x" * 9_000_000}, POST], FileHeader(1), NOW))
    assert [item.code for item in items if isinstance(item, Reject)] == ["input.too-large"]
    assert len([item for item in items if isinstance(item, Post)]) == 1


def test_errors_and_alarms_name_fields_and_never_values(read: Read) -> None:
    bad = [
        POST | {"Fodelsedatum": "12345678"},
        POST | {"PersonNr": NUMBER[:-1] + "x"},
        POST | {"Tilltalsnamnsmarkering": 99},
    ]
    for item in read("navet", bad):
        if isinstance(item, Reject | Alarm):
            assert item.code in TEXTS
            assert not any(value in item.detail for value in ("12345678", NUMBER[:8], "Ödqvist", "99"))


@pytest.mark.parametrize(
    ("given", "mark", "called"),
    [
        ("Anna Maria Eva", "10", "Anna"),
        ("Anna Maria Eva", "30", "Eva"),
        ("Anna Maria Eva", "23", "Maria Eva"),
        ("Anna-Maria Eva", "10", "Anna-Maria"),
        ("Anna-Maria Eva", "20", "Eva"),
        ("Anna-Maria Eva", "30", "Eva"),
        ("Eva Anna-Maria", "23", "Anna-Maria"),
        ("Anna", "20", ""),
        ("Anna", "", ""),
        ("Anna", "00", ""),
        ("Anna", "x", ""),
        ("", "10", ""),
    ],
)
def test_the_call_name_is_what_the_mark_points_at(given: str, mark: str, called: str) -> None:
    assert call_name(given, mark) == called


@given(given=st.text(max_size=40), mark=st.text(max_size=3))
def test_a_call_name_is_always_made_of_parts_of_the_given_names(given: str, mark: str) -> None:
    parts = set(given.split()) | {half for name in given.split() for half in name.split("-")}
    called = call_name(given, mark)
    assert all(part in parts for part in called.split()) or set(called.split("-")) <= parts


def _survives(content: bytes, context: Context) -> None:
    """Records, or `Rejected`: nothing else ever comes out of a file."""
    with contextlib.suppress(Rejected):  # whose code is in the list, or it could not have been made
        for item in NavetReader().read(io.BytesIO(content), context):
            if isinstance(item, Reject | Alarm):
                assert item.code in TEXTS


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_any_bytes_give_records_or_a_code(content: bytes, context: Context) -> None:
    _survives(content, context)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_navet_file_with_damage_anywhere_gives_records_or_a_code(data: st.DataObject, context: Context) -> None:
    at = data.draw(st.integers(0, len(PLAIN)))
    cut = data.draw(st.integers(0, 60))
    inserted = data.draw(
        st.binary(max_size=20) | st.sampled_from([b"<x/>", b"</x>", b"&lt;", b"<![CDATA[", b"\x00", b"<?pi?>"])
    )
    _survives(PLAIN[:at] + inserted + PLAIN[at + cut :], context)


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30).filter(
    lambda text: all(char not in "￾￿" for char in text)
)
_ADDRESS = st.fixed_dictionaries(
    {}, optional={"CareOf": _TEXT, "PostNr": _TEXT, "Postort": _TEXT, "Utdelningsadress1": _TEXT}
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    post=st.fixed_dictionaries(
        {"PersonNr": st.just(NUMBER) | _TEXT | st.none()},
        optional={
            "Sekretessmarkering": _TEXT | st.none() | st.sampled_from(["J", "N", ""]),
            "SkyddadFolkbokforing": _TEXT | st.none() | st.sampled_from(["J", "N", ""]),
            "andringstidpunkt": _TEXT | st.just("20250101000000") | st.integers(0, 10**16),
            "totalpost": st.booleans(),
            "HanvisningsPersonNr": _TEXT | st.just(NUMBER),
            "AvregistreringsorsakKod": _TEXT | st.sampled_from(["AV", "GN", "FI"]) | st.none(),
            "Avregistreringsdatum": _TEXT | st.none() | st.integers(0, 99_999_999),
            "Fodelsedatum": _TEXT | st.integers(0, 99_999_999),
            "Fornamn": _TEXT,
            "Efternamn": _TEXT,
            "Tilltalsnamnsmarkering": st.integers(-5, 120),
            "Folkbokforingsdatum": _TEXT | st.integers(0, 99_999_999),
            "Folkbokforingsadress": _ADDRESS,
            "SarskildPostadress": _ADDRESS,
            "Relationer": st.lists(
                st.fixed_dictionaries(
                    {"PersonNr": _TEXT | st.just(NUMBER), "Relationstyp": st.sampled_from(["V", "VF", "MO", "?"])},
                    optional={
                        "RelationFromdatum": st.integers(0, 99_999_999),
                        "RelationTomdatum": st.integers(0, 99_999_999),
                    },
                ),
                max_size=3,
            ),
        },
    )
)
def test_any_post_gives_a_record_or_a_reject_and_keeps_its_marking(post: dict[str, Any], context: Context) -> None:
    items = list(NavetReader().read(io.BytesIO(file_bytes([post], FileHeader(1), NOW)), context))
    found = [item for item in items if isinstance(item, Post | Reject)]
    assert len(found) == 1
    if post["PersonNr"] == NUMBER and "J" in (post.get("Sekretessmarkering"), post.get("SkyddadFolkbokforing")):
        record = found[0].record if isinstance(found[0], Post) else found[0].spoken
        assert record is not None
        assert record.claims[0].kind == "protection"


def test_a_file_number_beyond_the_delivery_is_refused(read: Read) -> None:
    with pytest.raises(Rejected, match="FilNr"):
        read("navet", file_bytes([POST], FileHeader(1, total=True, file=4, files=3), NOW))


def test_deliveries_of_two_days_are_two_also_where_their_order_and_job_are_the_same(read: Read) -> None:
    days = (NOW, NOW - dt.timedelta(days=7))
    headers = [read("navet", file_bytes([POST], FileHeader(1, total=True, files=3), day))[0] for day in days]
    assert len({header.series for header in headers if isinstance(header, Header)}) == 2
