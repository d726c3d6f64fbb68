"""When "authenticated only" begins on a PC: once a card of the roster has passed its proof here, not before.

A site that turns to secure cards alone while this PC's reader, roots or revocation list do not work would refuse
everybody. So a PC goes on with the levels of proof it took before, and says so as a standing warning, until the first
secure card of its roster has passed; from then on, and for good, only what the site says counts. A PC that never took
less (a new one) does not begin to: the site's word holds at once, with a warning of its own.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from app.domain.assurance import Assurance
from app.domain.site import Site
from app.domain.verdict import Outcome
from app.errors import StorageTrouble
from app.gate.news import Announcement

log = logging.getLogger(__name__)

PROVEN = "secure.proven"
"""In `Meta`: when the first secure card of the roster passed on this PC."""
BEFORE = "secure.accepted_before:"
"""In `Meta`, by site: the levels this PC took last while the site took more than secure cards."""
_BY_CARD = frozenset({Assurance.OPEN, Assurance.UID})
"""What a card can give at the gate besides a proof."""
_GOOD = (Outcome.RECORDED, Outcome.RECORDED_CHECK, Outcome.SUPPRESSED)


class Facts(Protocol):
    """Where a PC keeps small facts (`app.store.meta.Meta`)."""

    def get(self, key: str) -> str | None:
        """None: never set."""

    def set(self, key: str, value: str) -> None:
        """Keep or replace."""


class SecurePolicy:
    """Gate thread alone (but for its making). Raises StorageTrouble when it cannot read what it noted."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._proven = facts.get(PROVEN) is not None
        self._trouble: tuple[str, ...] = ()

    def in_force(self, site: Site) -> Site:
        """The site with the levels of proof that count on this PC now."""
        self._trouble = ()
        key = BEFORE + site.id
        before = self._facts.get(key)
        if not _secure_only(site):
            levels = " ".join(site.accepted)
            if before != levels:
                self._keep(key, levels)
            return site
        if self._proven:
            return site
        if before is None:
            self._trouble = ("health.secure_only_unproven",)
            return site
        self._trouble = ("health.secure_not_proven",)
        earlier = (level for level in Assurance if level.value in before.split() or level in site.accepted)
        return replace(site, accepted=tuple(earlier))

    def passed(self, told: Announcement) -> bool:
        """A card was stored: True when it is the first of the roster to pass its proof here (ask `in_force` again)."""
        if self._proven or told.assurance != Assurance.AUTHENTICATED or told.worker_id is None:
            return False
        if told.outcome not in _GOOD:
            return False
        self._proven = self._keep(PROVEN, told.at.isoformat())
        return self._proven

    def trouble(self) -> tuple[str, ...]:
        """Message codes for the gate's standing warnings."""
        return self._trouble

    def _keep(self, key: str, value: str) -> bool:
        """What cannot be noted now is noted at the next occasion: no card and no gate waits for it."""
        try:
            self._facts.set(key, value)
        except StorageTrouble as trouble:
            log.error("policy: %s", trouble)
            return False
        return True


def _secure_only(site: Site) -> bool:
    return Assurance.AUTHENTICATED in site.accepted and not _BY_CARD.intersection(site.accepted)
