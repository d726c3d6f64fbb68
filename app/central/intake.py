"""`POST /v1/events/batch`: one transaction that takes a station's events, each with a verdict of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from app.central import derivation, roster_items
from app.central import schema as t
from app.central.access import Principal
from app.central.chain import Chain
from app.central.database import CentralDatabase
from app.central.derivation import FIRST_DAY
from app.central.event_shapes import Checked, check, nameable, subject
from app.central.holders import Holders
from app.central.oddities import oddity
from app.central.permission import Judge
from app.central.refusals import Refused
from app.central.restored import branch_of
from app.central.schema import stamp
from app.central.sets import any_of, insert_many, upsert_many
from app.central.sites import SiteNumbers, lock_sites
from app.clock import Clock
from app.domain.events import Event, rfc3339
from app.sync.wire import MAX_BATCH, BatchAnswer, BatchRequest, ChainEnd, EventVerdict, VerdictKind

_TAKEN = frozenset((VerdictKind.ACCEPTED, VerdictKind.DUPLICATE))


def take_batch(db: CentralDatabase, clock: Clock, principal: Principal, request: BatchRequest) -> BatchAnswer:
    """Judge, write, chain and derive; durable on return. `results` follow the order of the request's events.

    Raises Refused for an envelope that is not right; then nothing was taken.
    """
    return db.write(checked_batch(clock, principal, request))


def checked_batch(clock: Clock, principal: Principal, request: BatchRequest) -> Callable[[Connection], BatchAnswer]:
    """The same up to the transaction; what is returned does the rest inside the caller's. Raises Refused."""
    end = _envelope(principal, request)
    checked = [check(raw) for raw in request.events]
    now = clock.now()

    def work(tx: Connection) -> BatchAnswer:
        batch = _Batch(tx, principal.client_id, now).take(checked, end)
        return BatchAnswer(
            [batch.answer(i) for i in range(len(checked))],
            ChainEnd(batch.chain.seq, batch.chain.hash.hex()),
            rfc3339(now),
            batch.chain.state(end[0] if end else None),
        )

    return work


def _envelope(principal: Principal, request: BatchRequest) -> tuple[int, bytes] | None:
    if request.station_id != principal.client_id:
        raise Refused("station_mismatch")
    if len(request.events) > MAX_BATCH:
        raise Refused("too_many_events", f"{len(request.events)} events")
    errors = [
        {"where": f"$.events[{i}].id", "what": "expected 1 to 64 visible ASCII characters: an answer must name it"}
        for i, raw in enumerate(request.events)
        if not nameable(raw)
    ]
    end = request.chain_end
    hashed = b""
    if end is not None:
        try:
            hashed = bytes.fromhex(end.hash)
        except ValueError:
            hashed = b""
        if len(hashed) != 32 or len(end.hash) != 64:
            errors.append({"where": "$.chain_end.hash", "what": "expected 64 hex digits"})
        if not 0 <= end.seq < 2**53:
            errors.append({"where": "$.chain_end.seq", "what": "expected a whole number from 0"})
    if errors:
        raise Refused("wrong_shape", errors=errors)
    return (end.seq, hashed) if end is not None else None


