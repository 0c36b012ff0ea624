"""Stable error codes with their text in Swedish and English: one list for HTTP, dead letters, command line and docs.

KallanError                 something with a stable code
├── Rejected                this input will never be accepted as it stands: a dead letter, or HTTP 4xx
└── Unavailable             a server that is needed does not answer: try again
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What a code means, for a person. `status` is the HTTP status of RFC 9457 problem details."""

    status: int
    en: str
    sv: str


_TEXTS = {
    "input.not-decodable": ErrorText(400, "The content cannot be decoded.", "Innehållet går inte att avkoda."),
    "input.too-large": ErrorText(413, "The record or value is too large.", "Posten eller värdet är för stort."),
    "input.nul-byte": ErrorText(400, "A text holds a NUL byte.", "En text innehåller en NUL-byte."),
    "input.empty": ErrorText(400, "The input is empty.", "Indatat är tomt."),
    "input.unreadable": ErrorText(422, "The file cannot be read.", "Filen går inte att läsa."),
    "input.unknown-schema": ErrorText(400, "Unknown schema version.", "Okänd schemaversion."),
    "input.invalid": ErrorText(422, "A value does not have the form it must have.", "Ett värde har fel form."),
    "input.missing": ErrorText(422, "A value that is needed is missing.", "En uppgift som behövs saknas."),
    "input.end-before-start": ErrorText(422, "The end is before the start.", "Slutdatum ligger före startdatum."),
    "input.markup-forbidden": ErrorText(
        400, "A document type or entity is not allowed.", "Dokumenttyp eller entitet är inte tillåten."
    ),
    "envelope.invalid": ErrorText(400, "The event envelope is invalid.", "Händelsens kuvert är ogiltigt."),
    "envelope.forged": ErrorText(
        400,
        "The envelope does not match its encrypted content.",
        "Kuvertet stämmer inte med det krypterade innehållet.",
    ),
    "key.unknown": ErrorText(422, "Unknown encryption key.", "Okänd krypteringsnyckel."),
    "key.erased": ErrorText(410, "The person is erased (gallrad).", "Personen är gallrad."),
    "identifier.invalid": ErrorText(
        422, "Not a valid person identifier.", "Inte ett giltigt personnummer eller motsvarande."
    ),
    "identifier.ambiguous": ErrorText(
        422,
        "The number may be several persons': ten digits do not tell the century, a TF or interim number needs its issuer.",
        "Numret kan vara fleras: tio siffror anger inte sekel, ett TF- eller interimsnummer behöver sin utfärdare.",
    ),
    "code.unknown": ErrorText(422, "Unknown code.", "Okänd kod."),
    "source.undesignated": ErrorText(
        422, "The source is not designated for this.", "Källan är inte utpekad för uppgiften."
    ),
    "stamp.missing": ErrorText(422, "The record has no version stamp.", "Posten saknar ändringstidpunkt."),
    "load.incomplete": ErrorText(422, "The total load is incomplete.", "Totalladdningen är ofullständig."),
    "load.gap": ErrorText(409, "A file number is missing.", "Ett filnummer saknas."),
    "load.snapshot-lost": ErrorText(
        409, "What was loaded before is lost: absences are held.", "Tidigare läge saknas: bortfall hålls."
    ),
    "letter.closed": ErrorText(409, "The dead letter is closed already.", "Brevet är redan stängt."),
    "load.superseded": ErrorText(
        409, "A newer total load has been settled.", "En nyare totalladdning är redan genomförd."
    ),
    "load.state": ErrorText(
        409, "The load is not in a state that allows this.", "Laddningen är inte i ett läge som tillåter detta."
    ),
    "load.threshold": ErrorText(
        409, "The total load changes too much and is held.", "Laddningen hålls: för stor ändring."
    ),
    "decision.two-persons": ErrorText(
        422, "Whoever asks cannot approve: two persons are needed.", "Den som begär får inte godkänna: det krävs två."
    ),
    "decision.used": ErrorText(
        409, "The decision was carried out already, and has ended.", "Beslutet är redan verkställt, och har upphört."
    ),
    "return.not-erased": ErrorText(
        409, "Nobody with that id or number is erased.", "Ingen med den identiteten är gallrad."
    ),
    "export.damaged": ErrorText(
        422, "The export is not whole, or was changed.", "Exporten är inte hel, eller har ändrats."
    ),
    "export.differs": ErrorText(
        409, "What was imported is not what was exported.", "Det som lästes in är inte det som skrevs ut."
    ),
    "store.differs": ErrorText(
        409,
        "The store that was made again is not like the one in use.",
        "Databasen som gjorts om är inte lik den som används.",
    ),
    "store.not-empty": ErrorText(409, "The store is not empty.", "Databasen är inte tom."),
    "draft.refused": ErrorText(409, "The reorganisation does not hold together.", "Omorganisationen hänger inte ihop."),
    "draft.state": ErrorText(409, "The draft has been decided already.", "Utkastet är redan avgjort."),
    "number.cycle": ErrorText(
        422, "The number references form a cycle.", "Hänvisningarna mellan personnummer bildar en cirkel."
    ),
    "ruling.one-person": ErrorText(409, "They are one person already.", "De är redan en och samma person."),
    "ruling.marked": ErrorText(
        409,
        "One of them is or was protected: only the population register can join them.",
        "Någon av dem har eller har haft skyddade personuppgifter: bara folkbokföringen kan föra ihop dem.",
    ),
    "ruling.nothing": ErrorText(409, "There is nothing to rule on.", "Det finns inget att besluta om."),
    "access.unauthenticated": ErrorText(401, "A valid access token is needed.", "Giltig åtkomstbiljett krävs."),
    "access.denied": ErrorText(403, "The release does not allow this.", "Utlämnandebeslutet medger inte detta."),
    "resource.unknown": ErrorText(404, "No such resource for this reader.", "Finns inte för denna läsare."),
    "request.method-not-allowed": ErrorText(
        405, "This address does not answer that method.", "Adressen svarar inte på den metoden."
    ),
    "cursor.invalid": ErrorText(400, "The cursor is not valid.", "Ogiltig markör."),
    "service.unavailable": ErrorText(
        503, "A server that is needed does not answer.", "En server som behövs svarar inte."
    ),
    "worker.starting": ErrorText(503, "The worker is starting.", "Arbetsprocessen startar."),
    "worker.stalled": ErrorText(
        503, "Work is pending and nothing has moved for a while.", "Arbete väntar och inget har hänt på en stund."
    ),
    "worker.braked": ErrorText(
        503,
        "Nothing of a source is accepted any more: it is left in the log until a restart.",
        "Inget från en källa går längre att ta emot: det ligger kvar i loggen till nästa omstart.",
    ),
    "worker.silent": ErrorText(
        503, "A worker has not told of itself for a while.", "En arbetsprocess har inte hörts av på en stund."
    ),
    "store.restored": ErrorText(
        503,
        "The store was restored: accounts wait until the log has been read again.",
        "Databasen är återläst: konton väntar tills loggen har lästs om.",
    ),
    "group.in-use": ErrorText(
        409, "Workers of this consumer group run: stop them first.", "Arbetsprocesser i gruppen körs: stoppa dem först."
    ),
    "schema.older": ErrorText(
        503,
        "The database's schema is older than the program: run `kallan migrate`.",
        "Databasens schema är äldre än programmet: kör `kallan migrate`.",
    ),
    "schema.newer": ErrorText(
        503,
        "The database's schema is newer than the program: install the newer program.",
        "Databasens schema är nyare än programmet: installera det nyare programmet.",
    ),
    "target.refused": ErrorText(502, "The target system refused the change.", "Målsystemet vägrade ändringen."),
    "target.unreachable": ErrorText(503, "The target system does not answer.", "Målsystemet svarar inte."),
    "target.unknown-outcome": ErrorText(
        504, "The target did not answer in time: outcome unknown.", "Målsystemet svarade inte i tid: utfallet är okänt."
    ),
    "target.differs": ErrorText(
        502,
        "The target reads back something else than it was asked for.",
        "Målsystemet visar något annat än det ombads.",
    ),
    "name.exhausted": ErrorText(409, "No free name could be allocated.", "Inget ledigt namn kunde tilldelas."),
    "scenario.invalid": ErrorText(422, "The scenario file is invalid.", "Scenariofilen är ogiltig."),
    "settings.invalid": ErrorText(500, "The settings are invalid.", "Inställningarna är ogiltiga."),
    "stack.in-use": ErrorText(409, "Another stack uses this folder.", "En annan stack använder mappen."),
    "internal.unexpected": ErrorText(500, "Unexpected error.", "Oväntat fel."),
}
TEXTS: Mapping[str, ErrorText] = MappingProxyType(_TEXTS)
"""Every code there is. A test fails on a code that is raised and not listed here."""


class KallanError(Exception):
    """An error with a stable code.

    `detail` is for logs and people and never holds a value of a person: field names, positions, counts and codes only.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in TEXTS:
            raise ValueError(f"error code {code!r} is not in the list")
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    @property
    def text(self) -> ErrorText:
        return TEXTS[self.code]


class Rejected(KallanError):
    """Deterministic: the same input will fail again. Becomes a dead letter or a 4xx answer."""


class Unavailable(KallanError):
    """Transient: something that is needed does not answer. Wait and try again."""
