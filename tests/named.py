"""Tests that documents name: a run is no success if one of them was there and only skipped, or was not there at all."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

MAKE_TEST = "not kills"
"""What `make test` leaves out. No document names a test of those."""


class NamedTests:
    """A pytest plugin. `names` are node ids without parameters; a file stands for everything that is collected in it.

    Of a test with parameters one that passes is enough: a target whose server is not installed is skipped, the others
    are not. That a named test is missing is told only where the whole of `testpaths` was collected.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._files = frozenset(name for name in self._names if "::" not in name)
        self._outcomes: dict[str, set[str]] = defaultdict(set)
        self._missing: list[str] = []

    def name_of(self, node: str) -> str | None:
        """The name that a collected test goes by, if it is named."""
        bare = node.partition("[")[0]
        if bare in self._names:
            return bare
        file = node.partition("::")[0]
        return file if file in self._files else None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected(session.config, [item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Where processes share the tests each collects all of them, and the one that reports none."""
        self._collected(node.config, ids)

    def _collected(self, config: pytest.Config, nodes: Iterable[str]) -> None:
        chosen = any(config.getoption(name, None) for name in ("keyword", "deselect", "ignore", "ignore_glob", "lf"))
        marked = config.getoption("markexpr", "")
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen and marked in {"", MAKE_TEST}:
            found = {self.name_of(node) for node in nodes}
            self._missing = sorted(self._names - found)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = self.name_of(report.nodeid)
        if name is not None and (report.when == "call" or report.outcome != "passed"):
            self._outcomes[name].add(report.outcome)

    @property
    def unproved(self) -> Sequence[str]:
        """A line for each named test that does not show what it is named for."""
        skipped = sorted(name for name, outcomes in self._outcomes.items() if outcomes == {"skipped"})
        return [f"{name}: skipped" for name in skipped] + [f"{name}: not collected" for name in self._missing]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        if self.unproved and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unproved:
            terminalreporter.section("tests that docs/sparbarhet.md names, and that were not run", red=True)
            for line in self.unproved:
                terminalreporter.write_line(line)
