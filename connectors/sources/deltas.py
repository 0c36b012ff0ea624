"""A delta: published as it is read, batch by batch; each batch is remembered only when it has been delivered."""

from collections.abc import Callable, Iterator, Sequence

from connectors.sources import state
from connectors.sources.edge import Edge
from connectors.sources.lanes import Lanes
from connectors.sources.posts import Alarm, Header, Item, Post, Reject, SourceReader
from connectors.sources.report import LoadReport, LoadState
from connectors.sources.state import Known, Seen
from streams.codec import Outgoing
from streams.contracts.claims import SourceRecord
from streams.contracts.errors import Rejected

Progress = Callable[[int, int | None], None]
"""Called with posts done and posts declared (None: not known)."""


def batches(items: Iterator[Item], edge: Edge, report: LoadReport, size: int) -> Iterator[list[Post | Reject]]:
    """Posts and rejects in batches; alarms go to the report. What was read is handed over before a file-level error is
    raised."""
    batch: list[Post | Reject] = []
    try:
        for item in items:
            found = edge.checked(item)
            if isinstance(found, Alarm):
                report.alarms[found.code, found.detail] += 1
            elif isinstance(found, Post | Reject):
                batch.append(found)
                if len(batch) >= size:
                    yield batch
                    batch = []
    except Rejected:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def load_delta(
    edge: Edge, reader: SourceReader, header: Header, items: Iterator[Item], progress: Progress
) -> LoadReport:
    """Raises what is transient (`Unavailable`, the database's own); a file that cannot be read ends the report with
    its code, after everything before that point has been published."""
    report = LoadReport(reader.name)
    before = state.source_state(edge.pool, reader.name)
    superseded = not reader.own_versions and header.stamp < before.total_stamp
    if superseded:
        report.reason = "load.superseded"
    try:
        for batch in batches(items, edge, report, edge.batch):
            _publish(edge, reader, header, batch, report, raises_only=superseded)
            progress(report.rows, header.declared)
    except Rejected as error:
        report.state, report.reason, report.detail = LoadState.ABORTED, error.code, error.detail
        return report
    if header.declared is not None and header.declared != report.rows:
        report.alarms["load.incomplete", "declared count"] += 1
    if superseded:
        report.state = LoadState.VOID
        return report
    report.state = LoadState.COMMITTED
    skipped = state.gap(before, header.number)
    missing = state.record_number(edge.pool, reader.name, header.number, edge.now())
    if missing:
        report.alarms["load.gap", "file numbers"] += len(missing)
    if skipped:
        report.reason = "load.gap"
    return report


def _publish(
    edge: Edge,
    reader: SourceReader,
    header: Header,
    batch: Sequence[Post | Reject],
    report: LoadReport,
    *,
    raises_only: bool,
) -> None:
    lanes = edge.lanes(reader)
    posts = [item for item in batch if isinstance(item, Post)]
    rejects = [item for item in batch if isinstance(item, Reject)]
    outgoing = spoken_of(lanes, rejects)
    if raises_only:
        outgoing += [one for post in posts for one in lanes.raises(post.record)]
        edge.send(outgoing, report)
    else:
        before = state.known(edge.pool, reader.name, [post.record.source_key for post in posts])
        seen = []
        for post in posts:
            now = seen_of(edge, post.record)
            if before.get(now.source_key) == Known(now.digest, now.version):
                report.unchanged += 1
                continue
            seen.append(now)
            outgoing += [*lanes.raises(post.record), *lanes.ends(post.record), lanes.bulk(post.record)]
        edge.send(outgoing, report)
        state.remember(edge.pool, reader.name, seen)
    edge.keep_rejected(reader.name, header.number, rejects)
    report.rows += sum(item.rows for item in batch)
    report.posts += len(posts)
    report.rejected += len(rejects)
    for reject in rejects:
        report.alarms[reject.code, reject.detail] += 1


def spoken_of(lanes: Lanes, rejects: Sequence[Reject]) -> list[Outgoing[SourceRecord]]:
    """What is sent of rejected posts: raised markings and deaths on both lanes, the rest on their topic."""
    records = [reject.spoken for reject in rejects if reject.spoken is not None]
    return [one for record in records for one in (*lanes.raises(record), *lanes.ends(record), lanes.bulk(record))]


def seen_of(edge: Edge, record: SourceRecord) -> Seen:
    kinds = tuple(sorted({claim.kind for claim in record.claims}))
    return Seen(record.source_key, edge.digest(record), record.version, record.subject, kinds)
