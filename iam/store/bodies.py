"""Sealed bodies of schema `iam`: under the person's outer key, bound to their row, unreadable once the key is destroyed.

An empty key id means in clear: an intent without anything of a person but opaque keys (an erased person's accounts).
"""

from collections.abc import Mapping

import msgspec

from iam.domain.account import Intent
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected
from streams.sealing import Key, KeyState, seal, unseal

Keys = Mapping[str, "Key | KeyState"]
"""What `KeyRing.find` answers."""

_PERSON = msgspec.json.Decoder(PersonDocument)
_INTENT = msgspec.json.Decoder(Intent)


def _person_data(person: str, key_id: str) -> bytes:
    return f"iam.world_person\n{person}\n{key_id}".encode()


def _intent_data(account: str, target: str, key_id: str) -> bytes:
    return f"iam.desired\n{account}\n{target}\n{key_id}".encode()


def seal_person(key: Key, document: PersonDocument) -> bytes:
    return seal(key, msgspec.json.encode(document), _person_data(document.id, key.id))


def open_person(keys: Keys, person: str, key_id: str, body: bytes) -> PersonDocument | KeyState:
    """The document, or why its key is gone. Raises `Rejected("envelope.forged")` for a body of another row."""
    key = keys.get(key_id, KeyState.UNKNOWN)
    if isinstance(key, KeyState):
        return key
    return _PERSON.decode(unseal(key, body, _person_data(person, key_id)))


def encode_intent(intent: Intent) -> bytes:
    """Deterministic: equal intents give equal bytes."""
    return msgspec.json.encode(intent, order="deterministic")


def seal_intent(key: Key | None, target: str, intent: Intent) -> bytes:
    """`key` None: in clear. Raises `Rejected("key.unknown")` if that would show an attribute of a person."""
    plain = encode_intent(intent)
    if key is None:
        if intent.state.attributes:
            raise Rejected("key.unknown", "attributes in clear")
        return plain
    return seal(key, plain, _intent_data(intent.state.key, target, key.id))


def open_intent(keys: Keys, account: str, target: str, key_id: str, body: bytes) -> Intent | KeyState:
    """What `desired.body` holds, or why its key is gone (RENEWED: evaluate writes the row again; leave it)."""
    if not key_id:
        return _INTENT.decode(body)
    key = keys.get(key_id, KeyState.UNKNOWN)
    if isinstance(key, KeyState):
        return key
    return _INTENT.decode(unseal(key, body, _intent_data(account, target, key_id)))
