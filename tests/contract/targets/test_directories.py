"""What holds for directories beyond the port: conditional writes, TLS, the lock, what a hand can do to an entry."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ldap3.core import results

from connectors.targets.ldap import LdapTarget
from connectors.targets.ldap.entries import READ, READ_ALSO, equals, unchanged_condition
from connectors.targets.ldap.session import Pool
from connectors.targets.port import Disabling, Presence
from streams.contracts.errors import Rejected, Unavailable
from tests.contract.targets.benches import LdapBench, account, new_key
from tests.contract.targets.servers import BASE_DN, BIND_DN, PASSWORD, Slapd, slapd, slapd_program

_BOTH = pytest.mark.parametrize("bench", ["openldap", "unboundid"], indirect=True)


@_BOTH
def test_a_write_that_rests_on_an_old_reading_is_not_done(ldap_bench: LdapBench) -> None:
    key = new_key()
    ldap_bench.ldap.ensure(account(key, display_name="Anna"))
    pool = Pool(ldap_bench.settings(f"ldap://127.0.0.1:{ldap_bench.port}"))
    with pool.session() as session:
        old = session.search(ldap_bench.ldap_people, equals("uid", key), [*READ, *READ_ALSO])[0]
        ldap_bench.rename_by_hand(key, "Kungen")
        change = {"displayName": [(ldap3.MODIFY_REPLACE, ["Drottningen"])]}
        refused = {results.RESULT_ASSERTION_FAILED}
        assert session.modify(old.dn, change, refused, unchanged_condition(old)) == results.RESULT_ASSERTION_FAILED
        assert not session.wrote
    pool.close()
    read = ldap_bench.ldap.read(key)
    assert read is not None
    assert read.state.attributes["display_name"] == "Kungen"


@_BOTH
def test_two_entries_with_one_key_are_refused_and_untouched(ldap_bench: LdapBench) -> None:
    key = new_key()
    ldap_bench.seed([key], f"org:unit:k:{new_key()}")
    double = f"uid=double-{key},ou=people,{ldap_bench.base_dn}"
    values = {"cn": "x", "sn": "x", "kallanAccountKey": key}
    ldap_bench.add(double, ["inetOrgPerson", "eduPerson", "kallanAccount"], values)
    for presence in Presence:
        with pytest.raises(Rejected, match="more than one account"):
            ldap_bench.ldap.ensure(account(key, presence))
    ldap_bench.delete(double)


@pytest.mark.parametrize("bench", ["openldap"], indirect=True)  # UnboundID takes any text for an IA5 string
def test_a_value_that_the_schema_refuses_is_refused_without_its_text(ldap_bench: LdapBench) -> None:
    with pytest.raises(Rejected) as refused:
        ldap_bench.ldap.ensure(account(new_key(), mail="åäö@kommun.test"))
    assert refused.value.code == "target.refused"
    assert "kommun" not in str(refused.value)


@_BOTH
def test_the_last_member_of_a_group_made_by_hand_can_leave(ldap_bench: LdapBench) -> None:
    key, role = new_key(), f"role:{new_key()}"
    ldap_bench.ldap.ensure(account(key))
    ldap_bench.put_in_group(role, key)  # without the placeholder that our groups have
    assert ldap_bench.ldap.ensure(account(key)).changed == (f"group:{role}",)
    assert ldap_bench.members(role) == set()


@_BOTH
def test_a_membership_that_somebody_before_left_behind_is_not_inherited(ldap_bench: LdapBench) -> None:
    key, role, unit = new_key(), f"role:{new_key()}", f"org:unit:k:{new_key()}"
    ldap_bench.add(
        f"cn={role},ou=groups,{ldap_bench.base_dn}",
        ["groupOfNames"],
        {
            "cn": role,
            "member": [f"uid={key},ou=people,{ldap_bench.base_dn}", f"cn=other,ou=groups,{ldap_bench.base_dn}"],
        },
    )
    made = ldap_bench.ldap.ensure(account(key, groups=[unit]))
    assert made.state.groups == {unit}
    assert ldap_bench.members(role) == set()


@_BOTH
def test_a_wrong_password_of_ours_makes_everything_wait(ldap_bench: LdapBench) -> None:
    settings = ldap_bench.settings(f"ldap://127.0.0.1:{ldap_bench.port}")
    target = LdapTarget(type(settings)(settings.url, settings.bind_dn, "wrong", settings.base_dn))
    with pytest.raises(Unavailable, match="bind: result 49") as raised:
        target.ensure(account(new_key()))
    assert raised.value.code == "target.unreachable"


@pytest.mark.parametrize("bench", ["openldap"], indirect=True)
def test_a_lock_after_failed_attempts_is_not_ours_and_disabling_makes_it_last(ldap_bench: LdapBench) -> None:
    key = new_key()
    ldap_bench.ldap.ensure(account(key))
    ldap_bench.set_password(key, "rätt")
    for _ in range(6):
        assert not ldap_bench.signs_in(key, "fel")
    assert not ldap_bench.signs_in(key, "rätt")  # the server's own lock
    assert ldap_bench.ldap.ensure(account(key)).changed == ()
    disabled = ldap_bench.ldap.ensure(account(key, Presence.DISABLED))
    assert disabled.changed == ("presence",)
    assert disabled.state.presence is Presence.DISABLED
    ldap_bench.ldap.ensure(account(key))
    assert ldap_bench.signs_in(key, "rätt")


@pytest.mark.parametrize("bench", ["unboundid"], indirect=True)
def test_a_password_that_a_hand_gives_a_disabled_account_shows_and_is_taken_away(ldap_bench: LdapBench) -> None:
    key = new_key()
    ldap_bench.ldap.ensure(account(key, Presence.DISABLED))
    ldap_bench.set_password(key, "hemlig")
    read = ldap_bench.ldap.read(key)
    assert read is not None
    assert read.state.presence is Presence.ENABLED  # it signs in, whatever the flag says
    assert ldap_bench.ldap.ensure(account(key, Presence.DISABLED)).changed == ("presence",)
    assert not ldap_bench.signs_in(key, "hemlig")


# --- TLS ---


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and server.pem with server.key for 127.0.0.1 signed by it; stranger.pem is another authority."""
    folder = tmp_path_factory.mktemp("certificates")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "ca.pem", _certificate("Kommunens CA", ca_key, "Kommunens CA", ca_key, ca=True))
    _write(folder / "server.pem", _certificate("127.0.0.1", server_key, "Kommunens CA", ca_key, ca=False))
    stranger = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "stranger.pem", _certificate("Annan CA", stranger, "Annan CA", stranger, ca=True))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key = server_key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    (folder / "server.key").write_bytes(key)
    return folder


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(addresses, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def tls_server(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    if slapd_program() is None:
        pytest.skip("slapd (OpenLDAP) is not installed")
    with slapd(tmp_path_factory.mktemp("slapd-tls"), certificates) as server:
        yield server


@pytest.fixture(scope="module")
def tls_bench(tls_server: Slapd) -> Iterator[LdapBench]:
    bench = LdapBench("openldap", tls_server.port, BIND_DN, PASSWORD, BASE_DN, Disabling.LOCKED_TIME)
    yield bench
    bench.close()


@pytest.mark.parametrize("start_tls", [True, False])
def test_the_line_can_be_encrypted_and_the_certificate_is_checked(
    tls_server: Slapd, tls_bench: LdapBench, certificates: Path, start_tls: bool
) -> None:
    secure = f"ldaps://127.0.0.1:{tls_server.tls_port}"
    url = f"ldap://127.0.0.1:{tls_server.port}" if start_tls else secure
    ca_file = str(certificates / "ca.pem")
    good = LdapTarget(tls_bench.settings(url, start_tls=start_tls, ca_file=ca_file))
    key = new_key()
    assert good.ensure(account(key)).state == account(key)
    good.close()
    for authority in (str(certificates / "stranger.pem"), ""):
        bad = LdapTarget(tls_bench.settings(url, start_tls=start_tls, ca_file=authority))
        with pytest.raises(Unavailable, match="connect") as raised:
            bad.read(key)
        assert raised.value.code == "target.unreachable"
    elsewhere = LdapTarget(
        tls_bench.settings(url.replace("127.0.0.1", "localhost"), start_tls=start_tls, ca_file=ca_file)
    )
    with pytest.raises(Unavailable, match="connect"):  # the certificate is for another name
        elsewhere.read(key)
