"""Which revisions a package's schema has, read from its migration files without loading them: every worker asks at its
start, and Alembic takes longer to load than the worker."""

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import psycopg
import psycopg.sql


def migrations_of(package: str) -> Path:
    """The folder of a package's migrations."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(next(iter(spec.submodule_search_locations))) / "migrations"


@cache
def revisions(package: str) -> tuple[str, ...]:
    """From the first to the newest. Raises `ValueError` where they are not one line."""
    after = {}
    for path in sorted((migrations_of(package) / "versions").glob("*.py")):
        told = dict(_constants(ast.parse(path.read_text(encoding="utf-8"))))
        if told.get("down_revision") in after or "revision" not in told:
            raise ValueError(f"{package}: {path.name}")
        after[told["down_revision"]] = told["revision"]
    found: list[str] = []
    following = after.pop(None, None)
    while following is not None:
        found.append(following)
        following = after.pop(following, None)
    if after:
        raise ValueError(f"{package}: {', '.join(sorted(str(one) for one in after))}")
    return tuple(found)


def current(connection: psycopg.Connection, package: str) -> str:
    """The revision that the database has; empty: it was never migrated."""
    found = connection.execute("select to_regclass(%s)", [f"{package}.alembic_version"]).fetchone()
    if found is None or found[0] is None:
        return ""
    query = psycopg.sql.SQL("select version_num from {}.alembic_version").format(psycopg.sql.Identifier(package))
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


def guard(connection: psycopg.Connection, packages: Iterable[str]) -> None:
    """For a pool: no connection to a schema that is not this program's is ever handed out. Raises
    `psycopg.OperationalError`, as a server that refuses does; who waits for it is told why by another way."""
    for package in packages:
        if current(connection, package) != revisions(package)[-1]:
            raise psycopg.OperationalError(f"schema {package} is not of this program")
    connection.commit()


def _constants(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.targets[0], ast.Name)
        ):
            value = node.value.value
            yield node.targets[0].id, value if isinstance(value, str) else None
