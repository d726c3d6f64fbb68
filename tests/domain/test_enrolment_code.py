"""The check letter: what a person mistypes is found before anything is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.central.credentials import new_code
from app.domain.enrolment_code import ALPHABET, LENGTH, NoCode, check_letter, grouped, normalise_code

LETTERS = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1)


@given(LETTERS, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_found(letters: str, place: int, wrong: str) -> None:
    code = letters + check_letter(letters)
    typed = code[:place] + wrong + code[place + 1 :]
    if typed == code:
        assert normalise_code(typed) == grouped(code)
        return
    with pytest.raises(NoCode) as caught:
        normalise_code(typed)
    assert caught.value.check


@given(LETTERS, st.integers(0, LENGTH - 2), st.integers(0, LENGTH - 2))
def test_two_letters_that_changed_places_are_found(letters: str, one: int, other: int) -> None:
    code = list(letters + check_letter(letters))
    swapped = code.copy()
    swapped[one], swapped[other] = code[other], code[one]
    if swapped == code:
        return
    with pytest.raises(NoCode):
        normalise_code("".join(swapped))


@given(LETTERS, st.integers(0, LENGTH - 2), st.sampled_from([("0", "QD"), ("o", "QD"), ("1", "LJ"), ("i", "LJ")]))
def test_a_letter_that_no_code_holds_is_read_as_what_it_looks_like(
    letters: str, place: int, misread: tuple[str, str]
) -> None:
    typed, meant = misread
    for letter in meant:
        code = letters[:place] + letter + letters[place + 1 :]
        code += check_letter(code)
        assert normalise_code(code[:place] + typed + code[place + 1 :]) == grouped(code)


def test_the_centres_codes_are_codes() -> None:
    for _ in range(200):
        code = new_code()
        assert normalise_code(code.lower().replace("-", " ")) == code
