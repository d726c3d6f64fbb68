"""Promise: in every order of touches, kills, network faults, full disks and clock jumps, nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from app.domain.events import Draft
from app.domain.outbox import Outgoing, Settled
from app.store.events import EventLog
from app.store.rows import Stored, TouchRow
from app.sync.push import Pusher
from app.sync.trouble import Offline
from app.wiring.gate import new_event_id
from tests.central.conftest import cluster, url  # noqa: F401 - fixtures
from tests.faults.machine import FaultMachine, Surroundings


@pytest.fixture
def around(url: str, tmp_path: Path) -> Iterator[Surroundings]:  # noqa: F811
    made = Surroundings(url, tmp_path)
    yield made
    made.close()


def machine_of(around: Surroundings) -> FaultMachine:
    return type("Machine", (FaultMachine,), {"around": around})()


def run(around: Surroundings, examples: int, steps: int) -> None:
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(lambda: machine_of(around), settings=bounds)


def test_any_order_of_faults_loses_and_doubles_nothing(around: Surroundings) -> None:
    run(around, examples=7 if around.db.kind == "sqlite" else 3, steps=20)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_orders_of_faults(around: Surroundings) -> None:
    run(around, examples=300, steps=60)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("flaw", "found"),
    [("loses", "not stored"), ("doubles", "stored more than was held out"), ("believes", "acknowledged too early")],
)
def test_the_machine_sees_a_program_with_a_flaw(
    around: Surroundings, flaw: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof of the proof: each flaw that it looks for is put in, and found."""
    real_append, real_send = EventLog.append, Pusher._send
    unlucky = around.site["cards"][0]["id"]

    def loses(self: EventLog, draft: Draft, touch: TouchRow | None = None) -> Stored:
        if draft.payload["card_key"] == unlucky:
            return Stored(1, draft.id, b"")
        return real_append(self, draft, touch)

    def doubles(self: EventLog, draft: Draft, touch: TouchRow | None = None) -> Stored:
        if draft.payload["card_key"] == unlucky:
            real_append(self, replace(draft, id=new_event_id()), touch)
        return real_append(self, draft, touch)

    def believes(self: Pusher, rows: Sequence[Outgoing]) -> None:
        """A client that takes what it sent for received, whatever came back."""
        try:
            real_send(self, rows)
        except Offline:
            self._outbox.settle([Settled(row.id, "accepted") for row in rows], self._clock.now())

    def story() -> None:
        machine = machine_of(around)
        machine.open()
        try:
            for faults in (["none"], ["refuse"], ["lost_answer", "half_the_ids"]):
                machine.touches(0, [0, 1, 2])
                machine.acknowledged_at_the_centre_stored()
                machine.deliver(0, faults, 0)
                machine.acknowledged_at_the_centre_stored()
        finally:
            machine.teardown()

    story()
    if flaw == "believes":
        monkeypatch.setattr(Pusher, "_send", believes)
    else:
        monkeypatch.setattr(EventLog, "append", loses if flaw == "loses" else doubles)
    with pytest.raises(AssertionError, match=found):
        story()
