"""`kallan erase`: a person is erased (*gallras*) by a decision of two persons."""

from pathlib import Path

import click

from deploy.cli.asking import no_such_person, person_asked_for
from deploy.cli.connection import connected, home_option


@click.command()
@click.argument("person_id", metavar="ID")
@click.option("--decision", required=True, metavar="ID", help="The decision (diarienummer) that this carries out")
@click.option("--asked-by", required=True, help="Who asked for it")
@click.option("--approved-by", required=True, help="Who approved it: somebody else")
@home_option
def erase(person_id: str, decision: str, asked_by: str, approved_by: str, home: Path | None) -> None:
    """Destroy every key of a person, for good. ID as for `person show`. There is no way back.

    What was published becomes tombstones, accounts are removed from every target, names are never given to anybody else, and
    what sources say of the person later is kept aside.
    """
    from deploy.operations.erase import erase as carry_out

    with connected(home) as connection:
        found = person_asked_for(connection.stores, person_id)
        if found is None:
            raise no_such_person()
        done = carry_out(connection.base, connection.provisioning, found, decision, asked_by, approved_by)
    click.echo(f"{done.person}: erased, with {done.ids} ids, {done.subjects} subjects and {done.names} names")
