"""The answer of a run: a table for a person, JSON for everything else."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from deploy.bench.figures import Bound, Figure, Series
from deploy.bench.machine import Machine

FORMAT = "kallan.bench/1"


@dataclass(frozen=True, slots=True)
class Report:
    """`others`: the share of the machine (0 to 1) that other programs took during the run; `commit`: of the tree that ran,
    with `+` where it was changed."""

    command: str
    size: str
    date: dt.datetime
    seconds: float
    commit: str
    machine: Machine
    versions: Mapping[str, str]
    others: float
    figures: tuple[Figure, ...]


def as_json(report: Report) -> bytes:
    """One object, described in docs/performance.md."""
    data = {
        "format": FORMAT,
        "command": report.command,
        "size": report.size,
        "date": report.date.isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 1),
        "commit": report.commit,
        "machine": msgspec.to_builtins(report.machine),
        "versions": dict(report.versions),
        "others": round(report.others, 3),
        "figures": [_figure(one) for one in report.figures],
    }
    return msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n"


def _figure(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": figure.name,
        "title": figure.title,
        "unit": figure.unit,
        "counted": _round(figure.counted),
        "measured": _series(figure.measured, tail=figure.tail),
        "bound": None,
        "ratio": None if figure.ratio is None else _round(figure.ratio),
        "within": figure.within,
        "others": round(figure.others, 3),
        "note": figure.note,
        "details": {name: _round(one) if isinstance(one, float) else one for name, one in figure.details.items()},
    }
    if figure.bound is not None:
        found["bound"] = {
            "title": figure.bound.title,
            "kind": "limit" if figure.bound.limit else "measured",
            **_series(figure.bound.series, tail=False),
        }
    return found


def _series(series: Series, *, tail: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"median": _round(series.median), "low": _round(series.low), "high": _round(series.high)}
    if tail:
        found["p95"], found["p99"] = _round(series.percentile(0.95)), _round(series.percentile(0.99))
    return found | {"values": [_round(one) for one in series.values]}


def _round(value: float) -> float:
    """Four significant digits: more would say more than was measured."""
    return float(f"{value:.4g}")


def show(report: Report, console: Console) -> None:
    machine = report.machine
    console.print(
        f"\n[bold]Källan bench[/bold] ({report.size}), {report.date:%Y-%m-%d %H:%M} UTC, {report.seconds:.0f} s"
    )
    console.print(f"  command   {report.command}", markup=False)
    console.print(
        f"  machine   {machine.processor}, {machine.processors} processors, {machine.memory_gb:g} GB, {machine.system}",
        markup=False,
    )
    told = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    console.print(f"  versions  {told}" + (f", commit {report.commit}" if report.commit else ""), markup=False)
    console.print(f"  load      other programs took {report.others:.0%} of the machine meanwhile\n", markup=False)
    console.print(table(report))
    console.print(
        "\n  A rate is the median of its repeats (lowest to highest). Of durations p50 / p95 / p99 / worst are shown;"
        "\n  the worst is held against the limit. Measured bounds are of this run, in turn with what they bound.\n",
        markup=False,
    )


def table(report: Report) -> Table:
    found = Table(box=None, pad_edge=False, padding=(0, 2), show_lines=False)
    for name in ("what", "measured", "bound", "ratio", "others", "note"):
        found.add_column(name, overflow="fold", justify="right" if name in ("ratio", "others") else "left")
    for one in report.figures:
        found.add_row(
            one.title,
            measured_text(one),
            bound_text(one.bound, one.unit),
            ratio_text(one),
            f"{one.others:.0%}",
            one.note,
        )
    return found


def measured_text(figure: Figure) -> str:
    series, unit = figure.measured, figure.unit
    if figure.tail and figure.unit == "s":
        parts = (series.median, series.percentile(0.95), series.percentile(0.99), series.high)
        return f"{' / '.join(_number(one) for one in parts)} {unit} (n={len(series.values)})"
    if len(series.values) == 1:
        return f"{_number(series.median)} {unit}"
    if figure.tail:
        return f"at most {_number(series.high)} {unit}"
    return f"{_number(series.median)} {unit} ({_number(series.low)} to {_number(series.high)})"


def bound_text(bound: Bound | None, unit: str) -> str:
    if bound is None:
        return "none"
    if bound.limit:
        return f"under {_number(bound.series.median)} {unit} ({bound.title})"
    return f"{_number(bound.series.median)} {unit}: {bound.title}"


def ratio_text(figure: Figure) -> str:
    if figure.ratio is None:
        return ""
    verdict = "" if figure.within is None else (" kept" if figure.within else " NOT KEPT")
    return f"{figure.ratio:.2f}{verdict}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
