"""AES-256-GCM: a value is opened only with its key and under the envelope that it was sealed for."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streams.contracts.errors import Rejected

_NONCE_BYTES = 12
_GENERATION = re.compile(r"[1-9][0-9]{0,8}")


class KeyClass(StrEnum):
    """Who may hold a data key of a subject (design.md, Protected identity).

    INNER: source connectors and mmd. OUTER: mmd's relay and iam. ACCOUNT: iam and mmd. SYSTEM: what edges reject.
    """

    INNER = "inner"
    OUTER = "outer"
    ACCOUNT = "account"
    SYSTEM = "system"


class KeyState(StrEnum):
    """RENEWED: skip the record silently, a newer one follows. ERASED: treat as a tombstone. UNKNOWN: set aside."""

    RENEWED = "renewed"
    ERASED = "erased"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Key:
    """A live data key. `id` is `<class>/<owner>/<generation>`; owner is a subject hash, person id or unit key."""

    id: str
    secret: bytes = field(repr=False)

    @cached_property
    def cipher(self) -> AESGCM:
        """Set up once: a key seals all that a record says, and setting up costs more than sealing it."""
        return AESGCM(self.secret)


def key_id(key_class: KeyClass, owner: str, generation: int) -> str:
    return f"{key_class}/{owner}/{generation}"


def split_key_id(text: str) -> tuple[KeyClass, str, int] | None:
    """Class, owner and generation; None for anything that `key_id` does not write."""
    key_class, _, rest = text.partition("/")
    owner, _, number = rest.rpartition("/")
    if key_class not in KeyClass.__members__.values() or not owner or not _GENERATION.fullmatch(number):
        return None
    return KeyClass(key_class), owner, int(number)


class KeyRing(Protocol):
    """The keys that this process may use. All operations are durable when they return."""

    def current(self, key_class: KeyClass, owners: "set[str]") -> "Mapping[str, Key]":
        """The live key of each owner, created where there is none. An erased owner is left out: no new key is made."""
        ...

    def find(self, key_ids: "set[str]") -> "Mapping[str, Key | KeyState]":
        """Each asked-for id with its key, or why there is none."""
        ...

    def renew(self, key_class: KeyClass, owner: str) -> Key:
        """A new generation becomes the current one; the older ones stay readable until `destroy_older`."""
        ...

    def destroy_older(self, key_class: KeyClass, owner: str) -> None:
        """Destroy every generation before the current one (state RENEWED). Idempotent."""
        ...

    def erase(self, owners: "set[str]") -> None:
        """Destroy all keys of all classes and make no new ones (state ERASED), unless the owners are readmitted."""
        ...

    def readmit(self, owners: "set[str]") -> None:
        """Those of these owners who are erased may have keys again. What was destroyed stays so (state ERASED): a new key
        has a number above every one that there was. Idempotent."""
        ...


def seal(key: Key, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.cipher.encrypt(nonce, plain, associated)


def unseal(key: Key, sealed: bytes, associated: bytes) -> bytes:
    """Raises `Rejected("envelope.forged")` if the content was not sealed with this key for this envelope."""
    try:
        return key.cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        raise Rejected("envelope.forged", "seal") from None
