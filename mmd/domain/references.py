"""What a document refers to by key: the index that marks it dirty when one of those changes."""

from streams.contracts.documents import (
    GroupDocument,
    LegalOrganisationDocument,
    PersonDocument,
    PlaceDocument,
    Thing,
    UnitDocument,
)


def references_of(document: PersonDocument | Thing) -> frozenset[str]:
    """Unit keys and person ids, never the document's own; an id may be an alias of the person it names."""
    found = set(persons_in(document))
    match document:
        case UnitDocument():
            found.update(entry.parent for entry in document.parents)
        case PlaceDocument():
            found.update(entry.unit for entry in document.units)
        case GroupDocument():
            found.add(document.unit)
        case PersonDocument():
            found.update(segment.unit for persona in document.personas for segment in persona.segments)
    return frozenset(found - {"", document.id})


def persons_in(document: PersonDocument | Thing) -> frozenset[str]:
    """The ids of other persons that a document refers to; they may be aliases."""
    match document:
        case GroupDocument():
            return frozenset(entry.person for entry in document.members)
        case LegalOrganisationDocument():
            return frozenset({document.owner} - {""})
        case PersonDocument():
            found = {entry.person for entry in (*document.guardians, *document.wards)}
            found.update(segment.manager for persona in document.personas for segment in persona.segments)
            return frozenset(found - {"", document.id})
        case _:
            return frozenset()
