"""What a command pays for at its start: libraries that only migrations need are loaded by migrations only."""

import subprocess
import sys

import pytest

ONLY_MIGRATIONS = ("alembic", "sqlalchemy", "sqlmodel", "mako")


@pytest.mark.parametrize(
    "module", ["streams.database", "streams.failures", "mmd.relay.relay", "mmd.ingest.handler", "deploy.wiring.base"]
)
def test_what_only_migrations_need_is_not_loaded_by(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {*loaded} & {*ONLY_MIGRATIONS}
