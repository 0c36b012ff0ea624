"""`kallan protection`: the protection officer's queue (SM2). A marking falls only by a ruling that names its raises."""

from pathlib import Path

import click

from deploy.cli.asking import by_option, json_option, no_such_person, person_asked_for, print_json
from deploy.cli.connection import connected, home_option
from deploy.cli.rulings import rule
from streams.contracts.time import STOCKHOLM

OFFICER = "protection-officer"


@click.group()
def protection() -> None:
    """Protected identities: what may be lifted, proposed by one officer and approved by another."""


@protection.command("list")
@click.option("--all", "everyone", is_flag=True, help="Everybody who is marked, not only whom there is to decide about")
@home_option
@json_option
def list_(everyone: bool, home: Path | None, as_json: bool) -> None:
    """Marked persons whose marking a source has taken back, and proposals that wait. They stay marked meanwhile.

    That they are marked is told to whoever runs this, and logged.
    """
    from deploy.rulings.protection import queue
    from deploy.wiring.rulings import desk
    from mmd.api import readlog
    from streams.bus import MemoryBus

    with connected(home) as connection:
        now = connection.base.clock.now()
        made = desk(connection.base, connection.master, connection.stores.reader, MemoryBus())
        cases = list(queue(made, everyone=everyone))
        entries = [readlog.Entry(case.person, frozenset({"marking"}), restricted=True) for case in cases]
        readlog.record(connection.base.pool, OFFICER, "protection", now, entries)
    if as_json:
        print_json(cases)
        return
    if not cases:
        click.echo("There is nothing to decide.")
        return
    for case in cases:
        counts = f"{case.raises} raises by {', '.join(case.sources)}, {case.taken_back} taken back"
        click.echo(f"person {case.person}: {case.marking.value}, {counts}")
        for one in case.proposals:
            click.echo(f"  proposal {one.name}: lifts {one.raises}, asked by {one.asked_by}, {one.evidence}")


@protection.command()
@click.argument("person_id", metavar="ID")
@click.option("--evidence", required=True, metavar="TEXT", help="What it rests on: a case or decision number")
@click.option("--every-raise", is_flag=True, help="Also raises that their source has not taken back")
@by_option
@home_option
@json_option
def propose(person_id: str, evidence: str, every_raise: bool, who: str, home: Path | None, as_json: bool) -> None:
    """Propose to lift the raises that their sources have taken back. Nothing changes before somebody else approves it."""
    from deploy.rulings.protection import propose as proposed

    with connected(home) as connection:
        found = person_asked_for(connection.stores, person_id)
        if found is None:
            raise no_such_person()
        rule(
            connection,
            lambda desk: proposed(desk, found, evidence, who, every_raise=every_raise),
            decided=True,
            as_json=as_json,
        )


@protection.command()
@click.argument("proposal")
@click.option("--yes", "decided", is_flag=True, help="Do it; without this it is only told what it would do")
@by_option
@home_option
@json_option
def approve(proposal: str, decided: bool, who: str, home: Path | None, as_json: bool) -> None:
    """Approve a PROPOSAL that somebody else made: the raises that it lists are lifted, all others stand."""
    from deploy.rulings.protection import approve as approved

    with connected(home) as connection:
        rule(connection, lambda desk: approved(desk, proposal, who), decided=decided, as_json=as_json)


@protection.command()
@click.argument("person_id", metavar="ID")
@home_option
@json_option
def report(person_id: str, home: Path | None, as_json: bool) -> None:
    """Who had what of a person before the first raise: readers, change feeds, target systems. Never a value.

    ID as for `person show`. That it was asked for is logged.
    """
    from deploy.rulings.disclosed import report as report_of
    from mmd.api import readlog

    with connected(home) as connection:
        asked = person_asked_for(connection.stores, person_id)
        found = None if asked is None else report_of(connection.stores.reader, connection.base.pool, asked)
        if found is None:
            raise no_such_person()
        now = connection.base.clock.now()
        entry = readlog.Entry(found.person, frozenset({"marking", "accounts"}), found.raised_at is not None)
        readlog.record(connection.base.pool, OFFICER, "disclosure-report", now, [entry])
    if as_json:
        print_json(found)
        return
    raised = (
        f"first raised {found.raised_at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}" if found.raised_at else "never raised"
    )
    click.echo(f"person {found.person}: {raised}")
    for reader in found.readers:
        told = f"{reader.before} answers before it ({', '.join(reader.attributes) or 'nothing'}), {reader.since} since"
        click.echo(f"reader {reader.release}, {reader.occasion}: {told}")
    for feed in found.feeds:
        click.echo(f"feed {feed.feed}: {feed.change}")
    for target in found.targets:
        click.echo(
            f"target {target.target}, account {target.account}, now {target.now}: {', '.join(target.attributes)}"
        )
