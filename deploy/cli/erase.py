"""`kallan erase`, `kallan return`: a person is erased (*gallras*), or taken in again, by a decision of two persons."""

from pathlib import Path

import click

from deploy.cli.asking import no_such_person, owner_asked_for, person_asked_for
from deploy.cli.connection import connected, home_option


@click.command()
@click.argument("person_id", metavar="ID")
@click.option("--decision", required=True, metavar="ID", help="The decision (diarienummer) that this carries out")
@click.option("--asked-by", required=True, help="Who asked for it")
@click.option("--approved-by", required=True, help="Who approved it: somebody else")
@home_option
def erase(person_id: str, decision: str, asked_by: str, approved_by: str, home: Path | None) -> None:
    """Destroy every key of a person, for good. ID as for `person show`. What is erased never comes back.

    What was published becomes tombstones, accounts are removed from every target, names are never given to anybody else, and
    what sources say of the person later is kept aside, until `kallan return`.
    """
    from deploy.operations.erase import erase as carry_out

    with connected(home) as connection:
        found = person_asked_for(connection.stores, person_id)
        if found is None:
            raise no_such_person()
        done = carry_out(connection.base, connection.provisioning, found, decision, asked_by, approved_by)
    click.echo(f"{done.person}: erased, with {done.ids} ids, {done.subjects} subjects and {done.names} names")


@click.command("return")
@click.argument("person_id", metavar="ID")
@click.option("--decision", required=True, metavar="ID", help="The decision (diarienummer) that this carries out")
@click.option("--reason", required=True, metavar="TEXT", help="Why the person is taken in again")
@click.option("--asked-by", required=True, metavar="NAME", help="Who asked for it")
@click.option("--approved-by", required=True, metavar="NAME", help="Who approved it: somebody else")
@click.option("--yes", "decided", is_flag=True, help="Do it; without this it is only told what it would do")
@home_option
def return_(
    person_id: str, decision: str, reason: str, asked_by: str, approved_by: str, decided: bool, home: Path | None
) -> None:
    """Take in again a person who was erased: what sources say from now on counts, what was erased does not come back.

    ID is one of the person's ids, or - for the number on standard input. Whoever was marked comes back marked.
    """
    from deploy.operations.bring_back import Why, bring_back, plan
    from deploy.wiring.rulings import desk as desk_of

    why = Why(decision, reason, asked_by, approved_by)
    with connected(home) as connection:
        owner = owner_asked_for(connection.stores, person_id)
        planned = plan(connection.base, owner, why)
        if decided:
            desk = desk_of(connection.base, connection.master, connection.stores.reader, connection.producer)
            bring_back(connection.base, connection.master, connection.provisioning, desk, owner, why)
    for erasure in planned.ended:
        click.echo(f"{erasure.person}: erased {erasure.at:%Y-%m-%d} by decision {erasure.decision}")
    found = planned.found
    click.echo(f"{found.person}: {len(found.numbers)} numbers, marking {found.marking}")
    click.echo("Taken in again." if decided else "Nothing was done: say it again with --yes.")
