"""What is wrong in a system, and what waits for a person: a pure function of its state."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deploy.operations.schema import Schema
from deploy.operations.state import System
from deploy.wiring.groups import WORKERS

SILENT_SECONDS = 30.0
"""A worker tells of itself every few seconds."""
EXPECTED = (*WORKERS, "relay", "execute", "api")


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is one of the stable codes; `detail` says what or who."""

    code: str
    detail: str


def findings(found: System, on: dt.date, expected: Iterable[str] = EXPECTED) -> list[Finding]:
    """Why not everything moves; empty: it does. What waits for a person's decision is not wrong: see `waiting`."""
    return [*other_schemas(found.schemas), *_workers(found, expected), *_servers(found), *_over(found, on)]


def waiting(found: System) -> list[str]:
    """What waits for a person, in words."""
    told = [f"load {one.load} of {one.source} is held ({one.reason})" for one in found.held_loads]
    if letters := sum(found.dead_letters.values()):
        told.append(f"{letters} dead letters")
    if found.conflicts:
        told.append(f"{found.conflicts} conflicts")
    refused = sum(one.count for one in found.operations if one.state == "refused")
    if refused:
        told.append(f"{refused} changes that a target refuses")
    return told


def other_schemas(schemas: Iterable[Schema]) -> list[Finding]:
    """Schemas that this program was not written for."""
    return [Finding(one.code, f"{one.package}: {one.revisions}") for one in schemas if one.code]


def _workers(found: System, expected: Iterable[str]) -> Iterator[Finding]:
    heard = [one for one in found.workers if one.seen_seconds < SILENT_SECONDS]
    for name in expected:
        if not any(one.name == name for one in heard):
            last = min((one.seen_seconds for one in found.workers if one.name == name), default=None)
            yield Finding("worker.silent", f"{name}: " + ("never heard" if last is None else f"for {last:.0f} s"))
    for one in heard:
        if one.code and one.code != "worker.braked":
            yield Finding(one.code, f"{one.name}: {one.detail}")
    for flow in found.brake:
        yield Finding("worker.braked", f"{flow.group}: {flow.source} in {flow.topic} ({flow.code})")


def _servers(found: System) -> Iterator[Finding]:
    if found.lag is None:
        yield Finding("service.unavailable", "Kafka: no answer about consumer groups")
    for target, seconds in found.targets_away.items():
        yield Finding("target.unreachable", f"{target}: for {seconds:.0f} s")


def _over(found: System, on: dt.date) -> Iterator[Finding]:
    for one in found.releases:
        if one.until < on:
            yield Finding("access.denied", f"release {one.release} ended {one.until}")
