"""Whatever a FeliCa card or the RC-S300 sends, the reader says what came of it and goes on: no other end, no hang.

nfcpy, our driver and the reader's own code are real; in place of USB there is the emulated reader, in this process.
"""

from __future__ import annotations

import nfc
import nfc.clf
import nfc.tag
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.clock import SystemClock
from app.readers import rcs300
from app.readers.felica import FelicaArea
from app.readers.pasori import PasoriReader
from app.readers.port import CardSeen, CardUnreadable, ReaderEvent
from tests.helpers.usb_readers import FelicaCard, Rcs300

LONG = 100_000
IDM = bytes.fromhex("0101000000001234")
BLOCKS = [bytes([n]) * 16 for n in range(4)]
AREA = FelicaArea(0x100B, tuple(range(4)), (0xFE00, 0x12FC))

Twist = tuple[str, int, int, bytes]
TWISTS = st.lists(
    st.tuples(
        st.sampled_from(("right", "right", "silent", "byte", "cut", "more", "any", "framed")),
        st.integers(0, 100),
        st.integers(0, 255),
        st.binary(max_size=80),
    ),
    max_size=8,
)


def twisted(right: bytes | None, twist: Twist) -> bytes | None:
    """An answer with something done to it."""
    what, place, byte, data = twist
    match what:
        case "silent":
            return None
        case "any":
            return data
        case "framed":
            return bytes([len(data) + 1]) + data
        case "byte" if right:
            at = place % len(right)
            return right[:at] + bytes([byte]) + right[at + 1 :]
        case "cut" if right:
            return right[: place % len(right)]
        case "more" if right:
            return right + data
    return right


class StrangeCard(FelicaCard):
    """A card, some of whose answers are twisted."""

    def __init__(self, twists: list[Twist]) -> None:
        super().__init__(IDM, blocks=BLOCKS)
        self.twists = list(twists)

    def answer(self, frame: bytes) -> bytes | None:
        right = super().answer(frame)
        return twisted(right, self.twists.pop(0)) if self.twists else right


class StrangePipe:
    """`Pipe` to an emulated reader, some of whose transfers are twisted."""

    def __init__(self, card: FelicaCard) -> None:
        self.reader = Rcs300()
        self.reader.card = card
        self.twists: list[Twist] = []
        self.coming: list[bytes | None] = []

    def write(self, data: bytes, timeout_s: float) -> None:
        for transfer in self.reader.message(data):
            self.coming.append(twisted(transfer, self.twists.pop(0)) if self.twists else transfer)

    def read(self, timeout_s: float) -> bytes | None:
        return self.coming.pop(0) if self.coming else None

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rcs300, "FIELD_S", 0.0)


def put_on(card_twists: list[Twist], usb_twists: list[Twist]) -> None:
    """A strange card on a strange reader: one event, or the device is lost, and nothing else."""
    said: list[ReaderEvent] = []
    pipe = StrangePipe(StrangeCard(card_twists))
    reader = PasoriReader("usb", SystemClock(), area=AREA)
    reader._emit = said.append
    reader._front = front = nfc.clf.ContactlessFrontend()
    front.device = rcs300.Device(pipe)
    pipe.twists = list(usb_twists)
    try:
        target = reader._sense([nfc.clf.RemoteTarget("212F", sensf_req=bytearray.fromhex("00FFFF0100"))])
        if target is None:
            return
        number = bytes(target.sensf_res[1:9])
        reader._report(nfc, "felica", number, nfc.tag.activate(front, target))
    except OSError:
        return
    (event,) = said
    assert isinstance(event, CardSeen | CardUnreadable)
    if isinstance(event, CardSeen):
        assert event.card_key == f"felica:{number.hex().upper()}"
        assert all(len(block) == 32 for block in event.attributes.values())


def test_straight_card_is_read() -> None:
    card = FelicaCard(IDM, blocks=BLOCKS)
    said: list[ReaderEvent] = []
    reader = PasoriReader("usb", SystemClock(), area=AREA)
    reader._emit = said.append
    reader._front = front = nfc.clf.ContactlessFrontend()
    front.device = rcs300.Device(StrangePipe(card))
    target = front.sense(nfc.clf.RemoteTarget("212F", sensf_req=bytearray.fromhex("00FFFF0100")))
    reader._report(nfc, "felica", IDM, nfc.tag.activate(front, target))
    (event,) = said
    assert isinstance(event, CardSeen)
    assert [bytes.fromhex(block) for block in event.attributes.values()] == BLOCKS


HALF_A_SYSTEM_CODE = [("framed", 0, 0, b"\x01" + IDM + bytes(9))]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TWISTS, st.just([]) | TWISTS)
@example(HALF_A_SYSTEM_CODE, [])
def test_any_frames(card_twists: list[Twist], usb_twists: list[Twist]) -> None:
    put_on(card_twists, usb_twists)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=LONG, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TWISTS, st.just([]) | TWISTS)
def test_any_frames_for_long(card_twists: list[Twist], usb_twists: list[Twist]) -> None:
    put_on(card_twists, usb_twists)
