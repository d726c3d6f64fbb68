"""One reading of one card over PC/SC, in a thread that can be given up.

SCardTransmit has no time-out: a card or a driver that never answers would hold its caller for ever. So each reading
runs in a thread and a context of its own; the road waits for it with a limit per command. A reading that exceeds it is
abandoned, and its reader is left alone until that thread has come back. `smartcard` is passed in, not imported.
"""

from __future__ import annotations

import logging
import threading
import types
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto

from app.readers import pcsc_errors as codes
from app.readers.channel import CardAnswer, CardError, CardGone, CardProtocol, CardUseless, Response
from app.readers.pcsc_errors import PcscError, code_of

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Readings of a card that lies there but answers badly, before it counts as unreadable."""


class Failure(Enum):
    """How a reading ended when it gave no answer."""

    UNREADABLE = auto()
    """It left too early, or does not answer sensibly."""
    BUSY = auto()
    """Another program holds it for itself."""
    DENIED = auto()
    """This user may not use it."""
    HUNG = auto()
    """It did not answer in time; the thread still waits."""


Outcome = CardAnswer | Failure


class Reading:
    """A reading that has begun. Made, waited for and judged on the road's thread; `wake` from any."""

    def __init__(
        self,
        name: str,
        context: Callable[[], AbstractContextManager[int]],
        scard: types.ModuleType,
        reader: str,
        protocols: Sequence[CardProtocol],
        limit_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.detail = ""
        """What went wrong, for the log."""
        self._context = context
        self._scard = scard
        self._reader = reader
        self._protocols = protocols
        self._limit_s = limit_s
        self._monotonic = monotonic
        self._outcome: Outcome | None = None
        self._awake = threading.Event()
        self._last_command = self._monotonic()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def wake(self) -> None:
        """Make `result` look whether it is to stop."""
        self._awake.set()

    def result(self, stop: threading.Event) -> Outcome | None:
        """Wait for the end; None when `stop` came first. `Failure.HUNG` when one command exceeds the limit."""
        while self._outcome is None:
            left = self._last_command + self._limit_s - self._monotonic()
            if left <= 0:
                self.detail = "the card does not answer"
                return Failure.HUNG
            self._awake.wait(left)
            self._awake.clear()
            if stop.is_set():
                return None
        return self._outcome

    def _main(self) -> None:
        outcome: Outcome = Failure.UNREADABLE
        try:
            with self._context() as context:
                outcome = self._attempts(context)
        except PcscError as exc:
            self.detail = str(exc)
        except Exception as exc:  # a protocol's mistake costs this card's reading, not the reader
            log.exception("reading a card on %s failed", self._reader)
            self.detail = f"{type(exc).__name__}: {exc}"
        self._outcome = outcome
        self._awake.set()

    def _attempts(self, context: int) -> Outcome:
        for _ in range(ATTEMPTS):
            try:
                with _Connection(self._scard, context, self._reader, self._begin_command) as card:
                    for protocol in self._protocols:
                        answer = protocol(card)
                        if answer is not None:
                            return answer
                    self.detail = "no protocol knows this card"
                    return Failure.UNREADABLE
            except CardGone:
                self.detail = "the card left while it was read"
                return Failure.UNREADABLE
            except CardUseless as exc:
                self.detail = str(exc)
                return Failure.UNREADABLE
            except CardError as exc:
                self.detail = str(exc)
            except PcscError as exc:
                self.detail = str(exc)
                if exc.code == codes.SHARING_VIOLATION:
                    return Failure.BUSY
                if exc.code in codes.DENIED:
                    return Failure.DENIED
                if exc.code not in codes.TRY_AGAIN:
                    return Failure.UNREADABLE
        return Failure.UNREADABLE

    def _begin_command(self) -> None:
        self._last_command = self._monotonic()


class _Connection:
    """A card that is connected (shared) for one attempt; a `Channel`. Leaves the card as it is on every path:
    the default disposition would reset it for other programs."""

    def __init__(self, scard: types.ModuleType, context: int, reader: str, begin: Callable[[], None]) -> None:
        self._scard = scard
        self._context = context
        self._reader = reader
        self._begin = begin
        self._handle = 0
        self._protocol = 0
        self._atr = b""

    @property
    def atr(self) -> bytes:
        return self._atr

    def __enter__(self) -> _Connection:
        scard = self._scard
        self._begin()
        hresult, self._handle, self._protocol = scard.SCardConnect(
            self._context, self._reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        self._check("SCardConnect", hresult)
        try:
            self._begin()
            hresult, _reader, _state, _protocol, atr = scard.SCardStatus(self._handle)
            self._check("SCardStatus", hresult)
            self._atr = bytes(atr)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self._begin()
        self._scard.SCardDisconnect(self._handle, self._scard.SCARD_LEAVE_CARD)

    def transmit(self, apdu: bytes) -> Response:
        self._begin()
        hresult, answer = self._scard.SCardTransmit(self._handle, self._protocol, list(apdu))
        self._check("SCardTransmit", hresult)
        if len(answer) < 2:
            raise CardGone("an empty answer")
        body = bytes(byte & 0xFF for byte in answer)
        return Response(body[:-2], int.from_bytes(body[-2:], "big"))

    def _check(self, call: str, hresult: int) -> None:
        code = code_of(hresult)
        if code in codes.CARD_LEFT:
            raise CardGone(f"{call}: {code:08X}")
        if code:
            raise PcscError(call, code)
