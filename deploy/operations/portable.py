"""An export: what the stores hold and nobody could say again, as JSON Lines, in one file for its owner alone.

The first line is the header; every other line is one record (`deploy/operations/export.schema.json`). The header's `mac` is
a hash of the header and all lines, keyed with the permanent digest secret: a file that was cut off or changed is refused.
Sealed, each line is encrypted by itself under a system key of the data keys.
"""

import base64
import datetime as dt
import fcntl
import hashlib
import hmac
import importlib.metadata
import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from deploy.settings import MasterSettings
from deploy.wiring import master
from deploy.wiring.base import Base
from deploy.wiring.data import read_register
from iam.store import portable as provisioning
from iam.store.retired import bury
from mmd.ingest import portable as ingest
from mmd.ingest.erasure import keep_heads
from mmd.store.hash import document_digests, hash_of
from mmd.store.portable import ClaimLine, ConflictLine, claim_lines, conflict_lines
from streams.contracts.errors import Rejected
from streams.erasures import ErasedLine, Erasure, ErasureLine, Erasures
from streams.returns import Return, ReturnLine, Returns
from streams.sealing import Key, KeyClass, seal, unseal

FORMAT = 1
BATCH = 500
_OWNER = "export"
"""Whose system key an export is sealed with."""

Line = ErasureLine | ReturnLine | ErasedLine | ClaimLine | ConflictLine | provisioning.Line


class Header(msgspec.Struct, frozen=True, tag_field="record", tag="export"):
    """`state`: the master's hash (`kallan state hash`); `register`: the source register's; `epoch`: of its documents;
    `sealed`: the id of the key, empty: the lines are in clear; `counts`: lines by record."""

    format: int
    made_at: dt.datetime
    version: str
    register: str
    state: str
    epoch: int
    sealed: str
    counts: dict[str, int]
    mac: str = ""


_LINES: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_HEADER = msgspec.json.Decoder(Header)


def json_schema() -> dict[str, Any]:
    """Of every line of an export that is not sealed."""
    made = msgspec.json.schema(Header | Line)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Källan export, one line", **made}


def write_export(base: Base, settings: MasterSettings, file: Path, *, sealed: bool = False) -> Header:
    """One consistent look at the stores, into a new file that its owner alone can read.

    The file is there when it is whole. What an export that was killed has left beside it is written over.

    Raises `Rejected("input.invalid")` where the file is there already or cannot be written, and whatever does not open in
    the stores.
    """
    if file.exists():
        raise Rejected("input.invalid", f"{file.name} is there already")
    try:
        return _write_export(base, settings, file, sealed=sealed)
    except OSError as error:
        raise Rejected("input.invalid", f"{file.name}: {error.strerror}") from None


def _write_export(base: Base, settings: MasterSettings, file: Path, *, sealed: bool) -> Header:
    body, whole = file.with_name(f".{file.name}.part"), file.with_name(f".{file.name}.whole")
    with _new(whole) as stream:
        try:
            header = _write_lines(base, settings, body, sealed=sealed)
            stream.write(msgspec.json.encode(header) + b"\n")
            with body.open("rb") as lines:
                while part := lines.read(1 << 20):
                    stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())
            os.link(whole, file)  # refuses to take the place of another
        finally:
            body.unlink(missing_ok=True)
            whole.unlink(missing_ok=True)
    return header


def _write_lines(base: Base, settings: MasterSettings, body: Path, *, sealed: bool) -> Header:
    """Everything but the header, which is returned."""
    key = base.keys.current(KeyClass.SYSTEM, {_OWNER})[_OWNER] if sealed else None
    counts: Counter[str] = Counter()
    with base.pool.connection() as connection, _new(body) as stream:
        connection.execute("set transaction isolation level repeatable read, read only")
        found = chain(
            Returns(base.keys_pool).lines(),
            Erasures(base.keys_pool).lines(),
            claim_lines(connection, base.keys),
            conflict_lines(connection),
            provisioning.lines(connection),
        )
        for number, one in enumerate(found, 1):
            counts[str(one.__struct_config__.tag)] += 1
            stream.write(_written(one, number, key) + b"\n")
        state = hash_of(document_digests(connection, base.keys)).hash
        epoch = connection.execute("select number from mmd.epoch").fetchone()
    header = Header(
        FORMAT,
        base.clock.now(),
        importlib.metadata.version("kallan"),
        read_register(settings.sources).version,
        state,
        epoch[0] if epoch else 0,
        key.id if key else "",
        dict(sorted(counts.items())),
    )
    return msgspec.structs.replace(header, mac=_mac(settings, header, body))


