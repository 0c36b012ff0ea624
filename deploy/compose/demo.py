"""The synthetic municipality, loaded once into a stack of containers by the operator's own means."""

from collections.abc import Callable
from pathlib import Path

from connectors.sources.loads import list_loads
from connectors.sources.registry import load
from connectors.sources.report import LoadState
from deploy.cli.connection import Connection
from deploy.municipality.cast import GUARDIAN
from deploy.municipality.generate import generate, write_questions
from deploy.quiet import Quiet
from streams.contracts.errors import KallanError
from streams.kafka_log import LagMeter

_PATIENCE = 900.0

_COUNTS = """
select (select count(*) from mmd.document where kind = 'person'),
       (select count(*) from mmd.document where kind = 'unit'),
       (select count(*) from iam.desired d join iam.observed o using (account, target)
        where d.presence <> 'absent' and o.status = 'known' and o.digest = d.digest)
"""

Say = Callable[[str], None]


def load_once(connection: Connection, folder: Path, say: Say, *, seed: int, persons: int, units: int) -> None:
    """Write the native files to `folder` (kept: deltas and questions to try are made from them) and load what was not
    loaded before; then wait until the last account is read back.

    Raises `KallanError("stack.in-use")` where the store has loads of another origin: nobody's data is mixed with these.
    """
    done = {one.source for one in list_loads(connection.base.pool) if one.state == LoadState.COMMITTED}
    if done and not (folder / "number.txt").exists():
        raise KallanError("stack.in-use", "the store has loads already; the synthetic municipality is for an empty one")
    cast = generate(folder, seed, persons, units)
    write_questions(folder, cast[GUARDIAN])
    for file in cast.files:
        if file.source in done:
            say(f"{file.path.name}: loaded before")
            continue
        report = load(file.source, file.path, connection.edge)
        say(f"{file.path.name}: {report.rows} records, {report.state.value}")
    lag = LagMeter(connection.master.broker)
    try:
        Quiet(connection.base.pool, lag, connection.base.clock).wait(_PATIENCE, pause=0.5)
    finally:
        lag.close()
    with connection.base.pool.connection() as store:
        people, places, accounts = store.execute(_COUNTS).fetchone() or (0, 0, 0)
    say(f"{people} persons and {places} units in the master, {accounts} accounts read back in the targets")


WHERE_TO_LOOK = """
Källan is up. Everything below is typed beside docker-compose.yml.

  the API            https://localhost:{port}/ready
  its authority      docker compose cp api:/run/secrets/ca.pem .
  a token            docker compose run --rm token e-services
  one person         docker compose run --rm -T operator report - < NUMBER
  why an account is  docker compose run --rm -T operator explain - < NUMBER
  dead letters       docker compose run --rm operator dlq list
  the directory      docker compose exec openldap search-directory '(uid=*)' cn
  every command      docker compose run --rm operator --help

NUMBER is a file with a personnummer; one of the municipality's own:
  docker compose run --rm -T --entrypoint cat operator /municipality/number.txt > NUMBER
"""
