"""A Docker engine and the compose command: those of the machine, else Debian's engine with a socket and data of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from deploy.compose.local.steps import run, step
from deploy.embedded.jars import cache_folder
from streams.contracts.errors import Unavailable

COMPOSE = "v2.40.3"
_MODULE = "github.com/docker/compose/v2"
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Engine:
    """How to call docker and docker compose. `env` names the engine where it is one of ours, which nobody else uses."""

    env: Mapping[str, str]
    compose: Sequence[str]

    def docker(self, *arguments: str | Path, stdin: bytes = b"") -> str:
        return run(["docker", *arguments], env=self.env, stdin=stdin)


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine for as long as the block lasts; one that was started for it is stopped afterwards, its images stay."""
    if _answers({}):
        yield Engine({}, _compose({}))
        return
    if shutil.which("dockerd") is None:
        install("docker.io")
    with _own_engine() as env:
        yield Engine(env, _compose(env))


def install(*packages: str) -> None:
    """Debian packages. Raises `Unavailable` where this is not root on Debian."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable("service.unavailable", f"needed and not installed: {', '.join(packages)}")
    with step(f"installing {', '.join(packages)}"):
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=env)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=env)


def _answers(env: Mapping[str, str]) -> bool:
    try:
        run(["docker", "version", "--format", "{{.Server.Version}}"], env=env)
    except Unavailable:
        return False
    return True


@contextmanager
def _own_engine() -> Iterator[Mapping[str, str]]:
    """Debian's engine, reachable by a socket of its own; started as root."""
    data, place = cache_folder() / "docker", Path("/run/kallan-docker")
    place.mkdir(mode=0o700, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    env = {"DOCKER_HOST": f"unix://{place}/docker.sock"}
    if _answers(env):
        raise Unavailable("service.unavailable", f"another run's engine is there: {place}")
    argv = ["dockerd", "--data-root", str(data), "--exec-root", f"{place}/exec", "--pidfile", f"{place}/pid"]
    with (data.parent / "dockerd.log").open("wb") as log, step("starting an engine"):
        process = subprocess.Popen(  # noqa: S603
            [*argv, "--host", env["DOCKER_HOST"]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for this process, which takes the stack down before the engine
        )
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(env):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise Unavailable("service.unavailable", f"dockerd does not start; see {log.name}")
            time.sleep(0.5)
    try:
        yield env
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _compose(env: Mapping[str, str]) -> Sequence[str]:
    """`docker compose` where the plugin is installed, else the plugin built from its Go module, once."""
    try:
        run(["docker", "compose", "version"], env=env)
    except Unavailable:
        return (str(_built()),)
    return ("docker", "compose")


def _built() -> Path:
    """The plugin, which runs by itself too, in the cache. The scratch module takes over its pinned requirements."""
    binary = cache_folder() / "bin" / f"docker-compose-{COMPOSE}"
    if binary.exists():
        return binary
    if shutil.which("go") is None:
        raise Unavailable("service.unavailable", "neither the plugin docker compose nor Go to build it is installed")
    scratch = cache_folder() / "compose-build"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    with step(f"building docker compose {COMPOSE} from its module"):
        run(["go", "mod", "download", f"{_MODULE}@{COMPOSE}"], cwd=scratch)
        module = Path(run(["go", "env", "GOMODCACHE"]).strip()) / f"{_MODULE}@{COMPOSE}"
        for name in ("go.mod", "go.sum"):
            (scratch / name).write_bytes((module / name).read_bytes())
        run(["go", "mod", "edit", "-module", "scratch", "-require", f"{_MODULE}@{COMPOSE}"], cwd=scratch)
        making = scratch / "docker-compose"
        run(["go", "build", "-o", making, f"{_MODULE}/cmd"], cwd=scratch, env={"GOFLAGS": "-mod=mod"})
        binary.parent.mkdir(parents=True, exist_ok=True)
        making.replace(binary)
    shutil.rmtree(scratch)
    click.echo(f"  kept as {binary}")
    return binary
