"""`kallan loads list|show|release|void`: total loads that wait at the edge for a person's decision."""

from connectors.sources import state, total_state, totals
from connectors.sources.edge import Edge
from connectors.sources.registry import reader_of
from connectors.sources.report import LoadReport
from connectors.sources.total_state import Load
from streams.contracts.errors import Rejected


def list_loads(pool: state.Pool, source: str | None = None) -> list[Load]:
    """Newest first."""
    return total_state.loads(pool, source)


def show_load(pool: state.Pool, load_id: int) -> Load:
    """Raises `Rejected("resource.unknown")`."""
    load = total_state.find_load(pool, load_id)
    if load is None:
        raise Rejected("resource.unknown", "load")
    return load


def release_load(edge: Edge, load_id: int, who: str) -> LoadReport:
    """Publish what the load holds. `who` is kept with it. Raises `Rejected`: resource.unknown, load.state, or
    input.missing without a name."""
    source = _decidable(edge, load_id, who)
    with state.exclusive(edge.pool, source):
        return totals.release(edge, reader_of(source), show_load(edge.pool, load_id), who)


def void_load(edge: Edge, load_id: int, who: str) -> None:
    """Throw the load away. Raises as `release_load`."""
    source = _decidable(edge, load_id, who)
    with state.exclusive(edge.pool, source):
        totals.void(edge, show_load(edge.pool, load_id), who)


def _decidable(edge: Edge, load_id: int, who: str) -> str:
    if not who.strip():
        raise Rejected("input.missing", "who")
    return show_load(edge.pool, load_id).source
