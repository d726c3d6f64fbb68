"""PIN verifiers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InputRefused
from app.secrets import check_pin, make_pin_verifier


def test_a_pin_and_no_other() -> None:
    verifier = make_pin_verifier("4829")
    assert verifier.startswith("scrypt$16384$8$1$")
    assert "4829" not in verifier
    assert check_pin(verifier, "4829")
    assert not check_pin(verifier, "4828")
    assert not check_pin(verifier, "")
    assert make_pin_verifier("4829") != verifier


def test_a_short_pin_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"pin\.too_short"):
        make_pin_verifier("123")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40) | st.lists(st.text("0123456789$=AQ", max_size=9), max_size=7).map("$".join))
def test_a_verifier_of_another_form_lets_nobody_in(verifier: str) -> None:
    assert not check_pin(verifier, "4829")
    assert not check_pin(f"scrypt${verifier}", "4829")


@pytest.mark.parametrize("cost", ["1048576$8$1", "16384$64$1", "16384$8$99", "0$8$1", "-2$8$1", "3$8$1"])
def test_a_roster_cannot_make_the_gate_work_for_minutes(cost: str) -> None:
    tail = "$".join(make_pin_verifier("4829").split("$")[4:])
    assert not check_pin(f"scrypt${cost}${tail}", "4829")
