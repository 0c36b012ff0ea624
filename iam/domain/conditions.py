"""Whether a rule's conditions hold for a persona, and if not, the word that says why."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from iam.domain.policy import When
from iam.domain.world import World
from streams.contracts.claims import Assurance, Segment
from streams.contracts.documents import AssuranceEntry, Persona, PersonDocument

WHY_NOT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rule-not-in-force": ("the rule is not in force on this day", "regeln gäller inte denna dag"),
        "planned": ("it starts later than the lead time", "den börjar senare än framförhållningen"),
        "staged": ("it has not started yet", "den har inte börjat än"),
        "closed": ("it has ended", "den är avslutad"),
        "cancelled": ("it was cancelled before it began", "den återkallades innan den började"),
        "on-leave": ("leave of absence, and the rule says so", "tjänstledighet, och regeln säger så"),
        "deceased": ("the person is deceased", "personen är avliden"),
        "withheld": (
            "no role is left that provisioning may know of",
            "ingen roll finns kvar som kontohanteringen får känna till",
        ),
        "erased": ("the person is erased", "personen är gallrad"),
        "quarantined": ("the person needs a human decision first", "personen kräver ett manuellt beslut först"),
        "unit-unknown": ("the organisation unit is not known yet", "organisationsenheten är inte känd än"),
        "unit-closed": (
            "the organisation unit does not exist on this day",
            "organisationsenheten finns inte denna dag",
        ),
        "protected-hosting": (
            "the target does not take persons handled with care",
            "målsystemet tar inte emot personer som hanteras särskilt",
        ),
        "units": ("another part of the organisation", "annan del av organisationen"),
        "employers": ("another employer", "annan arbetsgivare"),
        "aid": ("another AID code", "annan AID-etikett"),
        "aid_responsibility": ("another AID responsibility code", "annan AID-ansvarskod"),
        "titles": ("another position", "annan befattning"),
        "forms": ("another form of employment", "annan anställningsform"),
        "statuses": ("another register status", "annan folkbokföringsstatus"),
        "school_types": ("another type of school", "annan skolform"),
        "assurance": (
            "it is not sure enough who the person is",
            "det är inte tillräckligt styrkt vem personen är",
        ),
        "dormant": ("the samordningsnummer is dormant", "samordningsnumret är vilandeförklarat"),
        "authority": (
            "the policy of the unit's legal authority refuses it",
            "regeln för enhetens nämnd eller bolag tillåter det inte",
        ),
        "no-field": ("the unit lacks what the group is named by", "enheten saknar det som gruppen namnges av"),
        "other-account": (
            "another account of the person serves this role",
            "ett annat av personens konton används för rollen",
        ),
    }
)
"""Every reason why a rule gives nothing, in English and Swedish. A test fails on a code that is not listed."""


_SURE: Mapping[Assurance, int] = MappingProxyType(
    {Assurance.UNCERTAIN: 0, Assurance.PROBABLE: 1, Assurance.CONFIRMED: 2},
)


def failing(
    when: When, person: PersonDocument, persona: Persona, segment: Segment, world: World, on: dt.date
) -> str | None:
    """The first condition that does not hold, or None. An empty value of the persona matches nothing that is asked."""
    if when.employers and persona.employer not in when.employers:
        return "employers"
    if when.statuses and (person.status.state if person.status else "") not in when.statuses:
        return "statuses"
    if when.aid and not any(_aid(segment.aid, asked) for asked in when.aid):
        return "aid"
    if when.aid_responsibility and segment.aid_responsibility not in when.aid_responsibility:
        return "aid_responsibility"
    if when.titles and segment.title.casefold() not in {title.casefold() for title in when.titles}:
        return "titles"
    if when.forms and segment.form not in when.forms:
        return "forms"
    if when.school_types and persona.school_type not in when.school_types:
        return "school_types"
    if when.units and not set(when.units) & set(world.line(segment.unit, on)):
        return "units"
    return unassured(when, person.assurance)


def unassured(when: When, known: AssuranceEntry | None) -> str | None:
    """Whether less is known of who the person is than is asked for, or None. Uncertain, probable, confirmed, in this order;
    what is not known is less than any."""
    if when.assurance is not None and (known is None or _SURE[known.level] < _SURE[Assurance(when.assurance)]):
        return "assurance"
    if when.dormant == "refused" and (known is None or known.dormant):
        return "dormant"
    return None


def _aid(code: str, asked: str) -> bool:
    return code.startswith(asked[:-1]) if asked.endswith("*") else code == asked
