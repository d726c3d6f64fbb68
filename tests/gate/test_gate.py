"""The gate over the real store: what is announced is stored, and what cannot be stored is said loudest."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from app import codec
from app.domain.assurance import Assurance
from app.domain.events import Direction, Draft, EventType, rfc3339
from app.domain.outbox import Cursor, records_scope
from app.domain.verdict import Outcome, Reason
from app.errors import StorageTrouble
from app.gate.news import (
    Announcement,
    Delivery,
    DirectionState,
    StorageAlarm,
    Today,
    WarningLevel,
    WorkerHit,
)
from app.gate.port import PinAnswer
from app.readers.port import CardSeen, CardUnreadable
from app.secrets import make_pin_verifier
from app.store.audit import AuditTrail
from app.store.backup import DiskSpace, SpaceLevel
from app.store.roster import RosterStore
from tests.gate.conftest import Bench

CARD = "felica:0140000000000001"
OTHER = "felica:0140000000000002"


def bodies(bench: Bench) -> list[dict[str, object]]:
    return [codec.decode(row.body, dict) for row in bench.outbox.next_batch(1000, 1 << 20)]


def test_a_card_is_stored_before_it_is_announced(bench: Bench) -> None:
    stored_when_told: list[int] = []
    bench.gate.listen(
        lambda news: stored_when_told.append(bench.log.chain_head()[0]) if isinstance(news, Announcement) else None
    )
    told = bench.card(CARD)
    assert (told.outcome, told.name, told.company, told.tier) == (Outcome.RECORDED, "架空 1郎", "髙﨑鉄筋", 1)
    assert (told.occupation, told.role, told.direction) == ("鉄筋工", "職長", Direction.IN)
    assert told.days_this_month == 1
    assert stored_when_told == [1]
    assert bench.woken == [1]
    (event,) = bodies(bench)
    assert event["id"] == told.id
    assert event["type"] == "touch"
    payload = event["payload"]
    assert isinstance(payload, dict)
    assert payload["card_key"] == CARD
    assert payload["clock"] == {"skew_ms": 0, "suspect": False}
    assert payload["assurance"] == "uid"
    assert payload["work_day"] == "2026-11-20"


def test_whatever_the_system_calls_a_reader_the_centre_can_take_its_touches(bench: Bench) -> None:
    bench.card(CARD, reader="pcsc:門\n1\x00" + "x" * 300)
    (body,) = bodies(bench)
    assert body["payload"]["reader"] == ("pcsc:門 1 " + "x" * 300)[:200]  # type: ignore[index]


def test_a_double_touch_is_kept_linked_and_answered(bench: Bench) -> None:
    first = bench.card(CARD)
    bench.clock.forward(20)
    second = bench.card(CARD)
    assert second.outcome is Outcome.SUPPRESSED
    assert second.first_at == first.at
    assert second.direction is Direction.IN
    bench.clock.forward(50)
    third = bench.card(CARD)
    assert third.outcome is Outcome.RECORDED, "counted from the first touch, not from the last attempt"
    assert third.direction is Direction.OUT
    assert [b["payload"].get("suppressed_by") for b in bodies(bench)] == [None, first.id, None]  # type: ignore[attr-defined]


def test_an_unknown_card_is_kept(bench: Bench) -> None:
    told = bench.card("felica:0199999999999999")
    assert told.outcome is Outcome.UNKNOWN_CARD
    assert told.card_masked == "felica:…9999"
    assert told.name == ""
    assert len(bodies(bench)) == 1


def test_a_refused_card_is_a_refusal_and_names_nobody(bench: Bench) -> None:
    bench.source.file["cards"][0]["stopped"] = "lost"
    bench.gate.roster_changed()
    told = bench.card(CARD)
    assert (told.outcome, told.reasons, told.name) == (Outcome.REFUSED, (Reason.CARD_STOPPED,), "")
    (event,) = bodies(bench)
    assert event["type"] == "refusal"
    assert event["payload"]["reason"] == "card_stopped"  # type: ignore[index]


def test_a_secure_site_never_takes_less(bench: Bench) -> None:
    bench.source.file["site"]["accepted"] = ["authenticated"]  # type: ignore[call-overload]
    bench.gate.roster_changed()
    assert bench.card(OTHER, Assurance.AUTHENTICATED).outcome is Outcome.RECORDED  # so the site's word holds here
    assert bench.card(CARD).reasons == (Reason.ASSURANCE_TOO_LOW,)


def test_personal_reasons_never_reach_the_screen(bench: Bench) -> None:
    worker = bench.source.file["workers"][0]
    worker["insurance_confirmed"] = False
    worker["residence_expires_on"] = "2026-11-25"
    bench.gate.roster_changed()
    told = bench.card(CARD)
    assert told.outcome is Outcome.RECORDED_CHECK
    assert told.reasons == (Reason.VISIT_OFFICE,)
    kept = bench.log.today(bench.gate.site.id, "2026-11-20").rows[0].reasons
    assert kept == (Reason.INSURANCE_UNCONFIRMED, Reason.RESIDENCE_EXPIRING), "the office's list has the detail"


def test_level_and_yen_only_where_the_site_allows(bench: Bench) -> None:
    worker = bench.source.file["workers"][0]
    worker |= {"level": 3, "kentaikyo_member": True}
    bench.gate.roster_changed()
    told = bench.card(CARD)
    assert (told.level, told.retirement_yen) == (None, None)
    bench.source.file["site"] |= {"show_level": True, "show_retirement": True}  # type: ignore[operator]
    bench.gate.roster_changed()
    bench.clock.forward(24 * 3600)
    told = bench.card(CARD)
    assert (told.days_this_month, told.level, told.retirement_yen) == (2, 3, 640)


def test_an_unreadable_card_is_answered_and_nothing_is_kept(bench: Bench) -> None:
    bench.gate.on_reader_event(CardUnreadable("test:1", bench.clock.now()))
    bench.gate.settle()
    assert bench.told()[-1].outcome is Outcome.UNREADABLE
    assert bench.log.chain_head()[0] == 0


def test_what_cannot_be_stored_is_an_alarm_and_never_recorded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, expected_logs: list[str]
) -> None:
    """The full disk itself is in tests/store; here: whatever the store refuses is never announced as recorded."""
    expected_logs.append("not stored")

    def full(*_: object) -> None:
        raise StorageTrouble("store.disk_full", "disk")

    monkeypatch.setattr(bench.log, "append", full)
    bench.gate.on_reader_event(CardSeen("test:1", CARD, Assurance.UID, bench.clock.now()))
    bench.gate.settle()
    alarm = bench.last(StorageAlarm)
    assert isinstance(alarm, StorageAlarm)
    assert (alarm.lane, alarm.code) == ("test:1", "store.disk_full")
    assert bench.told() == []
    monkeypatch.undo()
    assert bench.card(CARD).outcome is Outcome.RECORDED, "the gate goes on by itself"


def test_what_is_stored_is_announced_even_if_the_month_cannot_be_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def sick(*_: object) -> None:
        raise StorageTrouble("store.disk_error", "disk")

    monkeypatch.setattr(bench.log, "month_facts", sick)
    told = bench.card(CARD)
    assert (told.outcome, told.days_this_month) == (Outcome.RECORDED, None)
    assert "the month could not be counted" in caplog.text
    assert not [news for news in bench.news if isinstance(news, StorageAlarm)]


def test_a_hand_chosen_direction_returns_to_automatic(bench: Bench) -> None:
    bench.gate.choose_direction(Direction.OUT)
    assert bench.card(CARD).direction is Direction.OUT
    bench.clock.forward(9 * 60)
    assert bench.card(OTHER).direction is Direction.OUT, "each touch starts the minutes anew"
    bench.clock.forward(10 * 60 + 1)
    bench.gate.settle()
    state = bench.last(DirectionState)
    assert isinstance(state, DirectionState)
    assert state.chosen is None
    assert bench.card("felica:0140000000000003").direction is Direction.IN


def test_today_shows_what_is_stored_and_what_became_of_it(bench: Bench) -> None:
    bench.card(CARD)
    bench.clock.forward(5)
    told = bench.card("felica:0199999999999999")
    today = bench.last(Today)
    assert isinstance(today, Today)
    assert [(line.name, line.outcome, line.delivery) for line in today.lines] == [
        ("", Outcome.UNKNOWN_CARD, Delivery.WAITING),
        ("架空 1郎", Outcome.RECORDED, Delivery.WAITING),
    ]
    assert today.present == 1
    assert [(c.company, c.present, c.on_roster, c.headcount) for c in today.companies] == [("髙﨑鉄筋", 1, 6, None)]
    from app.domain.outbox import Settled

    assert told.id is not None
    bench.outbox.settle([Settled(told.id, "accepted")], bench.clock.now())
    bench.gate.delivery_changed()
    today = bench.last(Today)
    assert isinstance(today, Today)
    assert today.lines[0].delivery is Delivery.SENT


def test_a_person_without_a_card_waits_for_approval(bench: Bench) -> None:
    bench.gate.enter_forgotten("91000000000003")
    bench.gate.settle()
    told = bench.told()[-1]
    assert told.entered
    assert told.name == "架空 3郎"
    (event,) = bodies(bench)
    assert event["type"] == "entry"
    assert event["payload"] == {
        "worker_id": "91000000000003",
        "work_day": "2026-11-20",
        "in_at": "2026-11-20T07:40:00.000+09:00",
        "company_id": "92000000000002",
        "occupation": "S01",
        "role": "R1",
        "reason": "card_forgotten",
        "entered_by": "gate",
    }
    today = bench.last(Today)
    assert isinstance(today, Today)
    assert today.present == 0, "an entry is no record before it is approved"


def test_headcount_of_the_day(bench: Bench) -> None:
    bench.gate.set_headcount("92000000000002", 7)
    today = bench.last(Today)
    assert isinstance(today, Today)
    assert today.companies[0].headcount == 7


@pytest.mark.parametrize("text", ["かくう", "カクウ", "ｶｸｳ", "架空", "2郎"])
def test_search_by_kana_in_any_form(bench: Bench, text: str) -> None:
    found: list[list[WorkerHit]] = []
    bench.gate.search(text, found.append)
    bench.gate.settle()
    assert "架空 2郎" in [hit.name for hit in found[0]]
    assert found[0][0].company == "髙﨑鉄筋"


def test_pins_are_few_slow_and_noted(bench: Bench) -> None:
    bench.source.file["operators"].append(
        {"id": "op1", "name": "山田", "roles": ["office"], "pin_verifier": make_pin_verifier("4821")}
    )
    bench.gate.roster_changed()
    answers: list[PinAnswer] = []

    def attempt(pin: str) -> PinAnswer:
        answered = threading.Event()
        bench.gate.check_pin(pin, "leave_kiosk", lambda answer: (answers.append(answer), answered.set()))
        assert answered.wait(30)
        return answers[-1]

    assert [attempt("0000").ok, attempt("1111").ok] == [False, False]
    third = attempt("2222")
    assert third.wait_s > 0
    assert not attempt("4821").ok, "the right PIN too has to wait"
    bench.clock.forward(third.wait_s + 1)
    assert attempt("4821").ok
    noted = [(row.detail, row.operator_id) for row in reversed(AuditTrail(bench.db).latest())]
    assert noted == [*[("wrong_pin", None)] * 3, ("too_soon", None), ("allowed", "op1")]


def test_a_wrong_clock_is_tagged_shown_and_never_blocks(bench: Bench) -> None:
    bench.clock.skew = 10 * 60_000
    told = bench.card(CARD)
    assert Reason.CLOCK_SUSPECT in told.reasons
    bench.gate.refresh()
    warnings = bench.last(tuple)
    assert [(w.code, w.level) for w in warnings] == [("health.clock_ahead", WarningLevel.SHOUT)]  # type: ignore[attr-defined]
    assert bodies(bench)[0]["payload"]["clock"] == {"skew_ms": 600_000, "suspect": True}  # type: ignore[index]


def test_standing_warnings_come_and_go(bench: Bench) -> None:
    fine = bench.disk[0]
    bench.disk[0] = DiskSpace(100 * 1024**2, 10**12, SpaceLevel.CRITICAL)
    bench.source.at -= timedelta(days=9)
    bench.gate.refresh()
    warnings = bench.last(tuple)
    assert {w.code for w in warnings} == {"health.disk_nearly_full", "health.roster_old"}  # type: ignore[attr-defined]
    bench.disk[0] = fine
    bench.source.at = bench.clock.now()
    bench.gate.refresh()
    assert bench.last(tuple) == ()


def test_a_listener_that_fails_stops_nobody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("broken listener")

    bench.gate.listen(broken)
    assert bench.card(CARD).outcome is Outcome.RECORDED
    assert bench.card(OTHER).outcome is Outcome.RECORDED
    assert "a listener failed" in caplog.text


def test_forty_people_at_two_readers_keep_one_order(bench: Bench) -> None:
    def line(reader: str, first: int) -> None:
        for n in range(20):
            key = f"felica:{0x0150_0000_0000_0000 + first + n:016X}"
            bench.gate.on_reader_event(CardSeen(reader, key, Assurance.UID, bench.clock.now()))

    threads = [threading.Thread(target=line, args=(f"test:{i}", 100 * i)) for i in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.gate.settle()
    told = bench.told()
    assert sorted(t.seq or 0 for t in told) == list(range(1, 41))
    assert bench.log.verify_chain() is None


def centre_says(bench: Bench, worker: str, day: str, *events: str) -> None:
    """A work record of the centre's comes down."""
    record = {"worker_id": worker, "work_day": day, "site_id": bench.gate.site.id, "assurance": "uid"}
    scope = records_scope(bench.gate.site.id, day[:7])
    page = [record | {"events": list(events), "deleted": not events}]
    RosterStore(bench.db).apply_page(scope, bench.gate.site.id, page, Cursor(day), bench.clock.now())


