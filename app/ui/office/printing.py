"""The printed sheets are painted on a thread of their own: all companies of a large site take seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from app.office.shapes import Group, Mark, Month
from app.ui.bridge import Bridge
from app.ui.office.saving import save_file
from app.ui.office.sheet import sheet_pdf
from app.ui.words import Words

log = logging.getLogger(__name__)
Told = tuple[str, str]
"""A look's name and the sentence for the status line."""


class Printer:
    """GUI thread. One print at a time; a second one is refused in words."""

    def __init__(self, words: Words, bridge: Bridge, tell: Callable[[Told], None]) -> None:
        self._words, self._tell = words, tell
        self._busy = False
        self._done = bridge.reply(self._finished)

    def print(self, month: Month, groups: list[Group], marks: Mapping[str, Mapping[str, Mark]], site: str) -> None:
        """Paint the groups' sheets and put them into the person's documents; says so twice."""
        if self._busy:
            self._tell(("check", self._words.title("sheet.busy")))
            return
        self._busy = True
        self._tell(("", self._words.title("sheet.painting", count=len(groups))))
        name, seen = f"{self._words.title('sheet.title')}-{month.month}.pdf", dict(marks)

        def work() -> None:
            try:
                told = save_file(name, sheet_pdf(month, groups, seen, self._words, site), self._words)
            except Exception:
                log.exception("the sheet could not be painted")
                told = ("bad", self._words.title("office.bug"))
            self._done(told)

        threading.Thread(target=work, name="sheet", daemon=True).start()

    def _finished(self, told: Told) -> None:
        self._busy = False
        self._tell(told)
