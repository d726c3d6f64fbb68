"""Cards read by a profile, through the gate: who they are, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app import codec
from app.domain.assurance import Assurance
from app.domain.verdict import Outcome, Reason
from app.gate.news import Announcement
from app.readers.port import CardSeen
from tests.gate.conftest import Bench

KEY = "profile:ours:4539578763621486"
WORKER = "91000000000001"
CHIP = "felica:0101000000001234"


def put(
    bench: Bench, key: str, assurance: Assurance, attributes: Mapping[str, str], refused: Reason | None = None
) -> Announcement:
    seen = CardSeen("test:1", key, assurance, bench.clock.now(), attributes=attributes, refused=refused)
    bench.gate.on_reader_event(seen)
    bench.gate.settle()
    return bench.told()[-1]


def stored(bench: Bench) -> tuple[str, dict[str, object]]:
    """Type and payload of the latest event."""
    rows = bench.outbox.next_batch(1000, 1 << 20)
    event = codec.decode(rows[-1].body, dict)
    return event["type"], event["payload"]


def test_a_card_that_names_its_worker(bench: Bench) -> None:
    attributes = {"worker_id": WORKER, "expires_on": "2026-11-30", "chip": CHIP, "field.holder": "架空 1郎"}
    told = put(bench, KEY, Assurance.OPEN, attributes)
    assert (told.outcome, told.name, told.reasons) == (
        Outcome.RECORDED_CHECK, "架空 1郎", (Reason.CARD_EXPIRING,),
    )  # fmt: skip
    assert (told.company, told.days_this_month) == ("髙﨑鉄筋", 1)
    kind, payload = stored(bench)
    assert kind == "touch"
    assert {k: payload[k] for k in ("card_key", "worker_id", "assurance")} == {
        "card_key": KEY, "worker_id": WORKER, "assurance": "open",
    }  # fmt: skip
    assert "架空" not in str(payload)


def test_a_refused_content_is_kept_as_a_refusal(bench: Bench) -> None:
    bound = "felica:0140000000000001"
    attributes = {"profile": "ours", "content_refused": "card_number: luhn"}
    told = put(bench, bound, Assurance.UID, attributes, Reason.CARD_CONTENT)
    assert (told.outcome, told.reasons, told.name) == (Outcome.REFUSED, (Reason.CARD_CONTENT,), "")
    kind, payload = stored(bench)
    assert (kind, payload["reason"], payload["card_key"]) == ("refusal", "card_content", bound)
    assert "worker_id" not in payload


@pytest.mark.parametrize("worker", ["91000000009999", None])
def test_a_worker_nobody_knows_is_kept_as_an_unknown_card(bench: Bench, worker: str | None) -> None:
    told = put(bench, KEY, Assurance.OPEN, {"worker_id": worker} if worker else {})
    assert (told.outcome, told.card_masked) == (Outcome.UNKNOWN_CARD, "profile:ours:…1486")
    assert "worker_id" not in stored(bench)[1]
