"""`python -m deploy.checks.mutations [--record] [ID ...]`: each principle's mutation must make its test fail.

The tree is copied, the tests are run there as they are (all must pass), then one mutation at a time is made and its test
run. Exit 1 unless every test failed. `--record` writes the outcomes to docs/sparbarhet/utfall.json, for the page.
"""

import argparse
import contextlib
import datetime as dt
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from defusedxml import ElementTree

from deploy.checks.files import tracked
from deploy.docs.traces import OUTCOMES, Mutation, Outcome, Recorded, read_outcomes, read_traces

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 300.0
_REPORT = "report.xml"


class Copy:
    """A copy of the tree in which tests are run and changes made and taken back."""

    def __init__(self, root: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = {**environment, "PYTHONPATH": ""}
        for path in tracked(root):
            if path.is_file():
                target = folder / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def run(self, tests: Sequence[str]) -> Outcome:
        """GREEN: all passed. RED: at least one failed by itself. BROKEN: an error, a skip, a hang, or nothing was run."""
        report = self.folder / _REPORT
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *tests]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command,
                cwd=self.folder,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        return _outcome(report)

    @contextlib.contextmanager
    def mutated(self, mutation: Mutation) -> Iterator[None]:
        """Raises ValueError where the mutation does not fit the file."""
        path = self.folder / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.before) != 1:
            raise ValueError(f"{mutation.file}: the text that is to be changed does not occur exactly once")
        try:
            self._write(path, text.replace(mutation.before, mutation.after))
            yield
        finally:
            self._write(path, text)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """Compiled code goes too: it is told from old code by seconds and size only, and a mutation may change neither."""
        path.write_text(text, encoding="utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _outcome(report: Path) -> Outcome:
    if not report.is_file():
        return Outcome.BROKEN
    cases = list(ElementTree.parse(report).iter("testcase"))
    found = {child.tag for case in cases for child in case}
    if not cases or found & {"error", "skipped"}:
        return Outcome.BROKEN
    return Outcome.RED if "failure" in found else Outcome.GREEN


def outcomes(copy: Copy, mutations: Mapping[str, Mutation]) -> Iterator[tuple[str, Outcome, float]]:
    """What comes of each, with the seconds it took. Raises RuntimeError where a test does not pass without a mutation."""
    tests = sorted({one.test for one in mutations.values()})
    if copy.run(tests) is not Outcome.GREEN:
        raise RuntimeError("the tests do not pass as the tree is")
    for name, mutation in mutations.items():
        begun = time.monotonic()
        with copy.mutated(mutation):
            outcome = copy.run([mutation.test])
        yield name, outcome, time.monotonic() - begun


@contextlib.contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """Ours, with one PostgreSQL for every run: what is given, or one of its own."""
    if os.environ.get("KALLAN_TEST_DATABASE_URL"):
        yield dict(os.environ)
        return
    from deploy.embedded.postgres import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="kallan-mutations-") as folder, embedded_postgres(Path(folder)) as url:
        yield {**os.environ, "KALLAN_TEST_DATABASE_URL": url}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.checks.mutations", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write what came of them")
    parser.add_argument("ids", nargs="*", metavar="ID", help="principles; none named: all")
    asked = parser.parse_args()
    mutations = read_traces(ROOT).mutations
    if unknown := set(asked.ids) - set(mutations):
        parser.error(f"no mutation for {', '.join(sorted(unknown))}")
    chosen = {name: one for name, one in mutations.items() if not asked.ids or name in asked.ids}
    recorded = read_outcomes(ROOT)
    bad = 0
    with _environment() as environment, tempfile.TemporaryDirectory(prefix="kallan-mutations-") as folder:
        for name, outcome, seconds in outcomes(Copy(ROOT, Path(folder), environment), chosen):
            print(f"{outcome:6} {seconds:5.1f} s  {name}: {chosen[name].breaks}", flush=True)
            bad += outcome is not Outcome.RED
            recorded[name] = Recorded(chosen[name].digest, outcome, dt.datetime.now(dt.UTC).date().isoformat())
    if asked.record:
        kept = {name: recorded[name] for name in mutations if name in recorded}
        text = msgspec.json.format(msgspec.json.encode(kept), indent=2)
        (ROOT / OUTCOMES).write_bytes(text + b"\n")
    print(f"{len(chosen) - bad} of {len(chosen)} mutations were noticed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
