"""Finding a worker by a few letters of his name or kana, among those of a month's sheet."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.kana import folded
from app.office.shapes import Month, Row


class WorkerSearch:
    """Plain values; no widgets."""

    def __init__(self) -> None:
        self._rows: tuple[tuple[str, Row], ...] = ()
        self._companies: dict[str, str] = {}

    def show_month(self, month: Month) -> None:
        """The people there are."""
        self._companies = {group.company_id: group.company for group in month.groups}
        rows = [row for group in month.groups for row in group.rows]
        rows.sort(key=lambda row: (row.kana or row.name, row.worker_id))
        self._rows = tuple((f"{folded(row.name)} {folded(row.kana)} {row.worker_id}", row) for row in rows)

    def company(self, row: Row) -> str:
        """Name of his company; '' when he has none."""
        return self._companies.get(row.company_id, "")

    def hits(self, typed: str, most: int) -> Sequence[Row]:
        """Who fits all the words typed: hiragana finds katakana, width and case do not matter."""
        words = [folded(word) for word in typed.split()]
        found = [(text, row) for text, row in self._rows if words and all(word in text for word in words)]
        # who begins with it comes before whoever has it somewhere
        found.sort(key=lambda one: not any(part.startswith(words[0]) for part in one[0].split()))
        return [row for _, row in found[:most]]
