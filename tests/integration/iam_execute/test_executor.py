"""What execution promises when all goes well, and when calls fail one at a time."""

import psycopg
import pytest

from connectors.targets import port
from iam.domain.account import Lane, Presence
from streams.sealing import KeyClass
from tests.integration.iam_execute.desk import ABSENT, DISABLED, ENABLED, Desk


def test_a_joiner_is_made_once_and_then_the_target_is_left_alone(desk: Desk) -> None:
    account = desk.join(groups=("org:unit:kommun:1", "role:usk"), title="Undersköterska")
    executor = desk.executor()
    assert executor.run_once() == 1
    assert desk.target.accounts[account].groups == {"org:unit:kommun:1", "role:usk"}
    for _ in range(3):
        assert executor.run_once() == 0
    assert desk.target.calls == [("ensure", account)]
    assert desk.one("select status, presence, version, error_code from iam.observed") == ("known", "enabled", 1, "")


def test_observed_has_the_digest_of_desired_when_it_is_done(desk: Desk) -> None:
    desk.join()
    desk.executor().run_once()
    assert desk.one("select o.digest = d.digest from iam.observed o join iam.desired d using (account, target)") == (
        True,
    )


def test_unknown_and_an_intent_are_committed_before_the_target_is_called(desk: Desk) -> None:
    seen: list[tuple[object, ...]] = []
    account = desk.join()
    desk.target.before = lambda key: seen.extend(
        [
            desk.one("select status from iam.observed where account = %s", key),
            desk.one("select kind, presence from iam.journal where account = %s", key),
        ]
    )
    desk.executor().run_once()
    assert seen == [("unknown",), ("intent", "enabled")]
    assert desk.outcomes(account) == ["intent", "done"]


def test_a_mover_loses_the_old_groups_and_the_journal_names_both(desk: Desk) -> None:
    account = desk.join(groups=("org:unit:kommun:1", "role:usk"))
    executor = desk.executor()
    executor.run_once()
    desk.want(account, groups=("org:unit:kommun:2", "role:chef"))
    assert desk.one("select lane from iam.work") == ("remove",)
    executor.run_once()
    assert desk.target.accounts[account].groups == {"org:unit:kommun:2", "role:chef"}
    row = desk.one("select groups_added, groups_removed, lane from iam.journal where kind = 'result' order by id desc")
    assert row == (["org:unit:kommun:2", "role:chef"], ["org:unit:kommun:1", "role:usk"], "remove")


def test_nothing_happens_before_the_names_are_events_that_were_delivered(desk: Desk) -> None:
    account = desk.join()
    desk.run(
        "insert into iam.outbox (event_id, account, person_id, kind, facts, created_at)"
        " values ('e', %s, 'person-1', 'allocated', '', now())",
        account,
    )
    executor = desk.executor()
    assert executor.run_once() == 0
    assert desk.target.calls == []
    desk.run("update iam.outbox set delivered_at = now()")
    assert executor.run_once() == 1


def test_a_join_and_a_leave_before_any_attempt_become_nothing(desk: Desk) -> None:
    account = desk.join()
    desk.leave(account)
    executor = desk.executor()
    executor.run_once()
    assert desk.target.calls == []
    assert desk.outcomes(account) == ["nothing"]
    assert executor.run_once() == 0
    desk.want(account, groups=("org:unit:kommun:1",))  # comes back after all
    executor.run_once()
    assert desk.target.accounts[account].presence.value == ENABLED


def test_a_leave_after_an_attempt_of_unknown_outcome_is_carried_out_even_if_nothing_is_found(desk: Desk) -> None:
    account = desk.join()
    desk.target.failures = ["unreachable before"]
    executor = desk.executor()
    executor.run_once()
    desk.leave(account)
    desk.settle(executor)
    assert desk.target.accounts[account].presence.value == DISABLED


def test_a_staged_account_is_made_disabled(desk: Desk) -> None:
    account = desk.join()
    desk.want(account, DISABLED, create_missing=True, lane=Lane.CREATE)
    desk.executor().run_once()
    assert desk.target.accounts[account].presence.value == DISABLED


