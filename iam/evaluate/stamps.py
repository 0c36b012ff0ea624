"""The newest stamp of a document: which fact a change goes back to, in the words of its source."""

from collections.abc import Iterator

from streams.contracts.documents import PersonDocument, Stamp


def _stamps(person: PersonDocument) -> Iterator[Stamp]:
    yield from person.marking_stamps
    for single in (person.birth, person.status, person.agreed_name, person.work_phone, person.special_address):
        if single:
            yield single.stamp
    for name in person.names:
        yield name.stamp
    for persona in person.personas:
        yield persona.stamp


def newest_stamp(person: PersonDocument) -> str:
    """`source:version` of what was logged last; empty where the document shows no stamp. Never a value."""
    newest = max(_stamps(person), key=lambda stamp: (stamp.logged_at, stamp.source, stamp.version), default=None)
    return f"{newest.source}:{newest.version}" if newest else ""
