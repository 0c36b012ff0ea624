"""The catalogue of topics: the one place where a topic, its key, retention, schema, readers and writers are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Cleanup(StrEnum):
    COMPACT = "compact"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_ms` -1 keeps for ever (the replay log). Urgent topics (`lane`) have worker processes of their own.

    `contents` are the kinds of claims (source topics) or the parts of `Published` that travel on it, `sealed_with` the
    class of key (`streams.sealing.KeyClass`; empty: nothing is sealed) and `in_clear` what goes unsealed beside it.
    """

    name: str
    key: str
    schema: str
    cleanup: Cleanup
    retention_ms: int
    lane: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    sv: str
    en: str
    contents: tuple[str, ...] = ()
    sealed_with: str = ""
    in_clear: tuple[str, ...] = ()


FOREVER = -1
_WEEK = 7 * 24 * 3600 * 1000

SOURCE_PERSON = "source.person.v1"
SOURCE_EMPLOYMENT = "source.employment.v1"
SOURCE_ORGANISATION = "source.organisation.v1"
SOURCE_PLACE = "source.place.v1"
SOURCE_GROUP = "source.group.v1"
SOURCE_ENROLMENT = "source.enrolment.v1"
SOURCE_MANDATE = "source.mandate.v1"
SOURCE_CONSULTANCY = "source.consultancy.v1"
SOURCE_ROBOT = "source.robot.v1"
SOURCE_ACCOUNT = "source.account.v1"
SOURCE_URGENT = "source.urgent.v1"
SOURCE_RULING = "source.ruling.v1"
MMD_PERSON = "mmd.person.v1"
MMD_ORGANISATION = "mmd.organisation.v1"
MMD_PLACE = "mmd.place.v1"
MMD_GROUP = "mmd.group.v1"
MMD_URGENT = "mmd.urgent.v1"

RECORD_SCHEMA = "source-record.v1"
PUBLISHED_SCHEMA = "published.v1"


def _of_a_source(
    name: str, sv: str, en: str, *contents: str, key: str = "subject", in_clear: tuple[str, ...] = ()
) -> Topic:
    """What source connectors write, for ever and sealed, and the master reads."""
    return Topic(
        name,
        key,
        RECORD_SCHEMA,
        Cleanup.DELETE,
        FOREVER,
        "bulk",
        ("source-connectors",),
        ("ingest-bulk",),
        sv,
        en,
        contents,
        sealed_with="inner",
        in_clear=in_clear,
    )


