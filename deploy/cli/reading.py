"""`kallan person show`, `explain`, `report`, `state hash`, `conflicts`: what is known, why, and how it agrees."""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from deploy.cli.asking import (
    Day,
    Time,
    json_option,
    limit_option,
    no_such_person,
    person_asked_for,
    print_json,
)
from deploy.cli.connection import Connection, connected, home_option
from deploy.screen import console
from deploy.wiring.data import read_releases
from mmd.domain.release import ATTRIBUTES, Marked, Release
from streams.clock import today
from streams.contracts.documents import PersonDocument
from streams.contracts.errors import Rejected
from streams.contracts.time import STOCKHOLM

OPERATOR = "operator"
_NEVER_SHOWN = frozenset({"numbers", "number-history", "marking"})
_OPERATOR = Release(
    reader=OPERATOR,
    purpose_sv="Drift och felsökning",
    purpose_en="Operation and fault finding",
    legal_basis="",
    attributes=ATTRIBUTES - _NEVER_SHOWN,
    persona_types=None,
    units=None,
    valid_until=dt.date.max,
    marked=Marked.RESTRICTED,
)
"""What is shown where no audience is named: no numbers, and of the protected only that they are handled with care."""

_AUDIENCE = click.option("--audience", metavar="RELEASE", help="As this reader sees it (a release of releases.yml)")


@click.group()
def person() -> None:
    """Persons in the master."""


