"""docs/krav-pa-malsystem.md: what a municipality must demand of a target system, from the target port."""

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from connectors.targets import port, rules
from connectors.targets.ldap.entries import ATTRIBUTES as LDAP_ATTRIBUTES
from connectors.targets.scim.accounts import ATTRIBUTES as SCIM_ATTRIBUTES
from deploy.docs.markdown import code, codes, page, table
from deploy.wiring.provisioning import LEASE_SECONDS
from streams.contracts.errors import TEXTS

FILE = "docs/krav-pa-malsystem.yml"


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One demand. `about` names parts of the port, `code` other places; `not_shown` says what no test of ours can prove."""

    id: str
    title: str
    level: Literal["ska", "bör"]
    demand: str
    why: str
    about: tuple[str, ...]
    tests: tuple[str, ...]
    code: tuple[str, ...] = ()
    not_shown: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    demands: tuple[Demand, ...]


def read_demands(root: Path) -> tuple[Demand, ...]:
    """Raises ValueError where the file does not have its form."""
    try:
        return msgspec.convert(yaml.safe_load((root / FILE).read_text(encoding="utf-8")), _File).demands
    except msgspec.ValidationError as error:
        raise ValueError(f"{FILE}: {error}") from None


def parts_of_the_port() -> set[str]:
    """Every type, field, member, method and rule of the port, and the codes of what can go wrong there."""
    found = {name for name in vars(rules) if not name.startswith("_") and _own(rules, name)}
    for name, kind in vars(port).items():
        if name.startswith("_") or not isinstance(kind, type) or kind.__module__ != port.__name__:
            continue
        found.add(name)
        found |= {f"{name}.{inner}" for inner in _inside(kind)}
    return found | {name for name in TEXTS if name.startswith("target.")}


def _own(module: object, name: str) -> bool:
    """What the module defines, not what it imports."""
    value = getattr(module, name)
    return name.isupper() or getattr(value, "__module__", "") == getattr(module, "__name__", None)


def _inside(kind: type) -> Iterator[str]:
    if dataclasses.is_dataclass(kind):
        yield from (field.name for field in dataclasses.fields(kind))
    elif issubclass(kind, StrEnum):
        yield from kind.__members__
    else:
        yield from (name for name, value in vars(kind).items() if not name.startswith("_") and callable(value))


def complaints(demands: tuple[Demand, ...]) -> list[str]:
    """Parts of the port that no demand names, names that are nothing, demands that nothing proves."""
    parts = parts_of_the_port()
    named = {part for one in demands for part in one.about}
    found = [f"{FILE}: no demand is about {part}" for part in sorted(parts - named)]
    found += [f"{FILE}: {part} is no part of the port" for part in sorted(named - parts)]
    return found + [f"{one.id}: no test" for one in demands if not one.tests]


_HEAD = """\
# Krav på målsystem

Vad en kommun måste kräva av ett system vars konton och grupper ska styras härifrån. Kraven är målporten
(`connectors/targets/port.py`) i upphandlingens språk: varje del av porten motsvaras av ett krav, och varje krav av prov.
Proven i `tests/contract/targets/test_target_contract.py` körs mot varje koppling som finns. Sidan är genererad ur porten
och `docs/krav-pa-malsystem.yml`; saknas krav för en ny del av porten stoppar det bygget.

**Ska**: utan det kan systemet inte anslutas, eller inte anslutas säkert. **Bör**: utan det fungerar det, men sämre."""


def demands_page(demands: tuple[Demand, ...]) -> str:
    """The page, in Swedish."""
    rows = [(f"[{one.id}](#{_anchor(one)})", one.title, one.level) for one in demands]
    lines = [_HEAD, "", *table(("krav", "om", "nivå"), rows)]
    for one in demands:
        lines += ["", f"## {one.id} {one.title}", "", f"**{one.level.capitalize()}.** {_filled(one.demand)}", ""]
        lines += [f"*Varför:* {one.why}", ""]
        where = codes(one.about) + (f"; {codes(one.code)}" if one.code else "")
        lines += [f"*I porten:* {where}", "", "*Prövas av:*", "", *(f"- {code(test)}" for test in one.tests)]
        lines += ["", f"*Prövas inte här:* {one.not_shown}"] if one.not_shown else []
    lines += ["", "## Det som är anslutet i dag", "", *_connected()]
    return page(*lines)


def _anchor(one: Demand) -> str:
    kept = "".join(char for char in f"{one.id} {one.title}".lower() if char.isalnum() or char in "-_ ")
    return kept.replace(" ", "-")


def _filled(text: str) -> str:
    return text.format(
        attributes=codes(sorted(rules.ATTRIBUTES)),
        groups=codes(port.MANAGED_GROUPS, " eller "),
        longest=rules.LONGEST["key"],
        lease=f"{LEASE_SECONDS:g}",
    )


def _connected() -> list[str]:
    def missing(stored: frozenset[str]) -> str:
        return codes(sorted(rules.ATTRIBUTES - stored)) or "inget"

    rows = [
        (
            "LDAP (`connectors/targets/ldap`)",
            "`locked-time` eller `password-removed`",
            missing(frozenset(LDAP_ATTRIBUTES)),
        ),
        ("SCIM 2.0 (`connectors/targets/scim`)", code(port.Disabling.ACTIVE_FLAG), missing(SCIM_ATTRIBUTES)),
        (
            "minnet, för prov (`connectors/targets/memory.py`)",
            code(port.Disabling.ACTIVE_FLAG),
            missing(rules.ATTRIBUTES),
        ),
    ]
    told = "Alla tre har grupper. Villkorad skrivning används där servern säger att den har det."
    return [*table(("koppling", "avstängning", "lagrar inte"), rows), "", told]