def test_an_absent_account_is_deleted_and_a_deleted_one_is_left_alone(desk: Desk) -> None:
    account = desk.join()
    executor = desk.executor()
    executor.run_once()
    desk.want(account, ABSENT, create_missing=False)
    executor.run_once()
    assert account not in desk.target.accounts
    desk.leave(account)
    executor.run_once()
    assert len(desk.target.calls) == 2


def test_a_time_out_after_the_write_is_read_back_and_not_written_again(desk: Desk) -> None:
    account = desk.join()
    desk.target.failures = ["timeout after"]
    executor = desk.executor()
    executor.run_once()
    assert desk.one("select status, error_code from iam.observed") == ("unknown", "target.unknown-outcome")
    desk.settle(executor)
    assert desk.target.calls == [("ensure", account), ("read", account)]
    assert desk.outcomes(account) == ["intent", "unknown", "unchanged"]


def test_a_refusal_is_kept_and_shown_and_tried_again_at_once_when_something_else_is_desired(desk: Desk) -> None:
    account = desk.join()
    desk.target.failures = ["refused"]
    executor = desk.executor()
    executor.run_once()
    assert desk.one("select error_code, failures, next_try_at > now() from iam.observed") == ("target.refused", 1, True)
    assert executor.run_once() == 0
    desk.want(account, title="Chef")
    executor.run_once()
    assert desk.target.accounts[account].attributes == {"title": "Chef"}
    assert desk.one("select error_code, failures, next_try_at from iam.observed") == ("", 0, None)


def test_the_wait_after_refusals_grows_to_a_cap_and_never_ends(desk: Desk) -> None:
    account = desk.join()
    executor = desk.executor()
    waits = []
    for _ in range(14):
        desk.target.failures = ["refused"]
        executor.retry_now()
        executor.run_once()
        waits.append(desk.one("select round(extract(epoch from ready_at - clock_timestamp())) from iam.work")[0])
    assert [int(str(wait)) for wait in waits[:4]] == [5, 10, 20, 40]
    assert waits[-1] == waits[-2] == 3600
    executor.retry_now()
    executor.run_once()
    assert account in desk.target.accounts


@pytest.mark.parametrize(
    ("presence", "groups"),
    [(DISABLED, ()), (ENABLED, ("org:unit:kommun:1",))],
    ids=["disabling", "removal-from-a-group"],
)
def test_a_revocation_that_is_refused_is_tried_at_least_every_minute(
    desk: Desk, presence: Presence, groups: tuple[str, ...]
) -> None:
    account = desk.join(groups=("org:unit:kommun:1", "role:usk"))
    executor = desk.executor()
    executor.run_once()
    desk.want(account, presence, groups=groups)
    for _ in range(8):
        desk.target.failures = ["refused"]
        executor.retry_now()
        executor.run_once()
    assert desk.one("select ready_at - clock_timestamp() <= interval '60 seconds' from iam.work") == (True,)


