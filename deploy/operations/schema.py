"""Whether a database's schemas are those that this program was written for: no worker starts on others."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg
import psycopg.sql

from deploy.settings import Settings
from deploy.wiring.base import PACKAGES
from streams.contracts.errors import KallanError
from streams.revisions import revisions

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5
_PAUSE_SECONDS = 1.0
_SAY_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Schema:
    """One package's schema: the revision of the database (empty: it was never migrated) and of the program. `code` is
    empty where they are the same."""

    package: str
    database: str
    program: str
    code: str

    @property
    def revisions(self) -> str:
        """Both, in words."""
        return f"the database has {self.database or 'nothing'}, the program {self.program}"


def schemas(settings: Settings, packages: Iterable[str] = PACKAGES) -> list[Schema]:
    """As they are now. Raises what psycopg raises where the database does not answer."""
    return [_schema(_url(settings, package), package) for package in packages]


def check(settings: Settings, packages: Iterable[str]) -> None:
    """Raises `KallanError("schema.older")` or `("schema.newer")` with the revisions."""
    for one in schemas(settings, packages):
        if one.code:
            raise KallanError(one.code, f"{one.package}: {one.revisions}")


def wait_and_check(settings: Settings, packages: Iterable[str], sleep: Callable[[float], None] = time.sleep) -> None:
    """As `check`; a database that does not answer is waited for."""
    wanted, said = tuple(packages), float("-inf")
    while True:
        try:
            check(settings, wanted)
        except psycopg.OperationalError as error:
            if time.monotonic() - said >= _SAY_EVERY:
                said = time.monotonic()
                log.warning("PostgreSQL does not answer (%s); waiting", type(error).__name__)
            sleep(_PAUSE_SECONDS)
        else:
            return


def _url(settings: Settings, package: str) -> str:
    return settings.keys_url if package == "streams" else settings.store_url


def _schema(url: str, package: str) -> Schema:
    known = revisions(package)
    with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
        found = connection.execute("select to_regclass(%s)", [f"{package}.alembic_version"]).fetchone()
        row = None
        if found is not None and found[0] is not None:
            query = psycopg.sql.SQL("select version_num from {}.alembic_version").format(
                psycopg.sql.Identifier(package)
            )
            row = connection.execute(query).fetchone()
    current = str(row[0]) if row else ""
    if current == known[-1]:
        return Schema(package, current, known[-1], "")
    return Schema(package, current, known[-1], "schema.older" if not current or current in known else "schema.newer")
