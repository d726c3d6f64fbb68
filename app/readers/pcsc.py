"""Readers that the operating system drives: PC/SC. The only importer of `smartcard` (pyscard), at `scard` level.

pyscard's own monitors are not used: they die with the service and spin on errors (docs: shared facts, `readers.md`).
One loop waits in SCardGetStatusChange for every reader of the road and for readers that come and go. Each card is read
in a thread of its own with a context of its own (a shared one blocks), because SCardTransmit has no time-out.

Run against pcscd 1.9.9 and an emulated reader; nothing here was checked on real hardware.
"""

from __future__ import annotations

import logging
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from app.clock import Clock
from app.domain.ids import mask_card_key
from app.readers import pcsc_errors as codes
from app.readers.backoff import Backoff
from app.readers.channel import CardAnswer, CardProtocol
from app.readers.pcsc_errors import PcscError, code_of, condition_of
from app.readers.pcsc_lanes import Lane, Lanes
from app.readers.pcsc_reading import Failure, Outcome, Reading
from app.readers.pcsc_watchdog import Watchdog
from app.readers.port import CardSeen, CardUnreadable, Emit, ReaderCondition
from app.readers.storage_card import storage_card

log = logging.getLogger(__name__)

TRANSMIT_LIMIT_S = 3.0
"""Seconds a card may take for one command. Signing with a slow chip takes about one."""
WAIT_MS = 500
"""Milliseconds before the loop looks around by itself: a wake-up that was lost, a reader that was busy."""
_NEWS = "\\\\?PnP?\\Notification"
"""The pseudo reader that reports readers being added and removed."""


