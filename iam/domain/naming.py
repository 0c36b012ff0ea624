"""Account keys and opaque names: keyed hashes that tell nothing of the person and look alike for everyone."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterator

from iam.domain.world import AccountKey

UID_LENGTH = 8
_RETIRED = "#"  # in no name that is given
_LETTERS = str.maketrans("234567", "bcdfgh")


def _keyed(secret: bytes, purpose: str, text: str) -> bytes:
    return hmac.new(secret, f"{purpose}\n{text}".encode(), hashlib.sha256).digest()


def account_id(secret: bytes, key: AccountKey, counter: int = 0) -> str:
    """The permanent key of an account (UUID version 8), from the person id at first allocation. Replay gives the same.
    `counter` above 0: the next one, where a merge gave the first one to somebody else."""
    text = f"{key.person}\n{key.employer}\n{key.account_class}"
    return uuid8(_keyed(secret, "account", f"{text}\n{counter}" if counter else text))


def uuid8(digest: bytes) -> str:
    """RFC 9562, section 5.8: 122 bits of a digest as a UUID of version 8."""
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def digest_salt(secret: bytes, account: str) -> str:
    """The salt of an account's digests: the same for ever, so that digests compare across a rebuild."""
    return _keyed(secret, "digest", account).hex()[:32]


def uids(secret: bytes, account: str) -> Iterator[str]:
    """Candidates in order, for ever: eight characters of base32 in lower case, the first one a letter. The ledger takes
    the first that nobody else ever had."""
    counter = 0
    while True:
        text = base64.b32encode(_keyed(secret, "uid", f"{account}\n{counter}")).decode().lower()[:UID_LENGTH]
        yield text[0].translate(_LETTERS) + text[1:]
        counter += 1


def retired(secret: bytes, kind: str, name: str) -> str:
    """What the ledger keeps of a name whose owner is erased: that it is taken. A name that is retired stays as it is."""
    return name if is_retired(name) else _RETIRED + _keyed(secret, "retired", f"{kind}\n{name}").hex()[:40]


def is_retired(name: str) -> bool:
    """Whether its owner was erased."""
    return name.startswith(_RETIRED)


def event_id(purpose: str, *parts: str) -> str:
    """A deterministic event id: the same ledger decision is the same event after a rebuild."""
    return uuid8(hashlib.sha256("\n".join((purpose, *parts)).encode()).digest())
