"""The stack brought up from nothing, tried from outside, and taken down."""

import json
import re
import secrets
import shlex
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx

from deploy.cli.town_options import SEED
from deploy.compose.local.engine import Engine
from deploy.compose.local.steps import ROOT, run, step
from deploy.embedded.ports import free_port
from deploy.municipality.cast import JOINER, Member
from deploy.municipality.changes import Changes
from deploy.municipality.generate import generate
from streams.clock import SystemClock
from streams.contracts.errors import Unavailable

PERSONS, UNITS = 60, 8
_FILES = ("docker-compose.yml", "docker-compose.local.yml")
_PREFIX = "kallan-trial-"
_UP_SECONDS = 600.0
_CHANGE_SECONDS = 120.0


class Project:
    """One compose project with names of its own: what it makes, it takes away."""

    def __init__(self, engine: Engine) -> None:
        self.port = free_port()
        self._name = f"{_PREFIX}{secrets.token_hex(3)}"
        self._compose = engine.compose
        self._env: dict[str, str] = {
            **engine.env,
            "COMPOSE_PROFILES": "",
            "KALLAN_PORT": str(self.port),
            "KALLAN_DEMO_PERSONS": str(PERSONS),
            "KALLAN_DEMO_UNITS": str(UNITS),
        }

    def __call__(self, *arguments: str | Path) -> str:
        return run([*self._argv, *arguments], env=self._env)

    @property
    def _argv(self) -> list[str]:
        files = [part for name in _FILES for part in ("--file", str(ROOT / name))]
        return [*self._compose, "--project-name", self._name, *files]

    def up(self, profile: str) -> None:
        """With the services of a profile too, or (empty) of none."""
        self._env["COMPOSE_PROFILES"] = profile
        self("up", "--detach", "--no-build")

    def typed(self, line: str, folder: Path) -> str:
        """A line of the documentation in a shell, about this project."""
        here = f"{shlex.join(self._argv)} {line.removeprefix('docker compose ')}"
        return run(["bash", "-euo", "pipefail", "-c", here], env=self._env, cwd=folder)

    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """Every container as compose tells of it."""
        lines = self("ps", "--all", "--format", "json").splitlines()
        return {one["Service"]: one for one in map(json.loads, lines)}


def try_out(engine: Engine) -> None:
    """Raises `Unavailable` telling what is not as it should be."""
    with _project(engine) as project:
        with step("up without the demo profile: every server and worker is healthy"):
            project.up("")
            _until(lambda: _not_well(project, but="api"), _UP_SECONDS)  # it has no keys of an issuer
        if found := {"demo", "issuer"} & set(project.services()):
            raise Unavailable("service.unavailable", f"{found} without the demo profile")
        with step("up: the municipality is loaded, every container is healthy"):
            project.up("demo")
            _until(lambda: _not_well(project), _UP_SECONDS)
        click.echo(project("logs", "--no-log-prefix", "demo"))
        with tempfile.TemporaryDirectory(prefix="kallan-trial-") as folder:
            Path(folder).chmod(0o755)  # read by the container's user
            member = _joiner(project, Path(folder))
            _documented(project, Path(folder))
            with step("her account read from OpenLDAP by LDAPS"):
                _account(project, member)
            with step("herself read from the API by HTTPS with a token"):
                _person(project, member, Path(folder))
        with step("up again: nothing is loaded twice"):
            project.up("demo")
            _until(lambda: _not_well(project), _UP_SECONDS)
            if project("logs", "--no-log-prefix", "demo").count("loaded before") != len(list(_first_files())):
                raise Unavailable("service.unavailable", "the municipality was loaded again")


@contextmanager
def _project(engine: Engine) -> Iterator[Project]:
    if engine.env:
        _clear(engine)
    project = Project(engine)
    try:
        yield project
    except Unavailable:
        for name, one in project.services().items():
            if _wrong(one):
                click.echo(f"--- {name}: {_wrong(one)}\n{project('logs', '--tail', '12', '--no-log-prefix', name)}")
        raise
    finally:
        with step("docker compose down"):
            project("down", "--volumes", "--timeout", "20")