class PcscReader:
    """Every PC/SC reader whose name contains `name_part` (every one when None), each with a lane of its own.

    `protocols`: how a card is read, tried in order (default: chip number by storage-card commands).
    `transmit_limit_s`: seconds after which a card that does not answer is given up.
    """

    def __init__(
        self,
        name_part: str | None,
        clock: Clock,
        *,
        protocols: Sequence[CardProtocol] | None = None,
        transmit_limit_s: float = TRANSMIT_LIMIT_S,
    ) -> None:
        self.name = f"pcsc:{name_part}" if name_part else "pcsc"
        self.label = "PC/SC"
        self._clock = clock
        self._protocols = tuple(protocols) if protocols is not None else (storage_card(),)
        self._limit_s = transmit_limit_s
        self._lanes = Lanes(self.name, name_part, clock)
        self._hung: dict[str, Reading] = {}
        self._guard = threading.Lock()
        self._cancel: Callable[[], object] | None = None
        self._reading: Reading | None = None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """See `Reader.run`. Ends within `WAIT_MS` of `stop` even when no one calls `interrupt`."""
        self._lanes.start(emit)
        with Watchdog(self.name, self._clock.monotonic, lambda: self._service_hangs(stop)) as watchdog:
            self._run(stop, watchdog)

    def _run(self, stop: threading.Event, watchdog: Watchdog) -> None:
        backoff = Backoff()
        while not stop.is_set():
            try:
                scard = _library()
                with self._context(scard, watchdog) as context:
                    self._watch(scard, context, stop, backoff, watchdog)
            except ImportError as exc:
                log.debug("%s: %s", self.name, exc)
                self._lanes.say_all(ReaderCondition.DRIVER_MISSING, str(exc))
            except PcscError as exc:
                log.debug("%s: %s", self.name, exc)
                self._lanes.say_all(condition_of(exc.code), str(exc))
            stop.wait(backoff.next_s())

    def interrupt(self) -> None:
        """See `Reader.interrupt`. SCardCancel is the one call that may come from another thread."""
        with self._guard:
            if self._reading is not None:
                self._reading.wake()
            if self._cancel is not None:
                self._cancel()

    def _service_hangs(self, stop: threading.Event) -> None:
        """A call does not come back. Called on the watchdog's thread, while this reader's own can do nothing."""
        if not stop.is_set():
            self._lanes.say_hung("the service does not answer")

    @contextmanager
    def _context(self, scard: types.ModuleType, watchdog: Watchdog) -> Iterator[int]:
        """A context for the watching thread; after a restart of the service the old one stays dead."""
        with ExitStack() as stack:
            with watchdog.calling():
                context = stack.enter_context(new_context(scard))
            with self._guard:
                self._cancel = lambda: scard.SCardCancel(context)
            try:
                yield context
            finally:
                with self._guard:
                    self._cancel = None
                with watchdog.calling():
                    stack.close()

    def _watch(
        self, scard: types.ModuleType, context: int, stop: threading.Event, backoff: Backoff, watchdog: Watchdog
    ) -> None:
        """Follow readers and cards until `stop`. Raises PcscError when the context is of no use any more."""
        news = 0
        while not stop.is_set():
            with watchdog.calling():
                names = _list_readers(scard, context)
            lanes = self._lanes.follow(self._lanes.wanted(names))
            asked = [(lane.reader, lane.told) for lane in lanes] + [(_NEWS, news)]
            with watchdog.calling():
                hresult, answer = scard.SCardGetStatusChange(context, WAIT_MS, asked)
            match code_of(hresult):
                case 0:
                    states = {name: (state & 0xFFFFFFFF, bytes(atr)) for name, state, atr in answer}
                    news = states.pop(_NEWS, (0, b""))[0]
                    for lane in lanes:
                        state, _atr = states.get(lane.reader, (0, b""))
                        self._take(scard, lane, state)
                case codes.TIMEOUT | codes.CANCELLED | codes.UNKNOWN_READER | codes.READER_UNAVAILABLE:
                    pass  # look at the list again
                case codes.SECURITY_VIOLATION:  # what pcsc-lite says when the service dies in the middle of a wait
                    raise PcscError("SCardGetStatusChange", codes.SERVICE_STOPPED)
                case code:
                    raise PcscError("SCardGetStatusChange", code)
            backoff.reset()
            for lane in lanes:
                if lane.to_read and not stop.is_set():
                    self._read(scard, lane, stop)
                self._recovered(lane)

    def _take(self, scard: types.ModuleType, lane: Lane, state: int) -> None:
        """Fit a lane to what PC/SC says of its reader."""
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE):
            lane.told = 0
            return
        present = bool(state & scard.SCARD_STATE_PRESENT)
        # the upper half counts insertions and removals: two more means another card (or the same one again)
        exchanged = present and lane.present and (state >> 16) - (lane.told >> 16) >= 2
        lane.told = state & ~scard.SCARD_STATE_CHANGED
        if lane.present and (exchanged or not present):
            self._lanes.removed(lane)
        if present and not lane.present:
            lane.present = lane.to_read = True
            if state & scard.SCARD_STATE_MUTE:
                self._unreadable(lane, "the card is mute")
        if not present and lane.reader not in self._hung:
            self._lanes.say(lane, ReaderCondition.READY)

    def _read(self, scard: types.ModuleType, lane: Lane, stop: threading.Event) -> None:
        """Read the card on a lane and say what came of it."""
        if lane.reader in self._hung:
            return  # its last reading has not come back; a second one would only hang too
        reading = Reading(
            f"card:{lane.reader}",
            lambda: new_context(scard),
            scard,
            lane.reader,
            self._protocols,
            self._limit_s,
            self._clock.monotonic,
        )
        with self._guard:
            self._reading = reading
        try:
            outcome = reading.result(stop)
        finally:
            with self._guard:
                self._reading = None
        if outcome is not None:
            self._conclude(lane, reading, outcome)

    def _conclude(self, lane: Lane, reading: Reading, outcome: Outcome) -> None:
        match outcome:
            case CardAnswer(card_key, assurance, attributes, refused):
                lane.to_read, lane.seen = False, True
                now = self._clock.now()
                seen = CardSeen(lane.name, card_key, assurance, now, attributes=attributes, refused=refused)
                self._lanes.emit(seen)
                self._lanes.say(lane, ReaderCondition.CARD_PRESENT)
                log.debug("%s: %s", lane.name, mask_card_key(card_key))
            case Failure.BUSY:
                self._lanes.say(lane, ReaderCondition.BUSY_ELSEWHERE, reading.detail)
            case Failure.DENIED:
                lane.to_read = False
                self._lanes.say(lane, ReaderCondition.NO_PERMISSION, reading.detail)
            case Failure.HUNG:
                self._hung[lane.reader] = reading
                self._unreadable(lane, reading.detail)
                self._lanes.say(lane, ReaderCondition.FAILED, reading.detail)
            case Failure.UNREADABLE:
                self._unreadable(lane, reading.detail)
                self._lanes.say(lane, ReaderCondition.CARD_PRESENT, reading.detail)

    def _unreadable(self, lane: Lane, detail: str) -> None:
        lane.to_read = False
        log.debug("%s: unreadable: %s", lane.name, detail)
        self._lanes.emit(CardUnreadable(lane.name, self._clock.now(), detail))

    def _recovered(self, lane: Lane) -> None:
        """A reading that hung, or the service itself, has come back after all: the lane can be used again."""
        reading = self._hung.get(lane.reader)
        if reading is not None and reading.running:
            self._lanes.say(lane, ReaderCondition.FAILED, reading.detail)
        elif reading is not None or lane.condition is ReaderCondition.NO_SERVICE:
            self._hung.pop(lane.reader, None)
            self._lanes.say(lane, ReaderCondition.CARD_PRESENT if lane.present else ReaderCondition.READY)


def _library() -> types.ModuleType:
    """pyscard, imported when it is needed. Raises ImportError where it or libpcsclite is missing."""
    from smartcard import scard

    module: types.ModuleType = scard
    return module


@contextmanager
def new_context(scard: types.ModuleType) -> Iterator[int]:
    """A PC/SC context for the calling thread, released at the end. Raises PcscError."""
    hresult, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code_of(hresult):
        raise PcscError("SCardEstablishContext", code_of(hresult))
    try:
        yield context
    finally:
        scard.SCardReleaseContext(context)


def _list_readers(scard: types.ModuleType, context: int) -> list[str]:
    hresult, names = scard.SCardListReaders(context, [])
    match code_of(hresult):
        case 0:
            return [name for name in names if name != _NEWS]
        case codes.NO_READERS:
            return []
        case code:
            raise PcscError("SCardListReaders", code)
