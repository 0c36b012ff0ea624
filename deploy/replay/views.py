"""What expectations see: plain mappings of a person and of an account, the way a tester would say it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.targets.port import Observed, Presence
from mmd.domain.personas import main_persona
from streams.contracts.documents import GroupDocument, NameEntry, PersonDocument, Thing
from streams.contracts.time import holds


def person_view(document: PersonDocument, on: dt.date) -> dict[str, Any]:
    """A person on a date: `name` (given and family as they hold), `agreed_name`, `marking`, `restricted`, `numbers`,
    `address`, `special_address`, `status`, `guardians`, `wards`, `personas` with `type`, `state`, `unit`, `title`, and
    `main`: the key of the main one."""
    names = [n for n in document.names if holds(n.valid_from, n.valid_to, on)]
    addresses = [a for a in document.registered_addresses if holds(a.valid_from, a.valid_to, on)]
    view: dict[str, Any] = {
        "id": document.id,
        "marking": document.marking.value if document.marking is not None else None,
        "restricted": document.restricted,
        "name": _name(names[-1]) if names else None,
        "names": [_name(n) for n in document.names],
        "agreed_name": document.agreed_name.value if document.agreed_name else None,
        "numbers": [{"value": n.value, "current": n.current} for n in document.numbers],
        "address": msgspec.to_builtins(addresses[-1].address) if addresses else None,
        "addresses": [msgspec.to_builtins(a.address) for a in document.registered_addresses],
        "special_address": msgspec.to_builtins(document.special_address.address) if document.special_address else None,
        "status": document.status.state if document.status else None,
        "guardians": len(document.guardians),
        "wards": len(document.wards),
        "quarantined": document.quarantined or None,
        "sources": sorted({n.stamp.source for n in document.names}),
    }
    view["main"] = document.main_persona or main_persona(document.personas, on) or None
    view["personas"] = []
    for persona in document.personas:
        segment = persona.segment(on)
        view["personas"].append(
            {
                "type": persona.type.value,
                "key": persona.key,
                "state": persona.state(on),
                "unit": segment.unit if segment else None,
                "title": segment.title if segment else None,
                "school_type": persona.school_type or None,
                "company": persona.company or None,
                "segments": [msgspec.to_builtins(s) for s in persona.segments],
                "accounts": [{"uid": a.uid, "eppn": a.eppn} for a in persona.accounts],
            }
        )
    return view


def thing_view(document: Thing, cast: Mapping[str, str], on: dt.date) -> dict[str, Any]:
    """A place, group, unit or legal organisation on a date, by the names of its fields; `name` is the one that holds,
    `members` the names in the cast (`cast`: by person id) of those who are members, as one text."""
    view: dict[str, Any] = msgspec.to_builtins(document)
    view["name"] = next((one.name for one in document.names if holds(one.valid_from, one.valid_to, on)), None)
    if isinstance(document, GroupDocument):
        here = (one.person for one in document.members if holds(one.valid_from, one.valid_to, on))
        view["members"] = ", ".join(sorted(cast.get(one, one) for one in here))
    return view


def _name(entry: NameEntry) -> dict[str, str]:
    return {"given": entry.given, "middle": entry.middle, "family": entry.family, "call_name": entry.call_name}


def account_view(observed: Observed | None) -> dict[str, Any]:
    """An account as its target holds it."""
    if observed is None or observed.state.presence is Presence.ABSENT:
        return {"state": "absent", "uid": None, "attributes": {}, "groups": []}
    state = observed.state
    return {
        "state": state.presence.value,
        "uid": state.uid,
        "attributes": dict(state.attributes),
        "groups": sorted(state.groups),
    }
