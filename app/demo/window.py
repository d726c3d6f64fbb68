"""The demonstration with its window: the gate, and a tray of virtual cards to click."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.demo.site import tray_cards
from app.demo.stage import Stage
from app.ui.card_tray import TrayCard, TraySpec
from app.wiring.window import show_window


def run(*, language: str, seconds: float | None, say: Callable[[str], None]) -> int:
    """Open the gate window of the fictional site. Main thread."""
    with Stage(say) as stage:
        english = language == "en"
        cards = [
            TrayCard(
                name=card.name_en if english else card.name,
                note=card.note_en if english else card.note_ja,
                group=_group(bool(card.note_ja), english),
                key=card.card_key,
            )
            # the instructive ones first: forty ordinary cards would hide them
            for card in sorted(tray_cards(stage.site), key=lambda card: not card.note_ja)
        ]

        def centre_stopped(stopped: bool) -> None:
            # a server takes its time to end: not the window's
            change = stage.centre_away if stopped else stage.centre_back
            threading.Thread(target=change, name="demo-centre", daemon=True).start()

        tray = TraySpec(
            cards=cards,
            on_click=lambda card: stage.cards.later(card.key),
            on_centre_stopped=centre_stopped,
        )
        return show_window(stage.run, kiosk=False, seconds=seconds, language=language, tray=tray)


def _group(special: bool, english: bool) -> str:
    if special:
        return "worth a try" if english else "いろいろな場合"
    return "ordinary cards" if english else "ふつうのカード"
