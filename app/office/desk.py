"""The office's questions answered, one after the other. Office thread; every method may raise StorageTrouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from app.clock import Clock
from app.domain.events import JST, Draft, EventType
from app.domain.roster import Operator, Roster
from app.domain.site import Site
from app.domain.work_records import StandingEntry, WorkRecord, derive, standing_entries
from app.office import backfill, deadlines, decisions, entries, missed
from app.office import month as months
from app.office.calendar import days_of, last_day, months_later
from app.office.month import Books
from app.office.rights import rights_of
from app.office.shapes import (
    Backfill,
    Candidate,
    Deadline,
    EntryProblem,
    EntryWanted,
    HeadcountDay,
    Mark,
    Marks,
    Month,
    Outcome,
    Right,
    SignedIn,
    Waiting,
)

MARKS_AT_ONCE = 200
MOST_PEOPLE = 100_000
COUNT_EVERY_S = 300
"""The board's count is renewed no more often: in the rush every touch changes something."""


class OfficeDesk:
    """See the module. `site` and `roster` are read anew by `reload`; who sits here is set by `sign_in`."""

    def __init__(
        self,
        books: Books,
        site: Callable[[], Site],
        clock: Clock,
        new_id: Callable[[], str],
        *,
        at_gate: bool = False,
    ) -> None:
        """`at_gate`: the centre knows this station as a gate, and takes less from it."""
        self._books, self._read_site, self._clock, self._new_id = books, site, clock, new_id
        self._at_gate = at_gate
        self._counted: dict[str, tuple[int, float]] = {}
        """Month → likely missed days, and when they were counted (monotonic); kept until they are counted again."""
        self._stale: set[str] = set()
        self.site = site()
        self.roster = Roster()
        self.person: SignedIn | None = None
        self.reload()

    def reload(self) -> None:
        """Site and effective roster as they are now. Who sits here has the rights that he has now, or must leave."""
        self.site = self._read_site()
        self.roster = self._books.rosters.load(self.site.id)
        self._stale.update(self._counted)
        if self.person is not None:
            operator = self.roster.operators.get(self.person.operator_id)
            self.person = self._rights_of(operator) if operator is not None else None

    def sign_in(self, operator_id: str) -> SignedIn:
        """Somebody's PIN was right."""
        self.person = self._rights_of(self.roster.operators.get(operator_id) or Operator(operator_id, operator_id))
        return self.person

    def _rights_of(self, operator: Operator) -> SignedIn:
        return SignedIn(operator.id, operator.name, *rights_of(operator.roles, at_gate=self._at_gate))

    @property
    def today(self) -> date:
        """Japan's calendar day, by the centre's clock as far as it is known."""
        now = self._clock.now()
        return (now - timedelta(milliseconds=self._clock.skew_ms() or 0)).astimezone(JST).date()

    @property
    def work_day(self) -> date:
        """The site's work day now, by the same clock."""
        return self.site.work_day(self._clock.now() - timedelta(milliseconds=self._clock.skew_ms() or 0))

    # -- reading ---------------------------------------------------------------------------------------------------

    def month(self, wanted: str) -> Month:
        """See `OfficePort.month`."""
        recorded = self._books.office.recorded(wanted, self.site.id)
        return months.sheet(self.roster, self.site, wanted, self.work_day, recorded)

    def marks(self, wanted: str, worker_ids: Sequence[str]) -> Marks:
        """See `OfficePort.marks`."""
        return months.marks(self._books, self.roster, self.site, wanted, worker_ids[:MARKS_AT_ONCE], self.today)

    def candidates(self, wanted: str) -> Iterator[float | list[Candidate]]:
        """See `OfficePort.candidates`: how far it is (0 to 1) after every handful of people, and the list at the end.

        Between two of them the thread may do something else.
        """
        sheet = self.month(wanted)
        ids = [row.worker_id for group in sheet.groups for row in group.rows]
        every: dict[str, Mapping[str, Mark]] = {}
        for start in range(0, len(ids), MARKS_AT_ONCE // 4):
            every.update(self.marks(wanted, ids[start : start + MARKS_AT_ONCE // 4]))
            yield start / len(ids)
        evidence = self._evidence(wanted)
        found: list[Candidate] = []
        for group in sheet.groups:
            yield 1.0
            found += missed.find_in(group, sheet, every, evidence)
        self._counted[wanted] = len(found), self._clock.monotonic()
        self._stale.discard(wanted)
        yield found

    def wants_count(self, wanted: str) -> bool:
        """Whether a month's likely missed days should be counted (again): something has changed, some minutes ago."""
        if wanted not in self._counted:
            return True
        return wanted in self._stale and self._clock.monotonic() - self._counted[wanted][1] > COUNT_EVERY_S

    def _evidence(self, wanted: str) -> missed.Evidence:
        book, site = self._books.office, self.site
        first = date.fromisoformat(f"{wanted}-01")
        down: dict[str, list[tuple[str, str]]] = {}
        for start, end in book.readers_down(first, last_day(wanted), site.zone):
            day, until = site.work_day(start), min(end, site.day_bounds(site.work_day(start))[1])
            span = (f"{start.astimezone(site.zone):%H:%M}", f"{until.astimezone(site.zone):%H:%M}")
            down.setdefault(day.isoformat(), []).append(span)
        names = {one.id: one.name for one in self._books.rosters.sites()}
        elsewhere = {place: names.get(id_, id_) for place, id_ in book.elsewhere(wanted, site.id).items()}
        stray = {
            day: [f"{moment.astimezone(site.zone):%H:%M}" for moment in moments]
            for day, moments in book.stray_cards(wanted, site.id).items()
        }
        aside = book.put_aside(wanted, site.id)
        near: dict[str, set[str]] = {}
        for begin, until_day in (
            (first - timedelta(days=missed.NEAR_DAYS), first - timedelta(days=1)),
            (last_day(wanted) + timedelta(days=1), last_day(wanted) + timedelta(days=missed.NEAR_DAYS)),
        ):
            near.update(book.present(begin.isoformat(), until_day.isoformat(), site.id))
        return missed.Evidence(self.work_day.isoformat(), aside, down, elsewhere, stray, near)

    def waiting(self) -> list[Waiting]:
        """See `OfficePort.waiting`. Entries whose deadline is long past are the past's."""
        operator = self.person.operator_id if self.person else ""
        return deadlines.queue(self._open_entries(), self.roster, self.today, operator)

    def decisions(self) -> list[decisions.Decision]:
        """See `OfficePort.decisions`."""
        operator = self.person.operator_id if self.person else ""
        return decisions.decisions(self._open_entries(), self.roster, self.today, operator)

    def deadlines(self) -> list[Deadline]:
        """See `OfficePort.deadlines`."""
        here = f"{self.today:%Y-%m}"
        found = []
        for back in (-2, -1, 0):
            wanted = months_later(here, back)
            entries_ = self._entries(f"{wanted}-01", f"{wanted}-31")
            count = sum(1 for entry in entries_ if entry.approved is None)
            unsent = self._books.office.unsent(self.site.id, wanted)
            if back > -2 or count or unsent:
                found.append(deadlines.board(wanted, self.today, count, unsent, self._counted.get(wanted, (None,))[0]))
        return found

    def headcounts(self, wanted: str) -> list[HeadcountDay]:
        """See `OfficePort.headcounts`."""
        book = self._books.office
        typed, present = (
            book.headcounts(wanted, self.site.id),
            book.present(f"{wanted}-01", f"{wanted}-31", self.site.id, by_card=True),
        )
        here: dict[tuple[str, str], int] = {}
        for day, workers in present.items():
            for worker_id in workers:
                assigned = self.roster.assignment(worker_id, day)
                company_id = (assigned.company_id if assigned is not None else None) or ""
                here[day, company_id] = here.get((day, company_id), 0) + 1
        days = [d for d in days_of(wanted, self.roster, self.work_day) if not d.future]
        shown = sorted(self.roster.companies.values(), key=lambda c: (c.short_name or c.name, c.id))
        names = [(c.id, c.short_name or c.name) for c in shown]
        if any(not company_id for _, company_id in here):
            names.append(("", ""))
        return [
            HeadcountDay(id_, name, d.day, typed.get((d.day, id_)), here.get((d.day, id_), 0), d.closed, d.holiday)
            for id_, name in names
            for d in days
        ]

    def backfill(self, wanted: str) -> list[Backfill]:
        """See `OfficePort.backfill`."""
        return backfill.preview(self._lacking_records(wanted), self.roster, self.today)

    def _lacking_records(self, wanted: str) -> list[WorkRecord]:
        """Records of a month, at least all those that lack something."""
        site_id, events = self.site.id, self._books.events
        people = {card.worker_id for card in self.roster.cards.values()}.union(
            self.roster.workers, self._books.office.concerned(wanted, site_id)
        )
        lacking = backfill.may_lack(people, self.roster, [d.day for d in days_of(wanted, self.roster, self.today)])
        # a handful is soon told; where most lack something, all together are told sooner than one by one
        few = 2 * len(lacking) < len(people)
        facts = events.workers_facts(lacking, wanted, site_id) if few else events.site_facts(wanted, site_id)
        records = (r for r in derive(facts, self.roster) if r.work_day[:7] == wanted and r.site_id == site_id)
        return [r for r in records if r.worker_id in lacking]

    def _entries(self, first_day: str, last: str) -> list[StandingEntry]:
        facts = self._books.office.entry_facts(self.site.id, first_day, last)
        return [e for e in standing_entries(facts) if first_day <= str(e.payload.get("work_day")) <= last]

    def _open_entries(self) -> list[StandingEntry]:
        """Those whose deadline may matter to anybody: of the last two months and of this one."""
        return self._entries(f"{months_later(f'{self.today:%Y-%m}', -2)}-01", "9999-12-31")

    # -- writing ---------------------------------------------------------------------------------------------------

    def enter(self, wanted: Sequence[EntryWanted]) -> Outcome:
        """See `OfficePort.enter`."""
        desk = self._desk(Right.ENTER)
        if desk is None:
            return NOT_ALLOWED
        found: dict[str, dict[str, Mark]] = {}
        for name in {one.day[:7] for one in wanted}:
            ids = sorted({one.worker_id for one in wanted if one.day[:7] == name})
            for start in range(0, len(ids), MARKS_AT_ONCE):
                for worker_id, days in self.marks(name, ids[start : start + MARKS_AT_ONCE]).items():
                    found.setdefault(worker_id, {}).update(days)
        return self._store(entries.entry_drafts(desk, wanted, found))

    def decide(self, entry_ids: Sequence[str], approved: bool, reason: str) -> Outcome:
        """See `OfficePort.decide`."""
        desk = self._desk(Right.APPROVE)
        if desk is None:
            return NOT_ALLOWED
        return self._store(entries.approval_drafts(desk, self._open_entries(), entry_ids, approved, reason))

    def take_back(self, entry_ids: Sequence[str], reason: str) -> Outcome:
        """See `OfficePort.take_back`."""
        desk = self._desk(Right.ENTER)
        if desk is None:
            return NOT_ALLOWED
        if self._at_gate and set(entry_ids) - self._books.office.made_here(entry_ids):
            return Outcome(error="office.made_elsewhere")
        return self._store(entries.void_drafts(desk, self._open_entries(), entry_ids, reason))

    def undo(self, approval_ids: Sequence[str], reason: str) -> Outcome:
        """See `OfficePort.undo`."""
        desk = self._desk(Right.APPROVE)
        if desk is None:
            return NOT_ALLOWED
        return self._store(decisions.undo_drafts(desk, self._open_entries(), approval_ids, reason))

    def set_aside(self, worker_id: str, day: str, aside: bool) -> Outcome:
        """See `OfficePort.set_aside`."""
        if self.person is None or Right.ENTER not in self.person.rights:
            return NOT_ALLOWED
        self._books.office.set_aside(self.site.id, worker_id, day, aside, self.person.operator_id)
        self._counted.clear()
        return Outcome()

    def set_headcount(self, company_id: str, day: str, count: int) -> Outcome:
        """See `OfficePort.set_headcount`."""
        desk = self._desk(Right.ENTER)
        if desk is None:
            return NOT_ALLOWED
        if company_id not in self.roster.companies or not 0 <= count <= MOST_PEOPLE or day > desk.today.isoformat():
            return Outcome(error="office.bad_headcount")
        payload = {"company_id": company_id, "day": day, "count": count, "by": desk.operator_id}
        return self._store([desk.draft(EventType.HEADCOUNT, payload)])

    def apply_backfill(self, wanted: str, event_ids: Sequence[str]) -> Outcome:
        """See `OfficePort.apply_backfill`."""
        desk = self._desk(Right.CORRECT)
        if desk is None:
            return NOT_ALLOWED
        return self._store(backfill.drafts(desk, self.backfill(wanted), event_ids))

    def _desk(self, right: Right) -> entries.Desk | None:
        if self.person is None or right not in self.person.rights:
            return None
        return entries.Desk(
            self.site, self.roster, self.person.operator_id, self._clock.now(), self.today, self._new_id
        )

    def _store(self, made: Sequence[Draft] | Sequence[EntryProblem]) -> Outcome:
        problems = tuple(one for one in made if isinstance(one, EntryProblem))
        if problems:
            return Outcome(problems=problems)
        drafts = [one for one in made if isinstance(one, Draft)]
        self._books.events.append_many(drafts)
        self._counted.clear()
        return Outcome(stored=len(drafts))


NOT_ALLOWED = Outcome(error="office.not_allowed")
