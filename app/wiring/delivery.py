"""`app.gate.look.DeliveryPort` over a running gate: the engine delivers, the store knows what was not taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.gate import look
from app.gate.look import LookRow
from app.gate.service import GateService
from app.store.outbox import Outbox
from app.sync.engine import SyncEngine


class Delivery:
    """Any thread. The store is asked on the gate's thread: it has one writer beside the engine, not three."""

    def __init__(self, gate: GateService, outbox: Outbox, engine: SyncEngine) -> None:
        self._gate, self._outbox, self._engine = gate, outbox, engine

    def send_now(self) -> None:
        """Send at once."""
        self._engine.sync_now()

    def roster_now(self) -> None:
        """Fetch at once."""
        self._engine.roster_now()

    def look(self, reply: Callable[[Sequence[LookRow]], None]) -> None:
        """What the centre did not take."""
        self._gate.post(lambda: reply(look.rows(self._outbox, self._gate.roster)))

    def send_again(self, ids: Sequence[str], reply: Callable[[Sequence[LookRow]], None]) -> None:
        """Wait again, and go out at once."""

        def act() -> None:
            self._outbox.resend(ids)
            reply(look.rows(self._outbox, self._gate.roster))
            self._gate.delivery_changed()
            self._engine.sync_now()

        self._gate.post(act)
