"""Outbox → batches → verdicts → outbox.

Invariants (docs/sync.md): an event is settled only by a valid answer that names every event of its batch exactly
once and no other; one bad row never blocks the line; nothing that waits is ever dropped.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.clock import Clock
from app.domain.outbox import OutboxState, Outgoing, Settled
from app.sync.calls import Carried, PushCalls
from app.sync.ports import Outbox
from app.sync.trouble import BadAnswer, BadRequest, Busy, TooLarge
from app.sync.wire import MAX_BATCH, BatchAnswer, ChainEnd, ChainState, VerdictKind

log = logging.getLogger(__name__)

MAX_BYTES = 6 * 1024 * 1024
"""Most bytes of events in one batch; the centre takes a body of 8 MiB."""
FIRST_LIMIT = 200
ALONE_LIMIT = 8
"""So many rows refused alone, with none accepted in between, and it is not the rows: stop blaming them."""

_STATES = {
    VerdictKind.ACCEPTED: OutboxState.ACCEPTED,
    VerdictKind.DUPLICATE: OutboxState.ACCEPTED,
    VerdictKind.CONFLICT: OutboxState.CONFLICT,
    VerdictKind.REJECTED: OutboxState.REJECTED,
}


@dataclass(slots=True)
class Pushed:
    """Rows that wait no more, by the centre's verdict."""

    accepted: int = 0
    rejected: int = 0
    conflict: int = 0


class Pusher:
    """Engine's thread only. `on_settled` is called after each transaction that settled something.

    `total` counts since the start; set a fresh one to count anew.
    """

    def __init__(
        self,
        client: PushCalls,
        outbox: Outbox,
        clock: Clock,
        on_settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._clock = clock
        self._on_settled = on_settled
        self._limit = FIRST_LIMIT
        self._refused_alone = 0
        self._behind: tuple[tuple[int, int], ...] = ()
        self.total = Pushed()
        self.chain_state: ChainState | None = None
        """As the centre said last; None before the first answer."""

    @property
    def limit(self) -> int:
        """Events in the next batch: halved by trouble, doubled by success, 1 to MAX_BATCH."""
        return self._limit

    def run(self) -> bool:
        """Send until nothing waits; whether anything did. Raises the first trouble; what was settled stays settled.

        What was handed over goes on waiting, and the rows behind it are handed over too.
        """
        strange = self._collect(self._client) if isinstance(self._client, Carried) else None
        sent = False
        last: list[str] = []
        again = 0
        self._behind = ()
        while rows := self._outbox.next_batch(self._limit, MAX_BYTES, *self._behind):
            ids = [row.id for row in rows]
            # once may be somebody who sends a rejected row again; for ever would be a busy loop
            again = again + 1 if ids == last else 0
            if len(set(ids)) != len(ids) or again > 3:
                raise RuntimeError("the outbox gives out rows twice, or rows that were settled")
            last = ids
            self._send(rows)
            sent = True
            if len(rows) >= self._limit:
                self._limit = min(MAX_BATCH, self._limit * 2)
        if strange is not None:
            raise strange
        return sent

    def _collect(self, carried: Carried) -> BadAnswer | None:
        """Settle by answers to earlier rounds. One that names what is not ours settles nothing, and is told."""
        strange = None
        for answer in carried.collect():
            ids = [verdict.id for verdict in answer.results]
            if others := len(ids) - len(set(ids)) + self._outbox.unknown(ids):
                strange = BadAnswer(f"{others} events named that are not ours", self._client.host)
            else:
                self._write_down(answer)
        return strange

    def _shrink(self) -> None:
        self._limit = max(1, self._limit // 2)

    def _not_through(self, rows: Sequence[Outgoing], trouble: Exception) -> None:
        """Fewer next time. A row on which the centre stumbles even alone goes behind the others, and waits on."""
        self._shrink()
        stumbles = isinstance(trouble, BadAnswer) or (isinstance(trouble, Busy) and trouble.status == 500)
        if stumbles and len(rows) == 1:
            self._outbox.count_failure([rows[0].id])

    def _send(self, rows: Sequence[Outgoing]) -> None:
        """One batch, halved as long as the centre refuses it whole."""
        last_seq = max(row.seq for row in rows)
        end = ChainEnd(last_seq, self._outbox.chain_hash(last_seq).hex())
        try:
            answer = self._client.push([row.body for row in rows], end)
        except (TooLarge, BadRequest) as refusal:
            if isinstance(refusal, BadRequest) and refusal.status not in (400, 422):
                raise
            if len(rows) == 1:
                self._refused(rows[0], refusal)
                return
            if isinstance(refusal, TooLarge):
                self._shrink()
            middle = len(rows) // 2
            self._send(rows[:middle])
            self._send(rows[middle:])
            return
        except Exception as trouble:
            self._not_through(rows, trouble)
            raise
        if answer is None:
            self._behind = ((rows[-1].attempts, rows[-1].seq),)
        else:
            self._settle(rows, answer)

    def _settle(self, rows: Sequence[Outgoing], answer: BatchAnswer) -> None:
        sent = Counter(row.id for row in rows)
        named = Counter(verdict.id for verdict in answer.results)
        if sent != named:
            lacking, strange = (sent - named).total(), (named - sent).total()
            trouble = BadAnswer(f"{lacking} events not named, {strange} too many", self._client.host)
            self._not_through(rows, trouble)
            raise trouble
        self._write_down(answer)

    def _write_down(self, answer: BatchAnswer) -> None:
        verdicts = [
            Settled(v.id, _STATES[v.verdict].value, v.code, None if v.detail is None else v.detail[:500], v.receipt)
            for v in answer.results
        ]
        self._outbox.settle(verdicts, self._clock.now())
        states = Counter(verdict.state for verdict in verdicts)
        self.total.accepted += states[OutboxState.ACCEPTED]
        self.total.rejected += states[OutboxState.REJECTED]
        self.total.conflict += states[OutboxState.CONFLICT]
        self.chain_state = answer.chain_state
        self._refused_alone = 0
        log.info("sent %d: %s, chain %s", len(verdicts), dict(states), answer.chain_state.value)
        self._on_settled()

    def _refused(self, row: Outgoing, refusal: TooLarge | BadRequest) -> None:
        """The centre will not even look at a batch of this one row: put it aside, so that the others go on.

        When it refuses row after row the fault is not theirs (an old program, a broken centre): then they go on
        waiting, behind the others, and the refusal itself is shown.
        """
        self._outbox.count_failure([row.id])
        self._refused_alone += 1
        if self._refused_alone > ALONE_LIMIT:
            raise refusal
        code, detail = "too_large", ""
        if isinstance(refusal, BadRequest):
            code, detail = refusal.problem_code or "malformed", refusal.detail
            if refusal.errors:
                detail = "; ".join(f"{e.get('where', '')} {e.get('what', '')}" for e in refusal.errors)
        self._outbox.settle(
            [Settled(row.id, OutboxState.REJECTED.value, code, detail[:500] or None)], self._clock.now()
        )
        self.total.rejected += 1
        log.info("event %s refused alone: %s", row.id, code)
        self._on_settled()
