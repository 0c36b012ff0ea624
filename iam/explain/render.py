"""An explanation as plain text: one sentence a line, indented by what it belongs to, no table, colour or picture.

Read aloud by a screen reader it is the same text. Times are Swedish local time.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from iam.domain.conditions import WHY_NOT
from iam.domain.desired import KEPT
from iam.explain.explanation import Explanation, Group, InPerson, InTarget, NotGiven, Operation, Waiting, Why
from iam.explain.phrases import LANE, OUTCOME, PRESENCE, TEXT, Language, number, word
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
            yield self._say("cause", event=it.cause, at=self._at(it.caused_at))
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
        yield from self._not_given(it.not_given)
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

    def _error(self, code: str) -> str:
        text = TEXTS.get(code)
        if text is None:
            return code
        return f"{(text.sv if self._language == 'sv' else text.en).rstrip('.')} ({code})."

    def _why(self, it: Why) -> Iterator[str]:
        code = "kept" if it.rule == KEPT else "because"
        yield self._say(code, rule=it.rule, policy=it.policy, persona=it.persona)
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

    def _not_given(self, refused: Iterable[NotGiven]) -> Iterator[str]:
        lines = [
            self._say("not-given", rule=one.rule, persona=one.persona, reason=word(WHY_NOT, one.code, self._language))
            for one in refused
        ]
        if lines:
            yield self._say("why-not")
            yield from _indented(lines)

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
            yield _STEP + self._say("took", seconds=number(it.seconds, self._language))
