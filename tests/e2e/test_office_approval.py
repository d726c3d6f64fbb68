"""A foreman's PC and an approver's, a real centre between them: from a missed day to a work record, or to a refusal.

The foreman's PC is enrolled as a gate, the approver's as an office. All three have one clock that the test can move.
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from app.domain.direct_entry import deadline
from app.domain.events import JST, EventType
from app.office.port import PinRefused
from app.office.shapes import EntryWanted, Mark, MarkKind, Outcome, Right, SignedIn, Waiting
from app.secrets import make_pin_verifier
from app.settings import DataDir
from app.sync.schedule import Pace
from app.wiring import centre as centre_wiring
from app.wiring import setup
from app.wiring.office import OfficeRun, build_office
from app.wiring.station import open_station
from tests.helpers.station_rig import free_port
from tests.helpers.tiny_site import tiny_site

PACE = Pace(first_delay=0.0, backoff_base=0.05, feed_every=0.2)
FOREMAN, APPROVER, BOTH = "1111", "2222", "3333"


class MovedClock(SystemClock):
    """This PC's clock, some days ahead."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Pc:
    """An office behind a window that nobody sees; everything by its port."""

    def __init__(self, centre: OurCentre, folder: Path, role: str) -> None:
        folder.mkdir()
        code = centre_wiring.issue_code(centre.url, [centre.site_id], 1, 1, role)["enrolment_code"]
        file = folder / "provisioning.toml"
        file.write_text(
            f'schema = 1\ncentre_url = "http://127.0.0.1:{centre.port}"\nstation_name = "{role}"\n'
            f'enrolment_code = "{code}"\nkey_file = "keys.json"\n',
            encoding="utf-8",
        )
        data = DataDir.at(folder / "data")
        setup.provision(data, file, clock=centre.clock)
        self.run: OfficeRun = build_office(open_station(data, clock=centre.clock), None, PACE)
        self.run.start()

    def ask(self, question: Callable[[Callable[[Any], None]], None]) -> Any:
        answers: queue.Queue[Any] = queue.Queue()
        question(answers.put)
        return answers.get(timeout=30)

    def try_pin(self, pin: str) -> object:
        return self.ask(lambda reply: self.run.service.sign_in(pin, reply))

    def sign_in(self, pin: str) -> SignedIn:
        person = self.try_pin(pin)
        assert isinstance(person, SignedIn)
        return person

    def enter(self, *wanted: EntryWanted) -> Outcome:
        outcome = self.ask(lambda reply: self.run.service.enter(wanted, reply))
        assert isinstance(outcome, Outcome)
        return outcome

    def decide(self, ids: Sequence[str], approved: bool, reason: str = "") -> Outcome:
        outcome = self.ask(lambda reply: self.run.service.decide(ids, approved, reason, reply))
        assert isinstance(outcome, Outcome)
        return outcome

    def waiting(self) -> Sequence[Waiting]:
        found: Sequence[Waiting] = self.ask(self.run.service.waiting)
        return found

    def mark(self, worker: str, day: str) -> Mark | None:
        marks = self.ask(lambda reply: self.run.service.marks(day[:7], [worker], reply))
        found: Mark | None = marks[worker].get(day)
        return found

    def unsent(self) -> int:
        return sum(one.unsent for one in self.ask(self.run.service.deadlines))


