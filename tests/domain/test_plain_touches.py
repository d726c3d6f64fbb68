"""`plain_records` says what `derive` says, or nothing at all."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.plain_touches import plain_records
from app.domain.work_records import Fact, derive
from tests.domain.test_work_records import FACT, PAYLOADS, ROSTER, SITES, TIMES, WORKERS

PLAIN = st.builds(
    lambda place, site, at, payload, worker: Fact(place, "", "touch", site, at, payload | {"worker_id": worker}),
    st.integers(1, 9),
    st.sampled_from(SITES),
    TIMES,
    PAYLOADS["touch"],
    st.sampled_from(WORKERS),
)
SILENT = st.builds(Fact, st.just(1), st.just(""), st.sampled_from(["headcount", "refusal", "roster_change"]),
                   st.sampled_from(SITES), TIMES, PAYLOADS["touch"])  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.lists(st.one_of(PLAIN, PLAIN, PLAIN, SILENT), max_size=16), st.permutations(range(16)))
def test_touches_that_name_their_worker(made: list[Fact], names: list[int]) -> None:
    """Suppressed, malformed and equal-timed ones among them; ids in any order. It always knows."""
    facts = [replace(fact, id=f"f{names[n]:02}") for n, fact in enumerate(made)]
    assert plain_records(facts, ROSTER) == derive(facts, ROSTER)


@settings(deadline=None, max_examples=500)
@given(st.lists(FACT, max_size=8))
def test_anything_else_is_left_to_derive(facts: list[Fact]) -> None:
    known = plain_records(facts, ROSTER)
    assert known is None or known == derive(facts, ROSTER)
