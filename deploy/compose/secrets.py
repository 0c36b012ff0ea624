"""Makes every secret and certificate of an installation once, and hands each container its own.

The authority's folder holds the one copy of each and the authority's key; no server and no worker ever sees it. A file
that is there already is kept, so the organisation's own passwords, keys and certificates can be put in first.
"""

import base64
import datetime as dt
import hashlib
import os
import secrets
from pathlib import Path

from deploy.compose.certificates import authority, server_certificate
from deploy.compose.consumers import CONSUMERS, SERVERS, Consumer, database_password, kafka_password
from deploy.compose.database_rights import OWNER, SCHEMAS
from deploy.compose.kafka_rights import ADMIN, logins
from deploy.embedded import secret_files
from deploy.embedded.kafka import cluster_id
from deploy.running import SECRETS

_ITERATIONS = 8192


def make(folder: Path, now: dt.datetime) -> None:
    """Everything that is missing in the authority's folder; certificates that soon end are made anew."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    signer = authority(folder, now)
    for name, names in SERVERS.items():
        server_certificate(folder, signer, name, names, now)
    for name in SECRETS:
        secret_files.key(folder / name)
    passwords = [kafka_password(login) for login in (ADMIN, *logins())]
    passwords += [database_password(login) for login in (OWNER, *SCHEMAS)]
    for name in (*passwords, "postgres.password", "ldap.password", "scim.token"):
        secret_files.secret(folder / name)
    secret_files.kept(folder / "cluster.id", cluster_id())
    secret_files.kept(folder / "admin.scram", scram(ADMIN, (folder / kafka_password(ADMIN)).read_text()))
    store = (folder / "kafka.key").read_text().rstrip() + "\n" + (folder / "kafka.pem").read_text()
    secret_files.put(folder / "kafka.store", store)


def scram(login: str, password: str) -> str:
    """A login as `kafka-storage format --add-scram` takes it: salted (RFC 5802, section 3), so that the broker's container
    never holds the password."""
    salt = secrets.token_bytes(32)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, salted))
    return "SCRAM-SHA-512=[name={},salt={},saltedpassword={},iterations={}]".format(login, *parts, _ITERATIONS)


def hand_out(folder: Path, out: Path) -> list[str]:
    """Each container's files into `out/NAME`, readable by its user alone; the names of those whose files changed."""
    return [consumer.name for consumer in CONSUMERS if _hand(folder, out / consumer.name, consumer)]


def _hand(folder: Path, to: Path, consumer: Consumer) -> bool:
    """Root gives the files away; anybody else keeps them (one's own folder, a test)."""
    changed = False
    to.mkdir(parents=True, exist_ok=True)
    for name, original in consumer.files.items():
        content = (folder / original).read_text()
        target = to / name
        if not target.exists() or target.read_text() != content:
            secret_files.put(target, content)
            changed = True
        target.chmod(0o400)
        if os.geteuid() == 0:
            os.chown(target, consumer.uid, consumer.uid)
    for left in sorted(set(to.iterdir()) - {to / name for name in consumer.files}):
        left.unlink()
        changed = True
    to.chmod(0o500)
    if os.geteuid() == 0:
        os.chown(to, consumer.uid, consumer.uid)
    return changed
