"""`roster_change` events: which fields of which items a site may change, and what becomes of the item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.central.roster_items import Fields, ItemRefused, field_names, whole

CHANGEABLE: Mapping[str, frozenset[str]] = {
    "worker": frozenset({"name", "kana", "name_latin", "nationality", "visit_office"}),
    "company": frozenset({"name", "short_name", "registered", "sole_proprietor"}),
    "contract": frozenset({"company_id", "tier", "parent_id"}),
    "assignment": frozenset({"worker_id", "company_id", "occupation", "role", "starts_on", "ends_on"}),
    "card": frozenset({"worker_id", "expires_on", "stopped"}),
    "calendar": frozenset({"day_kind", "note"}),
}
"""Never from a site: operators (rights), level, 建退共, insurance and residence (the office's papers), master data."""
REMOVABLE = frozenset({"contract", "assignment", "card", "calendar"})
"""What `fields: {"deleted": true}` may take out; people and companies stay."""


class ChangeRefused(ValueError):
    """The text names the place in the event and what is wrong there."""


def changed(payload: Mapping[str, Any], held: Fields | None) -> Fields | None:
    """The whole item after a change; None takes it out. Raises ChangeRefused.

    `held`: the item's fields now; None makes a new one. Fields that no item of the kind has are ignored, as
    everywhere in the contract; known ones that a site may not change are refused.
    """
    kind, key, fields = str(payload["kind"]), str(payload["key"]), payload["fields"]
    may = CHANGEABLE.get(kind)
    if may is None:
        raise ChangeRefused(f"$.payload.kind: a site may change {', '.join(sorted(CHANGEABLE))}, not {kind[:40]!r}")
    if fields.get("deleted") is True:
        if kind not in REMOVABLE:
            raise ChangeRefused(f"$.payload.fields.deleted: a site cannot take out a {kind}")
        return None
    known = {name: value for name, value in fields.items() if name in field_names(kind)}
    for name in sorted(known.keys() - may):
        raise ChangeRefused(f"$.payload.fields.{name}: not for a site to change")
    try:
        return whole(kind, key, {**(held or {}), **known})
    except ItemRefused as exc:
        name, why = exc.args
        place = "$.payload.key" if name == "id" else f"$.payload.fields.{name}".rstrip(".")
        raise ChangeRefused(f"{place}: {why}"[:300]) from exc
