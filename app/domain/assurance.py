"""Levels of proof (認証の強さ). Every touch carries one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Assurance(StrEnum):
    """How strongly a touch proves that the card was there; strongest first."""

    AUTHENTICATED = "authenticated"
    """The card proved itself cryptographically."""
    CERTIFIED = "certified"
    """From a certified system (API連携認定): counts as equal to a card reader."""
    OPEN = "open"
    """The unencrypted area was read."""
    UID = "uid"
    """Only the chip number, bound to a worker beforehand."""
    LOGGED = "logged"
    """From a logging reader's memory, sent later."""
    DECLARED = "declared"
    """Entered by hand, by phone, or by an uncertified system."""


_ORDER = tuple(Assurance)


def best(assurances: Iterable[Assurance]) -> Assurance:
    """The strongest of several. Raises ValueError when there is none."""
    return min(assurances, key=_ORDER.index)
