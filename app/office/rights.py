"""Who may do what in the office, from his roles and from what the centre knows this PC as. Pure.

The centre judges by its own table (docs/contract.md, "Who may say what"); these spare the tries. The window and the
command line both ask here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.office.shapes import Right

RIGHTS: Mapping[str, frozenset[Right]] = {
    "gate": frozenset({Right.VIEW}),
    "foreman": frozenset({Right.VIEW, Right.ENTER}),
    "approver": frozenset({Right.VIEW, Right.APPROVE}),
    "office": frozenset({Right.VIEW, Right.ENTER, Right.IMPORT, Right.CARDS, Right.CORRECT}),
    "administrator": frozenset(Right),
}
"""Role of an operator → rights, at a PC that is enrolled as an office."""

_NEVER_AT_A_GATE = frozenset({Right.APPROVE, Right.CORRECT})
_FOREMANS_AT_A_GATE = frozenset({Right.ENTER, Right.CARDS})
"""What the centre takes from a gate in the name of an operator who is a foreman (too), and of nobody else."""


def rights_of(roles: Collection[str], *, at_gate: bool) -> tuple[frozenset[Right], frozenset[Right]]:
    """What somebody with these roles may do here, and what he might do at an office's PC but not here."""
    whole = frozenset(right for role in roles for right in RIGHTS.get(role, ()))
    if not at_gate:
        return whole, frozenset()
    withheld = whole & (_NEVER_AT_A_GATE | (frozenset() if "foreman" in roles else _FOREMANS_AT_A_GATE))
    return whole - withheld, withheld
