"""docs/source-map.md: the source register as a page that an information owner can read. Pure."""

from collections.abc import Iterable

from deploy.docs.markdown import code, page, table
from mmd.domain.claims import KINDS
from mmd.domain.register import Designation, SourceRegister
from streams.contracts.claims import REPLACES, Replaces

LABELS: dict[str, tuple[str, str]] = {
    "protection": ("protection marking", "sekretessmarkering, skyddad folkbokföring"),
    "name": ("registered name", "folkbokfört namn"),
    "birth": ("date of birth", "födelsedatum"),
    "registration": ("registration status", "avregistrering"),
    "registered-address": ("registered address", "folkbokföringsadress"),
    "special-address": ("special postal address", "särskild postadress"),
    "number-reference": ("reference between personnummer", "hänvisningsnummer"),
    "identity-assurance": ("identity level of a samordningsnummer", "identitetsnivå, vilandeförklarat"),
    "custody": ("custody", "vårdnad"),
    "employment": ("employment with segments and leaves", "anställning"),
    "agreed-name": ("name agreed to be shown", "överenskommet visningsnamn"),
    "work-contact": ("telephone at work", "arbetstelefon"),
    "enrolment": ("enrolment in a school", "inskrivning i skola"),
    "placement": ("place in preschool or leisure-time centre", "placering i förskola eller fritidshem"),
    "mandate": ("mandate of an elected representative", "förtroendeuppdrag"),
    "consultancy": ("assignment of a consultant", "konsultuppdrag"),
    "robot": ("what a robot is set to do", "robots uppdrag"),
    "unit-node": ("that a unit exists", "organisationsenhet"),
    "unit-structure": ("what a unit hangs below", "organisationsträd"),
    "unit-name": ("name of a unit", "enhetens namn"),
    "merge": ("ruling that two persons are one", "sammanslagning"),
    "split": ("ruling that undoes a merge", "delning"),
    "protection-lift": ("ruling that lifts a marking", "hävd skyddsmarkering"),
    "return": ("ruling that brings back somebody erased", "återkomst efter gallring"),
    "death-reversal": ("ruling that a death is taken back", "hävt dödsfall"),
    "place": ("place with address and units", "plats"),
    "group": ("class or teaching group", "klass, undervisningsgrupp"),
    "group-members": ("who is in a group", "gruppmedlemskap"),
    "legal-organisation": ("legal organisation", "juridisk organisation"),
    "account": ("uid, mail and ePPN of an account", "kontouppgifter"),
}
"""What a claim kind is called, in English and Swedish."""

_SETS = {
    "person": "person",
    "employment": "anställning",
    "enrolment": "inskrivning",
    "consultancy": "konsult",
    "mandate": "förtroendeuppdrag",
    "robot": "robot",
    "organisation": "organisation",
    "account": "konto",
    "place": "plats",
    "group": "grupp",
    "legal-organisation": "juridisk organisation",
}
_NEWER = {
    Replaces.RECORD: "replaces the record",
    Replaces.FROM: "replaces the same first day",
    Replaces.NOTHING: "stands beside the older",
}
_CONFLICT = "conflict"
_OTHERS = {"protection": "a raise counts", "number-reference": f"{_CONFLICT}; joins nobody"}

_HEAD = """\
# Source map

Which source is designated (*utpekad källa*) for what. Generated from the source register, `deploy/config/sources.yml`
(the one that comes with Källan; `KALLAN_SOURCES` names a municipality's own). Version of the register:
`{version}`, a hash of its content. Register, log and code decide every document, nothing else does.

- **Rank**: of several designated sources the first that says something for a day decides that day; of two with one rank
  the one whose designation began last. Dates are inclusive (`mmd/domain/register.py::SourceRegister`).
- **A newer version** of what a source said replaces the whole record, or only what was said for the same first day (so
  that older days stay as history), or replaces nothing: every version counts for ever.
- **Values of other sources**: a *conflict* is not stored. Its source, attribute and time are kept with a keyed digest, and
  where it differs from the master `kallan conflicts` shows it to the information owner (`mmd/ingest/prepare.py::Preparer`,
  `mmd/domain/conflicts.py::undesignated`). Protection is the exception: a raise counts whoever says it, and that
  somebody is *not* marked counts from a designated source only (`mmd/domain/protection.py::effective`)."""


def source_map(register: SourceRegister) -> str:
    """The page. Raises ValueError where an attribute has no label."""
    if missing := KINDS - set(LABELS):
        raise ValueError(f"no label for {', '.join(sorted(missing))}")
    lines = [_HEAD.format(version=register.version)]
    for name in dict.fromkeys(one.information_set for one in register.designations):
        entries = [one for one in register.designations if one.information_set == name]
        lines += ["", f"## {name} ({_SETS.get(name, name)})", "", *_set_table(entries)]
    without = sorted(KINDS - {one.attribute for one in register.designations})
    lines += ["", "## Without a designated source", ""]
    lines += [f"- {LABELS[kind][0]} ({code(kind)}): no source may give it" for kind in without] or [
        "None: every attribute has one."
    ]
    return page(*lines)


def _set_table(entries: Iterable[Designation]) -> list[str]:
    return table(
        (
            "attribute",
            "svenska",
            "persona types",
            "sources, best first",
            "from",
            "through",
            "a newer version",
            "values of other sources",
            "information owner",
        ),
        (
            (
                f"{LABELS[one.attribute][0]} ({code(one.attribute)})",
                LABELS[one.attribute][1],
                one.persona_type or "all",
                ", ".join(f"{rank}. {code(source)}" for rank, source in enumerate(one.sources, start=1)),
                str(one.valid_from or "always"),
                str(one.valid_to or "until further notice"),
                _NEWER[REPLACES.get(one.attribute, Replaces.RECORD)],
                _OTHERS.get(one.attribute, _CONFLICT),
                one.owner,
            )
            for one in entries
        ),
    )
