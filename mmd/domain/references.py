"""What a document refers to by key: the index that marks it dirty when one of those changes."""

from streams.contracts.documents import PersonDocument, UnitDocument


def references_of(document: PersonDocument | UnitDocument) -> frozenset[str]:
    """Unit keys and person ids, never the document's own; an id may be an alias of the person it names."""
    if isinstance(document, UnitDocument):
        found = {entry.parent for entry in document.parents}
    else:
        found = {entry.person for entry in (*document.guardians, *document.wards)}
        for persona in document.personas:
            for segment in persona.segments:
                found.add(segment.unit)
                found.add(segment.manager)
    return frozenset(found - {"", document.id})
