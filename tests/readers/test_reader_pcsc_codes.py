"""What PC/SC can answer and the emulated reader cannot be made to: each code, by a library that plays it.

The happy path and the real faults are in `test_reader_pcsc_real.py`; only what a real service does not do on demand is
here. Codes are handed out signed, as pyscard does.
"""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any

import pytest
from smartcard import scard as real

from app.clock import SystemClock
from app.readers import pcsc, pcsc_errors
from app.readers.channel import CardAnswer, CardProtocol, Channel
from app.readers.pcsc import PcscReader
from app.readers.pcsc_reading import ATTEMPTS, Failure, Outcome, Reading
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, ReaderCondition, ReaderEvent, ReaderState
from app.readers.storage_card import read_storage_card

IDM = bytes.fromhex("0101000000001234")
READER = "R 00 00"
EMPTY, PRESENT = real.SCARD_STATE_EMPTY, real.SCARD_STATE_PRESENT
C = ReaderCondition


def signed(code: int) -> int:
    return code - (1 << 32) if code >= 1 << 31 else code


class FakeScard(types.ModuleType):
    """`smartcard.scard` with a script: each call takes the next entry of its list, then 0."""

    def __init__(self, **script: list[Any]) -> None:
        super().__init__("scard")
        self.script = script
        self.disconnected = 0
        self.contexts = 0
        self.looked = threading.Semaphore(0)
        self.cancelled = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(real, name)

    def _next(self, call: str, otherwise: Any = 0) -> Any:
        entries = self.script.get(call, [])
        return entries.pop(0) if entries else otherwise

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        self.contexts += 1
        return signed(self._next("establish")), self.contexts

    def SCardReleaseContext(self, context: int) -> int:
        return 0

    def SCardCancel(self, context: int) -> int:
        self.cancelled.set()
        return 0

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
        code = self._next("list")
        return signed(code), [] if code else [READER]

    def SCardGetStatusChange(self, context: int, wait_ms: int, asked: list[Any]) -> tuple[int, list[Any]]:
        state = self._next("states", None)
        self.looked.release()
        if state is None:
            self.cancelled.wait(0.01)
            return signed(pcsc_errors.TIMEOUT), []
        if isinstance(state, str):
            return signed(int(state, 16)), []
        return 0, [(READER, state, []), ("\\\\?PnP?\\Notification", 0, [])]

    def SCardConnect(self, context: int, reader: str, mode: int, protocol: int) -> tuple[int, int, int]:
        assert mode == real.SCARD_SHARE_SHARED
        return signed(self._next("connect")), 7, real.SCARD_PROTOCOL_T1

    def SCardStatus(self, card: int) -> tuple[int, str, int, int, list[int]]:
        return signed(self._next("status")), READER, 0, real.SCARD_PROTOCOL_T1, [0x3B, 0x00]

    def SCardTransmit(self, card: int, protocol: int, apdu: list[int]) -> tuple[int, list[int]]:
        answer = self._next("transmit", IDM + b"\x90\x00")
        return (signed(answer), []) if isinstance(answer, int) else (0, list(answer))

    def SCardDisconnect(self, card: int, disposition: int) -> int:
        assert disposition == real.SCARD_LEAVE_CARD
        self.disconnected += 1
        return 0


def read(scard: FakeScard, protocol: CardProtocol = read_storage_card) -> tuple[Outcome | None, str]:
    clock = SystemClock()
    reading = Reading("card", lambda: pcsc.new_context(scard), scard, READER, [protocol], 20.0, clock.monotonic)
    return reading.result(threading.Event()), reading.detail


@pytest.mark.parametrize("code", sorted(pcsc_errors.TRY_AGAIN))
@pytest.mark.parametrize("call", ["connect", "status", "transmit"])
def test_bad_moment_is_tried_again(call: str, code: int) -> None:
    outcome, _ = read(FakeScard(**{call: [code] * (ATTEMPTS - 1)}))
    assert isinstance(outcome, CardAnswer)
    scard = FakeScard(**{call: [code] * ATTEMPTS})
    outcome, detail = read(scard)
    assert outcome is Failure.UNREADABLE
    assert f"{code:08X}" in detail
    assert scard.disconnected == (0 if call == "connect" else ATTEMPTS)


@pytest.mark.parametrize("code", sorted(pcsc_errors.CARD_LEFT))
@pytest.mark.parametrize("call", ["connect", "status", "transmit"])
def test_card_that_left_is_not_tried_again(call: str, code: int) -> None:
    scard = FakeScard(**{call: [code]})
    assert read(scard) == (Failure.UNREADABLE, "the card left while it was read")
    assert scard.disconnected == (0 if call == "connect" else 1)


@pytest.mark.parametrize("answer", [b"", b"\x90"])
def test_success_without_an_answer_is_a_card_that_left(answer: bytes) -> None:
    assert read(FakeScard(transmit=[answer]))[1] == "the card left while it was read"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (pcsc_errors.SHARING_VIOLATION, Failure.BUSY),
        (pcsc_errors.SECURITY_VIOLATION, Failure.DENIED),
        (pcsc_errors.NO_ACCESS, Failure.DENIED),
        (0x80100067, Failure.UNREADABLE),
    ],
)
def test_refusals(code: int, outcome: Failure) -> None:
    assert read(FakeScard(connect=[code]))[0] is outcome


def test_no_context_for_the_reading() -> None:
    assert read(FakeScard(establish=[pcsc_errors.NO_SERVICE])) == (
        Failure.UNREADABLE,
        "SCardEstablishContext: 8010001D",
    )


