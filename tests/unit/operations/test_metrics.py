"""Metrics are a closed list, and no label can name a person."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deploy
import iam
import mmd
import streams
from deploy.checks.generated import PAGES
from deploy.operations.metrics import ALL
from iam.execute.metrics import OPERATIONS, TARGET
from streams.contracts.testnumbers import published
from streams.metrics import OTHER, Kind, Label, Meter, Metric
from streams.worker_metrics import LETTERS, RECORDS
from tests.docs.reading import ROOT, text_of

_SKIPPED = ("deploy.replay.pytest_plugin", "deploy.cli.__main__", "deploy.checks.__main__", "deploy.embedded.")


def modules() -> Iterator[object]:
    for package in (streams, mmd, iam, deploy):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith(_SKIPPED) and ".migrations." not in found.name:
                yield importlib.import_module(found.name)


def test_every_metric_that_is_defined_stands_in_the_list() -> None:
    defined = {one.name for module in modules() for one in vars(module).values() if isinstance(one, Metric)}
    assert defined == {one.name for one in ALL}


def test_every_name_stands_once() -> None:
    assert len({one.name for one in ALL}) == len(ALL)


def test_only_one_file_uses_the_library_of_prometheus() -> None:
    """So nothing can be measured past the list."""
    users = []
    for package in ("streams", "mmd", "iam", "connectors", "deploy"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                users += [path.relative_to(ROOT) for name in names if name.partition(".")[0] == "prometheus_client"]
    assert set(users) == {Path("streams/metrics.py")}


def test_metrics_are_defined_in_modules_and_not_made_on_the_way() -> None:
    made = []
    for package in ("streams", "mmd", "iam", "deploy"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
            calls = [call for one in functions for call in ast.walk(one) if isinstance(call, ast.Call)]
            made += [path for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Metric"]
    assert made == []


def test_the_page_tells_of_every_metric_and_label() -> None:
    page = text_of("docs/metrics.md")
    assert page == PAGES["docs/metrics.md"]()
    for one in ALL:
        assert f"| `{one.name}` | {one.kind.value} |" in page
        for label in one.labels:
            assert f"| `{label.name}` | {label.of} |" in page


def figures(meter: Meter) -> set[str]:
    return {line for line in meter.text().decode().splitlines() if not line.startswith("#")}


@pytest.mark.parametrize("number", sorted(published())[:: len(published()) // 5])
def test_a_personnummer_becomes_no_label_value_even_where_the_settings_name_it(number: str) -> None:
    meter = Meter()
    meter.know(TARGET, ["directory", number])
    meter.count(OPERATIONS, target=number, outcome="done")
    meter.count(OPERATIONS, target="directory", outcome=number)
    assert figures(meter) == {
        f'kallan_execute_operations_total{{outcome="done",target="{OTHER}"}} 1.0',
        f'kallan_execute_operations_total{{outcome="{OTHER}",target="directory"}} 1.0',
    }


@given(st.text(), st.uuids().map(str), st.sampled_from(sorted(published())))
def test_no_value_passes_that_is_not_known_before(text: str, uuid: str, number: str) -> None:
    meter = Meter()
    known = {value for metric in ALL for label in metric.labels for value in label.values or ()}
    for metric in ALL:
        for value in (text, uuid, number):
            labels = {label.name: value for label in metric.labels}
            meter.know(TARGET, [uuid, number])
            if metric.kind is Kind.COUNTER:
                meter.count(metric, **labels)
            elif metric.kind is Kind.GAUGE:
                meter.set(metric, 1.0, **labels)
            else:
                meter.observe(metric, 1.0, **labels)
    values = set(re.findall(r'="([^"]*)"', meter.text().decode().replace('\\"', "")))
    buckets = {value for value in values if re.fullmatch(r"[0-9.]+|\+Inf", value)}
    assert values - buckets <= known | {OTHER}


def test_a_gauge_forgets_what_is_not_given_any_more() -> None:
    meter = Meter()
    meter.replace(LETTERS, {"code.unknown": 2, "input.invalid": 1})
    meter.replace(LETTERS, {"input.invalid": 3, "made.up": 4, "made.up.too": 5})
    assert figures(meter) == {
        'kallan_dead_letters{code="input.invalid"} 3.0',
        f'kallan_dead_letters{{code="{OTHER}"}} 9.0',
    }


def test_a_label_that_is_missing_or_too_many_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="kallan_records_total"):
        Meter().count(RECORDS, topic="source.person.v1")
    with pytest.raises(ValueError, match="_total"):
        Metric("kallan_things", Kind.COUNTER, "", (Label("x", "", None),))
