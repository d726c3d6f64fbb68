"""What an entry may name where the assignment says nothing: companies, 職種 and 立場 of the roster, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.roster import Company, Occupation, Role, Roster

Choice = tuple[str, str]
"""Id and name."""


@dataclass(frozen=True, slots=True)
class Choices:
    """See the module."""

    companies: tuple[Choice, ...] = ()
    occupations: tuple[Choice, ...] = ()
    roles: tuple[Choice, ...] = ()


def choices_of(roster: Roster) -> Choices:
    """All that a roster has."""

    def named(items: Iterable[Company | Occupation | Role]) -> tuple[Choice, ...]:
        return tuple(sorted(((one.id, one.name) for one in items), key=lambda one: (one[1], one[0])))

    return Choices(named(roster.companies.values()), named(roster.occupations.values()), named(roster.roles.values()))
