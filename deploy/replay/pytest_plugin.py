"""pytest plugin: scenario files are tests, here and in any project that installs Källan.

Set `kallan_scenarios` in the pytest configuration to glob patterns (relative to the root); every file that matches is
collected once for each way of `kallan_through` (`direct`, `kafka`). Expectations that need a part that is not built are
listed by name at the end, never counted as passed. The fixture `direct_world` gives a test an empty world of its own.
"""

import contextlib
import fnmatch
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from deploy.replay.direct import DirectWorld
    from deploy.replay.live import LiveWorld

_NOT_RUN = pytest.StashKey[list[str]]()
_NOT_RUN_THERE = "kallan_not_run"
_OPENED = pytest.StashKey["_Opened"]()


class ScenarioFailed(Exception):
    """A scenario whose expectations do not hold."""


class _Opened:
    """What the session's scenarios share, opened at first use: one PostgreSQL, one stack."""

    def __init__(self) -> None:
        self._exit = contextlib.ExitStack()
        self._direct: Callable[[], AbstractContextManager[DirectWorld]] | None = None
        self._live: LiveWorld | None = None

    def direct(self) -> "AbstractContextManager[DirectWorld]":
        from deploy.replay.worlds import direct_worlds, direct_worlds_on

        if self._direct is None:
            given = os.environ.get("KALLAN_TEST_DATABASE_URL")
            folder = self._folder()
            worlds = direct_worlds_on(given, folder) if given else direct_worlds(folder)
            self._direct = self._exit.enter_context(worlds)
        return self._direct()

    def live(self) -> "LiveWorld":
        from deploy.replay.worlds import live_world

        if self._live is None:
            self._live = self._exit.enter_context(live_world(self._folder()))
        return self._live

    def _folder(self) -> Path:
        return Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="kallan-replay-")))

    def close(self) -> None:
        """What is asked for afterwards is opened anew."""
        self._exit.close()
        self._direct = self._live = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("kallan_scenarios", "glob patterns of scenario files", type="args", default=[])
    parser.addini("kallan_through", "ways to run them: direct, kafka", type="args", default=["direct"])


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NOT_RUN] = []
    config.stash[_OPENED] = _Opened()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_OPENED].close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes that share the tests (pytest-xdist) tells the one that reports."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_NOT_RUN_THERE] = session.config.stash[_NOT_RUN]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_NOT_RUN].extend(getattr(node, "workeroutput", {}).get(_NOT_RUN_THERE, ()))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    try:
        name = file_path.relative_to(parent.config.rootpath).as_posix()
    except ValueError:
        return None
    if any(fnmatch.fnmatch(name, pattern) for pattern in parent.config.getini("kallan_scenarios")):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Servers and workers do not stand idle beside the tests that follow."""
    if isinstance(item, ScenarioItem) and not isinstance(nextitem, ScenarioItem):
        item.config.stash[_OPENED].close()


class ScenarioFile(pytest.File):
    def collect(self) -> Iterable["ScenarioItem"]:
        for through in self.config.getini("kallan_through"):
            yield ScenarioItem.from_parent(self, name=through)


class ScenarioItem(pytest.Item):
    """One scenario through one way."""

    def setup(self) -> None:
        if self.name == "kafka":
            self.add_marker("stack")

    def runtest(self) -> None:
        from deploy.replay.run import run_scenario
        from deploy.replay.scenario import read_scenario

        scenario = read_scenario(self.path)
        opened = self.config.stash[_OPENED]
        if self.name == "direct":
            with opened.direct() as world:
                outcome = run_scenario(scenario, world, self.path.parent)
        else:
            live = opened.live()
            live.empty()
            outcome = run_scenario(scenario, live, self.path.parent)
        self.config.stash[_NOT_RUN].extend(f"{line} ({self.name})" for line in outcome.not_run)
        if not outcome.good:
            raise ScenarioFailed("\n".join(outcome.failures or ["no expectation was checked"]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, ScenarioFailed):
            return f"{self.path.name} through {self.name}:\n{excinfo.value}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.stem} through {self.name}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[_NOT_RUN]
    if lines:
        terminalreporter.section("scenario steps that were not run")
        for line in sorted(lines):
            terminalreporter.write_line(line)


@pytest.fixture
def direct_world(pytestconfig: pytest.Config) -> "Iterator[DirectWorld]":
    """An empty world with the same handlers as the workers, in this process."""
    with pytestconfig.stash[_OPENED].direct() as world:
        yield world
