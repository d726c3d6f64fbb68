"""The ports of sync in memory, and the same over the real store: what tests give the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app import codec
from app.domain.events import GENESIS, Draft, next_hash
from app.domain.outbox import Cursor, OutboxCounts, Outgoing, Settled, SyncState, feed_scope, roster_scope
from app.sync.wire import FeedEvent


class MemoryOutbox:
    """As `app.store.outbox.Outbox`."""

    def __init__(self) -> None:
        self.rows: dict[str, Outgoing] = {}
        self.states: dict[str, Settled] = {}
        self.hashes = [GENESIS]
        self.oldest: dict[str, datetime] = {}
        self.state = SyncState()
        self.saves = 0

    def append_many(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            seq = len(self.hashes)
            body = codec.canonical(draft.numbered(seq).as_wire())
            self.hashes.append(next_hash(self.hashes[-1], body))
            self.rows[draft.id] = Outgoing(seq, draft.id, 0, body)
            self.states[draft.id] = Settled(draft.id, "waiting")
            self.oldest[draft.id] = datetime.fromisoformat(draft.occurred_at)

    def next_batch(self, limit: int, max_bytes: int, after: tuple[int, int] = (-1, 0)) -> list[Outgoing]:
        waiting = [row for row in self.rows.values() if self.states[row.id].state == "waiting"]
        waiting = [row for row in waiting if (row.attempts, row.seq) > after]
        batch: list[Outgoing] = []
        for row in sorted(waiting, key=lambda row: (row.attempts, row.seq))[:limit]:
            if batch and sum(len(b.body) for b in batch) + len(row.body) > max_bytes:
                break
            batch.append(row)
        return batch

    def unknown(self, ids: Sequence[str]) -> int:
        return sum(id_ not in self.rows for id_ in ids)

    def chain_hash(self, seq: int) -> bytes:
        return self.hashes[seq]

    def settle(self, verdicts: Sequence[Settled], at: datetime) -> None:
        for verdict in verdicts:
            assert verdict.state in ("accepted", "rejected", "conflict")
            if self.states[verdict.id].state == "waiting":
                self.states[verdict.id] = verdict

    def count_failure(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            self.rows[id_] = replace(self.rows[id_], attempts=self.rows[id_].attempts + 1)

    def resend(self, ids: Sequence[str]) -> int:
        again = [id_ for id_ in ids if self.states[id_].state in ("rejected", "conflict")]
        for id_ in again:
            self.states[id_] = Settled(id_, "waiting")
            self.rows[id_] = replace(self.rows[id_], attempts=0)
        return len(again)

    def counts(self) -> OutboxCounts:
        states = [settled.state for settled in self.states.values()]
        waiting = [row for row in self.rows.values() if self.states[row.id].state == "waiting"]
        first = min(waiting, key=lambda row: row.seq, default=None)
        return OutboxCounts(
            states.count("waiting"),
            states.count("rejected"),
            states.count("conflict"),
            states.count("accepted"),
            self.oldest[first.id] if first else None,
        )

    def sync_state(self) -> SyncState:
        return self.state

    def save_sync_state(self, state: SyncState) -> None:
        self.saves += 1
        self.state = state

    def needing_look(self) -> dict[str, Settled]:
        return {id_: one for id_, one in self.states.items() if one.state in ("rejected", "conflict")}


class MemoryRoster:
    """As `app.store.roster.RosterStore`."""

    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}
        self.items: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self.records: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.feed: dict[int, FeedEvent] = {}
        self.at: dict[str, datetime] = {}
        self.pages = 0

    def cursor(self, scope: str) -> Cursor | None:
        return self.cursors.get(scope)

    def apply_page(
        self, scope: str, site_id: str | None, items: Sequence[Mapping[str, Any]], cursor: Cursor, at: datetime
    ) -> None:
        self.pages += 1
        for item in items:
            if scope.startswith("work-records:"):
                self.records[item["worker_id"], item["work_day"]] = item
            elif item["deleted"]:
                self.items.pop((scope, item["kind"], item["id"]), None)
            else:
                self.items[scope, item["kind"], item["id"]] = item
        self.cursors[scope], self.at[scope] = cursor, at

    def apply_feed(self, site_id: str, items: Sequence[FeedEvent], cursor: Cursor, at: datetime) -> None:
        self.pages += 1
        for item in items:
            self.feed[item.receipt] = item
        self.cursors[feed_scope(site_id)], self.at[feed_scope(site_id)] = cursor, at

    def confirm(self, scope: str, at: datetime) -> None:
        self.at[scope] = at

    def roster_at(self, site_id: str) -> datetime | None:
        return self.at.get(roster_scope(site_id))
