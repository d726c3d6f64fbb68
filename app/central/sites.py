"""Sites at the centre: their rows, their locks, and the numbers that only grow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from app import codec
from app.central import schema as t
from app.domain.site import Site


@dataclass
class SiteNumbers:
    """A locked site and the last numbers given in it; `save` writes them back."""

    site_id: str
    fields: Mapping[str, Any]
    roster_change: int
    record_change: int
    deleted: bool = False
    closed_on: str | None = None
    """The last work day of a closed site."""

    @property
    def site(self) -> Site:
        """The site's settings."""
        return codec.convert({"id": self.site_id, **self.fields}, Site)

    def next_roster_change(self) -> int:
        """The next number in this site's roster."""
        self.roster_change += 1
        return self.roster_change

    def next_record_change(self) -> int:
        """The next number in this site's work records."""
        self.record_change += 1
        return self.record_change

    def save(self, tx: Connection) -> None:
        """Write the numbers back, before the lock ends with the transaction."""
        tx.execute(
            t.site.update()
            .where(t.site.c.id == self.site_id)
            .values(roster_change=self.roster_change, record_change=self.record_change)
        )


def lock_sites(tx: Connection, site_ids: Collection[str]) -> dict[str, SiteNumbers]:
    """The rows of those sites that exist, locked until the transaction ends, always in the same order.

    Whoever writes events, roster items or work records of a site holds its row: so receipts and change numbers come
    out in the order of commits, and what two stations send at once is derived together.
    """
    rows = tx.execute(
        select(t.site).where(t.site.c.id.in_(sorted(site_ids))).order_by(t.site.c.id).with_for_update(key_share=True)
    )
    return {
        row.id: SiteNumbers(
            row.id, codec.decode(row.fields, dict), row.roster_change, row.record_change, row.deleted, row.closed_on
        )
        for row in rows
    }


def next_site_change(tx: Connection) -> int:
    """The next number over all sites; its row stays locked until the transaction ends."""
    statement = (
        t.counter.update()
        .where(t.counter.c.name == "site_change")
        .values(value=t.counter.c.value + 1)
        .returning(t.counter.c.value)
    )
    return int(tx.execute(statement).scalar_one())
