"""Programs run as an ordinary user, also where the tests run as root."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.embedded.watch import ROOT

CAN_RUN = """
import os, sys, deploy.embedded
sys.exit(not (os.access(sys.executable, os.X_OK) and os.access(sys.argv[1], os.W_OK)))
"""


@pytest.fixture
def ordinary_user() -> Callable[[Path], tuple[str, ...]]:
    """The beginning of a command line that runs Python as an ordinary user, who owns the given folder."""

    def prefix(folder: Path) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return (sys.executable,)
        candidates: list[tuple[str, ...]] = []
        if shutil.which("setpriv"):
            candidates.append(("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable))
        if shutil.which("unshare"):
            candidates.append(("unshare", "--user", "--map-user=65534", "--map-group=65534", "--", sys.executable))
        for candidate in candidates:
            os.chown(folder, *((65534, 65534) if candidate[0] == "setpriv" else (0, 0)))
            check = (*candidate, "-c", CAN_RUN, str(folder))
            if subprocess.run(check, cwd=ROOT, capture_output=True, check=False).returncode == 0:
                return candidate
        pytest.skip("as root, and neither setpriv nor unshare gives an ordinary user who can read this clone")

    return prefix
