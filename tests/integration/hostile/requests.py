"""Bad requests: each with the status and code that it is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mmd.api.guard import BODY_BYTES
from tests.unit.hostile.case import CANARY

ASCII_CANARY = "Canaryvalue"
JSON = {"content-type": "application/json"}
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BadRequest:
    """`code` empty: it is answered as if what is odd in it were not there."""

    name: str
    method: str
    path: str
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-").replace("/", "_")


def _bodies() -> dict[str, tuple[bytes, str, Mapping[str, str]]]:
    c = CANARY.encode()
    return {
        "no JSON": (b"{" + c, "input.not-decodable", JSON),
        "nothing": (b"", "input.invalid", JSON),
        "null": (b"null", "input.invalid", JSON),
        "a list": (b'["' + c + b'"]', "input.invalid", JSON),
        "brackets as deep as fit": (b"[" * BODY_BYTES, "input.not-decodable", JSON),
        "objects 1,000 deep": (b'{"identifier":' * 1000, "input.not-decodable", JSON),
        "a number of 6,000 digits": (b'{"identifier":' + b"9" * 6000 + b"}", "input.not-decodable", JSON),
        "Latin-1": ('{"identifier":"å"}'.encode("latin-1"), "input.not-decodable", JSON),
        "half a surrogate pair": (b'{"identifier":"\\ud800"}', "input.invalid", JSON),
        "a NUL byte": (b'{"identifier":"\\u0000"}', "identifier.invalid", JSON),
        "an unknown field": (b'{"identifier":"x","' + c + b'":"' + c + b'"}', "input.invalid", JSON),
        "a text that is too long": (b'{"identifier":"' + c * 20 + b'"}', "input.invalid", JSON),
        "more than is read": (b'{"identifier":"' + b"x" * BODY_BYTES + b'"}', "input.too-large", JSON),
        "a number for a text": (b'{"identifier":19000101}', "input.invalid", JSON),
        "NaN": (b'{"identifier":NaN}', "input.invalid", JSON),
        "digits of another script": ('{"identifier":"١٩٩٢٠٩٠٩٢٣٨٧"}'.encode(), "identifier.invalid", JSON),
        "a line feed at the end": (b'{"identifier":"190001010000\\n"}', "identifier.invalid", JSON),
        "ten digits": (b'{"identifier":"0001010000"}', "identifier.ambiguous", JSON),
        "no content type": (b'{"identifier":"x"}', "input.invalid", NOTHING),
        "text as content type": (b'{"identifier":"x"}', "input.invalid", {"content-type": "text/plain"}),
        "a form": (b"identifier=" + c, "input.invalid", {"content-type": "application/x-www-form-urlencoded"}),
        "a content type of no form": (b"{}", "input.invalid", {"content-type": ASCII_CANARY}),
        "gzip": (b"\x1f\x8b\x08", "input.not-decodable", {**JSON, "content-encoding": "gzip"}),
        "a length that is a lie": (b"{}", "input.too-large", {**JSON, "content-length": "9" * 30}),
    }


def _queries() -> dict[str, tuple[str, str]]:
    person = "/v1/persons/{person}"
    return {
        "a date that there is not": (f"{person}?valid=2026-13-01", "input.invalid"),
        "a date that is none": (f"{person}?valid={ASCII_CANARY}", "input.invalid"),
        "the last day there is": (f"{person}?valid=9999-12-31", ""),
        "the first day there is": (f"{person}?valid=0001-01-01", ""),
        "a time after the last year": (f"{person}?known=9999-12-31T23:59:59-14:00", ""),
        "a time before the first year": (f"{person}?known=0001-01-01T00:00:00%2B14:00", "resource.unknown"),
        "a time without a zone": (f"{person}?known=2026-03-02T08:00:00", "input.invalid"),
        "a time that is not a number": (f"{person}?known=NaN", "input.invalid"),
        "a time that is no finite number": (f"{person}?known=-1e400", "input.invalid"),
        "a page of nothing": ("/v1/changes?limit=0", "input.invalid"),
        "a page of everything": ("/v1/changes?limit=99999999999999999999", "input.invalid"),
        "a cursor that is none": (f"/v1/changes?cursor={ASCII_CANARY}", "cursor.invalid"),
        "a cursor of the right length": (f"/v1/changes?cursor={'A' * 27}", "cursor.invalid"),
        "a cursor of a NUL byte": ("/v1/changes?cursor=%00", "cursor.invalid"),
        "a cursor of 50,000 characters": (f"/v1/changes?cursor={'A' * 50_000}", "cursor.invalid"),
        "an id that is none": (f"/v1/persons/{ASCII_CANARY}", "input.invalid"),
        "an id of 50,000 characters": (f"/v1/persons/{'a' * 50_000}", "input.invalid"),
        "an id that is SQL": ("/v1/persons/'%20or%201=1--", "input.invalid"),
        "an id of nobody": ("/v1/persons/00000000-0000-8000-8000-000000000000", "resource.unknown"),
        "a unit that is SQL": ("/v1/units/'%3B%20drop%20table%20mmd.document%3B--", "resource.unknown"),
        "a unit with a NUL byte": ("/v1/units/unit%00", "input.invalid"),
        "a unit that is not UTF-8": ("/v1/units/%ff%fe", "resource.unknown"),
        "a unit of 201 characters": (f"/v1/units/{'u' * 201}", "input.invalid"),
        "a path upwards": ("/v1/units/..%2f..%2fhealth", "resource.unknown"),
        "an address that there is not": (f"/{ASCII_CANARY}", "resource.unknown"),
        "a slash too many at the end": (f"/v1/changes/?cursor={ASCII_CANARY}", "resource.unknown"),
        "a slash too many at the beginning": ("//v1/changes", "resource.unknown"),
        "a slash behind an id": (f"/v1/persons/{ASCII_CANARY}/", "resource.unknown"),
    }


def _headers() -> dict[str, tuple[Mapping[str, str], str]]:
    return {
        "a release that there is not": ({"Kallan-Release": ASCII_CANARY}, "access.denied"),
        "a release that is not ASCII": ({"Kallan-Release": CANARY}, "access.denied"),
        "an empty release": ({"Kallan-Release": ""}, "access.denied"),
        "a hundred thousand tags": ({"If-None-Match": f'"{ASCII_CANARY}",' * 5000}, ""),
        "a tag that is not ASCII": ({"If-None-Match": f'"{CANARY}'}, ""),
        "another host": ({"Host": ASCII_CANARY}, ""),
        "another address behind it": ({"X-Forwarded-For": ASCII_CANARY, "X-Forwarded-Host": ASCII_CANARY}, ""),
        "a kind that is not made": ({"Accept": f"text/{ASCII_CANARY}"}, ""),
        "two hundred headers": ({f"X-{ASCII_CANARY}-{one}": ASCII_CANARY for one in range(200)}, ""),
    }


def bad_requests() -> list[BadRequest]:
    """All of them. `{person}` in a path is the id of somebody known."""
    found = [
        BadRequest(f"{name} in {path}", "POST", path, code, headers, body)
        for name, (body, code, headers) in _bodies().items()
        for path in ("/v1/persons/search", "/v1/prefill/preschool-place")
    ]
    found += [BadRequest(name, "GET", path, code) for name, (path, code) in _queries().items()]
    found += [BadRequest(name, "GET", "/v1/persons/{person}", code, sent) for name, (sent, code) in _headers().items()]
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "CANARY"):
        for path in ("/v1/changes", "/v1/persons/search", "/health", "/metrics"):
            found.append(BadRequest(f"{method} {path}", method, path, "request.method-not-allowed"))
    return found


def tokens(good: str) -> dict[str, str]:
    """Authorization headers that open nothing. `good` is a token that does."""
    head, body, signature = good.split(".")
    return {
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "no token": "Bearer ",
        "no token of three parts": f"Bearer {ASCII_CANARY}",
        "three empty parts": "Bearer ..",
        "eight thousand dots": "Bearer " + "." * 8000,
        "a token of nine thousand characters": "Bearer " + "a" * 9000,
        "without a signature": f"Bearer {head}.{body}.",
        "another signature": f"Bearer {head}.{body}.{signature[::-1]}",
        "another body": f"Bearer {head}.{body[:-4]}AAAA.{signature}",
        "the algorithm none": f"Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{body}.",
        "not ASCII": f"Bearer {CANARY}",
        "two tokens": f"Bearer {good} {good}",
        "a header of deep JSON": "Bearer " + "W1tb" * 1500 + f".{body}.{signature}",
    }


def forged(issuer: Any, other: Any, now: int) -> dict[str, str]:
    """Tokens that are signed and open nothing all the same: by whom, for whom, when, as what."""
    return {
        "a key of somebody else": other.token("open"),
        "an ended token": issuer.token("open", exp=now - 60),
        "a token of tomorrow": issuer.token("open", nbf=now + 86400),
        "no end": issuer.token("open", without="exp"),
        "another audience": issuer.token("open", aud=ASCII_CANARY),
        "another issuer": issuer.token("open", iss=ASCII_CANARY),
        "no client": issuer.token("open", without="client_id"),
        "a client that is a list": issuer.token("open", client_id=["open"]),
        "an id token": issuer.token("open", header={"typ": "JWT"}),
        "an end that is a text": issuer.token("open", exp=ASCII_CANARY),
    }
