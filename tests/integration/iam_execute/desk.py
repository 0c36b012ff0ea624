"""What the tests of execution stand on: a target of their own, and a hand that writes what is desired."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from connectors.targets import port
from iam.domain.account import AccountState, Intent, Lane, Presence, digest
from iam.domain.permit import BrakeView
from iam.execute.executor import Executor
from iam.execute.queue import Pool
from iam.store.bodies import seal_intent
from streams.clock import SetClock, SystemTicker
from streams.contracts.errors import Rejected, Unavailable
from streams.keys import MemoryKeyRing
from streams.sealing import KeyClass

NOON = dt.datetime(2026, 3, 2, 11, tzinfo=dt.UTC)
ENABLED, DISABLED, ABSENT = Presence.ENABLED, Presence.DISABLED, Presence.ABSENT


@dataclass
class HandTarget:
    """A target that does as it is told, fails as it is told, and notices two calls for one account at once."""

    name: str = "directory"
    accounts: dict[str, port.AccountState] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    failures: list[str] = field(default_factory=list)  # taken from the front, one a call of ensure
    before: Callable[[str], None] = lambda _key: None
    after: Callable[[str], None] = lambda _key: None
    seconds: float = 0.0
    overlaps: int = 0
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def capabilities(self) -> port.Capabilities:
        held = frozenset({"display_name", "title", "manager"})
        return port.Capabilities(
            self.name, port.Disabling.ACTIVE_FLAG, groups=True, attributes=held, conditional_writes=False
        )

    def ensure(self, allowed: port.AccountState) -> port.Observed:
        self._enter("ensure", allowed.key)
        try:
            failure = self.failures.pop(0) if self.failures else ""
            if failure == "unreachable before":
                raise Unavailable("target.unreachable", self.name)
            if failure == "refused":
                raise Rejected("target.refused", self.name)
            if failure == "broken":
                raise KeyError("a fault of the connector")
            self.before(allowed.key)
            time.sleep(self.seconds)
            changed = self._write(allowed)
            if failure == "timeout after":
                raise Unavailable("target.unknown-outcome", self.name)
            self.after(allowed.key)
            return port.Observed(self._state(allowed.key), "native", "1", changed)
        finally:
            self._leave(allowed.key)

    def read(self, key: str) -> port.Observed | None:
        self._enter("read", key)
        self._leave(key)
        return port.Observed(self._state(key), "native", "1") if key in self.accounts else None

    def read_all(self) -> Iterator[port.Observed]:
        return iter([port.Observed(self._state(key)) for key in self.accounts])

    def ensured(self) -> list[str]:
        """The accounts that were asked for, in order."""
        return [key for verb, key in self.calls if verb == "ensure"]

    def _state(self, key: str) -> port.AccountState:
        state = self.accounts.get(key) or port.AccountState(key, port.Presence.ABSENT)
        if state.attributes.get("manager") in self.accounts:
            return state
        rest = {name: text for name, text in state.attributes.items() if name != "manager"}
        return port.AccountState(state.key, state.presence, state.uid, rest, state.groups)

    def _write(self, allowed: port.AccountState) -> tuple[str, ...]:
        if allowed.presence is port.Presence.ABSENT:
            return ("deleted",) if self.accounts.pop(allowed.key, None) else ()
        before, self.accounts[allowed.key] = self.accounts.get(allowed.key), allowed
        return () if before == allowed else ("created",) if before is None else ("presence",)

    def _enter(self, verb: str, key: str) -> None:
        with self._lock:
            self.calls.append((verb, key))
            self.overlaps += key in self._busy
            self._busy.add(key)
        if self.down:
            self._leave(key)
            raise Unavailable("target.unreachable", self.name)

    def _leave(self, key: str) -> None:
        with self._lock:
            self._busy.discard(key)


@dataclass
class Desk:
    """Writes desired rows as evaluation does, makes executors, reads back what they wrote."""

    pool: Pool
    target: HandTarget = field(default_factory=HandTarget)
    keys: MemoryKeyRing = field(default_factory=MemoryKeyRing)
    clock: SetClock = field(default_factory=lambda: SetClock(NOON))
    made: int = 0

    def executor(
        self, owner: str = "one", *, lease_seconds: float = 30.0, brake: Callable[[], BrakeView] = BrakeView.open
    ) -> Executor:
        targets: dict[str, port.Target] = {self.target.name: self.target}
        return Executor(
            self.pool, self.keys, targets, SystemTicker(), self.clock, owner, lease_seconds=lease_seconds, brake=brake
        )

    def join(
        self,
        *,
        groups: tuple[str, ...] = ("org:unit:kommun:1",),
        title: str = "",
        display_name: str = "",
        manager: str = "",
    ) -> str:
        """A new account, to be enabled; returns its key."""
        self.made += 1
        account = str(uuid.uuid4())
        with self.pool.connection() as connection:
            connection.execute(
                "insert into iam.account (id, person_id, first_person, employer, class, created_at)"
                " values (%s, %s, %s, 'kommun', 'staff', %s)",
                [account, f"person-{self.made}", f"person-{self.made}", NOON],
            )
        self.want(account, groups=groups, title=title, display_name=display_name, manager=manager)
        return account

    def want(
        self,
        account: str,
        presence: Presence = ENABLED,
        *,
        groups: tuple[str, ...] = (),
        lane: Lane = Lane.UPDATE,
        create_missing: bool = True,
        target: str = "directory",
        caused_at: dt.datetime | None = None,
        title: str = "",
        display_name: str = "",
        manager: str = "",
    ) -> None:
        """What the account shall be from now on; nothing happens if that is what it already shall be."""
        given = {"title": title, "display_name": display_name, "manager": manager}
        attributes = {name: text for name, text in given.items() if text}
        state = AccountState(account, presence, f"u{account[:8]}", attributes, frozenset(groups))
        intent = Intent(state, "salt", create_missing)
        key = self.keys.current(KeyClass.OUTER, {account})[account]
        with self.pool.connection() as connection:
            connection.execute(
                """insert into iam.desired as d (account, target, version, lane, digest, create_missing, presence, groups,
                                                 key_id, body, cause, caused_at, changed_at)
                   values (%(account)s, %(target)s, 1, %(lane)s, %(digest)s, %(create)s, %(presence)s, %(groups)s,
                           %(key)s, %(body)s, 'event-1', %(caused)s, %(now)s)
                   on conflict (account, target) do update set
                       version = d.version + (d.digest <> excluded.digest
                                              or excluded.create_missing and not d.create_missing)::int,
                       lane = excluded.lane,
                       digest = excluded.digest, create_missing = excluded.create_missing,
                       presence = excluded.presence, groups = excluded.groups, key_id = excluded.key_id,
                       body = excluded.body, cause = excluded.cause, caused_at = excluded.caused_at""",
                {
                    "account": account,
                    "target": target,
                    "lane": lane.value,
                    "digest": digest(state, "salt"),
                    "create": create_missing,
                    "presence": presence.value,
                    "groups": sorted(groups),
                    "key": key.id,
                    "body": seal_intent(key, target, intent),
                    "caused": caused_at or self.clock.now(),
                    "now": self.clock.now(),
                },
            )

    def leave(self, account: str) -> None:
        """Nothing gives the account any more: disabled where it exists, not made where it does not."""
        self.want(account, DISABLED, create_missing=False, lane=Lane.DISABLE)

    def one(self, sql: str, *arguments: object) -> tuple[object, ...]:
        with self.pool.connection() as connection:
            row = connection.execute(sql.encode(), arguments).fetchone()
        assert row is not None
        return tuple(row)

    def all(self, sql: str, *arguments: object) -> list[tuple[object, ...]]:
        with self.pool.connection() as connection:
            return [tuple(row) for row in connection.execute(sql.encode(), arguments).fetchall()]

    def run(self, sql: str, *arguments: object) -> None:
        with self.pool.connection() as connection:
            connection.execute(sql.encode(), arguments)

    def expire_leases(self) -> None:
        self.run("update iam.work set until = clock_timestamp() - interval '1 second' where until is not null")

    def settle(self, executor: Executor) -> None:
        """Run until nothing is left to do, cutting every wait short."""
        for _ in range(60):
            executor.run_once()
            if executor.pending() == 0:
                return
            executor.retry_now()
        raise AssertionError("still not settled")

    def outcomes(self, account: str) -> list[str]:
        rows = self.all("select kind, outcome from iam.journal where account = %s order by id", account)
        return [str(outcome or kind) for kind, outcome in rows]
