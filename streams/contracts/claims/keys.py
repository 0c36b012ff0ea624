"""What subjects, documents and personas are called by: keys that tell what they name, and never a personnummer."""

UNIT_PREFIX = "unit:"
PLACE_PREFIX = "place:"
GROUP_PREFIX = "group:"
LEGAL_PREFIX = "legal:"
ID_SUBJECT_PREFIX = "id:"
"""Subjects that name a person by id instead of by number: what iam claims about (see `streams.hashing.id_subject`)."""

PERSON = "person"
_PREFIXES = {UNIT_PREFIX: "unit", PLACE_PREFIX: "place", GROUP_PREFIX: "group", LEGAL_PREFIX: "legal-organisation"}
KINDS_OF_THING: frozenset[str] = frozenset(_PREFIXES.values())
"""What a document can be about that is no person. Their subjects are their document ids."""

ABOUT: dict[str, str] = {
    "unit-node": "unit",
    "unit-structure": "unit",
    "unit-name": "unit",
    "place": "place",
    "group": "group",
    "group-members": "group",
    "legal-organisation": "legal-organisation",
}
"""By claim kind, what it is about; a kind that is not listed is about a person."""


def unit_key(employer: str, unit_id: str) -> str:
    """The document key of an organisation unit: information set + employer + unit id."""
    return f"{UNIT_PREFIX}{employer}:{unit_id}"


def is_unit(key: str) -> bool:
    """Whether a subject or document id is an organisation unit's."""
    return key.startswith(UNIT_PREFIX)


def thing_of(key: str) -> str:
    """What a subject or document id names: one of `KINDS_OF_THING`, or `PERSON`."""
    prefix, colon, _ = key.partition(":")
    return _PREFIXES.get(prefix + colon, PERSON)


def is_thing(key: str) -> bool:
    """Whether a subject or document id is a unit's, place's, group's or legal organisation's; all others are persons'."""
    return thing_of(key) != PERSON


def place_key(issuer: str, place_id: str) -> str:
    """The document key of a place: who numbers it, and its number there."""
    return f"{PLACE_PREFIX}{issuer}:{place_id}"


def group_key(employer: str, group_id: str) -> str:
    """The document key of a group: the employer that runs the school, and the group's id."""
    return f"{GROUP_PREFIX}{employer}:{group_id}"


def legal_organisation_key(digest: str) -> str:
    """The document key of a legal organisation, of a keyed hash of its number (32 hex characters): every one's alike, for
    a sole trader's number is a personnummer, and a key of another form would tell who is one."""
    return f"{LEGAL_PREFIX}{digest}"


def persona_key(information_set: str, employer: str, source_id: str) -> str:
    """A persona's key: information set + employer + employment (enrolment, mandate) id; never the delivering system."""
    return f"{information_set}:{employer}:{source_id}"
