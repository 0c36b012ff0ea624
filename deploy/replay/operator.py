"""What a step does as an operator: the same calls as the commands of these names make.

- {operator: loads release, with: {source: hr}}
- {operator: dlq discard, with: {code: input.invalid, by: karin}}
- {operator: merge, with: {person: "${anna}", into: "${ann}", evidence: a decision, by: karin, approved_by: omar}}
- {operator: erase, with: {person: "${anna}", decision: KS 2026/0500, by: karin, approved_by: omar}}
- {operator: return, with: {person: "${anna}", decision: KS 2026/0600, reason: employed anew, by: karin, approved_by: omar}}
- {operator: rebuild}
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from connectors.sources.edge import Edge
from connectors.sources.loads import list_loads, release_load, void_load
from connectors.sources.report import LoadState
from deploy.operations.bring_back import Why
from deploy.readings import Readings
from deploy.rulings import death, identity, protection
from deploy.rulings.sending import Desk, Grounds
from streams.bus import Handler
from streams.contracts.errors import Rejected
from streams.dead_letters import DeadLetter, DeadLetters, ReadAt

COMMANDS: Mapping[str, str] = {
    "loads release": "source",
    "loads void": "source",
    "dlq retry": "code",
    "dlq discard": "code",
    "merge": "person",
    "split": "person",
    "undo-death": "person",
    "protection propose": "person",
    "protection approve": "person",
    "erase": "person",
    "return": "person",
    "rebuild": "",
}
"""The commands that a scenario can give, each with the argument that says to what: the newest total load of a source that is
held, every open dead letter of a code, or the person with a number; `rebuild` takes none. `by` says who decides (left out:
`operator`), and of a merge, a split, a death taken back, a proposal, an erasure or a return who asks; `refused` is the code
that the command must answer with, doing nothing. `rebuild` makes the stores again from the log and puts them in the place
of those in use; it fails where the two differ, or where somebody protected was without protection on the way."""

_BY, _REFUSED = "by", "refused"
_MORE: Mapping[str, tuple[str, ...]] = {
    "merge": ("into", "evidence", "approved_by"),
    "split": ("evidence", "approved_by"),
    "undo-death": ("evidence", "approved_by"),
    "protection propose": ("evidence",),
    "erase": ("decision", "approved_by"),
    "return": ("decision", "reason", "approved_by"),
}
"""What a command needs besides."""
_ALL = "raises"
"""Of a proposal: `all` for every raise that stands, not only those that their source took back."""
_NOBODY_NAMED = "operator"


def mistake_in(command: str, arguments: Mapping[str, object]) -> str:
    """What is wrong with the command as written; empty: nothing."""
    subject = COMMANDS.get(command)
    if subject is None:
        return f"unknown operator command; there are {', '.join(COMMANDS)}"
    needed, more = {one for one in (subject, *_MORE.get(command, ())) if one}, _optional(command)
    if not needed <= set(arguments) or not set(arguments) <= needed | more:
        takes = f"`with: {{{', '.join(f'{one}: ...' for one in sorted(needed))}}}`, and " if needed else ""
        return f"{command} takes {takes}{', '.join(f'`{one}`' for one in sorted(more))}"
    if not all(isinstance(value, str) and value for value in arguments.values()):
        return f"{command}: its arguments are texts"
    return ""


def _optional(command: str) -> set[str]:
    if command == "rebuild":
        return {_REFUSED}
    return {_BY, _REFUSED, _ALL} if command == "protection propose" else {_BY, _REFUSED}


class Erase(Protocol):
    """Carries out an erasure, see `deploy.operations.erase`."""

    def __call__(self, person: str, decision: str, asked_by: str, approved_by: str) -> object: ...


class BringBack(Protocol):
    """Carries out a return, see `deploy.operations.bring_back`."""

    def __call__(self, desk: Desk, owner: str, why: Why) -> object: ...


@dataclass(frozen=True, slots=True)
class Operator:
    """`read_at` reads the log again; `handler_of` gives what the workers of a consumer group run; `desk` is what rulings are
    made with; `remake` loses the stores and makes them again, see `deploy.replay.remaking`."""

    edge: Edge
    desk: Desk
    readings: Readings
    dead_letters: DeadLetters
    read_at: ReadAt
    handler_of: Callable[[str], Handler]
    erase: Erase
    bring_back: BringBack
    remake: Callable[[], None]

    def do(self, command: str, arguments: Mapping[str, str]) -> None:
        """Raises `Rejected("resource.unknown")` where there is nothing to do it to, and as the command does;
        `scenario.invalid` where it was to be refused and was done."""
        wanted = arguments.get(_REFUSED)
        try:
            self._do(command, arguments)
        except Rejected as refused:
            if refused.code != wanted:
                raise
        else:
            if wanted is not None:
                raise Rejected("scenario.invalid", f"{command} was to be refused with {wanted}, and was done")

    def _do(self, command: str, arguments: Mapping[str, str]) -> None:
        who = arguments.get(_BY, _NOBODY_NAMED)
        if command == "rebuild":
            self.remake()
            return
        subject = arguments[COMMANDS[command]]
        if command == "loads release":
            release_load(self.edge, self._held(subject), who)
        elif command == "loads void":
            void_load(self.edge, self._held(subject), who)
        elif command == "erase":
            self.erase(self._id(subject), arguments["decision"], who, arguments["approved_by"])
        elif command == "return":
            why = Why(arguments["decision"], arguments["reason"], who, arguments["approved_by"])
            self.bring_back(self.desk, self.readings.subject(subject), why)
        elif COMMANDS[command] == "person":
            self._rule(command, arguments, who)
        else:
            for letter in self._letters(subject):
                if command == "dlq discard":
                    self.dead_letters.discard(letter.id, who)
                else:
                    self.dead_letters.retry(letter.id, who, self.read_at, self.handler_of(letter.group))

    def _rule(self, command: str, arguments: Mapping[str, str], who: str) -> None:
        desk, person = self.desk, self._id(arguments["person"])
        grounds = Grounds(arguments.get("evidence", ""), who, arguments.get("approved_by", ""))
        if command == "merge":
            desk.send(identity.merge(desk, person, self._id(arguments["into"]), grounds))
        elif command == "split":
            desk.send(identity.split(desk, self._own_id(arguments["person"]), grounds))
        elif command == "undo-death":
            desk.send(death.take_back(desk, person, grounds))
        elif command == "protection propose":
            every = arguments.get(_ALL) == "all"
            desk.send(protection.propose(desk, person, grounds.evidence, who, every_raise=every))
        else:
            waiting = [one.name for case in protection.queue(desk) if case.person == person for one in case.proposals]
            if not waiting:
                raise Rejected("resource.unknown", "no proposal waits for this person")
            for name in waiting:
                desk.send(protection.approve(desk, name, who))

    def _id(self, number: str) -> str:
        found = self.readings.person_id(number)
        if found is None:
            raise Rejected("resource.unknown", "person")
        return found

    def _own_id(self, number: str) -> str:
        """The id that the number has alone, whomever it was merged with."""
        subject = self.readings.subject(number)
        return self.desk.reader.members(self._id(number))[subject]

    def _held(self, source: str) -> int:
        held = (one.id for one in list_loads(self.edge.pool, source) if one.state == LoadState.HELD)
        found = next(held, None)
        if found is None:
            raise Rejected("resource.unknown", f"no total load of {source} is held")
        return found

    def _letters(self, code: str) -> list[DeadLetter]:
        found = [one for one in self.dead_letters.list() if one.code == code]
        if not found:
            raise Rejected("resource.unknown", f"no open dead letter of {code}")
        return found