def test_mistake_in_a_protocol_costs_one_reading(expected_logs: list[str]) -> None:
    expected_logs.append("reading a card on R 00 00 failed")

    def broken(channel: Channel) -> CardAnswer | None:
        raise KeyError(channel.atr)

    scard = FakeScard()
    assert read(scard, broken)[0] is Failure.UNREADABLE
    assert scard.disconnected == 1


def test_stop_ends_the_wait_for_a_card() -> None:
    asked, release, stop = threading.Event(), threading.Event(), threading.Event()

    def slow(_channel: Channel) -> CardAnswer | None:
        asked.set()
        release.wait()
        return None

    scard = FakeScard()
    reading = Reading("card", lambda: pcsc.new_context(scard), scard, READER, [slow], 20.0, SystemClock().monotonic)
    assert asked.wait(20)
    stop.set()
    reading.wake()
    assert reading.result(stop) is None
    release.set()


Watch = Callable[[FakeScard, Callable[[list[ReaderEvent]], bool]], list[ReaderEvent]]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Run a PcscReader on a fake library until what it said is enough."""

    def run(scard: FakeScard, enough: Callable[[list[ReaderEvent]], bool]) -> list[ReaderEvent]:
        monkeypatch.setattr(pcsc, "_library", lambda: scard)
        said: list[ReaderEvent] = []
        stop, reached = threading.Event(), threading.Event()

        def emit(event: ReaderEvent) -> None:
            said.append(event)
            if enough(said):
                reached.set()

        reader = PcscReader(None, SystemClock())
        thread = threading.Thread(target=reader.run, args=(emit, stop))
        thread.start()
        assert reached.wait(20), said
        stop.set()
        reader.interrupt()
        thread.join(20)
        assert not thread.is_alive()
        return said

    return run


def count(said: list[ReaderEvent], kind: type[ReaderEvent]) -> int:
    return sum(isinstance(event, kind) for event in said)


def said_condition(condition: ReaderCondition) -> Callable[[list[ReaderEvent]], bool]:
    return lambda said: isinstance(said[-1], ReaderState) and said[-1].condition is condition


def test_card_exchanged_between_two_looks(watch: Watch) -> None:
    """Only PC/SC's count of insertions and removals tells: the flags are the same before and after."""
    states = [EMPTY, PRESENT | 1 << 16, PRESENT | real.SCARD_STATE_INUSE | 1 << 16, PRESENT | 3 << 16]
    said = watch(FakeScard(states=states), lambda s: count(s, CardSeen) == 2)
    kinds = [type(event) for event in said if not isinstance(event, ReaderState)]
    assert kinds == [CardSeen, CardRemoved, CardSeen]


def test_mute_card_is_answered_once(watch: Watch) -> None:
    states = [PRESENT | real.SCARD_STATE_MUTE, PRESENT | real.SCARD_STATE_MUTE, EMPTY]
    said = watch(FakeScard(states=states), said_condition(C.READY))
    assert count(said, CardUnreadable) == 1
    assert count(said, CardSeen) == count(said, CardRemoved) == 0


@pytest.mark.parametrize("code", ["80100009", "80100017", "80100002", "8010000A"])
def test_look_that_brought_nothing_keeps_the_context(watch: Watch, code: str) -> None:
    scard = FakeScard(states=[EMPTY, code, PRESENT])
    watch(scard, lambda s: count(s, CardSeen) == 1)
    assert scard.contexts == 2  # the watch's and the reading's


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        ("8010001D", C.NO_SERVICE),
        ("8010001E", C.NO_SERVICE),
        ("80100003", C.NO_SERVICE),
        ("80100013", C.NO_SERVICE),
        ("8010006A", C.NO_SERVICE),
    ],
)
def test_dead_context_is_replaced(watch: Watch, code: str, condition: ReaderCondition) -> None:
    scard = FakeScard(states=[PRESENT, code, PRESENT])
    said = watch(scard, lambda s: count(s, CardSeen) == 2)
    assert condition in [e.condition for e in said if isinstance(e, ReaderState)]
    assert count(said, CardRemoved) == 1
    assert scard.contexts == 4


def test_reader_that_goes_while_it_is_watched(watch: Watch) -> None:
    none = pcsc_errors.NO_READERS
    scard = FakeScard(list=[none, 0, none, 0], states=[EMPTY, EMPTY, EMPTY | real.SCARD_STATE_UNKNOWN, EMPTY])
    said = watch(scard, lambda s: sum(isinstance(e, ReaderState) and e.condition is C.READY for e in s) == 2)
    assert [(e.reader, e.condition) for e in said if isinstance(e, ReaderState)] == [
        ("pcsc", C.NO_READER),
        ("pcsc", C.STOPPED),
        ("pcsc:R 00 00", C.READY),
        ("pcsc:R 00 00", C.NO_READER),
        ("pcsc:R 00 00", C.READY),
    ]


def test_card_denied_to_this_user(watch: Watch) -> None:
    scard = FakeScard(states=[PRESENT], connect=[pcsc_errors.SECURITY_VIOLATION])
    said = watch(scard, said_condition(C.NO_PERMISSION))
    assert count(said, CardSeen) == 0


def test_machine_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> types.ModuleType:
        raise ImportError("libpcsclite.so.1")

    monkeypatch.setattr(pcsc, "_library", missing)
    said: list[ReaderEvent] = []
    stop = threading.Event()

    def emit(event: ReaderEvent) -> None:
        said.append(event)
        stop.set()

    PcscReader(None, SystemClock()).run(emit, stop)
    assert said == [ReaderState("pcsc", "PC/SC", C.DRIVER_MISSING, "libpcsclite.so.1")]
