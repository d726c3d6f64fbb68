"""The quick ways equal the slow ones: canonical bytes, and what is remembered of a card over days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app import codec
from app.domain.assurance import Assurance
from app.domain.events import JST, Draft, EventType
from app.domain.roster import Assignment, Card, Company, Contract, Roster, Worker
from app.domain.site import Site
from app.domain.verdict import CardRead, ClockState, standing, standing_turns
from app.office.import_bytes import Frame

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ID = "01939b5e-0000-7000-8000-000000000001"
AT = "2026-11-19T07:40:00.000+09:00"


@given(
    card=TEXT,
    reader=TEXT,
    source=TEXT,
    site=TEXT,
    worker=st.none() | TEXT,
    reason=st.none() | TEXT,
    by=st.none() | st.just(ID),
    way=st.sampled_from(["in", "out", "none"]),
    seq=st.integers(1, 2**53 - 1),
    skew=st.none() | st.integers(-(2**40), 2**40),
    suspect=st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_bytes_are_canonical(
    card: str,
    reader: str,
    source: str,
    site: str,
    worker: str | None,
    reason: str | None,
    by: str | None,
    way: str,
    seq: int,
    skew: int | None,
    suspect: bool,
) -> None:
    clock = {"skew_ms": skew, "suspect": suspect}
    payload: dict[str, object] = {
        "card_key": card,
        "work_day": "2026-11-19",
        "assurance": "logged",
        "reader": reader,
        "source": source,
        "clock": clock,
    }
    if reason is not None:
        payload["reason"], kind, by = reason, EventType.REFUSAL, None
    else:
        payload["direction"], kind = way, EventType.TOUCH
        if worker is not None:
            payload["worker_id"] = worker
        if by is not None:
            payload["suppressed_by"] = by
    frame = Frame(site, AT, "logged", source, clock)
    body = frame.piece(card, reader, worker, reason).body(
        ID, AT, "2026-11-19", way if reason is None else None, by, seq
    )
    assert body == codec.canonical(Draft(ID, kind, site, AT, AT, payload).numbered(seq).as_wire())


DAYS = st.none() | st.dates(date(2026, 10, 1), date(2027, 1, 31)).map(date.isoformat) | st.just("2026-13-45")


@given(
    starts=st.lists(st.tuples(DAYS, DAYS), max_size=3),
    card_end=DAYS,
    own_end=DAYS,
    residence=DAYS,
    ahead=st.integers(0, 40),
    day=st.dates(date(2026, 9, 1), date(2027, 3, 1)),
)
@settings(deadline=None, max_examples=400)
def test_a_standing_changes_on_its_turns_alone(
    starts: list[tuple[str | None, str | None]],
    card_end: str | None,
    own_end: str | None,
    residence: str | None,
    ahead: int,
    day: date,
) -> None:
    roster = Roster.of(
        [
            Worker("w", "架空", residence_expires_on=residence),
            Card("uid:04A1B2C3", "w", expires_on=card_end),
            Company("c", "架空"),
            Contract("C0", "c", 0),
            *(Assignment(f"a{n}", "w", "c", "o", None, one, other) for n, (one, other) in enumerate(starts)),
        ]
    )
    site = Site("s", "架空", expiring_days=ahead)
    read = CardRead("uid:04A1B2C3", Assurance.LOGGED, datetime(2026, 1, 1, tzinfo=JST), expires_on=own_end)
    turns = standing_turns(read, site=site, roster=roster)
    if turns is None:
        return

    def on(when: date) -> object:
        return standing(read, day=when, site=site, roster=roster, clock=ClockState())

    after = day + timedelta(days=1)
    if on(day) != on(after):
        assert after.isoformat() in turns
