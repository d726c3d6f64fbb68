"""Events as a gate makes them, for tests of the store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import uuid_utils

from app.domain.events import JST, Draft, EventType, rfc3339

START = datetime(2026, 11, 20, 7, 40, tzinfo=JST)
SITE = "90000000000001"


def draft(kind: EventType = EventType.TOUCH, /, *, minute: float = 0, id_: str | None = None, **payload: Any) -> Draft:
    """An event `minute` minutes after 07:40 on 2026-11-20; `payload` is added to that of a usual touch."""
    at = START + timedelta(minutes=minute)
    site = payload.pop("site_id", SITE)
    usual: dict[str, Any] = {}
    if kind in (EventType.TOUCH, EventType.REFUSAL):
        usual = {
            "card_key": "uid:04A1B2C3",
            "work_day": at.date().isoformat(),
            "assurance": "uid",
            "reader": "test:1",
            "source": "gate",
            "clock": {"skew_ms": None, "suspect": False},
        }
        usual |= {"direction": "in"} if kind is EventType.TOUCH else {"reason": "card_stopped"}
    return Draft(id_ or str(uuid_utils.uuid7()), kind, site, rfc3339(at), rfc3339(at), usual | payload)
