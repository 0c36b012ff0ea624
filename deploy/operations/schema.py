"""Whether a database's schemas are those that this program was written for: no worker starts on others."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from deploy.settings import Settings
from deploy.wiring.base import PACKAGES
from streams.contracts.errors import KallanError
from streams.revisions import current, revisions

_CONNECT_SECONDS = 5


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


def _url(settings: Settings, package: str) -> str:
    return settings.keys_url if package == "streams" else settings.store_url


def _schema(url: str, package: str) -> Schema:
    known = revisions(package)
    with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
        found = current(connection, package)
    if found == known[-1]:
        return Schema(package, found, known[-1], "")
    return Schema(package, found, known[-1], "schema.older" if not found or found in known else "schema.newer")
