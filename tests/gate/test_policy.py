"""Secure cards at the gate: what failed its proof is refused, and when "authenticated only" begins on a PC."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.assurance import Assurance
from app.domain.site import Site
from app.domain.verdict import Outcome, Reason
from app.errors import StorageTrouble
from app.gate.news import Announcement, StandingWarning
from app.gate.policy import PROVEN, SecurePolicy
from app.readers.port import CardSeen
from app.store.meta import Meta
from tests.gate.conftest import Bench
from tests.gate.test_gate import bodies

SECURE = Site("S", "現場", accepted=(Assurance.AUTHENTICATED, Assurance.CERTIFIED, Assurance.LOGGED))
OPEN = Site("S", "現場", accepted=(Assurance.AUTHENTICATED, Assurance.OPEN))


class Memory(dict[str, str]):
    """Implements `Facts`."""

    full = False

    def set(self, key: str, value: str) -> None:
        if self.full:
            raise StorageTrouble("store.disk_full")
        self[key] = value


def told(bench: Bench, outcome: Outcome, **more: Any) -> Announcement:
    values: dict[str, Any] = {"worker_id": "W1", "assurance": "authenticated"} | more
    return Announcement("test:1", outcome, (), bench.clock.now(), **values)


def cards(bench: Bench) -> list[str]:
    return list(bench.source.roster().cards)


def warned(bench: Bench) -> set[str]:
    warnings = bench.last(tuple)
    assert isinstance(warnings, tuple)
    return {warning.code for warning in warnings if isinstance(warning, StandingWarning)}


def secure_only(bench: Bench) -> None:
    bench.source.file["site"]["accepted"] = ["authenticated"]  # type: ignore[call-overload]
    bench.gate.roster_changed()


def test_a_failed_proof_is_a_stored_refusal_for_its_reason(bench: Bench) -> None:
    key = cards(bench)[0]
    bench.gate.on_reader_event(CardSeen("test:1", key, Assurance.UID, bench.clock.now(), refused=Reason.SECURE_REVOKED))
    bench.gate.settle()
    answer = bench.told()[-1]
    assert (answer.outcome, answer.reasons) == (Outcome.REFUSED, (Reason.SECURE_REVOKED,))
    assert (answer.worker_id, answer.name) == (None, ""), "a claim is nobody's"
    (event,) = bodies(bench)
    assert event["type"] == "refusal"
    assert event["payload"]["reason"] == "secure_revoked"  # type: ignore[index]


def test_authenticated_only_begins_with_the_first_card_that_passed(bench: Bench) -> None:
    plain, secure, *_ = cards(bench)
    secure_only(bench)
    assert "health.secure_not_proven" in warned(bench)
    assert bench.card(plain).outcome is Outcome.RECORDED, "as before, until a secure card has passed here"
    assert bench.card("piv:" + "AB" * 16, Assurance.AUTHENTICATED).outcome is Outcome.UNKNOWN_CARD
    bench.clock.forward(120)
    assert bench.card(plain).outcome is Outcome.RECORDED, "a card that is not of the roster proves nothing"
    assert bench.card(secure, Assurance.AUTHENTICATED).outcome is Outcome.RECORDED
    assert bench.card(plain).reasons == (Reason.ASSURANCE_TOO_LOW,)
    assert "health.secure_not_proven" not in warned(bench)
    assert Meta(bench.db).get(PROVEN) is not None


def test_it_stays_begun(bench: Bench) -> None:
    """Once proven, a PC never goes back to less by itself: not after a restart, not after the site changed its mind."""
    facts = Memory()
    policy = SecurePolicy(facts)
    assert policy.in_force(OPEN) == OPEN
    assert policy.passed(told(bench, Outcome.RECORDED_CHECK))
    assert not policy.passed(told(bench, Outcome.RECORDED)), "once"
    again = SecurePolicy(facts)
    assert again.in_force(SECURE) == SECURE
    assert again.trouble() == ()


def test_before_it_begins_what_counted_before_counts_and_what_the_site_says(bench: Bench) -> None:
    facts = Memory()
    policy = SecurePolicy(facts)
    policy.in_force(OPEN)
    kept = SecurePolicy(facts).in_force(SECURE)
    assert set(kept.accepted) == {*OPEN.accepted, *SECURE.accepted}
    assert Assurance.UID not in kept.accepted


def test_a_pc_that_never_took_less_does_not_begin_to(bench: Bench) -> None:
    policy = SecurePolicy(Memory())
    assert policy.in_force(SECURE) == SECURE
    assert policy.trouble() == ("health.secure_only_unproven",)


@pytest.mark.parametrize(
    ("outcome", "more"),
    [
        (Outcome.REFUSED, {}),
        (Outcome.UNKNOWN_CARD, {"worker_id": None}),
        (Outcome.RECORDED, {"assurance": "open"}),
        (Outcome.RECORDED, {"assurance": "certified"}),
    ],
)
def test_what_proves_nothing(bench: Bench, outcome: Outcome, more: dict[str, Any]) -> None:
    assert not SecurePolicy(Memory()).passed(told(bench, outcome, **more))


def test_a_full_disk_costs_the_note_and_nothing_else(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    facts = Memory()
    policy = SecurePolicy(facts)
    facts.full = True
    assert policy.in_force(OPEN) == OPEN
    assert not policy.passed(told(bench, Outcome.RECORDED))
    facts.full = False
    assert policy.passed(told(bench, Outcome.RECORDED)), "the next card is noted"
    assert "store.disk_full" in caplog.text
