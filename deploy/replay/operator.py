"""What a step does as an operator: the same calls as the commands of these names make.

- {operator: loads release, with: {source: hr}}
- {operator: dlq discard, with: {code: input.invalid, by: karin}}
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.sources.edge import Edge
from connectors.sources.loads import list_loads, release_load, void_load
from connectors.sources.report import LoadState
from streams.bus import Handler
from streams.contracts.errors import Rejected
from streams.dead_letters import DeadLetter, DeadLetters, ReadAt

COMMANDS: Mapping[str, str] = {
    "loads release": "source",
    "loads void": "source",
    "dlq retry": "code",
    "dlq discard": "code",
}
"""The commands that a scenario can give, each with the argument that says to what: the newest total load of a source that is
held, or every open dead letter of a code. `by` says who decides; left out: `operator`."""

_BY = "by"
_NOBODY_NAMED = "operator"


def mistake_in(command: str, arguments: Mapping[str, object]) -> str:
    """What is wrong with the command as written; empty: nothing."""
    subject = COMMANDS.get(command)
    if subject is None:
        return f"unknown operator command; there are {', '.join(COMMANDS)}"
    if subject not in arguments or not set(arguments) <= {subject, _BY}:
        return f"{command} takes `with: {{{subject}: ...}}`, and `by`"
    if not all(isinstance(value, str) and value for value in arguments.values()):
        return f"{command}: its arguments are texts"
    return ""


@dataclass(frozen=True, slots=True)
class Operator:
    """`read_at` reads the log again; `handler_of` gives what the workers of a consumer group run."""

    edge: Edge
    dead_letters: DeadLetters
    read_at: ReadAt
    handler_of: Callable[[str], Handler]

    def do(self, command: str, arguments: Mapping[str, str]) -> None:
        """Raises `Rejected("resource.unknown")` where there is nothing to do it to, and as the command does."""
        who = arguments.get(_BY, _NOBODY_NAMED)
        subject = arguments[COMMANDS[command]]
        if command == "loads release":
            release_load(self.edge, self._held(subject), who)
        elif command == "loads void":
            void_load(self.edge, self._held(subject), who)
        else:
            for letter in self._letters(subject):
                if command == "dlq discard":
                    self.dead_letters.discard(letter.id, who)
                else:
                    self.dead_letters.retry(letter.id, who, self.read_at, self.handler_of(letter.group))

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
