"""After an import: batches taken back, unknown cards bound, proposed assignments confirmed. Events, all or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from app.clock import Clock
from app.domain import ids
from app.domain.events import Draft, EventType, rfc3339
from app.domain.roster import Roster
from app.domain.site import Site
from app.errors import InputRefused
from app.office.import_shapes import (
    BatchEntry,
    BindWanted,
    Proposal,
    UnknownCard,
)
from app.office.shapes import EntryProblem, Outcome
from app.store.events import EventLog
from app.store.import_lists import ImportLists
from app.store.roster import RosterStore

LONGEST_REASON = 200
AT_ONCE = 5000
"""Bindings and assignments stored at once: a gate waits while they are."""


class ImportAfter:
    """Any thread, one question at a time. `by`: id of the operator, who has the right to import."""

    def __init__(
        self,
        lists: ImportLists,
        events: EventLog,
        rosters: RosterStore,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        at_gate: bool = False,
    ) -> None:
        """`at_gate`: the centre knows this station as a gate; there a card that is somebody else's stays his."""
        self._lists, self._events, self._rosters, self._clock, self._new_id = lists, events, rosters, clock, new_id
        self._at_gate = at_gate

    def batches(self) -> list[BatchEntry]:
        """See `ImportPort.batches`."""
        return [
            BatchEntry(
                one.batch,
                one.at,
                one.format,
                one.device,
                one.site_id,
                one.rows,
                one.events,
                one.unsent,
                one.file,
                one.first_at,
                one.last_at,
                one.counts,
                one.taken_back_at,
                one.operator_id,
                one.reason,
            )
            for one in self._lists.batches()
        ]

    def take_back(self, batch: int, reason: str, by: str, step: Callable[[int], None] = lambda done: None) -> int:
        """Void everything a batch has added; how many events that takes.

        Raises InputRefused `import.no_reason`, `import.no_batch`, `import.taken_already`; what `step` raises.
        """
        reason = reason.strip()
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise InputRefused("import.no_reason", most=LONGEST_REASON)
        site = next((one.site_id for one in self._lists.batches() if one.batch == batch), None)
        if site is None:
            raise InputRefused("import.no_batch", str(batch))
        now = self._clock.now()
        stamp = rfc3339(now)

        def drafts(targets: Iterable[str]) -> Iterator[Draft]:
            for target in targets:
                payload = {"target": target, "op": "void", "reason": reason, "by": by}
                yield Draft(self._new_id(), EventType.CORRECTION, site, stamp, stamp, payload)

        try:
            return self._lists.take_back(batch, now, by, reason, drafts, step)
        except ValueError as exc:
            raise InputRefused("import.taken_already", str(batch)) from exc

    def unknown_cards(self, site: Site) -> list[UnknownCard]:
        """See `ImportPort.unknown_cards`."""
        roster = self._rosters.load(site.id)
        return [
            UnknownCard(one.card_key, one.touches, one.first_day, one.last_day, one.source)
            for one in self._lists.unknown_cards(site.id)
            if one.card_key not in roster.cards
        ]

    def bind(self, site: Site, wanted: Sequence[BindWanted], by: str) -> Outcome:
        """Store these bindings, or say everything that is wrong with them."""
        roster = self._rosters.load(site.id)
        since = {one.card_key: one.first_day for one in self._lists.unknown_cards(site.id)}
        today = site.work_day(self._clock.now()).isoformat()
        problems: list[EntryProblem] = []
        drafts: dict[str, Draft] = {}
        for one in wanted:
            key, code = _card(one.card_key), _wrong(one, roster, at_gate=self._at_gate)
            start = one.valid_from or since.get(key or "", today)
            if not code and key in drafts:
                code = "import.bind_twice"
            if not code and key is None:
                code = "import.bind_card"
            if code or key is None:
                values = {"card": ids.mask_card_key(one.card_key), "worker": one.worker_id}
                problems.append(EntryProblem(one.worker_id, start, code, values))
                continue
            payload = {"card_key": key, "worker_id": one.worker_id, "valid_from": start, "by": by}
            drafts[key] = self._draft(EventType.CARD_BINDING, site, payload)
        return self._store(list(drafts.values()), problems)

    def confirm(self, site: Site, proposals: Sequence[Proposal], by: str) -> Outcome:
        """Store proposed assignments as changes of the roster, or say what is wrong with them."""
        roster = self._rosters.load(site.id)
        problems: list[EntryProblem] = []
        drafts: list[Draft] = []
        for one in proposals:
            if one.worker_id not in roster.workers or (one.company_id and one.company_id not in roster.companies):
                code = "import.bind_worker" if one.worker_id not in roster.workers else "import.confirm_company"
                values = {"worker": one.worker_id, "company": one.company_id}
                problems.append(EntryProblem(one.worker_id, one.day, code, values))
                continue
            held = roster.assignment(one.worker_id, one.day)
            fields = {"worker_id": one.worker_id}
            if held is None:
                fields["starts_on"] = one.day
            for name in ("company_id", "occupation", "role"):
                if getattr(one, name) and not (held and getattr(held, name)):
                    fields[name] = getattr(one, name)
            key = held.id if held else f"import-{one.worker_id}-{one.day}"
            payload = {"kind": "assignment", "key": key, "fields": fields, "reason": "import", "by": by}
            drafts.append(self._draft(EventType.ROSTER_CHANGE, site, payload))
        return self._store(drafts, problems)

    def _draft(self, kind: EventType, site: Site, payload: Mapping[str, object]) -> Draft:
        stamp = rfc3339(self._clock.now())
        return Draft(self._new_id(), kind, site.id, stamp, stamp, payload)

    def _store(self, drafts: Sequence[Draft], problems: Sequence[EntryProblem]) -> Outcome:
        if problems:
            return Outcome(problems=tuple(problems))
        if len(drafts) > AT_ONCE:
            return Outcome(error="import.too_many_at_once")
        self._events.append_many(drafts)
        return Outcome(stored=len(drafts))


def _card(text: str) -> str | None:
    try:
        return ids.card_key(text)
    except ids.InvalidId:
        return None


def _wrong(one: BindWanted, roster: Roster, *, at_gate: bool) -> str:
    if one.worker_id not in roster.workers:
        return "import.bind_worker"
    held = roster.cards.get(_card(one.card_key) or "")
    if held is not None and held.worker_id != one.worker_id:
        if at_gate:
            return "import.gate_card"
        if not one.valid_from:
            return "import.bind_taken"
    try:
        fits = not one.valid_from or date.fromisoformat(one.valid_from).isoformat() == one.valid_from
    except ValueError:
        fits = False
    return "" if fits else "import.bind_day"
