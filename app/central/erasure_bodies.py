"""An event's body without a person: pure, so that it can be looked at alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import codec

_FREE_TEXT = ("reason",)


@dataclass(frozen=True, slots=True)
class Person:
    """Who goes. `cards`: all that ever led to the person, with the pseudonym of each; `own`: those nobody else has."""

    worker_id: str
    pseudonym: str
    cards: Mapping[str, str]
    own: frozenset[str]


def redacted(body: bytes, person: Person, *, counted: bool) -> bytes | None:
    """The canonical bytes without the person; None when the event is not about the person or holds nothing of it.

    `counted`: the event counts in a work record of the person, whoever it names; its touch then names the pseudonym,
    so that the record stays whose it is.
    """
    event = codec.decode(body, dict[str, Any])
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return None
    holder = payload.get("worker_id")
    card = payload.get("card_key", payload.get("key"))
    anothers = card in person.cards and card not in person.own and not counted
    if anothers and not _names(event, person.worker_id):
        return None
    made = _without(event, person, {person.worker_id} if anothers else {person.worker_id, *person.cards})
    changed = made["payload"]
    for name in _FREE_TEXT:
        if isinstance(changed.get(name), str):
            changed[name] = ""
    if event.get("type") == "touch" and counted and not holder:
        changed["worker_id"] = person.pseudonym
    if (
        event.get("type") == "roster_change"
        and payload.get("kind") == "worker"
        and payload.get("key") == person.worker_id
    ):
        changed["fields"] = {"deleted": True} if (payload.get("fields") or {}).get("deleted") else {}
    packed = codec.canonical(made)
    return None if packed == body else packed


def _names(value: Any, wanted: str) -> bool:
    if isinstance(value, str):
        return wanted in value
    if isinstance(value, dict):
        return any(_names(one, wanted) for one in value.values())
    return isinstance(value, list) and any(_names(one, wanted) for one in value)


def _without(value: Any, person: Person, gone: set[str]) -> Any:
    """A copy in which every text holds pseudonyms instead."""
    if isinstance(value, str):
        for name in gone:
            if name in value:
                value = value.replace(name, person.cards.get(name, person.pseudonym))
        return value
    if isinstance(value, dict):
        return {key: _without(one, person, gone) for key, one in value.items()}
    return [_without(one, person, gone) for one in value] if isinstance(value, list) else value