def test_days_and_people_of_another_gate_count_too(bench: Bench) -> None:
    worker, colleague = (str(one["id"]) for one in bench.source.file["workers"][:2])
    centre_says(bench, worker, "2026-11-18", "01-of-another-gate")
    centre_says(bench, worker, "2026-10-30", "01-of-another-gate")
    assert bench.card(CARD).days_this_month == 2
    own = str(bench.told()[-1].id)
    centre_says(bench, worker, "2026-11-20", own, "02-of-another-gate")
    centre_says(bench, colleague, "2026-11-20", "03-of-another-gate")
    bench.clock.forward(120)
    assert bench.card(CARD).days_this_month == 2, "the same day at two gates is one day"
    today = bench.last(Today)
    assert isinstance(today, Today)
    assert today.present == 2
    centre_says(bench, worker, "2026-11-18")
    bench.clock.forward(120)
    assert bench.card(CARD).days_this_month == 1, "what the centre withdrew counts no more"


def test_the_centres_record_of_a_touch_that_was_voided_here_does_not_count(bench: Bench) -> None:
    """Known here are its events: the correction, unsent as it is, beats what the centre still says."""
    worker = str(bench.source.file["workers"][0]["id"])
    first = bench.card(CARD)
    stamp = rfc3339(bench.clock.now())
    void = {"target": first.id, "op": "void", "reason": "", "by": "op"}
    bench.log.append(Draft("01-void", EventType.CORRECTION, bench.gate.site.id, stamp, stamp, void))
    centre_says(bench, worker, "2026-11-20", str(first.id))
    bench.clock.forward(24 * 3600)
    assert bench.card(CARD).days_this_month == 1


def test_a_card_bound_here_is_known_at_its_next_touch(bench: Bench) -> None:
    new = "felica:0199999999999999"
    assert bench.card(new).outcome is Outcome.UNKNOWN_CARD
    worker = bench.source.file["workers"][2]
    bench.source.file["cards"].append({"id": new, "worker_id": worker["id"]})
    bench.clock.forward(120)
    assert bench.card(new).outcome is Outcome.UNKNOWN_CARD, "nothing told the gate"
    bench.source.changes += 1
    bench.clock.forward(120)
    assert bench.card(new).name == worker["name"]


def test_what_begins_today_is_in_force_today(bench: Bench) -> None:
    """A binding that begins tomorrow is not in yesterday's roster: with the day the roster is taken anew."""
    new = "felica:0199999999999999"
    assert bench.card(new).outcome is Outcome.UNKNOWN_CARD
    worker = bench.source.file["workers"][2]
    bench.source.file["cards"].append({"id": new, "worker_id": worker["id"]})
    bench.clock.forward(24 * 3600)
    bench.gate.post(lambda: None)
    bench.gate.settle()
    bench.gate.settle()
    assert bench.card(new).name == worker["name"]
