"""Certificates of an installation's own authority (X.509, RFC 5280): one for each server, renewed well before they end.

For development and for a closed network. Where the organisation has an authority, its files are put in their place.
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.embedded import secret_files

_AUTHORITY_LIFE = dt.timedelta(days=3650)
_SERVER_LIFE = dt.timedelta(days=397)
_RENEW_BEFORE = dt.timedelta(days=60)
_SKEW = dt.timedelta(hours=1)  # a client whose clock is behind


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs the servers' certificates."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def authority(folder: Path, now: dt.datetime) -> Authority:
    """The authority in `ca.key` and `ca.pem` of the folder, made on first use."""
    key = _key(folder / "ca.key")
    if not (folder / "ca.pem").exists():
        secret_files.put(folder / "ca.pem", _pem(_authority_certificate(key, now)))
    return Authority(key, x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()))


def server_certificate(folder: Path, signer: Authority, name: str, names: Sequence[str], now: dt.datetime) -> None:
    """`NAME.key` and `NAME.pem` in the folder for a server that is reached by `names` (host names or addresses); a
    certificate that is good for another two months, for the same names and by the same authority, is left as it is."""
    key = _key(folder / f"{name}.key")
    path = folder / f"{name}.pem"
    if path.exists() and _is_good(x509.load_pem_x509_certificate(path.read_bytes()), signer, names, now):
        return
    secret_files.put(path, _pem(_server_certificate(signer, key, name, names, now)))


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    made = ec.generate_private_key(ec.SECP256R1())
    text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    found = load_pem_private_key(secret_files.kept(path, text).encode(), None)
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path.name} holds a key of another kind")
    return found


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _authority_certificate(key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kallan-development-authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _begun(key.public_key(), name, name, now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server_certificate(
    signer: Authority, key: ec.EllipticCurvePrivateKey, name: str, names: Sequence[str], now: dt.datetime
) -> x509.Certificate:
    """For servers and, because a broker's node is also a client of itself, for clients."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    return (
        _begun(key.public_key(), subject, signer.certificate.subject, now, _SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general_name(one) for one in names]), critical=False)
        .add_extension(uses, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(signer_id, critical=False)
        .sign(signer.key, hashes.SHA256())
    )


def _begun(
    public: ec.EllipticCurvePublicKey, subject: x509.Name, issuer: x509.Name, now: dt.datetime, life: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_good(found: x509.Certificate, signer: Authority, names: Sequence[str], now: dt.datetime) -> bool:
    listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        found.issuer == signer.certificate.subject
        and found.not_valid_after_utc > now + _RENEW_BEFORE
        and set(listed) == {_general_name(one) for one in names}
    )
