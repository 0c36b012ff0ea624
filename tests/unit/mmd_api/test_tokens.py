"""Access tokens: good ones name a client, everything else is refused with one code and no reason that repeats it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from streams.contracts.errors import Rejected, Unavailable
from tests.unit.mmd_api.issuing import AUDIENCE, ISSUER, Issuer, now


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def good_claims(**changes: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "client_id": "payroll", "exp": now() + 300, **changes}


def refused(issuer: Issuer, token: str) -> None:
    with pytest.raises(Rejected, match=r"^access\.unauthenticated") as caught:
        issuer.verifier().client_of(token)
    assert caught.value.detail in ("token", "typ", "client_id")


def test_a_good_token_names_its_client(issuer: Issuer) -> None:
    assert issuer.verifier().client_of(issuer.token("payroll")) == "payroll"
    assert issuer.verifier().client_of(issuer.token("payroll", aud=["other", AUDIENCE])) == "payroll"
    assert issuer.verifier().client_of(issuer.token("payroll", header={"typ": "application/at+JWT"})) == "payroll"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": now() - 60},
        {"exp": "later"},
        {"nbf": now() + 86_400},
        {"iss": "https://other.test"},
        {"iss": [ISSUER]},
        {"aud": "other"},
        {"aud": [1]},
        {"client_id": ["payroll"]},
        {"client_id": ""},
        {"client_id": 7},
        *({"without": claim} for claim in ("exp", "iss", "aud", "client_id")),
        {"header": {"typ": "JWT"}},
        {"header": {"typ": "id+jwt"}},
    ],
    ids=lambda changes: " ".join(f"{claim} {type(value).__name__}" for claim, value in changes.items()),
)
def test_a_token_with_anything_wrong_is_refused(issuer: Issuer, changes: dict[str, Any]) -> None:
    refused(issuer, issuer.token("payroll", **changes))


def test_an_unsigned_token_is_refused(issuer: Issuer) -> None:
    for algorithm in ("none", "None", "NONE"):
        head = part({"alg": algorithm, "typ": "at+jwt", "kid": "first"})
        refused(issuer, f"{head}.{part(good_claims())}.")


def test_a_token_that_is_signed_with_the_public_key_as_a_secret_is_refused(issuer: Issuer) -> None:
    public = ECKey.import_key(issuer.public)
    for secret in (public.as_pem(private=False), json.dumps(issuer.public).encode()):
        signed = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'first'})}.{part(good_claims())}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        refused(issuer, f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")


def test_a_shared_secret_in_the_key_file_checks_nothing(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    secret = OctKey.import_key({"kty": "oct", "k": part("x" * 40), "kid": "shared"})
    issuer.publish(issuer.public, dict(secret.as_dict(private=True)))
    head = {"alg": "HS256", "typ": "at+jwt", "kid": "shared"}
    refused(issuer, jwt.encode(head, good_claims(), secret, algorithms=["HS256"]))


def test_a_token_signed_by_somebody_else_is_refused(issuer: Issuer, tmp_path: Path) -> None:
    refused(issuer, Issuer(tmp_path).token("payroll"))
    own = ECKey.generate_key("P-256")
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "first", "jwk": own.as_dict(private=False)}
    refused(issuer, jwt.encode(head, good_claims(), own, algorithms=["ES256"]))


def test_the_usual_kinds_of_keys_are_known(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    made: dict[str, Any] = {"RS256": RSAKey.generate_key(2048), "Ed25519": OKPKey.generate_key("Ed25519")}
    named = {one: type(key).import_key({**key.as_dict(private=True), "kid": one}) for one, key in made.items()}
    encryption = {**ECKey.generate_key("P-256").as_dict(private=False), "use": "enc", "kid": "enc"}
    issuer.publish(
        {"kty": "unheard-of", "kid": "x"}, encryption, *(key.as_dict(private=False) for key in named.values())
    )
    for algorithm, key in [*named.items(), ("PS256", named["RS256"])]:
        head = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid}
        token = jwt.encode(head, good_claims(), key, algorithms=[algorithm])
        assert issuer.verifier().client_of(token) == "payroll"


def test_rolled_keys_hold_at_once_and_the_old_ones_no_more(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    verifier, old = issuer.verifier(), issuer.token("payroll")
    assert verifier.client_of(old) == "payroll"
    rolled = Issuer(tmp_path, kid="second")
    assert verifier.client_of(rolled.token("payroll")) == "payroll"
    with pytest.raises(Rejected):
        verifier.client_of(old)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{"kty": "EC"}]}'])
def test_keys_that_cannot_be_read_are_an_outage_and_no_refusal(tmp_path: Path, content: str) -> None:
    issuer = Issuer(tmp_path)
    issuer.jwks.write_text(content)
    with pytest.raises(Unavailable, match=r"service\.unavailable"):
        issuer.verifier().client_of(issuer.token("payroll"))
    issuer.jwks.unlink()
    with pytest.raises(Unavailable, match=r"service\.unavailable"):
        issuer.verifier().client_of(issuer.token("payroll"))


_values: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
)
_heads = st.fixed_dictionaries(
    {"alg": st.sampled_from(["none", "HS256", "ES256", "RS256", "dir"]) | _values},
    optional=dict.fromkeys(("typ", "kid", "crit", "b64", "jwk", "x5c", "zip", "enc"), _values),
)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=60)
    | st.builds(
        lambda head, body, ends: ".".join([part(head), part(body), *ends]),
        _heads | _values,
        st.dictionaries(st.sampled_from(["iss", "aud", "exp", "client_id", "nbf"]), _values) | _values,
        st.lists(st.sampled_from(["", "AAAA", "å", "."]), max_size=3),
    )
)
def test_whatever_is_sent_as_a_token_is_refused_with_the_same_code(issuer: Issuer, token: str) -> None:
    refused(issuer, token)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti"]), _values, min_size=1))
def test_signed_claims_of_any_form_are_never_an_unexpected_error(issuer: Issuer, claims: dict[str, Any]) -> None:
    try:
        token = issuer.token("payroll", **claims)
    except ValueError:
        return  # not a number that JSON has
    try:
        assert issuer.verifier().client_of(token) == "payroll"
    except Rejected as error:
        assert error.code == "access.unauthenticated"  # noqa: PT017


def test_a_token_of_enormous_length_is_refused_unread(issuer: Issuer) -> None:
    refused(issuer, issuer.token("payroll", padding="x" * 10_000))
