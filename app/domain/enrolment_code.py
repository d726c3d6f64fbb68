"""Enrolment codes as people type them: 11 random letters and a check letter, `ABCD-EFGH-JKLM`.

The check letter finds every single mistyped letter and every two letters that changed places: a polynomial over
GF(32) (x⁵ + x² + 1), each place with a weight of its own.
"""

from __future__ import annotations

from itertools import product

from app.domain.ids import normalise

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits of a code: no 0, O, 1, I. 5 bits each."""
LENGTH = 12
_LOOK_ALIKES = {"0": "QD", "O": "QD", "1": "LJ", "I": "LJ"}
"""What somebody has read who types a letter that no code holds."""
_START = 8
"""Makes the example in the documents a code that could be."""


class NoCode(ValueError):
    """The text can be no enrolment code. `letters`: how many it has; `check`: the form is right, a letter is not."""

    def __init__(self, letters: int, *, check: bool = False) -> None:
        super().__init__("no enrolment code")
        self.letters = letters
        self.check = check


def check_letter(letters: str) -> str:
    """The twelfth letter for eleven of `ALPHABET`."""
    rest = _START
    for letter in letters:
        rest = _times_x(rest) ^ ALPHABET.index(letter)
    return ALPHABET[_times_x(rest)]


def grouped(letters: str) -> str:
    """`ABCDEFGHJKLM` → `ABCD-EFGH-JKLM`."""
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def normalise_code(typed: str) -> str:
    """`abcd efgh-jklm` (full width too) → `ABCD-EFGH-JKLM`.

    0, O, 1 and I stand in no code: they are taken for the letter they look like when just one such reading agrees
    with the check letter. Raises NoCode.
    """
    letters = normalise(typed).upper()
    readings = [_LOOK_ALIKES.get(letter, letter) for letter in letters]
    if len(letters) != LENGTH or any(letter not in ALPHABET for reading in readings for letter in reading):
        raise NoCode(len(letters))
    strange = sum(len(reading) > 1 for reading in readings)
    if strange > 2:  # more readings than a check letter can tell apart
        raise NoCode(LENGTH, check=True)
    right = [code for code in map("".join, product(*readings)) if check_letter(code[:-1]) == code[-1]]
    if len(right) != 1:
        raise NoCode(LENGTH, check=True)
    return grouped(right[0])


def _times_x(value: int) -> int:
    doubled = value << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled
