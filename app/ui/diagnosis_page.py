"""リーダーの診断: what is wrong first and what to do, every check below each other, and a card tried live.

A page like the others: no dialog, closes itself, and a card touched meanwhile is recorded and answered as always. It
shows no name: what is said of a card is whether it is seen, read, and known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.verdict import Outcome, Reason
from app.gate.news import Announcement
from app.messages import Message
from app.readers.port import ReaderState
from app.ui.diagnosis_parts import Advice, Row
from app.ui.pads import Pad
from app.ui.page import Page
from app.ui.support_sheet import SupportPort, SupportSheet
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Look, Theme
from app.ui.words import Words


class Finding(Protocol):
    """The answer of one check, in the window's language. `check` and `result` are codes."""

    @property
    def check(self) -> str: ...
    @property
    def result(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def remedy(self) -> str: ...


Diagnose = Callable[[Callable[[Finding | None], None]], None]
"""Begins an examination (again) and returns at once; tells each finding, then None. Any thread."""

ROWS: dict[str, tuple[str, ...]] = {
    "diagnosis.this_pc": (
        "folder",
        "disk",
        "settings",
        "keys",
        "database",
        "in_service",
        "recovery",
        "log",
        "crashes",
        "chain",
        "version",
    ),
    **{
        f"check.{name}": (name,)
        for name in ("usb", "driver", "service", "permission", "holder", "readers", "trust", "roster", "clock")
    },
    "check.centre": ("centre",),
    "check.accepted": ("accepted",),
}
"""Rows and the checks that are told in each."""
_LOOKS = {"ok": Look.RECORDED, "warning": Look.CHECK, "failed": Look.BAD, "not_checked": Look.PENDING}
_HARMLESS = ROWS["diagnosis.this_pc"]
"""A warning of these is told in its row: it is not why a card cannot be read."""
_OUT_OF_DATE_MS = 800
_SIDE, _LONGEST = 430, 480
"""Width of the checks, and of a sentence that can be told there, at 100 %."""
_HALF_READ = (Reason.SECURE_MALFORMED, Reason.SECURE_TOO_SLOW)


class DiagnosisPage(Page):
    """At the left what to do and the card, at the right the checks."""

    def __init__(
        self,
        theme: Theme,
        words: Words,
        diagnose: Diagnose | None,
        reply: Callable[[Callable[[Finding | None], None]], Callable[[Finding | None], None]],
        idle_ms: int,
        support: SupportPort | None = None,
    ) -> None:
        """`reply` brings a call onto this thread. `diagnose` None: nothing is examined, a card can be tried."""
        super().__init__(theme, words, words.title("diagnosis.title"), idle_ms)
        self._diagnose = diagnose
        self._reply = reply
        self._asked = 0
        self._done = False
        self._found: dict[str, Finding] = {}
        self._readers: dict[str, tuple[str, bool]] = {}
        self._card: Announcement | None = None
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_OUT_OF_DATE_MS)
        self._again.timeout.connect(self.begin)
        self.again = Pad(theme, words.title("diagnosis.again"), min_width=128)
        self.again.clicked.connect(lambda _=False: self.begin())
        self.head.insertWidget(1, self.again)
        self.support = SupportSheet(theme, words, support, reply)
        self.support_pad = Pad(theme, words.title("support.open"), size=18, min_width=128)
        self.support_pad.clicked.connect(lambda _=False: self.show_support(not self.support.isVisible()))
        self.support_pad.setVisible(support is not None)
        self.head.insertWidget(2, self.support_pad)
        self.support.hide()
        self.advice = Advice(theme)
        self.card_now = Text(theme, 22, words.title("diagnosis.card_now"), weight=BOLD)
        self.steps = [Row(theme, "", shape=32) for _ in range(3)]
        self.rows = {code: Row(theme, words.title(code)) for code in ROWS}
        self.ccus = Text(theme, 18, words.title("doctor.ccus_area"), ink=INK_2, lines=2)
        self.head.insertWidget(1, self.ccus, 1)
        self.head.setStretch(0, 0)
        self._left, self._right, self._sides = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        self._left.addWidget(self.advice, 1)
        self._left.addWidget(self.card_now)
        for step in self.steps:
            self._left.addWidget(step)
        for row in self.rows.values():
            self._right.addWidget(row)
        self._right.addStretch(1)
        self.side = QWidget()
        self.side.setLayout(self._right)
        self._sides.addLayout(self._left, 1)
        self._sides.addWidget(self.side)
        self.checks = QWidget()
        self.checks.setLayout(self._sides)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self.body.addWidget(self.checks, 1)
        self.body.addWidget(self.support, 1)
        self._show()
        self.restyle()

    def enter(self) -> None:
        super().enter()
        self._card = None
        self.show_support(False)
        self.begin()

    def leave(self) -> None:
        self._again.stop()
        self._asked += 1  # what is still on its way belongs to nobody
        super().leave()

    def show_support(self, wanted: bool) -> None:
        """The file for support in place of the checks, or these again."""
        say = self.words.title
        self.title.say(say("support.title" if wanted else "diagnosis.title"))
        self.support_pad.setText(say("gate.back" if wanted else "support.open"))
        self.support_pad.setAccessibleName(self.support_pad.text())
        self.head.setStretch(0, int(wanted))
        self.checks.setVisible(not wanted)
        self.again.setVisible(not wanted)
        self.ccus.setVisible(not wanted)
        self.support.setVisible(wanted)
        if wanted:
            self.support.begin()
        else:
            self.support.forget()

    def begin(self) -> None:
        """Examine anew."""
        self._again.stop()
        self._asked += 1
        self._found, self._done = {}, False
        self._show()
        asked = self._asked
        if self._diagnose is not None:
            self._diagnose(self._reply(lambda finding: self.told(finding) if asked == self._asked else None))

    def told(self, finding: Finding | None) -> None:
        """The examination has found something; None: that was all."""
        if finding is None:
            self._done = True
        else:
            self._found[finding.check] = finding
        self._show()

    def reader_changed(self, state: ReaderState) -> None:
        """Something was plugged in or pulled out: what is shown is out of date."""
        now = state.label, state.condition.usable
        if self._readers.get(state.reader) != now:
            self._readers[state.reader] = now
            if self._timer.isActive():
                self._timer.start()
                self._again.start()

    def card_told(self, news: Announcement) -> None:
        """The gate has dealt with a card."""
        if self._timer.isActive() and not news.entered:
            self._timer.start()
            self._card = news
            self._show()

    # ---- what is shown -------------------------------------------------------------------------------------------

    def _show(self) -> None:
        for code, row in self.rows.items():
            self._show_row(row, code, [self._found[name] for name in ROWS[code] if name in self._found])
        self._show_card()
        self.advice.show_advice(*self._advice())

    def _show_row(self, row: Row, code: str, found: list[Finding]) -> None:
        label = self.words.title(code)
        told = next((f for result in ("failed", "warning") for f in found if f.result == result), None)
        row.setVisible(code != "check.trust" or (bool(found) and found[0].result != "not_checked"))
        if told is not None:
            row.show_state(_LOOKS[told.result], told.title)
            if row.text.natural_width() > self.theme.px(_LONGEST):  # it would be too small to read
                row.show_state(_LOOKS[told.result], label)
        elif any(f.result == "ok" for f in found):
            row.show_state(Look.RECORDED, label)
        else:
            later = f"({self.words.title('doctor.not_checked')})" if found else ""
            row.show_state(Look.PENDING, f"{label} {later}".strip())

    def _show_card(self) -> None:
        words, card, (seen, read, known) = self.words, self._card, self.steps
        for step, code in ((seen, "card"), (read, "card_read"), (known, "card_worker")):
            step.show_state(Look.PENDING, words.title(f"check.{code}"))
        if card is None:
            return
        seen.show_state(Look.RECORDED, words.title("doctor.card"))
        trouble = self._card_trouble()
        told = trouble[1].title if trouble else ""
        if card.outcome is Outcome.UNREADABLE or set(card.reasons) & set(_HALF_READ):
            read.show_state(Look.BAD, told)
            return
        how = {"authenticated": "_proven", "open": "_open"}.get(card.assurance, "")
        read.show_state(Look.RECORDED, words.title(f"diagnosis.card_read{how}"))
        if card.outcome is Outcome.REFUSED:
            known.show_state(Look.BAD, told)
        elif trouble is not None:
            known.show_state(Look.UNKNOWN, words.title("doctor.card_unknown"))
        else:
            known.show_state(Look.RECORDED, words.title("doctor.card_worker"))

    def _card_trouble(self) -> tuple[Look, Message] | None:
        """What keeps the card from counting for somebody; None when nothing does."""
        card = self._card
        if card is None:
            return None
        if card.outcome is Outcome.REFUSED and card.reasons:
            return Look.BAD, self._message(f"reason.{card.reasons[0].value}")
        if card.outcome is Outcome.UNKNOWN_CARD or (card.outcome is Outcome.SUPPRESSED and not card.name):
            return Look.UNKNOWN, self._message("outcome.unknown_card")
        wrong = card.outcome in (Outcome.UNREADABLE, Outcome.REFUSED)
        return (Look.BAD, self._message(f"outcome.{card.outcome.value}")) if wrong else None

    def _advice(self) -> tuple[Look, Message]:
        in_order = sorted(self._found.values(), key=lambda f: f.result != "failed")
        for finding in in_order:
            if finding.result == "failed" or (finding.result == "warning" and finding.check not in _HARMLESS):
                return _LOOKS[finding.result], Message(finding.title, finding.remedy)
        if self._card is not None:
            return self._card_trouble() or (Look.RECORDED, self._message("diagnosis.well_worker"))
        if not self._done:
            return Look.PENDING, self._message("diagnosis.looking")
        return Look.RECORDED, self._message("diagnosis.well")

    def _message(self, code: str) -> Message:
        return Message(self.words.title(code), self.words.remedy(code))

    def restyle(self) -> None:
        super().restyle()
        px = self.theme.px
        self._sides.setSpacing(px(24))
        self._left.setSpacing(px(8))
        self._right.setSpacing(px(2))
        self._right.setContentsMargins(0, 0, 0, 0)
        self.side.setFixedWidth(px(_SIDE))
        for row in (*self.rows.values(), *self.steps):
            row.setFixedHeight(px(34))
