"""`kallan merge`, `kallan split`, `kallan undo-death`: rulings with evidence, a preview, and two persons."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from deploy.cli.asking import json_option, no_such_person, person_asked_for, print_json
from deploy.cli.connection import Connection, connected, home_option
from deploy.rulings.rehearsal import Consequences, rehearse
from deploy.rulings.sending import Desk, Grounds
from streams.contracts.claims import SourceRecord

Command = Callable[..., None]


def _two_options(command: Command) -> Command:
    for option in (
        click.option("--approved-by", required=True, metavar="NAME", help="Who approves it: somebody else"),
        click.option("--asked-by", required=True, metavar="NAME", help="Who asks for it"),
        click.option("--evidence", required=True, metavar="TEXT", help="What it rests on: a case or decision number"),
        click.option("--yes", "decided", is_flag=True, help="Do it; without this it is only told what it would do"),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("gone", metavar="ID")
@click.argument("stays", metavar="INTO_ID")
@_two_options
@home_option
@json_option
def merge(
    gone: str,
    stays: str,
    evidence: str,
    asked_by: str,
    approved_by: str,
    decided: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """The person ID is the person INTO_ID, who keeps the id and the current number. `kallan split ID` undoes it.

    Refused where either is or ever was protected: such persons are joined by the population register alone. No likeness
    between persons is ever looked at.
    """
    from deploy.rulings import identity

    with connected(home) as connection:
        ends = [_person(connection, one) for one in (gone, stays)]
        grounds = Grounds(evidence, asked_by, approved_by)
        rule(connection, lambda desk: identity.merge(desk, ends[0], ends[1], grounds), decided=decided, as_json=as_json)


@click.command()
@click.argument("parted", metavar="ID")
@_two_options
@home_option
@json_option
def split(
    parted: str, evidence: str, asked_by: str, approved_by: str, decided: bool, home: Path | None, as_json: bool
) -> None:
    """The person who had ID before a merge is another person after all: gives back exactly what was joined."""
    from deploy.rulings import identity

    with connected(home) as connection:
        found = _person(connection, parted)
        grounds = Grounds(evidence, asked_by, approved_by)
        rule(connection, lambda desk: identity.split(desk, found, grounds), decided=decided, as_json=as_json)


@click.command("undo-death")
@click.argument("person", metavar="ID")
@_two_options
@home_option
@json_option
def undo_death(
    person: str, evidence: str, asked_by: str, approved_by: str, decided: bool, home: Path | None, as_json: bool
) -> None:
    """The person ID lives: the population register told of a death and has corrected itself in a later post.

    Refused where it has not. A death that is told later counts again.
    """
    from deploy.rulings import death

    with connected(home) as connection:
        found = _person(connection, person)
        grounds = Grounds(evidence, asked_by, approved_by)
        rule(connection, lambda desk: death.take_back(desk, found, grounds), decided=decided, as_json=as_json)


def rule(
    connection: Connection, records: Callable[[Desk], Sequence[SourceRecord]], *, decided: bool, as_json: bool
) -> None:
    """Tell what the records would do, and send them where that was decided."""
    from deploy.wiring.rulings import desk as desk_of
    from streams.bus import MemoryBus

    producer = connection.producer if decided else MemoryBus()
    desk = desk_of(connection.base, connection.master, connection.stores.reader, producer)
    said = records(desk)
    found = rehearse(connection.base, connection.master, connection.provisioning, desk.messages(said))
    if decided:
        desk.send(said)
    name = said[0].source_key
    if as_json:
        print_json({"ruling": name, "sent": decided, "consequences": found})
        return
    _tell(found)
    click.echo(f"ruling {name}: sent" if decided else "Nothing was done: say it again with --yes.")


def _tell(found: Consequences) -> None:
    for person in found.persons:
        if person.lives_on:
            click.echo(f"person {person.person} lives on as {person.lives_on}")
        else:
            click.echo(f"person {person.person}: {person.personas} personas, marking {person.marking}")
    for account in found.accounts:
        before, after = account.presence
        changed = f"{before or 'none'} -> {after}" if before != after else after
        groups = "".join([*(f" +{group}" for group in account.gains), *(f" -{group}" for group in account.loses)])
        moves = f", becomes {account.moves_to}'s" if account.moves_to else ""
        click.echo(f"account {account.account} in {account.target}: {changed}{groups}{moves}")
    if not found.accounts:
        click.echo("No account would change.")


def _person(connection: Connection, given: str) -> str:
    """The id as given, or of the number on standard input."""
    found = person_asked_for(connection.stores, given)
    if found is None:
        raise no_such_person()
    return found