def _clear(engine: Engine) -> None:
    """What a run that was killed left in our own engine, which has started it again."""
    told = engine.docker("ps", "--all", "--format", '{{.Label "com.docker.compose.project"}}').split()
    for name in sorted({one for one in told if one.startswith(_PREFIX)}):
        with step(f"taking down {name}, which was left behind"):
            run([*engine.compose, "--project-name", name, "down", "--volumes", "--timeout", "5"], env=engine.env)


def _first_files() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="kallan-trial-") as folder:
        yield from (file.path.name for file in generate(Path(folder), SEED, PERSONS, UNITS).files)


def _not_well(project: Project, but: str = "") -> str:
    """What is still to come, or nothing. Raises `Unavailable` for what will never be well."""
    found = []
    for name, one in sorted(project.services().items()):
        wrong = "" if name == but else _wrong(one)
        if one["State"] == "exited" and wrong:
            raise Unavailable("service.unavailable", f"{name}: {wrong}")
        if wrong:
            found.append(f"{name}: {wrong}")
    return ", ".join(found)


def _wrong(one: Mapping[str, Any]) -> str:
    """A container is well if it is healthy, or has ended without an error."""
    if one["State"] == "exited":
        return f"ended with {one['ExitCode']}" if one["ExitCode"] else ""
    return "" if one["Health"] == "healthy" else str(one["Health"] or one["State"])


def _until(left: Callable[[], str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while what := left():
        if time.monotonic() > deadline:
            raise Unavailable("service.unavailable", f"after {seconds:.0f} s: {what}")
        time.sleep(1.0)


def _joiner(project: Project, folder: Path) -> Member:
    """Somebody moves in and is hired: what the population register and HR deliver, through their connectors."""
    town = folder / "town"
    cast = generate(town, SEED, PERSONS, UNITS)
    navet, hr = Changes(cast).joiner(SystemClock().now())
    with step("a new employee: the population register's file is loaded, the one of HR is written"):
        click.echo(
            project("run", "--rm", "-T", "--volume", f"{town}:/in:ro", "load", "navet", f"/in/{navet.path.name}")
        )
    if hr.path.name != "hr-00002.jsonl":  # which the documentation loads
        raise ValueError(hr.path.name)
    return cast[JOINER]


def _documented(project: Project, folder: Path) -> None:
    """Every line of docs/compose.md but those that bring the stack up, which is done above: HR's file among them."""
    page = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for line in (line for block in blocks for line in block.splitlines()):
        if line.startswith("docker compose ") and line != "docker compose up":
            with step(line):
                said = project.typed(line, folder).splitlines()
            click.echo("\n".join(f"    {one}" for one in said[:3]))


def _account(project: Project, member: Member) -> None:
    name = f"{member.person.call_name} {member.person.family}"

    def left() -> str:
        said = project("exec", "-T", "openldap", "search-directory", f"(displayName={name})", "displayName", "memberOf")
        return "" if said.startswith("dn: ") and "memberOf: " in said else "no account with groups in the directory"

    _until(left, _CHANGE_SECONDS)


def _person(project: Project, member: Member, folder: Path) -> None:
    project("cp", "api:/run/secrets/ca.pem", folder / "ca.pem")
    token = project("run", "--rm", "-T", "token", "e-services").strip()
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    with httpx.Client(base_url=f"https://localhost:{project.port}", verify=context, trust_env=False) as client:
        if client.get("/v1/persons/x").status_code != httpx.codes.UNAUTHORIZED:
            raise Unavailable("service.unavailable", "the API answers without a token")
        client.headers["Authorization"] = f"Bearer {token}"
        found = client.post("/v1/persons/search", json={"identifier": member.number})
        answer = client.get(f"/v1/persons/{found.raise_for_status().json()['id']}").raise_for_status()
    if member.person.family not in answer.text:
        raise Unavailable("service.unavailable", "the API does not show the new employee's name")
