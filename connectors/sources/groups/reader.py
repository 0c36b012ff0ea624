"""The group source: `group-export.v1` files in, one source record a class or teaching group out.

Of a member the file gives the number, which becomes a subject here, and the id of the enrolment or employment: no name.
"""

from collections.abc import Sequence

from connectors.sources.dated_rows import Values, company_of, id_in, id_of, names, periods, same, span
from connectors.sources.jsonlines import Row, word
from connectors.sources.posts import Context
from connectors.sources.things import ThingReader
from streams.catalogue import SOURCE_GROUP
from streams.contracts.claims import (
    Claim,
    Group,
    GroupMembers,
    Membership,
    group_key,
    persona_key,
    unit_key,
)
from streams.contracts.documents import PersonaType
from streams.contracts.errors import Rejected
from streams.contracts.identifiers import parse_identifier

EMPLOYMENT = "employment"
ENROLMENT = "enrolment"
_RESTS_ON = {
    PersonaType.PUPIL: ENROLMENT,
    PersonaType.PRESCHOOL_CHILD: ENROLMENT,
    PersonaType.ADULT_STUDENT: ENROLMENT,
    PersonaType.EMPLOYEE: EMPLOYMENT,
}
"""What information set a member's own id is of, by `personaType`. Nobody else is a member of a group."""
_MEMBER = ("personNumber", "personaType", "memberFrom", "memberTo", "sourceId")


def _key(row: Row, employer: str, context: Context) -> tuple[str, str]:
    """Raises `Rejected`."""
    return company_of(row.values, employer, context), id_of(row, "groupId", context)


def _claims(of: tuple[str, str], rows: Sequence[Values], context: Context) -> tuple[Claim, ...]:
    """All of the group or nothing: a member who is left out would be one who has left."""
    return (
        Claim(_body(of[0], [row for row in rows if not _of_member(row)], context)),
        Claim(_members(of[0], [row for row in rows if _of_member(row)], context)),
    )


def _of_member(row: Values) -> bool:
    """Whether the row is about a member: one whose number is missing is not taken for a row of the group."""
    said = (row.get(field) for field in _MEMBER)
    return any(one is not None and str(one).strip() for one in said)


def _body(company: str, rows: Sequence[Values], context: Context) -> Group:
    if not rows:
        raise Rejected("input.missing", "groupName")
    unit = same(rows, "orgId")
    return Group(
        periods=periods(rows, "group"),
        names=names(rows, "groupName", "name", "group"),
        group_type=same(rows, "groupType"),
        unit=unit_key(company, id_in(rows[0], "orgId", context)) if unit else "",
    )


def _members(company: str, rows: Sequence[Values], context: Context) -> GroupMembers:
    found = {_member(company, row, context) for row in rows}
    return GroupMembers(tuple(sorted(found, key=lambda one: (one.subject, one.persona, one.valid_from))))


def _member(company: str, row: Values, context: Context) -> Membership:
    written = word(row, "personNumber")
    if not written:
        raise Rejected("input.missing", "personNumber")
    number = parse_identifier(written, context.today, issuer=company)
    try:
        persona_type = PersonaType(word(row, "personaType"))
        information_set = _RESTS_ON[persona_type]
    except (ValueError, KeyError):
        raise Rejected("code.unknown", "personaType") from None
    own = word(row, "sourceId")
    persona = persona_key(information_set, company, id_in(row, "sourceId", context)) if own else ""
    return Membership(context.subject_of(number), persona_type.value, *span(row, "member"), persona)


GROUPS = ThingReader(
    name="groups",
    format="group-export.v1",
    topic=SOURCE_GROUP,
    absence_kinds=("group", "group-members"),
    key_of=_key,
    subject_of=lambda of, _: group_key(*of),
    claims_of=_claims,
)
"""A group has rows without `personNumber`, which say what it is, and one row for each time somebody is a member."""