TOPICS: tuple[Topic, ...] = (
    _of_a_source(
        SOURCE_PERSON,
        "Folkbokföringsuppgifter så som källan lämnade dem",
        "Population register facts as their source gave them",
        "protection",
        "name",
        "birth",
        "registration",
        "registered-address",
        "special-address",
        "number-reference",
        "identity-assurance",
        "custody",
    ),
    _of_a_source(
        SOURCE_EMPLOYMENT,
        "Anställningar så som källan lämnade dem",
        "Employments as their source gave them",
        "protection",
        "name",
        "employment",
        "agreed-name",
        "work-contact",
    ),
    _of_a_source(
        SOURCE_ORGANISATION,
        "Organisationsenheter och juridiska organisationer så som källan lämnade dem",
        "Organisation units and legal organisations as their source gave them",
        "unit-node",
        "unit-structure",
        "unit-name",
        "legal-organisation",
        key="unit key or key of a legal organisation",
        in_clear=("unit-node", "unit-structure", "unit-name"),
    ),
    _of_a_source(
        SOURCE_ENROLMENT,
        "Inskrivningar och placeringar i skolan så som källan lämnade dem",
        "Enrolments and placements in schools as their source gave them",
        "protection",
        "enrolment",
        "placement",
    ),
    _of_a_source(
        SOURCE_MANDATE,
        "Förtroendevaldas uppdrag så som källan lämnade dem",
        "Mandates of elected representatives as their source gave them",
        "protection",
        "mandate",
    ),
    _of_a_source(
        SOURCE_CONSULTANCY,
        "Konsulters uppdrag så som källan lämnade dem",
        "Assignments of consultants as their source gave them",
        "protection",
        "consultancy",
    ),
    _of_a_source(
        SOURCE_ROBOT,
        "Robotars uppdrag så som källan lämnade dem",
        "What robots are set to do as their source gave it",
        "protection",
        "robot",
    ),
    _of_a_source(
        SOURCE_PLACE,
        "Platser så som källan lämnade dem",
        "Places as their source gave them",
        "place",
        key="place key",
    ),
    _of_a_source(
        SOURCE_GROUP,
        "Klasser och undervisningsgrupper så som källan lämnade dem",
        "Classes and teaching groups as their source gave them",
        "group",
        "group-members",
        key="group key",
    ),
    Topic(
        SOURCE_ACCOUNT,
        "id subject",
        RECORD_SCHEMA,
        Cleanup.DELETE,
        FOREVER,
        "bulk",
        ("iam-relay",),
        ("ingest-bulk",),
        "Kontouppgifter som tilldelats: uid, e-post, ePPN",
        "Account facts that were allocated: uid, mail, ePPN",
        contents=("account",),
        sealed_with="account",
    ),
    Topic(
        SOURCE_URGENT,
        "subject",
        RECORD_SCHEMA,
        Cleanup.DELETE,
        FOREVER,
        "urgent",
        ("source-connectors",),
        ("ingest-urgent",),
        "Snabbfil: skyddsmarkeringar, dödsfall, avslut och återkallade roller",
        "Fast lane: protection raises, deaths, ends and withdrawals",
        contents=(
            "protection",
            "registration",
            "employment",
            "enrolment",
            "placement",
            "mandate",
            "consultancy",
            "robot",
        ),
        sealed_with="inner",
    ),
    Topic(
        MMD_PERSON,
        "person id",
        PUBLISHED_SCHEMA,
        Cleanup.COMPACT,
        FOREVER,
        "bulk",
        ("mmd-relay",),
        ("evaluate-bulk",),
        "Personers aktuella tillstånd",
        "Full state of persons",
        contents=("person", "redirect", "withheld"),
        sealed_with="outer",
        in_clear=("redirect", "withheld"),
    ),
    Topic(
        MMD_ORGANISATION,
        "unit key or key of a legal organisation",
        PUBLISHED_SCHEMA,
        Cleanup.COMPACT,
        FOREVER,
        "bulk",
        ("mmd-relay",),
        ("evaluate-bulk",),
        "Organisationsenheters och juridiska organisationers aktuella tillstånd",
        "Full state of organisation units and legal organisations",
        contents=("unit", "legal_organisation", "withheld"),
        sealed_with="outer",
        in_clear=("unit", "withheld"),
    ),
    Topic(
        MMD_PLACE,
        "place key",
        PUBLISHED_SCHEMA,
        Cleanup.COMPACT,
        FOREVER,
        "bulk",
        ("mmd-relay",),
        (),
        "Platsers aktuella tillstånd",
        "Full state of places",
        contents=("place", "withheld"),
        sealed_with="outer",
        in_clear=("withheld",),
    ),
    Topic(
        MMD_GROUP,
        "group key",
        PUBLISHED_SCHEMA,
        Cleanup.COMPACT,
        FOREVER,
        "bulk",
        ("mmd-relay",),
        (),
        "Klassers och undervisningsgruppers aktuella tillstånd",
        "Full state of classes and teaching groups",
        contents=("group", "withheld"),
        sealed_with="outer",
        in_clear=("withheld",),
    ),
    Topic(
        MMD_URGENT,
        "document id",
        PUBLISHED_SCHEMA,
        Cleanup.DELETE,
        _WEEK,
        "urgent",
        ("mmd-relay",),
        ("evaluate-urgent",),
        "Snabbfil: tillstånd som skyddar eller återkallar",
        "Fast lane: state that protects or revokes",
        contents=("person", "unit", "place", "group", "legal_organisation", "redirect", "withheld"),
        sealed_with="outer",
        in_clear=("unit", "redirect", "withheld"),
    ),
    Topic(
        SOURCE_RULING,
        "subject",
        RECORD_SCHEMA,
        Cleanup.DELETE,
        FOREVER,
        "urgent",
        ("operator",),
        ("ingest-urgent",),
        "Handläggares beslut: sammanslagning, delning, hävd skyddsmarkering, återkomst efter gallring, hävt dödsfall",
        "Operators' rulings: merge, split, lift, return after an erasure, death taken back",
        contents=("merge", "split", "protection-lift", "return", "death-reversal", "protection"),
        sealed_with="inner",
    ),
)

CONTENTS: Mapping[str, tuple[str, ...]] = MappingProxyType({topic.name: topic.contents for topic in TOPICS})
"""What may travel on each topic, see `Topic`: what stands on another one is refused by whoever reads it."""
