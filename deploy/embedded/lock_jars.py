"""Write jars.json again: resolve the coordinates of the Java servers and pin every jar by its hash.

    python -m deploy.embedded.lock_jars

Needs the network. The versions are changed here and nowhere else.
"""

import hashlib
import tempfile
from pathlib import Path

import msgspec

from deploy.embedded.jars import LOCK_FILE, Jar

SERVERS = {"kafka": "org.apache.kafka:kafka_2.13:4.1.0", "ldap": "com.unboundid:unboundid-ldapsdk:7.0.3"}


def main() -> None:
    locked = {name: _resolve(coordinate) for name, coordinate in SERVERS.items()}
    LOCK_FILE.write_bytes(msgspec.json.format(msgspec.json.encode(locked), indent=1) + b"\n")


def _resolve(coordinate: str) -> list[Jar]:
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        inputs, transitive = context.resolver.resolve([context.create_dependency(coordinate)])
        artifacts = [d.artifact for d in (*inputs, *transitive) if d.scope in (None, "compile", "runtime")]
        return [
            _pin(artifact.resolve(), f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}")
            for artifact in artifacts
        ]


def _pin(path: Path, coordinate: str) -> Jar:
    content = path.read_bytes()
    return Jar(coordinate, hashlib.sha256(content).hexdigest(), len(content))


if __name__ == "__main__":
    main()
