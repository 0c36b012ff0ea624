"""An explanation as plain text: one sentence a line, indented by what it belongs to, no table, colour or picture.

Read aloud by a screen reader it is the same text. Times are Swedish local time.
"""

import datetime as dt
from collections.abc import Container, Iterable, Iterator

from iam.domain.conditions import WHY_NOT
from iam.domain.desired import KEPT
from iam.explain.explanation import Explanation, Group, InPerson, InTarget, NotGiven, Operation, Waiting, Why
from iam.explain.phrases import CAUSE, LANE, OUTCOME, PRESENCE, TEXT, Language, number, word
from streams.contracts.errors import TEXTS
from streams.contracts.time import STOCKHOLM

_STEP = "  "


def render(explanation: Explanation, language: Language = "en") -> str:
    """The text, ending with a line break."""
    return "\n".join(_Text(language).person(explanation)) + "\n"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_STEP + line for line in lines)


class _Text:
    def __init__(self, language: Language) -> None:
        self._language = language

    def _say(self, code: str, **values: object) -> str:
        return word(TEXT, code, self._language).format(**values)

    def _at(self, instant: dt.datetime | None) -> str:
        if instant is None:
            return "-"
        return f"{instant.astimezone(STOCKHOLM):%Y-%m-%d %H:%M:%S}"

    def person(self, it: Explanation) -> Iterator[str]:
        yield self._say("person", person=it.person)
        yield self._say("then", at=self._at(it.at)) if it.at else self._say("now", at=self._at(it.asked_at))
        if not it.known:
            yield self._say("unknown-person")
            return
        if not it.accounts:
            yield self._say("no-account")
        for account in it.accounts:
            yield ""
            yield from self._account(account)
        yield from self._not_given(it.not_given)

    def _account(self, it: InPerson) -> Iterator[str]:
        yield self._say(
            "account", account=it.account, kind=it.account_class, employer=it.employer, at=self._at(it.created_at)
        )
        if it.names:
            yield self._say("names", names=", ".join(f"{kind} {name}" for kind, name in it.names.items()))
        if it.personas:
            yield self._say("personas", personas=", ".join(it.personas))
        for target in it.targets:
            yield ""
            yield from _indented(self._target(target))

    def _target(self, it: InTarget) -> Iterator[str]:
        desired = word(PRESENCE, it.desired, self._language)
        observed = word(PRESENCE, it.observed, self._language)
        yield self._say("target", target=it.target, desired=desired, observed=observed)
        if it.equal:
            yield self._say("equal")
        if it.waiting:
            yield from self._waiting(it.waiting)
        if it.error_code:
            yield self._say("error", error=self._error(it.error_code))
        if it.cause:
            yield self._cause(it.cause, it.caused_at)
        if it.source_stamp:
            yield self._say("stamp", stamp=it.source_stamp)
        if not it.readable:
            yield self._say("unreadable")
        elif not it.why:
            yield self._say("no-basis")
        for one in it.why:
            yield from self._why(one)
        for group in it.groups:
            yield from self._group(group)
        if not it.groups:
            yield self._say("no-groups")
        yield from self._not_given(it.not_given, {(one.rule, one.persona) for one in it.why})
        if it.operations:
            yield self._say("operations")
            for operation in it.operations:
                yield from _indented(self._operation(operation))

    def _waiting(self, it: Waiting) -> Iterator[str]:
        lane = word(LANE, it.lane, self._language)
        if it.under_way:
            yield self._say("under-way", lane=lane)
        else:
            yield self._say("waiting", lane=lane, since=self._at(it.since), next=self._at(it.next_try))
        if it.for_names:
            yield self._say("for-names")
        if it.target_away:
            yield self._say("target-away")

    def _cause(self, cause: str, at: dt.datetime | None) -> str:
        """What made the change: an event of a source, or one of the few causes that are no event."""
        kind, _, detail = cause.partition(":")
        if kind in CAUSE:
            return word(CAUSE, kind, self._language).format(detail=detail, at=self._at(at))
        return self._say("cause", event=cause, at=self._at(at))

    def _error(self, code: str) -> str:
        text = TEXTS.get(code)
        if text is None:
            return code
        return f"{(text.sv if self._language == 'sv' else text.en).rstrip('.')} ({code})."

    def _why(self, it: Why) -> Iterator[str]:
        kind, _, missing = it.rule.partition(":")
        if kind == KEPT:
            yield self._say("kept", persona=it.persona, reason=word(WHY_NOT, missing, self._language))
        else:
            yield self._say("because", rule=it.rule, policy=it.policy, persona=it.persona)
        for fact in it.facts:
            yield _STEP + self._say(
                "fact",
                source=fact.source,
                key=fact.source_key,
                version=fact.version,
                at=self._at(fact.logged_at),
                event=fact.event or "-",
            )

    def _group(self, it: Group) -> Iterator[str]:
        code = "group-has" if it.wanted and it.held else "group-gets" if it.wanted else "group-loses"
        yield self._say(code, group=it.name)
        for one in it.why:
            yield from _indented(self._why(one))

    def _not_given(self, refused: Iterable[NotGiven], given: Container[tuple[str, str]] = ()) -> Iterator[str]:
        """`given`: rules and personas that do give the account, so that here they only give less."""
        lines = [self._refusal(one, less=(one.rule, one.persona) in given) for one in refused]
        if lines:
            yield self._say("why-not")
            yield from _indented(lines)

    def _refusal(self, it: NotGiven, *, less: bool) -> str:
        code = "gives-less" if less else "not-given-in" if it.target else "not-given" if it.rule else "nothing-given"
        reason = word(WHY_NOT, it.code, self._language)
        return self._say(code, rule=it.rule, persona=it.persona, target=it.target, reason=reason)

    def _operation(self, it: Operation) -> Iterator[str]:
        yield self._say(
            "operation",
            at=self._at(it.at),
            attempt=it.attempt,
            lane=word(LANE, it.lane, self._language),
            outcome=word(OUTCOME, it.outcome, self._language),
        )
        if it.asked:
            yield _STEP + self._say("asked", presence=word(PRESENCE, it.asked, self._language))
        for code, names in (("attributes", it.attributes), ("added", it.added), ("removed", it.removed)):
            if names:
                yield _STEP + self._say(code, names=", ".join(names))
        if it.error_code:
            yield _STEP + self._error(it.error_code)
        if it.seconds is not None:
            code = "took" if it.cause.partition(":")[0] not in CAUSE else "took-since-due"
            yield _STEP + self._say(code, seconds=number(it.seconds, self._language))
