"""`kallan bench`: how fast, beside what this machine could do at best."""

import dataclasses
import sys
import tempfile
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from deploy.cli.log_option import log_level_option
from deploy.operations.logs import configure_logging


@click.command()
@click.option("--quick", is_flag=True, help="About two minutes: fewer repeats, fewer changes, less bulk")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bench.json"),
    show_default=True,
    help="Where the figures go as JSON",
)
@click.option(
    "--only",
    type=click.Choice(["ingest", "growth", "scaling", "rebuild"]),
    help="Only one kind of figure: ingest; whether it keeps its rate as the store grows; how it grows with partitions and "
    "workers (not in the whole run); how fast the store comes again from its log",
)
@click.option(
    "--persons",
    type=click.IntRange(min=2),
    help="With --only growth: how many the store holds at last, instead of 50,000",
)
@click.option(
    "--chart",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write Mermaid charts of it into this file too, for a page",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON instead of the table")
@log_level_option("ERROR")
def bench(
    quick: bool,
    output: Path,
    only: str | None,
    persons: int | None,
    chart: Path | None,
    as_json: bool,
    log_level: str,
) -> None:
    """Measure ingest, growth, rebuild, accounts, latency, reads, start-up and memory on an embedded stack of its own.

    Every rate stands beside its bound, measured in the same run. Exit 0 whatever the figures are: they are reported.
    """
    from deploy.bench import report
    from deploy.bench.chart import markdown
    from deploy.bench.run import FULL, QUICK, run, run_only

    if persons is not None and only != "growth":
        raise click.UsageError("--persons belongs to --only growth")
    configure_logging(log_level)
    size = QUICK if quick else FULL
    if persons is not None:
        size = dataclasses.replace(size, holds=(max(persons // 5, size.events), persons))
    progress = Console(stderr=True, highlight=False)
    if quick and only is None:
        bulk = size.bulk + size.bulk_employed
        progress.print(f"quick: {bulk} bulk events instead of {FULL.bulk + FULL.bulk_employed}, fewer repeats")
    command = " ".join(["kallan", *sys.argv[1:]])
    with tempfile.TemporaryDirectory(prefix="kallan-bench-", ignore_cleanup_errors=True) as folder:
        try:
            measure = run if only is None else partial(run_only, only)
            found = measure(Path(folder), size, command, lambda text: progress.print(f"  {text} ..."))
        except KeyboardInterrupt:
            raise click.Abort from None
    content = report.as_json(found)
    output.write_bytes(content)
    if chart is not None:
        chart.write_text(markdown(found), encoding="utf-8")
    if as_json:
        click.echo(content.decode(), nl=False)
    else:
        console = Console(highlight=False)
        report.show(found, console if console.is_terminal else Console(highlight=False, width=180))
        console.print(f"  as JSON: {output}", markup=False)
