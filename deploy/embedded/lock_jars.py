"""Write jars.json again: resolve the coordinates of the Java servers and pin every jar by its hash.

    python -m deploy.embedded.lock_jars

Needs the network. The versions are changed here and nowhere else.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from deploy.embedded.jars import LOCK_FILE, Jar

SERVERS = {"kafka": "org.apache.kafka:kafka_2.13:4.1.0", "ldap": "com.unboundid:unboundid-ldapsdk:7.0.3"}
# What brings the broker's own log lines out (it logs through slf4j 1.7), and a small Java compiler for the directory's
# main class. Pinned alone: resolved together with the servers, their version lists would bend the servers' own versions.
ALONE = {
    "kafka": ("org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",),
    "ldap": ("org.codehaus.janino:janino:3.1.12", "org.codehaus.janino:commons-compiler:3.1.12"),
}


def main() -> None:
    locked = {name: [*_resolve(coordinate), *_alone(ALONE[name])] for name, coordinate in SERVERS.items()}
    LOCK_FILE.write_bytes(msgspec.json.format(msgspec.json.encode(locked), indent=1) + b"\n")


def _resolve(coordinate: str) -> list[Jar]:
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        inputs, transitive = context.resolver.resolve([context.create_dependency(coordinate)])
        artifacts = [d.artifact for d in (*inputs, *transitive) if d.scope in (None, "compile", "runtime")]
        return [_pin(a.resolve(), f"{a.groupId}:{a.artifactId}:{a.version}") for a in artifacts]


def _alone(coordinates: Iterable[str]) -> list[Jar]:
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        return [_pin(context.create_dependency(c).artifact.resolve(), c) for c in coordinates]


def _pin(path: Path, coordinate: str) -> Jar:
    content = path.read_bytes()
    return Jar(coordinate, hashlib.sha256(content).hexdigest(), len(content))


if __name__ == "__main__":
    main()
