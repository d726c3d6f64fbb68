"""The log: one transaction, no gaps, a chain, and what the gate asks of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import codec
from app.domain.assurance import Assurance
from app.domain.events import GENESIS, JST, Direction, Draft, EventType, next_hash
from app.domain.outbox import Cursor, OutboxState, Settled, roster_scope
from app.domain.roster import Roster
from app.domain.verdict import Outcome, Reason, Verdict
from app.domain.work_records import derive
from app.store import driver
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.store.rows import StoreCounts, TouchRow
from tests.helpers.drafts import SITE, START, draft
from tests.store.conftest import KEY
from tests.store.fill import feed_event, fill

W1, W2 = "91000000000001", "91000000000002"
CARD = "uid:04A1B2C3"


def bodies(db: Database) -> list[bytes]:
    with db.looking() as connection:
        return [row[0] for row in connection.execute("SELECT body FROM event ORDER BY seq")]


def test_an_append_is_an_event_a_touch_and_a_place_in_the_outbox(db: Database, log: EventLog, outbox: Outbox) -> None:
    made = draft(worker_id=W1, occupation="鉄筋工")
    stored = log.append(made)
    body = codec.canonical(made.numbered(1).as_wire())
    assert (stored.seq, stored.id, stored.hash) == (1, made.id, next_hash(GENESIS, body))
    assert bodies(db) == [body]
    assert log.chain_head() == (1, stored.hash)
    assert log.newest_recorded_at() == START
    (waiting,) = outbox.next_batch(10, 10**6)
    assert (waiting.seq, waiting.id, waiting.attempts, waiting.body) == (1, made.id, 0, body)
    assert outbox.chain_hash(1) == stored.hash
    (row,) = log.today(SITE, "2026-11-20").rows
    assert (row.worker_id, row.card_key, row.outcome, row.direction) == (W1, CARD, Outcome.RECORDED, Direction.IN)
    assert (row.at, row.state, row.entered) == (START, OutboxState.WAITING, False)


def test_an_empty_log(log: EventLog) -> None:
    assert log.chain_head() == (0, GENESIS)
    assert log.verify_chain() is None
    assert log.newest_recorded_at() is None
    assert log.counts() == StoreCounts(0, 0, 0, 0, 0, 0, 0, 0)
    assert log.last_unsuppressed(CARD) is None
    assert log.today(SITE, "2026-11-20").rows == ()
    assert log.month_facts(W1, "2026-11", SITE) == []


def test_a_float_is_refused_and_nothing_is_stored(log: EventLog) -> None:
    with pytest.raises(ValueError, match="canonical form"):
        log.append(draft(temperature=36.5))
    with pytest.raises(ValueError, match="canonical form"):
        log.append_many([draft(), draft(temperature=36.5)])
    assert log.chain_head() == (0, GENESIS)


def test_many_are_stored_in_order_or_not_at_all(log: EventLog) -> None:
    first = log.append(draft())
    made = [draft(minute=n) for n in range(5)]
    made.append(draft(EventType.ENTRY, worker_id=W1, work_day="2026-11-19", entered_by="gate"))
    stored = log.append_many(made)
    assert [one.seq for one in stored] == [2, 3, 4, 5, 6, 7]
    assert log.verify_chain() is None
    with pytest.raises(driver.Error, match="append-only"):
        log.append_many([draft(), draft(id_=first.id)])
    assert log.chain_head() == (7, stored[-1].hash)
    assert log.append_many([]) == []


FLAWS = {
    "body": "UPDATE event SET body = replace(body, 'test:1', 'test:2') WHERE seq = 3",
    "hash": "UPDATE event SET hash = zeroblob(32) WHERE seq = 3",
    "column": "UPDATE event SET id = 'another' WHERE seq = 3",
    "gap": "DELETE FROM event WHERE seq = 3",
    "unqueued": "DELETE FROM outbox WHERE seq = 3",
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_what_was_altered_behind_our_back_is_found(db: Database, log: EventLog, flaw: str) -> None:
    log.append_many([draft(minute=n) for n in range(6)])
    connection = driver.open_bare(db.path, KEY)
    for trigger in ("event_no_update", "event_no_delete", "outbox_no_delete"):
        connection.execute(f"DROP TRIGGER {trigger}")
    assert connection.execute(FLAWS[flaw]).rowcount == 1
    connection.close()
    assert log.verify_chain() == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads=st.lists(st.tuples(st.sampled_from(list(EventType)), JSON), min_size=1, max_size=6), many=st.booleans())
def test_the_chain_holds_for_any_payload(db: Database, payloads: list[tuple[EventType, Any]], many: bool) -> None:
    log = EventLog(db)
    seq, link = log.chain_head()
    made = [draft(kind, extra=extra) for kind, extra in payloads]
    stored = log.append_many(made) if many else [log.append(one) for one in made]
    for one, told in zip(made, stored, strict=True):
        seq += 1
        link = next_hash(link, codec.canonical(one.numbered(seq).as_wire()))
        assert (told.seq, told.id, told.hash) == (seq, one.id, link)
    assert log.chain_head() == (seq, link)
    assert log.verify_chain() is None


def test_the_last_touch_of_a_card(log: EventLog) -> None:
    first = log.append(draft(minute=0))
    log.append(draft(minute=0.5, suppressed_by=first.id))
    log.append(draft(EventType.REFUSAL, minute=0.7))
    found = log.last_unsuppressed(CARD)
    assert found is not None
    assert (found.id, found.occurred_at, found.direction) == (first.id, START, Direction.IN)
    assert (found.work_day, found.outcome) == (date(2026, 11, 20), Outcome.UNKNOWN_CARD)
    # imported later, touched earlier: not the last one
    log.append(draft(minute=-60, direction="out"))
    again = log.last_unsuppressed(CARD)
    assert again == found
    future = log.append(draft(minute=10**6))
    late = log.last_unsuppressed(CARD)
    assert late is not None
    assert late.id == future.id
    assert log.last_unsuppressed(CARD, not_after=START + timedelta(hours=1)) == found
    assert log.last_unsuppressed(CARD, site_id="elsewhere") is None
    assert log.last_unsuppressed("uid:00112233") is None


def test_a_touch_row_is_the_verdicts(log: EventLog) -> None:
    at = datetime(2026, 11, 20, 7, 40, 0, 999_999, tzinfo=JST)
    verdict = Verdict(
        Outcome.RECORDED_CHECK,
        (Reason.ROLE_MISSING, Reason.CARD_EXPIRING),
        CARD,
        Assurance.OPEN,
        at,
        date(2026, 11, 20),
        Direction.OUT,
        W1,
    )
    log.append(draft(worker_id=W1), TouchRow.of(verdict, reader="usb:1", source="gate"))
    (row,) = log.today(SITE, "2026-11-20").rows
    assert row.reasons == (Reason.ROLE_MISSING, Reason.CARD_EXPIRING)
    assert (row.outcome, row.direction) == (Outcome.RECORDED_CHECK, Direction.OUT)
    # milliseconds are cut as RFC 3339 cuts them
    assert row.at == at.replace(microsecond=999_000)


def test_today(log: EventLog, outbox: Outbox, rosters: RosterStore) -> None:
    stored = [
        log.append(draft(minute=0, worker_id=W1)),
        log.append(draft(minute=1, worker_id=W1, suppressed_by="x")),
        log.append(draft(minute=2, card_key="uid:99999999")),
        log.append(draft(EventType.REFUSAL, minute=3, worker_id=W2)),
        log.append(draft(EventType.ENTRY, minute=4, worker_id=W2, work_day="2026-11-20", entered_by="gate")),
        log.append(draft(minute=5, worker_id=W2, work_day="2026-11-19")),
        log.append(draft(minute=6, worker_id=W2, site_id="elsewhere")),
    ]
    outbox.settle([Settled(stored[0].id, "accepted"), Settled(stored[2].id, "rejected", "malformed")], START)
    for count, company in ((5, "A"), (3, "B"), (6, "A")):
        log.append(draft(EventType.HEADCOUNT, company_id=company, day="2026-11-20", count=count, by="gate"))
    early = feed_event(3, EventType.HEADCOUNT, minute=-9, company_id="A", day="2026-11-20", count=1, by="x")
    late = feed_event(4, EventType.HEADCOUNT, minute=9, company_id="B", day="2026-11-20", count=8, by="x")
    rosters.apply_feed(SITE, [early, late], Cursor("1"), START)
    today = log.today(SITE, "2026-11-20")
    assert [row.seq for row in today.rows] == [5, 4, 3, 2, 1]
    assert [row.entered for row in today.rows] == [True, False, False, False, False]
    assert [row.state.value for row in today.rows] == ["waiting", "waiting", "rejected", "waiting", "accepted"]
    assert today.rows[1].reasons == (Reason.CARD_STOPPED,)
    assert today.present == {W1}
    assert today.unknown_cards == 1
    assert today.headcounts == {"A": 6, "B": 8} == log.headcounts(SITE, "2026-11-20")
    assert [row.seq for row in log.today(SITE, "2026-11-20", 2).rows] == [5, 4]


def test_counts(db: Database, log: EventLog, outbox: Outbox) -> None:
    fill(db)
    log.append(draft(minute=4, suppressed_by="x"))
    assert log.counts() == StoreCounts(
        events=5, pending=2, rejected=1, conflict=1, accepted=1, suppressed=1, refused=1, unknown_cards=1
    )
    counts = outbox.counts()
    assert (counts.pending, counts.rejected, counts.conflict, counts.accepted) == (2, 1, 1, 1)
    assert counts.oldest_pending_at == START + timedelta(minutes=3)


class TestMonthFacts:
    """Whatever `derive` needs for one worker's month is there: derived from all facts or from these, it is the same."""

    def records(self, log: EventLog, worker: str = W1, roster: Roster | None = None) -> set[tuple[str, str | None]]:
        found = derive(log.month_facts(worker, "2026-11", SITE), roster or Roster())
        return {(r.work_day, r.first_in) for r in found if r.worker_id == worker and r.site_id == SITE}

    def days(self, log: EventLog, worker: str = W1) -> set[str]:
        return {day for day, _ in self.records(log, worker)}

    def test_touches_and_entries_of_the_month_and_site(self, log: EventLog) -> None:
        log.append(draft(worker_id=W1))
        log.append(draft(worker_id=W1, work_day="2026-10-31"))
        log.append(draft(worker_id=W1, work_day="2026-12-01"))
        log.append(draft(worker_id=W1, work_day="2026-11-05", site_id="elsewhere"))
        log.append(draft(worker_id=W2, work_day="2026-11-06"))
        entry = log.append(draft(EventType.ENTRY, worker_id=W1, work_day="2026-11-19", entered_by="o1"))
        assert self.days(log) == {"2026-11-20"}
        log.append(draft(EventType.APPROVAL, entry=entry.id, decision="approved", by="o2"))
        assert self.days(log) == {"2026-11-20", "2026-11-19"}

    def test_a_binding_brings_touches_of_an_unknown_card(self, log: EventLog) -> None:
        log.append(draft(card_key=CARD))
        assert self.days(log) == set()
        binding = log.append(
            draft(EventType.CARD_BINDING, card_key=CARD, worker_id=W1, valid_from="2026-11-01", by="o1")
        )
        assert self.days(log) == {"2026-11-20"}
        # bound to another one later in the month: his no more
        log.append(draft(EventType.CARD_BINDING, card_key=CARD, worker_id=W2, valid_from="2026-11-10", by="o1"))
        assert self.days(log) == set()
        assert self.days(log, W2) == {"2026-11-20"}
        fix = log.append(
            draft(EventType.CORRECTION, target=binding.id, op="set", fields={"valid_from": "2026-11-15"}, by="o1")
        )
        assert self.days(log) == {"2026-11-20"}
        log.append(draft(EventType.CORRECTION, target=binding.id, op="void", by="o1"))
        assert self.days(log) == set()
        assert fix.seq == 4

    def test_a_corrected_binding_brings_them_too(self, log: EventLog) -> None:
        log.append(draft(card_key=CARD))
        binding = log.append(
            draft(EventType.CARD_BINDING, card_key=CARD, worker_id=W2, valid_from="2026-11-01", by="o1")
        )
        log.append(draft(EventType.CORRECTION, target=binding.id, op="set", fields={"worker_id": W1}, by="o1"))
        assert self.days(log) == {"2026-11-20"}

    def test_the_rosters_card_brings_them_too(self, log: EventLog, rosters: RosterStore) -> None:
        log.append(draft(card_key=CARD))
        card = {"kind": "card", "id": CARD, "deleted": False, "worker_id": W1}
        rosters.apply_page(roster_scope(SITE), SITE, [card], Cursor("1"), START)
        found = self.records(log, roster=rosters.load(SITE, date(2026, 11, 20)))
        assert {day for day, _ in found} == {"2026-11-20"}

    def test_corrections_move_touches_here_and_away(self, log: EventLog, rosters: RosterStore) -> None:
        mine = log.append(draft(worker_id=W1, work_day="2026-11-02"))
        his = log.append(draft(worker_id=W2, work_day="2026-11-03"))
        other_month = log.append(draft(worker_id=W1, work_day="2026-10-03"))

        def fix(target: str, **fields: str) -> Draft:
            return draft(EventType.CORRECTION, target=target, op="set", fields=fields, by="o1")

        log.append(fix(mine.id, worker_id=W2))
        log.append(fix(his.id, worker_id=W1))
        log.append(fix(other_month.id, work_day="2026-11-04"))
        far = feed_event(9, EventType.TOUCH, "far", worker_id=W2, work_day="2026-11-07")
        far_fix = feed_event(10, EventType.CORRECTION, target="far", op="set", fields={"worker_id": W1}, by="o")
        rosters.apply_feed(SITE, [far, far_fix], Cursor("1"), START)
        assert self.days(log) == {"2026-11-03", "2026-11-04", "2026-11-07"}

    def test_others_events_by_receipt_ours_after_them_until_we_know_better(
        self, log: EventLog, outbox: Outbox, rosters: RosterStore
    ) -> None:
        entry = feed_event(5, EventType.ENTRY, "e5", worker_id=W1, work_day="2026-11-19", entered_by="o1")
        refusal = feed_event(9, EventType.APPROVAL, "a9", entry="e5", decision="refused", by="o3")
        rosters.apply_feed(SITE, [entry, refusal], Cursor("1"), START)
        own = log.append(draft(EventType.APPROVAL, entry="e5", decision="approved", by="o2"))
        assert self.days(log) == {"2026-11-19"}
        outbox.settle([Settled(own.id, "accepted", receipt=7)], START)
        assert self.days(log) == set()
        facts = log.month_facts(W1, "2026-11", SITE)
        assert [(fact.id, fact.receipt) for fact in facts] == [("e5", 5), (own.id, 7), ("a9", 9)]

    def test_a_later_word_of_another_station_beats_ours_once_accepted(
        self, log: EventLog, outbox: Outbox, rosters: RosterStore
    ) -> None:
        touch = log.append(draft(worker_id=W1))
        fix = log.append(draft(EventType.CORRECTION, target=touch.id, op="void", by="o1"))
        outbox.settle([Settled(touch.id, "accepted"), Settled(fix.id, "accepted")], START)
        assert self.days(log) == set()
        back = feed_event(20, EventType.CORRECTION, target=touch.id, op="set", fields={}, by="o2")
        rosters.apply_feed(SITE, [back], Cursor("1"), START)
        assert self.days(log) == {"2026-11-20"}

    def test_what_the_centre_rejected_is_no_fact(self, log: EventLog, outbox: Outbox) -> None:
        touch = log.append(draft(worker_id=W1))
        fix = log.append(draft(EventType.CORRECTION, target=touch.id, op="void", by="o1"))
        outbox.settle([Settled(fix.id, "rejected", "operator_not_allowed")], START)
        assert self.days(log) == {"2026-11-20"}

    def test_a_month_of_everybody(self, log: EventLog) -> None:
        log.append(draft(worker_id=W1))
        log.append(draft(worker_id=W2))
        log.append(draft(card_key="uid:77777777"))
        log.append(draft(EventType.CARD_BINDING, card_key="uid:77777777", worker_id="W3", valid_from="", by="o"))
        log.append(draft(EventType.CARD_BINDING, card_key="uid:77777777", worker_id="W3", valid_from="2026-11-01"))
        records = derive(log.site_facts("2026-11", SITE), Roster())
        assert {record.worker_id for record in records} == {W1, W2, "W3"}
        assert records == derive(reversed(log.site_facts("2026-11", SITE)), Roster())


def test_an_import_without_verdicts(log: EventLog) -> None:
    made = [
        draft(worker_id=W1, source="import"),
        draft(card_key="uid:99999999"),
        draft(suppressed_by="x"),
        draft(EventType.REFUSAL),
    ]
    verdict = replace(TouchRow.from_draft(made[0]), outcome="recorded_check", reasons=("role_missing",))
    log.append_many(made, {made[0].id: verdict})
    rows = {row.id: row.outcome for row in log.today(SITE, "2026-11-20").rows}
    assert [rows[one.id].value for one in made] == ["recorded_check", "unknown_card", "suppressed", "refused"]


def test_times_are_utc_and_aware(log: EventLog) -> None:
    log.append(draft())
    assert log.today(SITE, "2026-11-20").rows[0].at.tzinfo is UTC
