"""A scripted morning at the demonstration site: who touches when, and what must come of it. Pure data, seeded.

The expectations are the rules of `app.domain.verdict` at a gate that starts with no touches: whoever plays the script
may compare. Waits are compressed and must be kept at least: the first out-touch comes `SUPPRESS_SECONDS` after the last
in-touch, a double touch at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.demo.site import PHONE, SUPPRESS_SECONDS, UNKNOWN_CARD, TrayCard, tray_cards
from app.domain.events import Direction
from app.domain.verdict import Outcome, Reason

DOUBLES = 5
OUTS = 24
GAP_S = 0.1
_AWAY_AFTER, _BACK_AFTER = 0.35, 0.8
"""Shares of the in-touches after which the centre goes away and comes back."""


class StepKind(StrEnum):
    """What happens."""

    TOUCH = "touch"
    CENTRE_AWAY = "centre_away"
    CENTRE_BACK = "centre_back"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, at least `after_s` seconds after the one before.

    For a touch: its card, and what is expected, with personal reasons as the gate names them (`visit_office`).
    """

    kind: StepKind
    after_s: float
    note_ja: str
    note_en: str
    card: TrayCard | None = None
    expected: Outcome | None = None
    direction: Direction = Direction.NONE
    reasons: tuple[Reason, ...] = ()

    @property
    def stored_as(self) -> str | None:
        """Type of the event that it leaves: 'touch' or 'refusal'."""
        if self.kind is not StepKind.TOUCH:
            return None
        return "refusal" if self.expected is Outcome.REFUSED else "touch"


def script(site: dict[str, Any], seed: int = 1) -> list[Step]:
    """A morning (and the first to leave) of over 60 touches. The same for the same site and seed."""
    rng = random.Random(seed)  # noqa: S311 - a play, not a secret
    tray = tray_cards(site)
    special = [card for card in tray if card.card_key in (UNKNOWN_CARD, PHONE)]
    comers = [card for card in tray if card.card_key not in (UNKNOWN_CARD, PHONE)]
    rng.shuffle(comers)
    for card in special:
        comers.insert(rng.randrange(5, len(comers)), card)
    recorded = [card for card in comers if card.outcome is not Outcome.REFUSED]
    impatient = {card.card_key for card in rng.sample(recorded, DOUBLES)}
    away, back = (int(len(comers) * share) for share in (_AWAY_AFTER, _BACK_AFTER))

    steps: list[Step] = []
    for place, card in enumerate(comers):
        if place == away:
            steps.append(Step(StepKind.CENTRE_AWAY, GAP_S, "回線が切れる", "the line is cut"))
        if place == back:
            steps.append(Step(StepKind.CENTRE_BACK, GAP_S, "回線が戻る", "the line is back"))
        steps.append(_touch(card, Direction.IN))
        if card.card_key in impatient:
            steps.append(_double(card, Direction.IN))
    leavers = [card for card in recorded if card.card_key != UNKNOWN_CARD][:OUTS]
    leavers.insert(rng.randrange(1, OUTS), next(card for card in special if card.card_key == UNKNOWN_CARD))
    return [*steps, *_outs(leavers, rng.randrange(OUTS))]


def _outs(leavers: Iterable[TrayCard], impatient: int) -> Iterable[Step]:
    for place, card in enumerate(leavers):
        yield _touch(card, Direction.OUT, after_s=SUPPRESS_SECONDS + 1.0 if place == 0 else GAP_S)
        if place == impatient:
            yield _double(card, Direction.OUT)


def _touch(card: TrayCard, direction: Direction, after_s: float = GAP_S) -> Step:
    told = card.outcome
    way = Direction.NONE if told is Outcome.REFUSED else direction
    ja, en = {Direction.IN: ("入場", "in"), Direction.OUT: ("退場", "out")}.get(way, ("タッチ", "touch"))
    return Step(
        StepKind.TOUCH,
        after_s,
        f"{card.name} {ja}" + (f"({card.note_ja})" if card.note_ja else ""),
        f"{card.name_en}: {en}" + (f" ({card.note_en})" if card.note_en else ""),
        card,
        told,
        way,
        card.reasons,
    )


def _double(card: TrayCard, direction: Direction) -> Step:
    return Step(
        StepKind.TOUCH,
        GAP_S,
        f"{card.name} 二度タッチ",
        f"{card.name_en}: touches twice",
        card,
        Outcome.SUPPRESSED,
        direction,
    )