def read_import(base: Base, settings: MasterSettings, file: Path) -> Header:
    """Everything of the file into empty stores, in one transaction: all of it or nothing.

    Raises `Rejected`: export.damaged for a file that is not whole or was changed, input.unknown-schema for one of another
    format, store.not-empty, key.unknown where its key is not there, and export.differs where the register is another one or
    the master does not come out as it was.
    """
    header = _checked(settings, file)
    if header.register != read_register(settings.sources).version:
        raise Rejected("export.differs", "register")
    key = _key_of(base, header)
    importer, now = master.importer(base, settings), base.clock.now()
    with base.pool.connection() as connection:
        if not (ingest.is_empty(connection) and provisioning.is_empty(connection)):
            raise Rejected("store.not-empty")
        _erase(base, _lines(file, key))  # for good, whatever becomes of the rest: it was decided
        keep_heads(connection, (head for one in Erasures(base.keys_pool).all() for head in one.heads))
        ingest.begin_epoch(connection, header.epoch)
        for kind, some in groupby(_lines(file, key), type):
            if kind is ClaimLine:
                for batch in _batches(one for one in some if isinstance(one, ClaimLine)):
                    importer.claims(connection, batch, now)
            elif kind is ConflictLine:
                importer.conflicts(connection, (one for one in some if isinstance(one, ConflictLine)))
            elif kind not in (ErasureLine, ReturnLine, ErasedLine):
                provisioning.put(connection, (one for one in some if isinstance(one, provisioning.Line)), now)
        bury(connection, (), Erasures(base.keys_pool).owners(), now)
        if hash_of(document_digests(connection, base.keys)).hash != header.state:
            raise Rejected("export.differs", "master")
    return header


def _erase(base: Base, lines: Iterator[Line]) -> None:
    """Those that were erased where the export was written, and who of them returned."""
    owners: set[str] = set()
    for one in lines:
        if isinstance(one, ErasureLine):
            Erasures(base.keys_pool).record(Erasure(**msgspec.structs.asdict(one)))
        elif isinstance(one, ReturnLine):
            Returns(base.keys_pool).record(Return(**msgspec.structs.asdict(one)))
        elif isinstance(one, ErasedLine):
            owners.add(one.owner)
        else:
            break
    if owners:
        base.keys.erase(owners)


def _new(path: Path) -> BinaryIO:
    """Empty, its owner's alone, and nobody else's who exports to the same place now: raises `OSError`."""
    stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "wb")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(stream.fileno(), 0o600)
        stream.truncate(0)
    except OSError:
        stream.close()
        raise
    return stream


def _written(one: Line, number: int, key: Key | None) -> bytes:
    plain = msgspec.json.encode(one)
    return plain if key is None else base64.b64encode(seal(key, plain, _place(number)))


def _place(number: int) -> bytes:
    return b"export\n%d" % number


def _mac(settings: MasterSettings, header: Header, body: Path, skip: int = 0) -> str:
    made = hmac.new(settings.secret("digest.secret"), b"export\n", hashlib.sha256)
    made.update(msgspec.json.encode(msgspec.structs.replace(header, mac="")) + b"\n")
    with body.open("rb") as stream:
        stream.seek(skip)
        while part := stream.read(1 << 20):
            made.update(part)
    return made.hexdigest()


def _checked(settings: MasterSettings, file: Path) -> Header:
    """The header of a file that is whole."""
    try:
        with file.open("rb") as stream:
            first = stream.readline()
        header = _HEADER.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejected("export.damaged", "header") from None
    except OSError as error:
        raise Rejected("input.unreadable", f"{file.name}: {error.strerror}") from None
    if header.format != FORMAT:
        raise Rejected("input.unknown-schema", "format")
    if not hmac.compare_digest(_mac(settings, header, file, skip=len(first)).encode(), header.mac.encode()):
        raise Rejected("export.damaged", "mac")
    return header


def _key_of(base: Base, header: Header) -> Key | None:
    if not header.sealed:
        return None
    key = base.keys.find({header.sealed})[header.sealed]
    if not isinstance(key, Key):
        raise Rejected("key.unknown", "the key of the export")
    return key


def _lines(file: Path, key: Key | None) -> Iterator[Line]:
    with file.open("rb") as stream:
        stream.readline()
        for number, line in enumerate(stream, 1):
            try:
                plain = line if key is None else unseal(key, base64.b64decode(line, validate=False), _place(number))
                yield _LINES.decode(plain)
            except msgspec.DecodeError:
                raise Rejected("export.damaged", f"line {number + 1}") from None


def _batches(lines: Iterator[ClaimLine]) -> Iterator[list[ClaimLine]]:
    while batch := list(islice(lines, BATCH)):
        yield batch
