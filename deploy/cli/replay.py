"""`kallan replay`: scenario files on a virtual clock."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from deploy.cli.log_option import log_level_option
from deploy.operations.logs import configure_logging
from deploy.replay.run import Outcome, run_scenario
from deploy.replay.scenario import Scenario, read_scenario


@click.command()
@click.argument(
    "files",
    metavar="SCENARIO...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--through", type=click.Choice(["direct", "kafka"]), default="direct", show_default=True)
@click.option(
    "--given",
    is_flag=True,
    help="Direct: in databases of its own on the server of KALLAN_DATABASE_URL, whose login may create them",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON")
@log_level_option("ERROR")
def replay(files: Sequence[Path], through: str, given: bool, as_json: bool, log_level: str) -> None:
    """Run scenario files; print each failed expectation with what was wanted and what came."""
    configure_logging(log_level)
    scenarios = [(path, read_scenario(path)) for path in files]
    if given and through != "direct":
        raise click.UsageError("--given is for the direct replay: one through Kafka empties the stack that it runs on")
    worlds = _live if through == "kafka" else _given if given else _direct
    outcomes = []
    for outcome in worlds(scenarios):
        outcomes.append(outcome)
        if not as_json:
            _show(outcome)
    if as_json:
        click.echo(msgspec.json.encode(outcomes).decode())
    else:
        good = sum(outcome.good for outcome in outcomes)
        left = sum(len(outcome.not_run) for outcome in outcomes)
        click.echo(f"{good} of {len(outcomes)} scenarios hold; {left} steps were not run")
    sys.exit(0 if all(outcome.good for outcome in outcomes) else 1)


def _show(outcome: Outcome) -> None:
    verdict = "holds" if outcome.good else "FAILS"
    click.echo(f"{outcome.scenario} {outcome.title}: {verdict} ({outcome.checked} expectations, {outcome.through})")
    for line in outcome.failures:
        click.echo(f"  {line}")
    for line in outcome.not_run:
        click.echo(f"  not run: {line}")


def _direct(scenarios: Sequence[tuple[Path, Scenario]]) -> Iterator[Outcome]:
    """Each scenario in a database of its own on one embedded PostgreSQL."""
    from deploy.replay.worlds import direct_worlds

    with tempfile.TemporaryDirectory(prefix="kallan-replay-") as folder, direct_worlds(Path(folder)) as new_world:
        for path, scenario in scenarios:
            with new_world() as world:
                yield run_scenario(scenario, world, path.parent)


def _given(scenarios: Sequence[tuple[Path, Scenario]]) -> Iterator[Outcome]:
    """Each scenario in a database of its own on the server that the settings name."""
    from deploy.replay.worlds import direct_worlds_on
    from deploy.settings import Settings, load_settings

    url = load_settings(Settings).store_url
    with tempfile.TemporaryDirectory(prefix="kallan-replay-") as folder, direct_worlds_on(url, Path(folder)) as new:
        for path, scenario in scenarios:
            with new() as world:
                yield run_scenario(scenario, world, path.parent)


def _live(scenarios: Sequence[tuple[Path, Scenario]]) -> Iterator[Outcome]:
    """All scenarios on one stack, emptied in between."""
    from deploy.replay.worlds import live_world

    with tempfile.TemporaryDirectory(prefix="kallan-replay-") as folder, live_world(Path(folder)) as world:
        for path, scenario in scenarios:
            world.empty()
            yield run_scenario(scenario, world, path.parent)
