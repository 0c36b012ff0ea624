"""A law: whatever is desired and whatever fails, in any order, the end is what was desired last."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.targets import port
from iam.domain.account import Presence
from tests.integration.iam_execute.desk import ABSENT, DISABLED, ENABLED, Desk

GROUPS = ("org:unit:kommun:1", "org:unit:kommun:2", "role:chef", "role:usk")
FAILURES = ("", "unreachable before", "timeout after", "refused", "broken")


class Killed(BaseException):
    """The process is gone."""


wishes = st.tuples(
    st.just("want"),
    st.sampled_from([(ENABLED, True), (DISABLED, True), (DISABLED, False), (ABSENT, False)]),
    st.sets(st.sampled_from(GROUPS)),
    st.sampled_from(["", "Lärare", "Rektor"]),
)
runs = st.tuples(st.just("run"), st.lists(st.sampled_from(FAILURES), max_size=3))
kills = st.tuples(st.just("kill"), st.booleans())
steps = st.lists(st.one_of(wishes, runs, kills), min_size=1, max_size=14)


@given(first=wishes, rest=steps)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_changes_and_failures_ends_with_the_target_as_desired(
    desk: Desk, first: tuple[str, object], rest: list[tuple[str, object]]
) -> None:
    account = desk.join()
    desk.target.calls.clear()
    for step in [first, *rest]:
        take(desk, account, step)
    desk.target.failures = []
    desk.expire_leases()
    desk.settle(desk.executor("last"))

    presence, groups, create_missing = desk.one(
        "select presence, groups, create_missing from iam.desired where account = %s", account
    )
    state = desk.target.accounts.get(account)
    if presence == ABSENT or (state is None and not create_missing):
        assert state is None
    else:
        assert state is not None
        assert (state.presence.value, sorted(state.groups)) == (presence, groups)
    if presence != ENABLED:
        assert state is None or state.presence is not port.Presence.ENABLED
    assert desk.target.overlaps == 0
    calls = len(desk.target.calls)
    assert desk.executor("after").run_once() == 0
    assert len(desk.target.calls) == calls, "in steady state no target is called"


def take(desk: Desk, account: str, step: tuple[object, ...]) -> None:
    match step:
        case ("want", (Presence() as presence, bool() as create_missing), set() as groups, str() as title):
            names = tuple(sorted(groups)) if presence is ENABLED else ()
            desk.want(account, presence, groups=names, create_missing=create_missing, title=title)
        case ("run", list() as failures):
            desk.target.failures = list(failures)
            executor = desk.executor()
            executor.retry_now()
            executor.run_once()
        case ("kill", bool() as written):
            kill(desk, written=written)


def kill(desk: Desk, *, written: bool) -> None:
    """A worker that ends at its first call, before or after the target wrote; its lease runs out."""

    def die(_key: str) -> None:
        raise Killed

    desk.target.failures = []
    if written:
        desk.target.after = die
    else:
        desk.target.before = die
    executor = desk.executor("killed")
    executor.retry_now()
    try:
        executor.run_once()
    except Killed:
        desk.expire_leases()
    desk.target.before = desk.target.after = lambda _key: None
