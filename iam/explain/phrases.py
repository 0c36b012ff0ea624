"""The words of an explanation, in English and Swedish: what codes and states mean to a person who reads."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Language = Literal["en", "sv"]
Words = Mapping[str, tuple[str, str]]

PRESENCE: Words = MappingProxyType(
    {
        "enabled": ("enabled", "aktivt"),
        "disabled": ("disabled", "avstängt"),
        "absent": ("not there", "finns inte"),
        "never": ("never made", "aldrig skapat"),
        "unknown": ("not known until it has been read back", "okänt tills det har lästs tillbaka"),
    }
)
LANE: Words = MappingProxyType(
    {
        "protect": ("protection", "skydd"),
        "disable": ("disabling", "avstängning"),
        "remove": ("removal", "borttag"),
        "update": ("change", "ändring"),
        "create": ("creation", "skapande"),
    }
)
OUTCOME: Words = MappingProxyType(
    {
        "done": ("done, and read back", "utfört och tillbakaläst"),
        "unchanged": ("it already was so", "det var redan så"),
        "read-back": (
            "read back after an attempt of unknown outcome",
            "tillbakaläst efter ett försök med okänt utfall",
        ),
        "nothing": ("nothing needed to be done", "ingenting behövde göras"),
        "waits": (
            "done, but for the manager, who has no account there yet",
            "utfört utom chefen, som inte har något konto där än",
        ),
        "partial": ("the part that is allowed now is done", "den del som får göras nu är utförd"),
        "held": ("held by the brake", "hålls av bromsen"),
        "refused": ("the target refused", "målsystemet vägrade"),
        "differs": ("the target reads back something else", "målsystemet visar något annat"),
        "unreachable": ("the target did not answer, nothing was sent", "målsystemet svarade inte, inget skickades"),
        "unknown": ("no answer in time, outcome unknown", "inget svar i tid, utfallet är okänt"),
        "unreadable": ("what is desired could not be opened", "det önskade kunde inte öppnas"),
        "late": ("came too late and does not count", "kom för sent och räknas inte"),
        "open": ("under way", "pågår"),
        "lost": ("its worker ended before the answer", "arbetaren avbröts före svaret"),
    }
)
CAUSE: Words = MappingProxyType(
    {
        "timer": (
            "The latest change came with the date: it was due {at}.",
            "Den senaste ändringen kom med datumet: den skulle ske {at}.",
        ),
        "clock": (
            "The latest change came with the date: it was due {at}.",
            "Den senaste ändringen kom med datumet: den skulle ske {at}.",
        ),
        "manager": (
            "The latest change came because a manager's account was made, {at}.",
            "Den senaste ändringen kom av att en chefs konto skapades {at}.",
        ),
        "policy": (
            "The latest change came with policy {detail}, {at}.",
            "Den senaste ändringen kom med policy {detail}, {at}.",
        ),
        "erased": (
            "The latest change came because the person was erased, {at}.",
            "Den senaste ändringen kom av att personen gallrades {at}.",
        ),
        "split": (
            "The latest change came because two persons who had been joined were parted, {at}.",
            "Den senaste ändringen kom av att två sammanförda personer skildes åt {at}.",
        ),
        "failed": (
            "The latest change came when an evaluation that had failed ({detail}) was tried again, {at}.",
            "Den senaste ändringen kom när en bedömning som hade misslyckats ({detail}) gjordes om, {at}.",
        ),
    }
)
"""Causes that are no event of a source; all others are shown as the event's id."""
TEXT: Words = MappingProxyType(
    {
        "unknown-person": ("No person with this id is known here.", "Ingen person med detta id är känd här."),
        "no-account": ("This person has no account.", "Personen har inget konto."),
        "person": ("Person {person}.", "Person {person}."),
        "now": ("As it is at {at}.", "Som det är {at}."),
        "then": ("As it was at {at}, from the journal.", "Som det var {at}, enligt journalen."),
        "account": (
            "Account {account}: class {kind}, employer {employer}, made {at}.",
            "Konto {account}: klass {kind}, arbetsgivare {employer}, skapat {at}.",
        ),
        "names": ("Names: {names}.", "Namn: {names}."),
        "personas": ("It serves {personas}.", "Det används för {personas}."),
        "target": (
            "In {target}: shall be {desired}, is {observed}.",
            "I {target}: ska vara {desired}, är {observed}.",
        ),
        "equal": ("The target is as desired.", "Målsystemet är som önskat."),
        "cause": (
            "The latest change was caused by event {event}, logged {at}.",
            "Den senaste ändringen orsakades av händelse {event}, loggad {at}.",
        ),
        "stamp": ("Newest fact behind it: {stamp}.", "Nyaste uppgiften bakom: {stamp}."),
        "error": ("Last failure: {error}", "Senaste fel: {error}"),
        "waiting": (
            "Waiting since {since}: {lane}. Next try {next}.",
            "Väntar sedan {since}: {lane}. Nästa försök {next}.",
        ),
        "under-way": ("Under way now: {lane}.", "Pågår nu: {lane}."),
        "for-names": (
            "It waits until the event about the account's names is delivered.",
            "Det väntar tills händelsen om kontots namn är levererad.",
        ),
        "target-away": ("The target does not answer.", "Målsystemet svarar inte."),
        "unreadable": (
            "The reasons are sealed with a key that is gone; they are written again soon, or the person is erased.",
            "Skälen är förseglade med en nyckel som inte finns; de skrivs om snart, eller så är personen gallrad.",
        ),
        "because": (
            "Because rule {rule} of policy {policy} matches {persona}.",
            "Därför att regel {rule} i policy {policy} gäller {persona}.",
        ),
        "kept": (
            "Kept as it was for {persona}: {reason}.",
            "Behålls som det var för {persona}: {reason}.",
        ),
        "fact": (
            "Fact: {source}, record {key}, version {version}, logged {at}, event {event}.",
            "Uppgift: {source}, post {key}, version {version}, loggad {at}, händelse {event}.",
        ),
        "no-basis": ("Nothing gives this account any more.", "Ingenting ger detta konto längre."),
        "group-has": ("Group {group}: member.", "Grupp {group}: medlem."),
        "group-gets": ("Group {group}: is to become a member.", "Grupp {group}: ska bli medlem."),
        "group-loses": ("Group {group}: is to be taken out of it.", "Grupp {group}: ska tas bort ur den."),
        "no-groups": ("No groups.", "Inga grupper."),
        "not-given": (
            "Rule {rule} gives nothing for {persona}: {reason}.",
            "Regel {rule} ger inget för {persona}: {reason}.",
        ),
        "not-given-in": (
            "Rule {rule} gives no account in {target} for {persona}: {reason}.",
            "Regel {rule} ger inget konto i {target} för {persona}: {reason}.",
        ),
        "gives-less": (
            "Rule {rule} gives less than it could for {persona}: {reason}.",
            "Regel {rule} ger mindre än den kunde för {persona}: {reason}.",
        ),
        "nothing-given": ("Nothing is given: {reason}.", "Ingenting ges: {reason}."),
        "operation": (
            "{at}, attempt {attempt}, {lane}: {outcome}.",
            "{at}, försök {attempt}, {lane}: {outcome}.",
        ),
        "asked": ("Asked for: {presence}.", "Begärt: {presence}."),
        "attributes": ("Attributes: {names}.", "Attribut: {names}."),
        "added": ("Groups added: {names}.", "Tillagda grupper: {names}."),
        "removed": ("Groups removed: {names}.", "Borttagna grupper: {names}."),
        "took": (
            "{seconds} seconds from when the fact was logged until the account was read back.",
            "{seconds} sekunder från det att uppgiften loggades tills kontot hade lästs tillbaka.",
        ),
        "took-since-due": (
            "{seconds} seconds from when it was due until the account was read back.",
            "{seconds} sekunder från det att det skulle ske tills kontot hade lästs tillbaka.",
        ),
        "operations": ("What was done:", "Vad som gjordes:"),
        "why-not": ("What is not given, and why:", "Vad som inte ges, och varför:"),
    }
)


def word(words: Words, code: str, language: Language) -> str:
    """The phrase of a code; a code that is not listed is shown as it is."""
    pair = words.get(code)
    return code if pair is None else pair[language == "sv"]


def number(value: float, language: Language) -> str:
    """Two decimals at most, with the decimal sign of the language."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "sv" else text