@person.command()
@click.argument("person_id", metavar="ID")
@click.option("--valid", type=Day(), help="The values that hold on this date")
@click.option("--known", type=Time(), help="As it was known then; today's protection holds all the same")
@_AUDIENCE
@home_option
@json_option
def show(
    person_id: str,
    valid: dt.date | None,
    known: dt.datetime | None,
    audience: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """One person's document. ID is a person id; give - to have the personnummer read from standard input.

    Without an audience, names and addresses of protected persons are not shown. What is shown is logged, as every answer is.
    """
    from deploy.cli.person_table import table_of, without_numbers
    from mmd.api import readlog
    from mmd.api.answers import disclosed_person
    from mmd.api.services import Reading

    with connected(home) as connection:
        found = person_asked_for(connection.stores, person_id)
        if found is None:
            raise no_such_person()
        now = connection.base.clock.now()
        reading = Reading(audience or OPERATOR, _release(connection, audience), now)
        try:
            document = disclosed_person(_Answering(connection), reading, found, valid=valid, known=known)
        except Rejected as error:
            if error.code == "resource.unknown":
                raise no_such_person() from None
            raise
        readlog.record(connection.base.pool, reading.id, "command", now, [readlog.entry(document)])
        if as_json:
            print_json(without_numbers(document))
        else:
            console().print(table_of(document, valid or reading.on))


class _Answering:
    """See `mmd.api.answers.Answering`."""

    def __init__(self, connection: Connection) -> None:
        self.reader = connection.stores.reader
        self.register = connection.register


def _release(connection: Connection, audience: str | None) -> Release:
    """The release of the audience with its units worked out, in force today; the operator's where none is named."""
    if audience is None:
        return _OPERATOR
    releases = read_releases(connection.master.releases).by_id
    release = releases.get(audience)
    if release is None:
        raise click.BadParameter(f"there is no such release; there are {', '.join(sorted(releases))}")
    on = today(connection.base.clock)
    if not release.in_force(on):
        raise Rejected("access.denied", "the release is not in force")
    if release.units is not None and release.subtree:
        return release.with_units(connection.stores.reader.units(), on)
    return release


@click.command()
@click.argument("person_id", metavar="ID")
@click.option("--at", type=Time(), help="As it was at this time, from the journal")
@click.option("--sv", is_flag=True, help="In Swedish")
@home_option
@json_option
def explain(person_id: str, at: dt.datetime | None, sv: bool, home: Path | None, as_json: bool) -> None:
    """Why each account, group and role of a person exists, and why not. ID as for `person show`, or an account key.

    What is told is logged, as every answer is.
    """
    from iam.explain.explain import explain as why
    from iam.explain.render import render
    from mmd.api import readlog

    with connected(home) as connection:
        found = person_asked_for(connection.stores, person_id)
        if found is None:
            raise no_such_person()
        now = connection.base.clock.now()
        explanation = why(connection.base.pool, connection.base.keys, found, now, at=at, policy=connection.policy)
        if explanation.known:
            person = connection.stores.owner(explanation.person)
            document = connection.stores.document(person)
            restricted = document is None or document.restricted
            entry = readlog.Entry(person, frozenset({"accounts", "personas"}), restricted)
            readlog.record(connection.base.pool, OPERATOR, "explain", now, [entry])
    if as_json:
        print_json(explanation)
    else:
        click.echo(render(explanation, "sv" if sv else "en"), nl=False)
    if not explanation.known:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file_or_id")
@_AUDIENCE
@home_option
@json_option
def report(file_or_id: str, audience: str | None, home: Path | None, as_json: bool) -> None:
    """Source, MMD and target side by side: of one person (ID as for `person show`) or of each person in a native file.

    An audience is told what its release allows, and of targets nothing unless that covers all roles and units. Names,
    addresses and markings of protected persons are shown only to one that is cleared. Exit 1 where this reader may not
    know, or the master does not know, a person who was asked for.
    """
    from deploy.report import rows_for
    from deploy.report_table import table_of
    from mmd.api import readlog

    with connected(home) as connection:
        readings, release = connection.readings, _release(connection, audience)
        unknown = 0
        answers: list[dict[str, Any]] = []
        for person_id in _asked_for(connection, file_or_id):
            document = None if person_id is None else readings.document(person_id)
            seen = None if document is None else readings.answer(document, release)
            if document is None or seen is None:
                unknown += 1
                continue
            document = msgspec.structs.replace(document, personas=seen.personas)
            rows = rows_for(readings, document, release)
            entry = readlog.Entry(document.id, _told(document, release), restricted=document.restricted)
            readlog.record(connection.base.pool, audience or OPERATOR, "report", readings.clock.now(), [entry])
            if as_json:
                answers.append({"person": document.id, "rows": [msgspec.to_builtins(row) for row in rows]})
            else:
                targets = sorted(readings.targets) if release.covers_everybody else []
                console().print(table_of(f"Person {document.id}", rows, targets))
    if as_json:
        print_json({"persons": answers, "unknown": unknown})
    if unknown:
        click.echo(f"resource.unknown: {unknown} of those asked for are not known to this reader", err=True)
        raise click.exceptions.Exit(1)


def _told(document: PersonDocument, release: Release) -> frozenset[str]:
    """The attributes that a report tells of."""
    from deploy.report import ATTRIBUTE_OF, OF_WORK
    from mmd.api.readlog import groups_of

    return groups_of(document) & {*ATTRIBUTE_OF.values(), OF_WORK} & release.attributes


def _asked_for(connection: Connection, file_or_id: str) -> Iterator[str | None]:
    if not Path(file_or_id).is_file():
        if "/" in file_or_id or "." in file_or_id:
            raise click.UsageError("There is no such file.")
        yield person_asked_for(connection.stores, file_or_id)
        return
    from connectors.sources.registry import subjects_in

    with Path(file_or_id).open("rb") as stream:
        subjects = dict.fromkeys(subjects_in(stream, connection.reading_edge.context()))
    told: set[str] = set()
    for subject in subjects:
        person_id = connection.stores.reader.person_id_of_subject(subject)
        if person_id not in told:  # two numbers of one person are one
            yield person_id
        if person_id is not None:
            told.add(person_id)


@click.group()
def state() -> None:
    """The state of the whole system."""


@state.command("hash")
@home_option
@json_option
def hash_(home: Path | None, as_json: bool) -> None:
    """One hash of the master data, one of the desired and one of the observed state, with counts.

    Two systems that heard the same have the same hashes, whatever the order, batching or repetition.
    """
    from iam.store.state import desired_hash, observed_hash
    from mmd.store.hash import state_hash

    with connected(home) as connection:
        pool, keys = connection.base.pool, connection.base.keys
        found: dict[str, tuple[str, Mapping[str, int]]] = {
            "master": state_hash(pool, keys),
            "desired": desired_hash(pool, keys),
            "observed": observed_hash(pool),
        }
    if as_json:
        print_json({name: {"hash": text, "counts": dict(counts)} for name, (text, counts) in found.items()})
        return
    for name, (text, counts) in found.items():
        click.echo(f"{name:<9} {text}  {_counted(counts)}")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing"


@click.command()
@click.option("--person", "person_id", metavar="ID", help="Of this person only; give - for a personnummer")
@limit_option
@home_option
@json_option
def conflicts(person_id: str | None, limit: int, home: Path | None, as_json: bool) -> None:
    """What sources say that are not designated for it, where it differs from the master, by information owner.

    The values themselves are not kept: look in the source, under its record.
    """
    from rich.table import Table

    from deploy.cli.owners import by_owner

    with connected(home) as connection:
        readings = connection.stores
        on = today(readings.clock)
        found = None
        if person_id is not None:
            found = person_asked_for(readings, person_id)
            if found is None:
                raise no_such_person()
        owners = by_owner(readings.reader.conflicts(on, found, limit), connection.register, on)
    if as_json:
        print_json([{"owner": owner, "conflicts": entries} for owner, entries in owners.items()])
        return
    if not owners:
        click.echo("No source says anything else than the master holds.")
    for owner, entries in owners.items():
        table = Table(title=owner, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("person or unit", "attribute", "source", "its record", "said"):
            table.add_column(heading, overflow="fold")
        for one in entries:
            said = f"{one.logged_at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"
            table.add_row(one.person, one.attribute, one.source, one.source_key, said)
        console().print(table)
