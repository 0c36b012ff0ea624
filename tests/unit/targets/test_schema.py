"""The directory's schema says the same to both kinds of server."""

import re
import uuid
from pathlib import Path

import deploy.embedded.ldap_schema as schema
from connectors.targets.ldap.entries import ACTIVE, ATTRIBUTES, CLASSES, KEY

_FOLDER = Path(schema.__file__).parent


def _definitions(name: str, attribute: str, klass: str) -> set[str]:
    lines = (_FOLDER / name).read_text().splitlines()
    kinds = {attribute: "attribute", klass: "class"}
    found = (line.partition(" ") for line in lines if line.partition(" ")[0] in kinds)
    return {f"{kinds[kind]} {definition}" for kind, _, definition in found}


def test_both_forms_define_the_same() -> None:
    ldif = _definitions("kallan.ldif", "attributeTypes:", "objectClasses:")
    assert ldif == _definitions("kallan.schema", "attributetype", "objectclass")
    assert len(ldif) == 9


def test_what_the_connector_writes_is_defined() -> None:
    text = (_FOLDER / "kallan.ldif").read_text()
    for name in (KEY, ACTIVE, ATTRIBUTES["eppn"], *CLASSES[1:]):
        assert f"NAME '{name}'" in text


def test_our_own_identifiers_stand_under_a_private_uuid() -> None:
    text = (_FOLDER / "kallan.ldif").read_text()
    arcs = set(re.findall(r"2\.25\.([0-9]+)\.", text))
    assert len(arcs) == 1
    assert uuid.UUID(int=int(arcs.pop())).version == 4
