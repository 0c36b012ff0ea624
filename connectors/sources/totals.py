"""Total loads are settled here, at the edge: complete, compared, held or published, committed (SM8).

    opened ─▶ all files complete ─▶ compared ─▶ publishing ─▶ published ─▶ committed
                    │                   │
                 aborted              held ─▶ released (publishing) or void

A crash at any point is taken up again by `resume`: the same records with the same ids are published once more. What
raises protection is published as it is read, whatever becomes of the load.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from connectors.sources import snapshot, state, total_state
from connectors.sources.deltas import Progress, batches, seen_of, spoken_of
from connectors.sources.edge import Edge
from connectors.sources.lanes import can_end
from connectors.sources.posts import Header, Item, Post, Reject, SourceReader
from connectors.sources.report import LoadReport, LoadState
from connectors.sources.total_state import ABSENCES_ONLY, Difference, Load, Staged
from streams.contracts.claims import Absent, Claim, SourceRecord
from streams.contracts.errors import Rejected


def load_total(
    edge: Edge, reader: SourceReader, header: Header, items: Iterator[Item], progress: Progress
) -> LoadReport:
    """One file of a total load. When the last file of the delivery is in, the load is settled."""
    report = LoadReport(reader.name, total=True)
    before = state.source_state(edge.pool, reader.name)
    if not reader.own_versions and header.stamp < before.total_stamp:
        return _superseded(edge, reader, items, report)
    load_id = total_state.open_file(edge.pool, reader.name, header, edge.now())
    report.load_id = load_id
    unnamed = 0
    try:
        for batch in batches(items, edge, report, edge.batch):
            unnamed += _stage(edge, reader, load_id, header, batch, report)
            progress(report.rows, header.declared)
    except Rejected as error:
        _set(edge, load_id, LoadState.ABORTED, reason=error.code)
        report.state, report.reason, report.detail = LoadState.ABORTED, error.code, error.detail
        return report
    total_state.close_file(edge.pool, load_id, header.file, report.rows, report.rejected, unnamed)
    state.record_number(edge.pool, reader.name, header.number, edge.now())
    _settle(edge, reader, load_id, report)
    return report


def _superseded(edge: Edge, reader: SourceReader, items: Iterator[Item], report: LoadReport) -> LoadReport:
    """Older than what has been settled: only what protects is taken from it."""
    report.state, report.reason = LoadState.VOID, "load.superseded"
    try:
        for batch in batches(items, edge, report, edge.batch):
            _send_raises(edge, reader, batch, report)
    except Rejected as error:
        report.detail = error.code
    return report


def _send_raises(edge: Edge, reader: SourceReader, batch: Sequence[Post | Reject], report: LoadReport) -> None:
    lanes = edge.lanes(reader)
    posts = [item.record for item in batch if isinstance(item, Post)]
    known = state.known(edge.pool, reader.name, [record.source_key for record in posts])
    outgoing = spoken_of(lanes, [item for item in batch if isinstance(item, Reject)])
    for record in posts:
        before = known.get(record.source_key)
        if before is None or before.digest != edge.digest(record):
            outgoing += lanes.raises(record)
    edge.send(outgoing, report)
    report.rows += sum(item.rows for item in batch)
    report.posts += len(posts)
    report.rejected += len(batch) - len(posts)
    for item in batch:
        if isinstance(item, Reject):
            report.alarms[item.code, item.detail] += 1


def _stage(
    edge: Edge, reader: SourceReader, load_id: int, header: Header, batch: Sequence[Post | Reject], report: LoadReport
) -> int:
    """Raises go at once; the rest waits, sealed. Returns how many rejects do not even tell their key."""
    _send_raises(edge, reader, batch, report)
    rows: list[Staged] = []
    for item in batch:
        if isinstance(item, Post):
            seen = seen_of(edge, item.record)
            key_id, body = edge.seal_record(reader.name, item.record)
            rows.append(
                Staged(
                    item.position, seen.source_key, seen.version, seen.subject, seen.kinds, seen.digest, key_id, body
                )
            )
        elif item.source_key:
            rows.append(Staged(item.position, item.source_key, header.stamp, "", (), "", "", b""))
    total_state.stage(edge.pool, load_id, header.file, rows)
    rejects = [item for item in batch if isinstance(item, Reject)]
    edge.keep_rejected(reader.name, header.number, rejects)
    return sum(not reject.source_key for reject in rejects)


def _settle(edge: Edge, reader: SourceReader, load_id: int, report: LoadReport) -> None:
    load = _get(edge, load_id)
    missing_files, wrong_files = total_state.incomplete_files(edge.pool, load)
    if missing_files and not wrong_files:
        report.state = LoadState.OPENED
        report.detail = f"{missing_files} of {load.files} files to come"
        return
    if wrong_files or load.found == 0 or (load.declared is not None and load.declared != load.found):
        report.state, report.reason = LoadState.ABORTED, "load.incomplete"
        report.detail = f"declared {load.declared}, found {load.found}"
        _set(edge, load_id, LoadState.ABORTED, reason=report.reason)
        return
    difference, stamp = total_state.compare(edge.pool, load, own_versions=reader.own_versions)
    holds, reason = _verdict(edge, load, difference)
    report.reason = reason
    if holds == "all":
        _set(edge, load_id, LoadState.HELD, holds=holds, reason=reason, stamp=stamp, difference=difference)
        _describe(report, _get(edge, load_id))
        return
    _set(edge, load_id, LoadState.PUBLISHING, holds=holds, reason=reason, stamp=stamp, difference=difference)
    finish(edge, reader, _get(edge, load_id), report)


def _verdict(edge: Edge, load: Load, difference: Difference) -> tuple[str, str]:
    """What is held ("", "absences" or "all") and why."""
    source = state.source_state(edge.pool, load.source)
    size = total_state.snapshot_size(edge.pool, load.source)
    lost = size != source.snapshot_count
    first = not total_state.committed_before(edge.pool, load.source)
    limits = edge.thresholds
    if not lost:
        before = max(size, 1)
        exceeded = (
            not first and limits.added.exceeded(difference.added, before),
            limits.changed.exceeded(difference.changed, before),
            limits.absent.exceeded(difference.absent, before),
        )
        if any(exceeded):
            return "all", "load.threshold"
    if lost:
        return "absences", "load.snapshot-lost"
    if load.unnamed:
        return "absences", "load.incomplete"
    if source.missing:
        return "absences", "load.gap"
    return "", ""


def finish(edge: Edge, reader: SourceReader, load: Load, report: LoadReport) -> None:
    """Publish (again) and commit a load that is being published; taken up here after a crash too."""
    if load.state == LoadState.PUBLISHING:
        if load.holds != ABSENCES_ONLY:
            _publish_changes(edge, reader, load, report)
        if load.holds != "absences":
            _publish_absences(edge, reader, load, report)
        _set(edge, load.id, LoadState.PUBLISHED, holds=load.holds, reason=load.reason)
    holds = load.holds if load.holds != "absences" or load.absent else ""
    settled = _get(edge, load.id)
    snapshot.commit(edge.pool, replace(settled, holds=holds), now=edge.now())
    _describe(report, _get(edge, load.id))


def _publish_changes(edge: Edge, reader: SourceReader, load: Load, report: LoadReport) -> None:
    """Ends first: twice over the changed records, so that an end never waits for the bulk."""
    for ends_only in (True, False):
        for rows in total_state.changed_records(edge.pool, load, size=edge.batch):
            lanes = edge.lanes(reader)
            outgoing = []
            gone = _gone(edge, reader, [row.source_key for row, known in rows if not known])
            for row, known in rows:
                if ends_only and not (known and can_end(row.kinds)):
                    continue
                record = edge.open_record(reader.name, row.source_key, row.key_id, row.body)
                if row.source_key in gone:
                    record = _returned(record, gone[row.source_key])
                outgoing += lanes.ends(record) if ends_only else [lanes.bulk(record)]
            edge.send(outgoing, report)


def _gone(edge: Edge, reader: SourceReader, keys: Sequence[str]) -> Mapping[str, str]:
    """Of the keys that are new, those that an earlier load said to be gone. Where the extraction time is the version, what
    comes back is newer than its absence by itself."""
    return snapshot.gone_versions(edge.pool, reader.name, keys) if keys and reader.own_versions else {}


def _returned(record: SourceRecord, gone: str) -> SourceRecord:
    """A record that is there again, though its source has not changed it since: newer than the word that it was gone."""
    return msgspec.structs.replace(record, version=max(record.version, f"{gone}|{record.version}"))


def _publish_absences(edge: Edge, reader: SourceReader, load: Load, report: LoadReport) -> None:
    version = snapshot.absence_version(load) if reader.own_versions else load.stamp
    for rows in total_state.gone(edge.pool, load, size=edge.batch):
        lanes = edge.lanes(reader)
        outgoing = []
        for row in rows:
            claims = tuple(Claim(Absent(of=kind)) for kind in reader.absence_kinds if kind in row.kinds)
            if claims:
                record = SourceRecord(reader.name, row.source_key, version, row.subject, claims, total=True)
                outgoing += [*lanes.ends(record), lanes.bulk(record)]
        edge.send(outgoing, report)


def resume(edge: Edge, reader: SourceReader) -> list[LoadReport]:
    """Take up what a crash left: idempotent."""
    reports = []
    for load in total_state.unfinished(edge.pool, reader.name):
        report = LoadReport(reader.name, total=True, load_id=load.id, reason=load.reason)
        finish(edge, reader, load, report)
        reports.append(report)
    return reports


def release(edge: Edge, reader: SourceReader, load: Load, who: str) -> LoadReport:
    """Publish what a held load holds. Raises `Rejected("load.state")` if it holds nothing."""
    if load.state != LoadState.HELD:
        raise Rejected("load.state", load.state)
    report = LoadReport(reader.name, total=True, load_id=load.id)
    total_state.decide(edge.pool, load.id, who, edge.now())
    if load.holds == "all":
        difference, stamp = total_state.compare(edge.pool, load, own_versions=reader.own_versions)
        _set(edge, load.id, LoadState.PUBLISHING, reason=load.reason, stamp=stamp, difference=difference)
    else:
        _set(edge, load.id, LoadState.PUBLISHING, holds=ABSENCES_ONLY, reason=load.reason)
    finish(edge, reader, _get(edge, load.id), report)
    return report


def void(edge: Edge, load: Load, who: str) -> None:
    """Throw a load away that is open or held. Raises `Rejected("load.state")` for any other."""
    if load.state not in (LoadState.HELD, LoadState.OPENED):
        raise Rejected("load.state", load.state)
    total_state.decide(edge.pool, load.id, who, edge.now())
    _set(edge, load.id, LoadState.VOID, reason=load.reason)


def _describe(report: LoadReport, load: Load) -> None:
    report.state, report.reason = LoadState(load.state), load.reason
    report.added, report.changed, report.absent = load.added, load.changed, load.absent
    report.unchanged = load.unchanged
    report.absences_held = load.state == LoadState.HELD and bool(load.absent)


def _get(edge: Edge, load_id: int) -> Load:
    load = total_state.find_load(edge.pool, load_id)
    if load is None:
        raise Rejected("resource.unknown", "load")
    return load


def _set(
    edge: Edge,
    load_id: int,
    to: LoadState,
    *,
    holds: str = "",
    reason: str = "",
    stamp: str | None = None,
    difference: Difference | None = None,
) -> None:
    total_state.set_state(
        edge.pool, load_id, to, holds=holds, reason=reason, stamp=stamp, difference=difference, now=edge.now()
    )
