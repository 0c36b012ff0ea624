"""What happens to the cast, each as the native delta files that the sources would send."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sources.navet.writer import FileHeader, file_bytes
from deploy.municipality import cast as roles
from deploy.municipality.cast import Cast, Member, NativeFile
from deploy.municipality.generate import write_export
from deploy.municipality.people import Job
from streams.contracts.time import STOCKHOLM, local_date

NEW_FAMILY_NAME = "Nyvallstedt"
HR_FAMILY_NAME = "Löneskog"
AGREED_NAME = "Medarbetare Y"
FORWARDING = {
    "CareOf": "Skatteverkets förmedling",
    "Utdelningsadress2": "Box 1000",
    "PostNr": "99990",
    "Postort": "EXEMPELSTAD",
}


@dataclass(slots=True)
class Changes:
    """Writes delta files beside the first ones. Each method is one change, stamped `now` (UTC), and may be called once;
    files of a source are numbered on without gaps."""

    cast: Cast
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = dict(self.cast.next_number)

    def joiner(self, now: dt.datetime, start: dt.date | None = None) -> tuple[NativeFile, ...]:
        """Moves in, and is hired from `start` (default: today)."""
        member = self.cast[roles.JOINER]
        return (
            self._navet(now, [member.person.post(_local(now), Folkbokforingsdatum=local_date(now))]),
            self._hr(now, [_job(member).row(member.person, startDate=start or local_date(now))]),
        )

    def mover(self, now: dt.datetime, start: dt.date | None = None) -> tuple[NativeFile, ...]:
        """Becomes a manager in another unit from `start` (default: today): a new row, the old one ends the day before."""
        member, job = self.cast[roles.MOVER], _job(self.cast[roles.MOVER])
        first = start or local_date(now)
        old = job.row(member.person, "1", endDate=first - dt.timedelta(days=1))
        new = {
            "startDate": first,
            "orgId": self.other_unit(job.unit),
            "title": "enhetschef",
            "aid": "101020",
            "aidResponsibility": "C",
        }
        return (self._hr(now, [old, job.row(member.person, "2", **new)]),)

    def leaver(self, now: dt.datetime, end: dt.date | None = None) -> tuple[NativeFile, ...]:
        """Ends on `end` (inclusive; default: yesterday, so the account is to be disabled at once)."""
        member = self.cast[roles.LEAVER]
        last = end or local_date(now) - dt.timedelta(days=1)
        return (self._hr(now, [_job(member).row(member.person, endDate=last)]),)

    def name_change(self, now: dt.datetime) -> tuple[NativeFile, ...]:
        """A new family name in the population register; HR sends nothing."""
        person = self.cast[roles.NAME_CHANGER].person
        return (self._navet(now, [person.post(_local(now), Efternamn=NEW_FAMILY_NAME)]),)

    def hr_conflict(self, now: dt.datetime) -> tuple[NativeFile, ...]:
        """HR sends a family name of its own: not designated for names, so it is refused and shown as a conflict."""
        member = self.cast[roles.CONFLICT]
        return (self._hr(now, [_job(member).row(member.person, lastname=HR_FAMILY_NAME)]),)

    def sekretessmarkering(self, now: dt.datetime) -> tuple[NativeFile, ...]:
        """Gets a sekretessmarkering; the address stays in the post."""
        person = self.cast[roles.MARKED].person
        return (self._navet(now, [person.post(_local(now), Sekretessmarkering="J", SkyddadFolkbokforing="N")]),)

    def agreed_name(self, now: dt.datetime) -> tuple[NativeFile, ...]:
        """The marked employee and the employer agree on a name to show."""
        member = self.cast[roles.MARKED]
        return (self._hr(now, [_job(member).row(member.person, agreedDisplayName=AGREED_NAME)]),)

    def skyddad_folkbokforing(self, now: dt.datetime) -> tuple[NativeFile, ...]:
        """Gets skyddad folkbokföring: the registered address is gone, the tax agency's forwarding address is there."""
        person = self.cast[roles.PROTECTED].person
        marked: dict[str, Any] = {
            "Sekretessmarkering": "N",
            "SkyddadFolkbokforing": "J",
            "Folkbokforingsadress": ...,
            "Folkbokforingsdatum": ...,
            "LanKod": ...,
            "KommunKod": ...,
            "SarskildPostadress": FORWARDING,
        }
        return (self._navet(now, [person.post(_local(now), **marked)]),)

    def other_unit(self, unit_id: str) -> str:
        """Where the mover goes: the last unit of another nämnd, or any other unit."""
        here = next(unit for unit in self.cast.units if unit.id == unit_id)
        elsewhere = [unit for unit in self.cast.units if unit.branch != here.branch and unit.type == "enhet"]
        return (elsewhere or [unit for unit in self.cast.units if unit.id != unit_id])[-1].id

    def _next(self, source: str) -> int:
        number = self._numbers[source]
        self._numbers[source] = number + 1
        return number

    def _hr(self, now: dt.datetime, rows: Sequence[dict[str, Any]]) -> NativeFile:
        return write_export(self.cast.folder, "hr", rows, now, self._next("hr"), total=False)

    def _navet(self, now: dt.datetime, posts: Sequence[dict[str, Any]]) -> NativeFile:
        number = self._next("navet")
        path = self.cast.folder / f"navet-{number:05d}-001.xml"
        path.write_bytes(file_bytes(posts, FileHeader(number=number), now))
        return NativeFile("navet", path)


def _job(member: Member) -> Job:
    if member.job is None:
        raise ValueError(f"{member.role} has no employment")
    return member.job


def _local(now: dt.datetime) -> dt.datetime:
    return now.astimezone(STOCKHOLM)
