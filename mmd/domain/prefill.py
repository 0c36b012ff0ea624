"""Prefill: a form that no longer asks what the municipality knows (R-04). The form is data."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from mmd.domain.disclosure import Known, disclose
from mmd.domain.release import Release
from streams.contracts.claims import Marking
from streams.contracts.documents import AddressEntry, NameEntry, PersonDocument, RelationEntry, Stamp
from streams.contracts.errors import Rejected
from streams.contracts.time import holds

HANDED_OVER = "handled-by-officer"
"""The only reason that is ever told: a case officer (*handläggare*) takes over. Not why."""

APPLICANT = "applicant"
CHILD = "child"

_Known = tuple[str, Stamp]


def _name(read: Callable[[NameEntry], str]) -> Callable[[PersonDocument], _Known | None]:
    def found(person: PersonDocument) -> _Known | None:
        return (read(person.names[0]), person.names[0].stamp) if person.names else None

    return found


def _address(read: Callable[[AddressEntry], str]) -> Callable[[PersonDocument], _Known | None]:
    """The special postal address where there is one: that is where the person gets post; else the registered one."""

    def found(person: PersonDocument) -> _Known | None:
        entry = person.special_address or (person.registered_addresses[0] if person.registered_addresses else None)
        return (read(entry), entry.stamp) if entry else None

    return found


def _number(person: PersonDocument) -> _Known | None:
    entry = next((n for n in person.numbers if n.current), None)
    return (entry.value, entry.stamp) if entry is not None and entry.stamp is not None else None


ATTRIBUTES: Mapping[str, Callable[[PersonDocument], _Known | None]] = {
    "given-name": _name(lambda n: n.given),
    "middle-name": _name(lambda n: n.middle),
    "family-name": _name(lambda n: n.family),
    "call-name": _name(lambda n: n.call_name or n.given),
    "full-name": _name(lambda n: " ".join(part for part in (n.given, n.middle, n.family) if part)),
    "number": _number,
    "birth-date": lambda p: (p.birth.value, p.birth.stamp) if p.birth else None,
    "care-of": _address(lambda a: a.address.care_of),
    "street": _address(lambda a: a.address.street),
    "postal-code": _address(lambda a: a.address.postal_code),
    "locality": _address(lambda a: a.address.locality),
    "municipality-code": lambda p: (
        (p.registered_addresses[0].municipality_code, p.registered_addresses[0].stamp)
        if p.registered_addresses
        else None
    ),
    "work-phone": lambda p: (p.work_phone.value, p.work_phone.stamp) if p.work_phone else None,
}
"""What a form field can be filled from, by the name used in form data."""

_MAY_BE_EMPTY = frozenset({"middle-name", "care-of"})
"""To have none of these is an answer; an empty value of any other attribute is asked for."""


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sv: str
    en: str


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field. `attribute` empty: only the applicant can know it, it is always asked. Fields of a child are repeated
    for each child."""

    name: str
    label: Label
    of: str = APPLICANT
    attribute: str = ""


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form as data: id, title, fields in the order shown."""

    id: str
    title: Label
    fields: tuple[FormField, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Form":
        """Read as from YAML. Raises `Rejected("input.invalid", path)`."""
        try:
            form = msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise Rejected("input.invalid", str(error).rpartition("`$.")[2].rstrip("`") or "form") from None
        names = set()
        for index, field in enumerate(form.fields):
            path = f"fields[{index}]"
            if field.of not in {APPLICANT, CHILD}:
                raise Rejected("input.invalid", f"{path}.of")
            if field.attribute and field.attribute not in ATTRIBUTES:
                raise Rejected("input.invalid", f"{path}.attribute")
            if not field.name or field.name in names:
                raise Rejected("input.invalid", f"{path}.name")
            names.add(field.name)
        return form


class PrefilledField(msgspec.Struct, frozen=True):
    """`asked`: the applicant must answer. `as_of` (UTC): when the value was first logged from its source. A child's
    field is named `<child's place from 0>.<name>`."""

    name: str
    label_sv: str
    label_en: str
    value: str | None
    source: str
    as_of: dt.datetime | None
    asked: bool


class Prefilled(msgspec.Struct, frozen=True):
    """A filled form. `handed_over`: nothing known is shown, a case officer takes over; `reason` is the code of that.

    `children_not_known`: of so many children in the applicant's custody nothing has come from the population register yet;
    they are the last in the form, and all of their fields are asked.
    """

    form: str
    fields: tuple[PrefilledField, ...]
    handed_over: bool = False
    reason: str = ""
    children_not_known: int = 0

    @property
    def questions(self) -> int:
        """How many fields the applicant must answer."""
        return sum(field.asked for field in self.fields)

    @property
    def size(self) -> int:
        """How many fields the form has."""
        return len(self.fields)


def prefill(
    form: Form,
    applicant: PersonDocument,
    children: Sequence[PersonDocument],
    release: Release,
    on: dt.date,
    *,
    not_known: int = 0,
) -> Prefilled:
    """The form with what is known of the applicant and those of `children` in the applicant's custody on that date, and
    room for the `not_known` wards of whom there is no document (see `wards_on`): the applicant is asked about them, and
    a child is never left out in silence.

    Takes whole documents and shows of them only what `disclose` gives under the release. Where the applicant or one of
    the children is not explicitly unprotected, or a child's own post names no guardian at all (the applicant's may be
    older), nothing known is shown and a case officer takes over; those fields are not asked either. Raises
    `Rejected("access.denied")` where the release does not let the reader know the applicant.
    """
    if not release.in_force(on):
        raise Rejected("access.denied", "release")
    own = [child for child in children if in_custody(applicant, child, on)]
    if any(person.marking is not Marking.NONE for person in (applicant, *own)) or not all(c.guardians for c in own):
        return Prefilled(form.id, tuple(_handed_over(form, len(own) + not_known)), True, HANDED_OVER)
    shown = applicant_shown(applicant, release, on)
    if shown is None:
        raise Rejected("access.denied", "release")
    wards = [*(disclose(child, release, on) for child in own), *(None for _ in range(not_known))]
    fields = []
    for field in form.fields:
        if field.of == APPLICANT:
            fields.append(_filled(field, field.name, shown))
        else:
            fields.extend(_filled(field, f"{place}.{field.name}", ward) for place, ward in enumerate(wards))
    about_children = any(field.of == CHILD for field in form.fields)
    return Prefilled(form.id, tuple(fields), children_not_known=not_known if about_children else 0)


def applicant_shown(applicant: PersonDocument, release: Release, on: dt.date) -> PersonDocument | None:
    """What a form is filled with; None where the reader may not know of the applicant. A guardian of whose wards nothing may
    be told has a form too: it is handed over, and not refused as that of somebody who has no children."""
    wards = {entry.person: Known(entry.person, unmarked=True) for entry in applicant.wards}
    return disclose(applicant, release, on, people=wards)


def wards_on(applicant: PersonDocument, on: dt.date) -> frozenset[str]:
    """The ids of those in the applicant's custody on a date, as the applicant's post has it."""
    return frozenset(entry.person for entry in applicant.wards if holds(entry.valid_from, entry.valid_to, on))


def in_custody(applicant: PersonDocument, child: PersonDocument, on: dt.date) -> bool:
    """Whether the child is the applicant's ward on a date: the applicant's post says so, and the child's post, where it
    names guardians at all, says so too."""

    def named(entries: Sequence[RelationEntry], person: PersonDocument) -> bool:
        ids = {person.id, *person.aliases}
        return any(entry.person in ids and holds(entry.valid_from, entry.valid_to, on) for entry in entries)

    return named(applicant.wards, child) and (not child.guardians or named(child.guardians, applicant))


def _handed_over(form: Form, children: int) -> list[PrefilledField]:
    found = []
    for field in form.fields:
        names = [field.name] if field.of == APPLICANT else [f"{place}.{field.name}" for place in range(children)]
        asked = not field.attribute
        found += [PrefilledField(name, field.label.sv, field.label.en, None, "", None, asked) for name in names]
    return found


def _filled(field: FormField, name: str, person: PersonDocument | None) -> PrefilledField:
    known = ATTRIBUTES[field.attribute](person) if field.attribute and person is not None else None
    if known is None or not (known[0] or field.attribute in _MAY_BE_EMPTY):
        return PrefilledField(name, field.label.sv, field.label.en, None, "", None, True)
    value, stamp = known
    return PrefilledField(name, field.label.sv, field.label.en, value, stamp.source, stamp.logged_at, False)
