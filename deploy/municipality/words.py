"""Words of the synthetic municipality. Streets, places and postal codes are made up; telephone numbers are PTS's reserved
ones (031-390 06 00 to 06 99). Names are ordinary Swedish ones in chance combinations."""

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN_FEMALE = _words(
    "Anna Maria Elin Karin Sara Emma Kristina Eva Lena Marie Ingrid Birgitta Malin Jenny Annika Linnéa Ida Hanna Josefin "
    "Sofia Frida Elsa Alice Maja Wilma Ellen Astrid Amina Leila Fatima Katarzyna Mira Zahra Åsa Ulrika Therese Matilda"
)
GIVEN_MALE = _words(
    "Erik Lars Karl Anders Johan Per Nils Mikael Jan Lennart Hans Olof Gunnar Sven Fredrik Daniel Andreas Magnus Oskar "
    "Viktor Elias Hugo Liam Noah Axel Ali Mohammed Hassan Piotr Emil Simon Anton Jonas Mattias Björn Håkan Göran Östen"
)
FAMILY = _words(
    "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson Jonsson Lindberg "
    "Lindström Lindqvist Berg Bergström Bergman Lundgren Lundqvist Sandberg Sjöberg Wallin Engström Eklund Hedlund Holm "
    "Åberg Öberg Ström Nyström Forsberg Hellström Nordin Håkansson Ahmed Hassan Nguyen Kowalski Haddad Öztürk Popović"
)
STREETS = _words(
    "Lingonstigen Blåbärsvägen Kornettgatan Plogvägen Tallbacken Ekorrstigen Mjölnarvägen Fiskargränd Smedjegatan "
    "Kvarnbacken Björnbärsvägen Harvgatan Slättervägen Klockargränden Sågverksgatan Humlevägen"
)
PLACES = (("99910", "EXEMPELBY"), ("99920", "NORREXEMPEL"), ("09930", "SÖDEREXEMPEL"), ("99940", "EXEMPELHAMN"))
"""One postal code starts with zero on purpose: it must survive."""

MUNICIPALITY = "Exempelkommun"
COUNTY_CODE, MUNICIPALITY_CODE = "99", "01"
PHONES = tuple(f"031-3900{number}" for number in range(600, 700))


@dataclass(frozen=True, slots=True)
class Department:
    """An avdelning with its enheter and what people there work as (befattning, AID etikett)."""

    name: str
    units: tuple[str, ...]
    jobs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A nämnd with its förvaltning."""

    board: str
    office: str
    departments: tuple[Department, ...]


_PRESCHOOL = (("förskollärare", "402020"), ("barnskötare", "403020"), ("barnskötare", "403020"))
_CARE = (("undersköterska", "207008"), ("undersköterska", "207008"), ("vårdbiträde", "207020"))
_OFFICE = (("handläggare", "151020"), ("administratör", "151025"))

BRANCHES = (
    Branch(
        "Utbildningsnämnden",
        "Utbildningsförvaltningen",
        (
            Department(
                "Avdelning förskola", ("Förskolan Tallkotten", "Förskolan Lingonet", "Förskolan Snäckan"), _PRESCHOOL
            ),
            Department("Avdelning grundskola", ("Björkskolan", "Ekskolan", "Sjöskolan"), (("lärare", "401020"),)),
        ),
    ),
    Branch(
        "Vård- och omsorgsnämnden",
        "Vård- och omsorgsförvaltningen",
        (
            Department("Avdelning hemtjänst", ("Hemtjänst Norr", "Hemtjänst Söder", "Hemtjänst Centrum"), _CARE),
            Department(
                "Avdelning särskilt boende",
                ("Vårdboendet Solgläntan", "Vårdboendet Ekebo", "Vårdboendet Kajen"),
                (*_CARE, ("sjuksköterska", "206020")),
            ),
        ),
    ),
    Branch(
        "Kommunstyrelsen",
        "Stadsledningskontoret",
        (
            Department("Avdelning HR", ("Lönecenter", "Rekrytering", "Arbetsmiljö"), _OFFICE),
            Department(
                "Avdelning digitalisering",
                ("Systemförvaltning", "Kontaktcenter", "Informationssäkerhet"),
                (("systemförvaltare", "153020"), *_OFFICE),
            ),
        ),
    ),
    Branch(
        "Samhällsbyggnadsnämnden",
        "Samhällsbyggnadsförvaltningen",
        (
            Department(
                "Avdelning plan och bygg",
                ("Bygglov", "Kartor och mätning", "Detaljplan"),
                (("byggnadsinspektör", "351020"), ("planarkitekt", "351025")),
            ),
            Department(
                "Avdelning teknik",
                ("Gata och park", "Vatten och avlopp", "Fastighet"),
                (("tekniker", "352020"), ("parkarbetare", "353020")),
            ),
        ),
    ),
    Branch(
        "Socialnämnden",
        "Socialförvaltningen",
        (
            Department(
                "Avdelning barn och familj",
                ("Mottagningen", "Familjehem", "Familjerätt"),
                (("socialsekreterare", "354020"),),
            ),
            Department(
                "Avdelning ekonomiskt stöd",
                ("Försörjningsstöd", "Budget och skuld", "Boendestöd"),
                (("biståndshandläggare", "354025"), *_OFFICE),
            ),
        ),
    ),
    Branch(
        "Kultur- och fritidsnämnden",
        "Kultur- och fritidsförvaltningen",
        (
            Department(
                "Avdelning bibliotek",
                ("Stadsbiblioteket", "Filialen Hamnen", "Bokbussen"),
                (("bibliotekarie", "451020"),),
            ),
            Department(
                "Avdelning fritid", ("Fritidsgården Bryggan", "Simhallen", "Ishallen"), (("fritidsledare", "452020"),)
            ),
        ),
    ),
)
"""207008 is SKR's AID code of undersköterska; the other codes have the form of AID codes and are made up."""

MANAGER_TITLE = {
    "namnd": "direktör",
    "forvaltning": "förvaltningschef",
    "avdelning": "avdelningschef",
    "enhet": "enhetschef",
}
MANAGER_RESPONSIBILITY = {"namnd": "A", "forvaltning": "A", "avdelning": "B", "enhet": "C"}
MANAGER_AID = "101020"
