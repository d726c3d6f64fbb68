"""What the import pages may ask. Every call returns at once; the answer comes by `reply`, on the importer's thread.

The month's pages have a thread of their own, so they stay usable while a file is read. Questions are answered in the
order they came. A plan or a preview keeps nobody waiting; while a file is stored, whoever else stores (the gate) waits
some 30 µs a row, so a file with very many new rows is refused while a gate is open (`import.too_large_beside_gate`).
Nothing here raises: what goes wrong is in the answer (`error`), or comes as `ImportTrouble` news when there is no
answer to put it in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.office.import_layout import (
    Cells,
    FormatDraft,
    FormatEntry,
    FormatSaved,
    Layout,
    Part,
    Recognised,
    Said,
)
from app.office.import_shapes import (
    BadRow,
    BatchEntry,
    BindWanted,
    ClockOffer,
    ClockPair,
    Correction,
    Imported,
    ImportNews,
    ImportTrouble,
    ImportWanted,
    Plan,
    Preview,
    PreviewRow,
    Progress,
    Proposal,
    Report,
    UnknownCard,
)
from app.office.shapes import Outcome

__all__ = [
    "BadRow",
    "BatchEntry",
    "BindWanted",
    "Cells",
    "ClockOffer",
    "ClockPair",
    "Correction",
    "FormatDraft",
    "FormatEntry",
    "FormatSaved",
    "ImportNews",
    "ImportPort",
    "ImportTrouble",
    "ImportWanted",
    "Imported",
    "Layout",
    "Outcome",
    "Part",
    "Plan",
    "Preview",
    "PreviewRow",
    "Progress",
    "Proposal",
    "Recognised",
    "Report",
    "Said",
    "UnknownCard",
]


class ImportPort(Protocol):
    """Importing as its pages see it. Thread-safe. Storing needs the right `Right.IMPORT` of who is signed in."""

    def listen(self, listener: Callable[[ImportNews], None]) -> None:
        """Call `listener` with each piece of news, on the importer's thread."""

    def formats(self, reply: Callable[[Sequence[FormatEntry]], None]) -> None:
        """All formats, the office's own first."""

    def recognise(self, files: Sequence[str], reply: Callable[[Sequence[Recognised]], None]) -> None:
        """Which formats each file may have, by its first lines."""

    def cells(self, file: str, layout: Layout, rows: int, reply: Callable[[Cells], None]) -> None:
        """The first `rows` lines (at most 200) cut as `layout` says, and what its columns seem to be."""

    def save_format(self, draft: FormatDraft, replace: bool, reply: Callable[[FormatSaved], None]) -> None:
        """Make a format of the office's own. `replace`: one of its own of the same name may be written over."""

    def offer_clock(self, pairs: Sequence[ClockPair], reply: Callable[[ClockOffer], None]) -> None:
        """Offset (one pair) or offset and linear drift (two or more) of a device's clock."""

    def preview(self, wanted: ImportWanted, rows: int, reply: Callable[[Preview], None]) -> None:
        """The first `rows` rows (at most 200) as they would be stored."""

    def plan(self, wanted: ImportWanted, reply: Callable[[Plan], None]) -> None:
        """What importing would do, in numbers; stores nothing. `Progress` meanwhile; `cancel` ends it."""

    def run(self, wanted: ImportWanted, reply: Callable[[Report], None]) -> None:
        """Import, all or nothing. `Progress` meanwhile; `cancel` ends it and nothing is stored."""

    def cancel(self) -> None:
        """End the plan, import or taking back that is under way, and all that wait. Their answers still come."""

    def batches(self, reply: Callable[[Sequence[BatchEntry]], None]) -> None:
        """Everything imported here, newest first."""

    def take_back(self, batch: int, reason: str, reply: Callable[[Outcome], None]) -> None:
        """Void everything a batch has added, sent or not (a correction for each). It may be imported again."""

    def unknown_cards(self, reply: Callable[[Sequence[UnknownCard]], None]) -> None:
        """Cards that belong to nobody, the one with most touches first."""

    def bind(self, wanted: Sequence[BindWanted], reply: Callable[[Outcome], None]) -> None:
        """Bind many cards at once, all or none. Past touches become their workers' from `valid_from` on."""

    def confirm(self, proposals: Sequence[Proposal], reply: Callable[[Outcome], None]) -> None:
        """Store proposed assignments, all or none."""
