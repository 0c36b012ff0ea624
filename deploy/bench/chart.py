"""What was measured as Mermaid charts, for a page: latencies by percentile, rates by partitions and workers."""

from collections.abc import Iterator, Sequence

from deploy.bench.figures import Figure
from deploy.bench.report import Report

_SHARES = (0.5, 0.95, 0.99, 1.0)
_SHARE_NAMES = ("p50", "p95", "p99", "worst")


def markdown(report: Report) -> str:
    """One chart for all durations, one for the rates that have partitions and workers; nothing for what there is not."""
    charts = [*_latencies(report.figures), *_scaling(report.figures)]
    return "\n\n".join(f"```mermaid\n{chart}\n```" for chart in charts) + ("\n" if charts else "")


def _latencies(figures: Sequence[Figure]) -> Iterator[str]:
    shown = [one for one in figures if one.tail and one.unit == "s"]
    if shown:
        rows = [(one.title, [one.measured.percentile(share) for share in _SHARES]) for one in shown]
        yield _chart("seconds from the source's stamp to the read-back", _SHARE_NAMES, "s", rows)


def _scaling(figures: Sequence[Figure]) -> Iterator[str]:
    shown = [one for one in figures if "workers" in one.details]
    if shown:
        names = [f"{one.details['partitions']:.0f} x {one.details['workers']:.0f}" for one in shown]
        rows = [("events/s", [one.measured.median for one in shown])]
        yield _chart("ingest by partitions x workers", names, "events/s", rows)


def _chart(title: str, names: Sequence[str], unit: str, rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    lines = [f"%% {number}: {name}" for number, (name, _) in enumerate(rows, start=1)]
    axis = ", ".join(f'"{name}"' for name in names)
    drawn = "bar" if len(rows) == 1 else "line"
    values = [f"  {drawn} [{', '.join(f'{value:.4g}' for value in row)}]" for _, row in rows]
    top = max(value for _, row in rows for value in row) * 1.1
    head = ["xychart-beta", f'  title "{title}"', f"  x-axis [{axis}]", f'  y-axis "{unit}" 0 --> {top:.3g}']
    return "\n".join([head[0], *(f"  {line}" for line in lines), *head[1:], *values])
