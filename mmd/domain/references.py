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
    if isinstance(document, UnitDocument):
        found = {entry.parent for entry in document.parents}
    elif isinstance(document, PlaceDocument):
        found = {entry.unit for entry in document.units}
    elif isinstance(document, GroupDocument | LegalOrganisationDocument):
        found = set(persons_in(document))
        if isinstance(document, GroupDocument):
            found.add(document.unit)
    else:
        found = {entry.person for entry in (*document.guardians, *document.wards)}
        for persona in document.personas:
            for segment in persona.segments:
                found.add(segment.unit)
                found.add(segment.manager)
    return frozenset(found - {"", document.id})


def persons_in(document: Thing) -> frozenset[str]:
    """The person ids that a document about no person refers to; they may be aliases."""
    if isinstance(document, GroupDocument):
        return frozenset(entry.person for entry in document.members)
    if isinstance(document, LegalOrganisationDocument) and document.owner:
        return frozenset({document.owner})
    return frozenset()