class _Batch:
    """One batch inside its transaction."""

    def __init__(self, tx: Connection, station_id: str, now: datetime) -> None:
        self._tx = tx
        self._station_id = station_id
        self._now = now
        row = tx.execute(select(t.station).where(t.station.c.id == station_id).with_for_update(key_share=True)).one()
        self._role = str(row.role)
        self.chain = Chain(
            tx, station_id, row.chain_seq, bytes(row.chain_hash), row.chain_broken, row.top_seq, stamp(now),
            branch_of(tx, station_id),
        )  # fmt: skip
        self._verdicts: dict[int, EventVerdict] = {}
        self._receipt: dict[str, int] = {}

    def answer(self, place: int) -> EventVerdict:
        """The word on the event at a place of the request."""
        said = self._verdicts[place]
        if said.verdict not in _TAKEN:
            return said
        return EventVerdict(said.id, said.verdict, said.code, said.detail, self._receipt.get(said.id))

    def take(self, checked: Sequence[Checked], end: tuple[int, bytes] | None) -> _Batch:
        """The whole of it."""
        allowed = self._allowed_sites()
        events = [c.event for c in checked if c.event is not None]
        sites = lock_sites(self._tx, {e.site_id for e in events} & allowed.keys())
        own = {self._station_id, *self.chain.branch.ancestors}
        judge = Judge(self._tx, own, self._role, events, allowed, sites, self._now)
        accepted, refused, fresh = self._judge(checked, judge)
        if accepted:
            self._accept(accepted, sites, judge)
        self._refuse(refused)
        self.chain.advance(fresh)
        if end is not None:
            self.chain.compare(*end)
        self.chain.save()
        return self

    def _judge(
        self, checked: Sequence[Checked], judge: Judge
    ) -> tuple[list[Checked], list[tuple[Checked, str, str]], dict[int, bytes]]:
        """Verdicts; events to write as accepted and as refused; canonical bytes that are new to the chain."""
        holders = Holders(self._tx, self._station_id, self.chain.branch, self.chain.top_seq, checked)
        accepted: list[Checked] = []
        refused: list[tuple[Checked, str, str]] = []
        fresh: dict[int, bytes] = {}
        for i in sorted(range(len(checked)), key=lambda i: (checked[i].seq or 0, i)):
            one = checked[i]
            known = holders.by_id.get(one.id)
            if known is not None and known.digest != one.digest:
                self._say(i, one, VerdictKind.CONFLICT, "payload_differs", "this id came with other content before")
                continue
            if known is not None and known.accepted:
                if known.receipt is not None:
                    self._receipt[one.id] = known.receipt
                if holders.share(one, known) and one.body is not None and one.seq is not None:
                    fresh[one.seq] = one.body
                self._say(i, one, VerdictKind.DUPLICATE)
                continue
            holder = holders.of_seq(one)
            if holder is not None and one.body is not None and one.seq is not None:
                self.chain.reused(one.seq, one.id, one.body, holder.digest)
                self._say(i, one, VerdictKind.CONFLICT, "seq_reused", f"seq {one.seq} belongs to {holder.id}")
                continue
            refusal = (one.code, one.detail) if one.event is None else judge.refusal(one.event)
            if one.body is not None and one.seq is not None:
                holders.add(one, accepted=refusal is None)
                if known is None:
                    fresh[one.seq] = one.body
            if refusal is None:
                accepted.append(one)
                self._say(i, one, VerdictKind.ACCEPTED)
            else:
                refused.append((one, *refusal))
                self._say(i, one, VerdictKind.REJECTED, *refusal)
        return accepted, refused, fresh

    def _say(
        self, place: int, one: Checked, verdict: VerdictKind, code: str | None = None, detail: str | None = None
    ) -> None:
        self._verdicts[place] = EventVerdict(one.id, verdict, code, detail)

    def _allowed_sites(self) -> dict[str, str | None]:
        """Sites of this station; those withdrawn from it with the moment until which things may have happened there."""
        rows = self._tx.execute(
            select(t.station_site.c.site_id, t.station_site.c.withdrawn, t.station_site.c.withdrawn_at).where(
                t.station_site.c.station_id == self._station_id,
                ~t.station_site.c.withdrawn | t.station_site.c.withdrawn_at.is_not(None),
            )
        )
        return {row.site_id: row.withdrawn_at if row.withdrawn else None for row in rows}

    def _accept(self, accepted: list[Checked], sites: Mapping[str, SiteNumbers], judge: Judge) -> None:
        events = [c.event for c in accepted if c.event is not None]
        receipts = self._receipts(len(events))
        self._receipt |= zip((e.id for e in events), receipts, strict=True)
        received_at = stamp(self._now)
        # refused before, accepted now: moved, so that a seq has one holder
        self._tx.execute(
            t.rejected_event.delete().where(
                t.rejected_event.c.station_id == self._station_id,
                any_of(self._tx, t.rejected_event.c.id, [e.id for e in events]),
            )
        )
        insert_many(
            self._tx,
            t.event,
            [
                {
                    "receipt": receipt,
                    "id": event.id,
                    "station_id": self._station_id,
                    "seq": event.seq,
                    "site_id": event.site_id,
                    "type": event.type,
                    "subject": subject(event),
                    "received_at": received_at,
                    "digest": one.digest,
                    "body": one.body,
                }
                for receipt, one, event in zip(receipts, accepted, events, strict=True)
            ],
        )
        self._note_odd(events, sites)
        self._follow(list(zip(receipts, events, strict=True)), sites, judge)

    def _note_odd(self, events: Collection[Event], sites: Mapping[str, SiteNumbers]) -> None:
        at, rows = stamp(self._now), []
        settings = {site_id: numbers.site for site_id, numbers in sites.items()}
        for event in events:
            impossible = derivation.impossible_day(str(event.payload.get("work_day", FIRST_DAY)), at)
            odd = oddity(event, settings[event.site_id], self._now, impossible)
            if odd is not None:
                row = {"event_id": event.id, "station_id": self._station_id, "site_id": event.site_id}
                rows.append({**row, "code": odd[0], "detail": odd[1], "received_at": at})
        insert_many(self._tx, t.odd_event, rows)

    def _follow(self, received: list[tuple[int, Event]], sites: Mapping[str, SiteNumbers], judge: Judge) -> None:
        """What the accepted events change: roster and work records, site by site."""
        at = stamp(self._now)
        for site_id, numbers in sites.items():
            new = [derivation.fact(receipt, event, at) for receipt, event in received if event.site_id == site_id]
            if not new:
                continue
            changed = judge.changed.get(site_id)
            if changed:
                whole = {key: values for key, values in changed.items() if values is not None}
                affected = roster_items.write(self._tx, numbers, whole, changed.keys() - whole.keys())
                derivation.after_roster(self._tx, numbers, affected, self._now)
            derivation.after_events(self._tx, numbers, new, self._now)
            numbers.save(self._tx)

    def _receipts(self, count: int) -> list[int]:
        if self._tx.dialect.name == "postgresql":
            series = func.generate_series(1, count).table_valued("n")
            return list(self._tx.execute(select(t.RECEIPT.next_value()).select_from(series)).scalars())
        last = self._tx.execute(select(func.max(t.event.c.receipt))).scalar() or 0
        return list(range(last + 1, last + 1 + count))

    def _refuse(self, refused: Collection[tuple[Checked, str, str]]) -> None:
        """Keep what was refused and can stand in the chain; said again, the verdict is brought up to date."""
        at = stamp(self._now)
        rows: dict[str, dict[str, Any]] = {  # by id: the same may stand in a batch twice
            one.id: {
                "station_id": self._station_id,
                "id": one.id,
                "seq": one.seq,
                "digest": one.digest,
                "body": one.body,
                "code": code,
                "detail": detail,
                "first_at": at,
                "last_at": at,
                "times": 1,
            }
            for one, code, detail in refused
            if one.body is not None and one.seq is not None
        }
        upsert_many(
            self._tx,
            t.rejected_event,
            list(rows.values()),
            keep=("seq", "digest", "body", "first_at"),
            count=("times",),
        )