def test_a_fault_in_a_connector_is_an_unknown_outcome_and_stops_nobody(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = desk.join(), desk.join()
    desk.target.failures = ["broken"]
    executor = desk.executor()
    executor.run_once()
    assert second in desk.target.accounts
    assert "KeyError" in caplog.text
    assert "a fault of the connector" not in caplog.text
    desk.settle(executor)
    assert first in desk.target.accounts


def test_a_newer_version_that_comes_during_a_call_is_carried_out_next(desk: Desk) -> None:
    account = desk.join()
    desk.target.before = lambda key: desk.leave(key) if len(desk.target.calls) == 1 else None
    executor = desk.executor()
    executor.run_once()
    assert desk.target.accounts[account].presence.value == DISABLED
    assert desk.outcomes(account) == ["intent", "done", "intent", "done"]


def test_what_is_desired_again_before_it_was_attempted_needs_no_call(desk: Desk) -> None:
    account = desk.join(title="Lärare")
    executor = desk.executor()
    executor.run_once()
    desk.want(account, groups=("org:unit:kommun:1",), title="Rektor")
    desk.want(account, groups=("org:unit:kommun:1",), title="Lärare")
    executor.run_once()
    assert len(desk.target.calls) == 1
    assert desk.outcomes(account) == ["intent", "done", "unchanged"]
    assert executor.run_once() == 0


def test_a_renewed_key_is_waited_for_in_silence_and_an_unknown_one_is_shown(desk: Desk) -> None:
    account = desk.join()
    desk.keys.renew(KeyClass.OUTER, account)
    desk.keys.destroy_older(KeyClass.OUTER, account)
    executor = desk.executor()
    executor.run_once()
    assert desk.target.calls == []
    assert desk.all("select error_code from iam.observed") == []
    desk.want(account, title="Lärare")
    executor.run_once()
    assert desk.target.accounts[account].attributes == {"title": "Lärare"}
    desk.want(account, title="Rektor")
    desk.run("update iam.desired set key_id = 'outer/nobody/1'")
    executor.run_once()
    assert desk.one("select error_code from iam.observed") == ("key.unknown",)


def test_a_body_of_another_row_is_not_carried_out(desk: Desk) -> None:
    one, other = desk.join(), desk.join()
    desk.run(
        "update iam.desired d set body = x.body, key_id = x.key_id from iam.desired x"
        " where d.account = %s and x.account = %s",
        one,
        other,
    )
    desk.executor().run_once()
    assert desk.target.ensured() == [other]
    assert desk.one("select error_code from iam.observed where account = %s", one) == ("envelope.forged",)


def test_a_read_back_that_differs_is_not_done(desk: Desk) -> None:
    account = desk.join(title="Lärare")
    found = port.AccountState(account, port.Presence.ENABLED, "another")
    desk.target.after = lambda key: desk.target.accounts.update({key: found})
    executor = desk.executor()
    executor.run_once()
    assert desk.outcomes(account) == ["intent", "differs"]
    assert desk.one("select error_code, version from iam.observed") == ("target.differs", 0)
    assert executor.pending() == 1


def test_a_manager_that_the_target_does_not_have_yet_is_filled_in_when_it_comes(desk: Desk) -> None:
    manager = desk.join()
    desk.run("update iam.work set ready_at = now() + interval '1 hour'")
    account = desk.join(manager=manager)
    executor = desk.executor()
    executor.run_once()
    assert desk.outcomes(account) == ["intent", "waits"]
    assert executor.run_once() == 0, "it is left alone while the manager is missing"
    executor.retry_now()
    executor.run_once()
    assert desk.outcomes(account) == ["intent", "waits", "intent", "done"]
    assert executor.pending() == 0


def test_the_queue_follows_from_desired_and_observed_even_if_its_rows_are_lost(desk: Desk) -> None:
    done, lost = desk.join(), desk.join()
    desk.run("update iam.work set ready_at = now() + interval '1 hour' where account = %s", lost)
    executor = desk.executor()
    executor.run_once()
    desk.run("delete from iam.work")
    executor.run_once()
    assert desk.target.ensured() == [done, lost]


def test_an_account_that_is_to_be_made_after_all_is_found_even_if_its_row_in_the_queue_is_lost(desk: Desk) -> None:
    account = desk.join()
    desk.leave(account)
    executor = desk.executor()
    executor.run_once()
    assert desk.target.calls == []
    desk.want(
        account, DISABLED, create_missing=True, lane=Lane.CREATE
    )  # staged: the same state as before, to be made now
    desk.run("delete from iam.work")
    executor.run_once()
    assert desk.target.accounts[account].presence.value == DISABLED


def test_a_journal_row_can_neither_be_changed_nor_removed(desk: Desk) -> None:
    desk.join()
    desk.executor().run_once()
    for statement in ("update iam.journal set outcome = ''", "delete from iam.journal", "truncate iam.journal"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            desk.run(statement)


def test_the_journal_holds_names_of_attributes_and_no_values(desk: Desk) -> None:
    desk.join(title="Kanariefågel", display_name="Kanariefågel")
    desk.executor().run_once()
    rows = str(desk.all("select * from iam.journal"))
    assert "display_name" in rows
    assert "Kanariefågel" not in rows
