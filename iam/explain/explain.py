"""`explain`: everything that is known about why a person has what it has, now or at a moment in the past."""

import datetime as dt
from collections.abc import Sequence

import psycopg

from iam.domain.policy import Policy
from iam.execute.queue import Pool
from iam.explain import journal
from iam.explain.explanation import Explanation, InPerson, InTarget, NotGiven, Waiting, groups, why
from iam.explain.refusals import not_given
from iam.store.state import Accounts, AccountView, TargetView
from streams.sealing import KeyRing

_WAITING = """
select w.account::text, w.target, w.lane, w.queued_at, w.ready_at, coalesce(w.until > clock_timestamp(), false),
       exists (select from iam.outbox x
               where x.account = w.account and x.kind = 'allocated' and x.delivered_at is null),
       exists (select from iam.target_away a where a.target = w.target)
from iam.work w where w.account = any(%s::uuid[])
"""
_KNOWN = """
select exists (select from iam.world_person where id = %(id)s)
    or exists (select from iam.world_redirect where id = %(id)s)
"""


def explain(
    pool: Pool,
    keys: KeyRing,
    person_id: str,
    now: dt.datetime,
    *,
    at: dt.datetime | None = None,
    policy: Policy | None = None,
) -> Explanation:
    """The accounts of a person (a redirected id leads on), each with its targets, groups, reasons and operations.

    `now` is business time. With `at`: what was provisioned at that moment and why, from the journal; what the journal
    does not keep (the rules that gave nothing) is left out then. With `policy`: also which of its account rules give this
    person nothing now, and why, so that a person without any account is answered too. An unknown person gives `known`
    False.
    """
    views = Accounts(pool, keys).of_person(person_id)
    ids = [view.id for view in views]
    with pool.connection() as connection:
        told = journal.rows(connection, ids, at)
        waiting = _waiting(connection, ids) if at is None else {}
        row = connection.execute(_KNOWN, {"id": person_id}).fetchone()
        missing = () if policy is None or at else not_given(connection, keys, person_id, policy, now)
    known = bool(views) or bool(row and row[0])
    if at is None:
        accounts = tuple(
            _account(view, tuple(_now(view.id, one, told, waiting) for one in view.targets)) for view in views
        )
    else:
        accounts = tuple(_account(view, _then(view.id, told)) for view in views if view.created_at <= at)
    said = {
        (one.rule, one.persona, one.code, where)
        for account in accounts
        for target in account.targets
        for one in target.not_given
        for where in ("", target.target)
    }
    news = tuple(one for one in missing if (one.rule, one.persona, one.code, one.target) not in said)
    return Explanation(person_id, now, known, at, accounts, news)


def _account(view: AccountView, targets: Sequence[InTarget]) -> InPerson:
    return InPerson(
        view.id,
        view.employer,
        view.account_class,
        view.created_at,
        dict(sorted(view.names.items())),
        view.personas,
        tuple(targets),
    )


def _now(
    account: str,
    view: TargetView,
    told: dict[journal.Place, list[journal.Row]],
    waiting: dict[journal.Place, Waiting],
) -> InTarget:
    reasons = view.intent.reasons if view.intent else ()
    refused = view.intent.why_not if view.intent else ()
    seen = view.observed
    return InTarget(
        target=view.target,
        desired=view.presence.value,
        observed=seen.presence.value if seen.status == "known" else seen.status,
        equal=view.equal or (account, view.target) not in waiting,
        version=view.version,
        cause=view.cause,
        caused_at=view.caused_at,
        source_stamp=view.source_stamp,
        error_code=seen.error_code,
        readable=view.intent is not None,
        why=why(reasons, None),
        groups=groups(reasons, view.groups, seen.groups if seen.status != "never" else frozenset()),
        not_given=tuple(NotGiven(one.rule, one.persona, one.code) for one in refused),
        waiting=waiting.get((account, view.target)),
        operations=journal.operations(told.get((account, view.target), ())),
    )


def _then(account: str, told: dict[journal.Place, list[journal.Row]]) -> list[InTarget]:
    found = []
    for (owner, target), rows in sorted(told.items()):
        moment = journal.moment(rows)
        if owner != account or not target or moment.evaluated is None:
            continue
        wanted, read = moment.evaluated, moment.read
        open_call = any(row.kind == "intent" and (read is None or row.id > read.id) for row in rows)
        found.append(
            InTarget(
                target=target,
                desired=wanted.presence,
                observed="unknown" if open_call else read.presence if read else "never",
                equal=read is not None and read.digest_after == wanted.digest_after and not open_call,
                version=wanted.desired_version,
                cause=wanted.cause,
                caused_at=wanted.caused_at,
                why=why(moment.reasons, None),
                groups=groups(
                    moment.reasons, frozenset(wanted.groups), frozenset(read.groups) if read else frozenset()
                ),
                operations=journal.operations(rows),
            )
        )
    return found


def _waiting(connection: psycopg.Connection, accounts: Sequence[str]) -> dict[journal.Place, Waiting]:
    return {
        (account, target): Waiting(lane, since, ready, under_way, for_names, away)
        for account, target, lane, since, ready, under_way, for_names, away in connection.execute(
            _WAITING, [list(accounts)]
        ).fetchall()
    }