class OurCentre:
    """The centre in this process, on a real port and a real database, with the test's clock."""

    def __init__(self, folder: Path) -> None:
        site = tiny_site(workers=4)
        site["operators"] = [
            {"id": "f", "name": "架空 職長", "roles": ["foreman"], "pin_verifier": make_pin_verifier(FOREMAN)},
            {"id": "a", "name": "架空 所長", "roles": ["approver"], "pin_verifier": make_pin_verifier(APPROVER)},
            {"id": "b", "name": "架空 主任", "roles": ["foreman", "approver"], "pin_verifier": make_pin_verifier(BOTH)},
        ]
        self.site_id, self.workers = site["site"]["id"], [one["id"] for one in site["workers"]]
        self.url, self.port, self.clock = f"sqlite:///{folder / 'central.db'}", free_port(), MovedClock()
        file = folder / "site.json"
        file.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
        centre_wiring.load_site(self.url, file)
        self.server: centre_wiring.RunningCentre | None = None
        self.come()

    def come(self) -> None:
        self.server = centre_wiring.RunningCentre(self.url, "127.0.0.1", self.port, clock=self.clock)

    def go(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def records(self) -> int:
        return centre_wiring.count_work_records(self.url)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[OurCentre]:
    made = OurCentre(tmp_path)
    yield made
    made.go()


@pytest.fixture
def gate_pc(centre: OurCentre, tmp_path: Path) -> Iterator[Pc]:
    made = Pc(centre, tmp_path / "foreman", "gate")
    yield made
    made.run.stop()


@pytest.fixture
def office_pc(centre: OurCentre, tmp_path: Path) -> Iterator[Pc]:
    made = Pc(centre, tmp_path / "approver", "office")
    yield made
    made.run.stop()


def soon(true: Callable[[], object], what: str, *pcs: Pc) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, what
        for pc in pcs:
            pc.run.engine.sync_now()
        time.sleep(0.1)


def days_before(centre: OurCentre, count: int) -> list[str]:
    today = centre.clock.now().astimezone(JST).date()
    return [(today - timedelta(days=n)).isoformat() for n in range(1, count + 1)]


def test_three_missed_days_entered_offline_two_approved_one_refused(
    centre: OurCentre, gate_pc: Pc, office_pc: Pc
) -> None:
    worker, days = centre.workers[1], days_before(centre, 3)
    assert gate_pc.sign_in(FOREMAN).rights == {Right.VIEW, Right.ENTER}
    centre.go()
    assert gate_pc.enter(*(EntryWanted(worker, day, "card_forgotten", "07:50", "17:00") for day in days)).stored == 3
    assert gate_pc.unsent() == 3, "未送信"
    assert all((m := gate_pc.mark(worker, day)) and m.kind is MarkKind.WAITING and m.unsent for day in days)

    centre.come()
    office_pc.sign_in(APPROVER)
    soon(lambda: len(office_pc.waiting()) == 3, "the entries did not reach the approver", gate_pc)
    queue_ = {one.day: one for one in office_pc.waiting()}
    assert {one.entered_by for one in queue_.values()} == {"架空 職長"}
    assert office_pc.decide([queue_[day].entry_id for day in days[:2]], True).stored == 2
    assert office_pc.decide([queue_[days[2]].entry_id], False, "この日は休工です").stored == 1
    assert office_pc.waiting() == []

    def told() -> bool:
        marks = [gate_pc.mark(worker, day) for day in days]
        kinds = [one.kind if one else None for one in marks]
        return kinds == [MarkKind.ENTERED, MarkKind.ENTERED, MarkKind.REFUSED]

    soon(told, "the answer did not reach the foreman", office_pc)
    refused = gate_pc.mark(worker, days[2])
    assert refused is not None
    assert refused.answer == "この日は休工です"
    assert centre.records() == 2
    assert gate_pc.unsent() == office_pc.unsent() == 0

    # one of the two was a mistake
    wrong = next(one for one in office_pc.ask(office_pc.run.service.decisions) if one.entry.day == days[0])
    undone = office_pc.ask(lambda reply: office_pc.run.service.undo([wrong.approval_id], "別の人でした", reply))
    assert undone.stored == 1

    def waits_again() -> bool:
        mark = gate_pc.mark(worker, days[0])
        return mark is not None and mark.kind is MarkKind.WAITING

    soon(waits_again, "the foreman still sees it approved", office_pc, gate_pc)
    assert centre.records() == 1
    assert [one.entry_id for one in office_pc.waiting()] == [wrong.entry.entry_id]
    assert list(office_pc.run.station.outbox.needing_look(9)) == [], "the centre took it"


def test_a_gate_offers_no_approval_and_the_centre_would_take_none(centre: OurCentre, gate_pc: Pc) -> None:
    (day,) = days_before(centre, 1)
    gate_pc.sign_in(FOREMAN)
    gate_pc.enter(EntryWanted(centre.workers[0], day, "no_card"))
    soon(lambda: gate_pc.unsent() == 0, "not sent", gate_pc)
    assert gate_pc.try_pin(APPROVER) == PinRefused(0), "a gate is sent no PIN of who does nothing there"
    person = gate_pc.sign_in(BOTH)
    assert Right.APPROVE in person.withheld
    (entry,) = gate_pc.waiting()
    assert gate_pc.decide([entry.entry_id], True).error == "office.not_allowed"
    # and if it did offer it:
    desk = gate_pc.run.desk
    desk._at_gate = False
    gate_pc.run.service.post(lambda: desk.sign_in("b") and None)
    assert gate_pc.decide([entry.entry_id], True).stored == 1
    outbox = gate_pc.run.station.outbox
    soon(lambda: [one.code for _, one in outbox.needing_look(9)] == ["station_not_allowed"], "it was taken", gate_pc)
    assert centre.records() == 0
    assert [one.entry_id for one in gate_pc.waiting()] == [entry.entry_id], "what was refused is no approval here"


def test_what_comes_after_the_deadline_is_refused_and_both_see_it(
    centre: OurCentre, gate_pc: Pc, office_pc: Pc
) -> None:
    in_time, late = centre.workers[:2]
    (day,) = days_before(centre, 1)
    gate_pc.sign_in(FOREMAN)
    office_pc.sign_in(APPROVER)
    assert gate_pc.enter(EntryWanted(in_time, day, "reader_down")).stored == 1
    soon(lambda: len(office_pc.waiting()) == 1, "the entry did not arrive", gate_pc)
    centre.go()
    # both go on without the centre: one enters another day, the other approves the first
    assert gate_pc.enter(EntryWanted(late, day, "reader_down")).stored == 1
    (entry,) = office_pc.waiting()
    assert office_pc.decide([entry.entry_id], True).stored == 1
    approved = office_pc.mark(in_time, day)
    assert approved is not None
    assert (approved.kind, approved.unsent) == (MarkKind.ENTERED, True)
    # the deadline passes before they are back
    over = deadline(datetime.fromisoformat(day).date()) + timedelta(days=2)
    centre.clock.ahead = over - centre.clock.now().astimezone(JST).date()
    centre.come()

    def refused(pc: Pc) -> bool:
        return [one.code for _, one in pc.run.station.outbox.needing_look(9)] == ["too_late"]

    soon(lambda: refused(gate_pc) and refused(office_pc), "the centre did not refuse", gate_pc, office_pc)
    assert centre.records() == 0
    lost = gate_pc.mark(late, day)
    assert lost is not None
    assert (lost.kind, lost.answer) == (MarkKind.NOT_TAKEN, "too_late")
    for pc in (gate_pc, office_pc):
        still = pc.mark(in_time, day)
        assert still is not None
        assert (still.kind, still.overdue) == (MarkKind.WAITING, True), "not approved, and too late now"
    (left,) = office_pc.waiting()
    assert left.days_left < 0
    assert [p.code for p in office_pc.decide([left.entry_id], True).problems] == ["approval.too_late"]
    assert [p.code for p in gate_pc.enter(EntryWanted(late, day, "no_card")).problems] == ["entry.too_late"]


def test_the_types_that_a_gate_may_not_say_are_those_that_the_office_withholds() -> None:
    """The office's own table beside the centre's."""
    from app.central.permission import ALLOWED, AT_A_GATE
    from app.office.rights import RIGHTS, rights_of

    says = {
        Right.ENTER: (EventType.ENTRY, EventType.HEADCOUNT),
        Right.APPROVE: (EventType.APPROVAL,),
        Right.CARDS: (EventType.CARD_BINDING, EventType.CORRECTION),
        Right.CORRECT: (EventType.CORRECTION, EventType.ROSTER_CHANGE),
    }
    for roles in [(role,) for role in RIGHTS] + [(role, "foreman") for role in RIGHTS]:
        for at_gate, table in ((True, AT_A_GATE), (False, ALLOWED)):
            may, withheld = rights_of(roles, at_gate=at_gate)
            for right, types in says.items():
                taken = all(set(roles) & set(table.get(kind, ())) for kind in types)
                assert taken or right not in may, (roles, right, at_gate)
                assert not (taken and right in withheld), (roles, right, at_gate)
