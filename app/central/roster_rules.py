"""What must hold of a site's roster as a whole, whichever door an item comes in by: ids in one form, texts that can
be shown, references that lead somewhere, and one contract tree (施工体制) without gaps or circles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from app.domain import ids

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "contract": {"company_id": "company", "parent_id": "contract"},
    "assignment": {"worker_id": "worker", "company_id": "company", "occupation": "occupation", "role": "role"},
    "card": {"worker_id": "worker"},
    "operator": {"worker_id": "worker"},
    "target": {"company_id": "company"},
}
"""Fields that name another item, and the kind of that item."""
MAX_ID = 64
MAX_CARD_KEY = 130
MAX_TEXT = 200
MAX_SHORT_NAME = 60
MAX_TIER = 20
_LOCAL = re.compile(r"(?=.*[A-Za-z])[0-9A-Za-z_-]{1,32}", re.ASCII)
_LIMITS = {"short_name": MAX_SHORT_NAME, "pin_verifier": 1000, "worker_id": MAX_ID, "company_id": MAX_ID}
_WIDE_BLANK = "\u3000"
"""The ideographic space that stands between family and given name; Python does not count it as printable."""


def _or_local(form: Callable[[str], str]) -> Callable[[str], str]:
    """Fourteen digits, or a local id: letters, digits, '-' and '_' with at least one letter, up to 32."""

    def read(text: str) -> str:
        plain = unicodedata.normalize("NFKC", text).strip()
        return plain if _LOCAL.fullmatch(plain) else form(text)

    return read


ID_FORMS: Mapping[str, Callable[[str], str]] = {
    "worker": _or_local(ids.worker_id),
    "company": _or_local(ids.company_id),
    "card": ids.card_key,
}
"""How ids of these kinds are brought into their one form. Each raises ids.InvalidId."""


def bad_text(name: str, text: str) -> str | None:
    """Why a text field cannot stand on a screen or a paper; None when it can."""
    most = _LIMITS.get(name, MAX_TEXT)
    if len(text) > most:
        return f"{len(text)} characters, at most {most}"
    if name == "name" and not text.strip():
        return "expected a name, not blanks"
    return unprintable(text)


def bad_id(kind: str, item_id: str) -> str | None:
    """Why this cannot be the id of an item; None when it can."""
    form = ID_FORMS.get(kind)
    if form is not None:
        try:
            own = form(item_id)
        except ids.InvalidId as exc:
            return str(exc)
        if own != item_id:
            return f"expected the one form of it, {own}"
    most = MAX_CARD_KEY if kind == "card" else MAX_ID
    if not 1 <= len(item_id) <= most or not item_id.strip():
        return f"expected 1 to {most} characters"
    return unprintable(item_id)


def unprintable(text: str) -> str | None:
    """The first character that nobody could see, as a reason; None without one."""
    for character in text:
        if not character.isprintable() and character != _WIDE_BLANK:
            return f"a character that cannot be seen (U+{ord(character):04X})"
    return None


class Misfit(NamedTuple):
    """A contract that does not fit the tree: its id, the field, and why."""

    contract_id: str
    field: str
    why: str


def tree_misfits(contracts: Mapping[str, Mapping[str, Any]], newest: Collection[str] = ()) -> Iterator[Misfit]:
    """What keeps contracts from being one tree: circles, a second 元請, a tier that is not one below its parent's.

    `newest`: ids that are blamed first where the fault is between two. A parent that is not there is a dangling
    reference, which is looked for elsewhere.
    """
    in_circle: set[str] = set()
    for contract_id in sorted(contracts):
        circle = _circle(contracts, contract_id)
        if circle and in_circle.isdisjoint(circle):
            blamed = next((one for one in circle if one in newest), circle[0])
            yield Misfit(blamed, "parent_id", f"a circle: {' → '.join([*circle, circle[0]])}")
        in_circle |= set(circle)
    roots = sorted((i for i, one in contracts.items() if one.get("parent_id") is None), key=lambda i: (i in newest, i))
    for contract_id in roots[1:]:
        yield Misfit(contract_id, "parent_id", f"only one contract (the 元請's) has none above it: {roots[0]}")
    for contract_id, one in sorted(contracts.items()):
        parent = contracts.get(one.get("parent_id") or "")
        if one.get("parent_id") is None and one["tier"] != 0:
            yield Misfit(contract_id, "tier", f"a contract with none above it is tier 0, not {one['tier']}")
        elif parent is not None and contract_id not in in_circle and one["tier"] != parent["tier"] + 1:
            above = f"{one['parent_id']} (tier {parent['tier']})"
            yield Misfit(contract_id, "tier", f"below {above} it is tier {parent['tier'] + 1}, not {one['tier']}")


def _circle(contracts: Mapping[str, Mapping[str, Any]], start: str) -> list[str]:
    """The contracts on the way up from `start` back to it; [] when the way does not lead back."""
    way, current = [start], contracts[start].get("parent_id")
    while current is not None and current in contracts and current not in way:
        way.append(current)
        current = contracts[current].get("parent_id")
    return way if current == start else []
