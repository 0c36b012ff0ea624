"""A real SCIM 2.0 server in a folder, in a process of its own. Loopback only, with a bearer token."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.embedded import server
from deploy.embedded.ports import LOOPBACK, free_port, is_open
from deploy.embedded.processes import Program, Supervisor
from deploy.embedded.secret_files import secret

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Scim:
    """How to reach the server. `url` is the root of the SCIM endpoints: `{url}/Users`."""

    url: str
    token: str


class ScimServer:
    """One SCIM server with its resources in `folder`."""

    name = "scim"

    def __init__(self, folder: Path, log: Path, token_file: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._log = log
        self._token_file = (token_file or folder / "token").resolve()
        self._port = 0
        self._token = ""

    @property
    def scim(self) -> Scim:
        return Scim(f"http://{LOOPBACK}:{self._port}/v2", self._token)

    def prepare(self, supervisor: Supervisor) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._token = secret(self._token_file)

    def program(self) -> Program:
        self._port = free_port()
        argv = (
            sys.executable,
            "-m",
            "deploy.embedded.scim_process",
            str(self._port),
            str(self._folder / "resources.sqlite"),
            str(self._token_file),
        )
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(paths),
        }
        return Program(self.name, argv, self._log, env=env, cwd=self._folder)

    def is_ready(self) -> bool:
        return is_open(self._port) and answers(self.scim)

    def finish(self) -> None:
        """Nothing is left: the server serves the default schemas."""

    def entry(self) -> Mapping[str, str]:
        return {"address": f"{LOOPBACK}:{self._port}", "url": self.scim.url, "token": self.scim.token}


def answers(scim: Scim, seconds: float = 2.0) -> bool:
    """The server tells its resource types to our token."""
    try:
        answer = httpx.get(
            f"{scim.url}/ResourceTypes",
            headers={"Authorization": f"Bearer {scim.token}"},
            timeout=seconds,
            trust_env=False,
        )
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


@contextlib.contextmanager
def embedded_scim(folder: Path) -> Iterator[Scim]:
    """A SCIM server of its own for as long as the block runs. The resources stay in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    scim = ScimServer(folder, folder / "scim.log")
    with Supervisor(folder / "supervisor.log") as supervisor:
        server.start(scim, supervisor)
        yield scim.scim
