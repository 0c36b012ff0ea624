"""Images from package sources: a Debian base by debootstrap, then the stack's own Dockerfiles over it."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.compose.local.engine import Engine, install
from deploy.compose.local.steps import ROOT, run, step
from deploy.embedded.jars import cache_folder, jar_sets
from streams.contracts.errors import Unavailable

SUITE = "bookworm"
BASE = f"kallan-local/base:{SUITE}"
_PACKAGES = ("python3", "python3-venv", "ca-certificates")
_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_LOCKS = ("build", "run", "scim")

IMAGES = (
    ("kallan-local/kafka:4.1.0", "deploy/images/local/kafka.Dockerfile", ""),
    ("kallan-local/postgres:15", "deploy/images/local/postgres.Dockerfile", ""),
    ("kallan-openldap:0.1.0", "deploy/images/openldap/Dockerfile", ""),
    ("kallan:0.1.0", "deploy/images/kallan/Dockerfile", "kallan"),
    ("kallan-scim:0.1.0", "deploy/images/kallan/Dockerfile", "scim"),
)
"""Tag, Dockerfile, stage. The tags are those of docker-compose.yml with docker-compose.local.yml over it."""


def build(engine: Engine) -> None:
    """Every image of the stack. What did not change since the last time is taken from the engine's cache."""
    if not engine.docker("images", "--quiet", BASE).strip():
        _base(engine)
    _wheels()
    _jars()
    arguments = [f"--build-arg={name}={os.environ[name]}" for name in _PASSED_ON if os.environ.get(name)]
    arguments += [f"--build-arg=BASE={BASE}", "--build-arg=WHEELS=build/wheels", "--build-arg=PIP_NO_INDEX=1"]
    for tag, file, stage in IMAGES:
        with step(f"image {tag}"):
            stages = [f"--target={stage}"] if stage else []
            engine.docker("build", "--quiet", "--network=host", *arguments, *stages, "--tag", tag, "--file", file, ".")


def _base(engine: Engine) -> None:
    """Debian with Python, imported as an image. The machine's own authorities go in: behind an organisation's proxy
    packages are signed for by one of them."""
    if shutil.which("debootstrap") is None:
        install("debootstrap")
    sources = _sources()
    with tempfile.TemporaryDirectory(prefix="kallan-base-", dir="/var/tmp") as folder:  # noqa: S108  needs a real disk
        root = Path(folder) / "root"
        with step(f"Debian {SUITE} by debootstrap"):
            packages = ",".join(_PACKAGES)
            run(["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, root, sources[0].split()[1]])
        if _CA_BUNDLE.exists():
            shutil.copyfile(_CA_BUNDLE, root / _CA_BUNDLE.relative_to("/"))
        (root / "etc/apt/sources.list").write_text("".join(f"{line}\n" for line in sources))
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")  # no package starts a server while an image is built
        policy.chmod(0o755)
        for left in (*(root / "var/cache/apt/archives").glob("*.deb"), *(root / "var/lib/apt/lists").glob("*_*")):
            left.unlink()
        with step(f"image {BASE}"):
            _import(engine, root)


def _import(engine: Engine, root: Path) -> None:
    tar = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)  # noqa: S603
    done = subprocess.run(
        ["docker", "import", "-", BASE],
        env={**os.environ, **engine.env},
        stdin=tar.stdout,
        capture_output=True,
        check=False,
    )
    if tar.wait() or done.returncode:
        raise Unavailable("service.unavailable", f"docker import: {done.stderr.decode(errors='replace').strip()}")


def _sources() -> list[str]:
    """Lines of sources.list for the suite, from where this machine's own packages come. The archive itself is first."""
    fields = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    listed = run(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]).splitlines()
    wanted = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    found = sorted(
        {
            (wanted.index(release), uri, release)
            for uri, release, part in map(str.split, listed)
            if release in wanted and part == "main"
        }
    )
    if not found or found[0][0]:
        raise Unavailable("service.unavailable", f"this machine has no package source for Debian {SUITE}")
    return [f"deb {uri} {release} main" for _, uri, release in found]


def _wheels() -> None:
    """The pinned wheels, fetched once, in build/wheels."""
    locks = [ROOT / "requirements" / f"{name}.txt" for name in _LOCKS]
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:16]
    kept = cache_folder() / "wheels" / digest
    if not kept.exists():
        if sys.version_info[:2] != (3, 11):
            raise Unavailable("service.unavailable", "the wheels are for Python 3.11: make the environment with it")
        making = kept.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        with step("fetching the pinned wheels"):
            for lock in locks:
                pip = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"]
                run([*pip, "--only-binary", ":all:", "--dest", making, "-r", lock])
        making.rename(kept)
    _copied(kept, ROOT / "build" / "wheels")


def _jars() -> None:
    kafka = jar_sets()["kafka"]
    with tempfile.TemporaryDirectory(prefix="kallan-jars-") as folder:
        for jar in kafka.jars:
            (Path(folder) / jar.file_name).symlink_to(kafka.folder / jar.file_name)
        _copied(Path(folder), ROOT / "build" / "jars")


def _copied(folder: Path, to: Path) -> None:
    """The same files in `to`, and no others; times are kept, so that an unchanged folder is one for the engine's cache."""
    to.mkdir(parents=True, exist_ok=True)
    wanted = {path.name for path in folder.iterdir()}
    for left in to.iterdir():
        if left.name not in wanted:
            left.unlink()
    for name in sorted(wanted - {path.name for path in to.iterdir()}):
        shutil.copy2(folder / name, to / name)
