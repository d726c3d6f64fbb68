"""Whom and what an event is about: the columns by which `mention` and `remote_event` are found again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.domain.events import EventType


class About(NamedTuple):
    """None where the event's type has no such thing."""

    worker_id: str | None = None
    work_day: str | None = None
    card_key: str | None = None
    target: str | None = None


def about(kind: str, payload: Mapping[str, Any]) -> About:
    """Never fails: what has another shape than the contract's is simply not found by it."""
    fields = payload.get("fields")
    fields = fields if isinstance(fields, Mapping) else {}

    def text(name: str, of: Mapping[str, Any] = payload) -> str | None:
        value = of.get(name)
        return value if isinstance(value, str) else None

    if kind == EventType.APPROVAL:
        return About(target=text("entry"))
    if kind == EventType.CORRECTION:
        # what a correction sets can bring a touch to another worker or day: found by those too
        return About(text("worker_id", fields), text("work_day", fields), None, text("target"))
    if kind == EventType.ROSTER_CHANGE:
        card = text("key") if payload.get("kind") == "card" else None
        return About(text("worker_id", fields), None, card, text("key"))
    if kind == EventType.HEADCOUNT:
        return About(None, text("day"), None, text("company_id"))
    return About(text("worker_id"), text("work_day"), text("card_key"))
