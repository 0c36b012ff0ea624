"""The document id that a subject has by itself, before any number reference joins it with others."""

from streams.contracts.claims import ID_SUBJECT_PREFIX, is_thing
from streams.hashing import person_id_of


def own_id(person_secret: bytes, subject: str) -> str:
    """The key of a unit, place, group or legal organisation, the id that the subject names, or the keyed hash of it."""
    if is_thing(subject):
        return subject
    if subject.startswith(ID_SUBJECT_PREFIX):
        return subject.removeprefix(ID_SUBJECT_PREFIX)
    return person_id_of(person_secret, subject)
