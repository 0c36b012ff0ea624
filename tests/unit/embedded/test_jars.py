"""Java libraries come into the cache verified or not at all."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.embedded import jars
from deploy.embedded.jars import Jar, jar_sets, pinned
from streams.contracts.errors import Unavailable

Publish = Callable[[str, bytes], Jar]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts a jar into the local Maven repository that jgo looks in first; no network is used."""
    repository = tmp_path / "m2"
    monkeypatch.setenv("M2_REPO", str(repository))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    def make(name: str, content: bytes) -> Jar:
        folder = repository / "se" / "test" / name / "1.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)
        return Jar(f"se.test:{name}:1.0", hashlib.sha256(content).hexdigest(), len(content))

    return make


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "jars").iterdir() if path.name != ".lock")


def test_every_jar_of_the_servers_is_pinned_by_version_and_hash() -> None:
    sets = pinned()
    assert set(sets) == {"kafka", "ldap"}
    for jar in (jar for found in sets.values() for jar in found):
        assert jar.coordinate.count(":") == 2
        assert len(bytes.fromhex(jar.sha256)) == 32
    assert any(jar.coordinate == "org.apache.kafka:kafka_2.13:4.1.0" for jar in sets["kafka"])


def test_the_lock_file_holds_no_address() -> None:
    assert b"://" not in jars.LOCK_FILE.read_bytes()


def test_jars_are_fetched_once_and_then_found(tmp_path: Path, publish: Publish) -> None:
    wanted = {"x": [publish("a", b"aaa"), publish("b", b"bb")]}
    found = jar_sets(tmp_path / "cache", wanted)["x"]
    assert [Path(part).read_bytes() for part in found.class_path.split(":")] == [b"aaa", b"bb"]
    (tmp_path / "m2" / "se" / "test" / "a" / "1.0" / "a-1.0.jar").unlink()
    assert jar_sets(tmp_path / "cache", wanted)["x"] == found


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, publish: Publish) -> None:
    jar = publish("a", b"aaa")
    path = Path(jar_sets(tmp_path / "cache", {"x": [jar]})["x"].class_path)
    path.write_bytes(b"aab")
    assert Path(jar_sets(tmp_path / "cache", {"x": [jar]})["x"].class_path).read_bytes() == b"aaa"


def test_a_jar_that_is_not_the_pinned_one_never_reaches_the_cache(tmp_path: Path, publish: Publish) -> None:
    jar = publish("a", b"aaa")
    publish("a", b"bad")
    with pytest.raises(Unavailable, match=r"se\.test:a:1\.0 .*pinned hash"):
        jar_sets(tmp_path / "cache", {"x": [jar]})
    assert not [name for name in files(tmp_path / "cache") if name.endswith(".jar")]


def test_without_network_a_missing_jar_is_named(tmp_path: Path, publish: Publish) -> None:
    publish("a", b"aaa")
    with pytest.raises(Unavailable, match=r"se\.test:elsewhere:1\.0 cannot be fetched"):
        jar_sets(tmp_path / "cache", {"x": [Jar("se.test:elsewhere:1.0", "00" * 32, 3)]})


def test_two_stacks_may_fetch_at_once(tmp_path: Path, publish: Publish) -> None:
    wanted = {"x": [publish(f"lib{n}", b"x" * (n + 1)) for n in range(12)]}
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(jar_sets(tmp_path / "cache", wanted)["x"].class_path))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(files(tmp_path / "cache")) == 12
