"""Storage-card commands against emulated cards, and the pure parts of the PC/SC road."""

from __future__ import annotations

import pytest

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.readers.channel import CardError, Response
from app.readers.felica import FelicaArea
from app.readers.pcsc_lanes import Lanes, short_label
from app.readers.port import CardRemoved, ReaderCondition, ReaderEvent, ReaderState
from app.readers.storage_card import read_storage_card, storage_card, storage_standard
from tests.helpers.virtual_felica import CONTACT_ATR, FELICA_ATR, MIFARE_ATR, VirtualCard

IDM = bytes.fromhex("0101000000001234")
ISO15693_ATR = bytes.fromhex("3B8F8001804F0CA0000003060B00140000000077")
C = ReaderCondition


class Wire:
    def __init__(self, card: VirtualCard) -> None:
        self._card = card
        self.atr = card.atr

    def transmit(self, apdu: bytes) -> Response:
        answer = self._card.answer(apdu)
        return Response(answer[:-2], int.from_bytes(answer[-2:], "big"))


@pytest.mark.parametrize(
    ("atr", "number", "key"),
    [
        (FELICA_ATR, IDM, "felica:0101000000001234"),
        (b"\x3b\x00", IDM, "felica:0101000000001234"),
        (ISO15693_ATR, bytes.fromhex("E004010012345678"), "uid:E004010012345678"),
        (MIFARE_ATR, bytes.fromhex("04A1B2C3"), "uid:04A1B2C3"),
        (MIFARE_ATR, bytes.fromhex("04A1B2C3D4E5F6"), "uid:04A1B2C3D4E5F6"),
        (MIFARE_ATR, bytes(range(10)), "uid:00010203040506070809"),
    ],
)
def test_chip_number(atr: bytes, number: bytes, key: str) -> None:
    answer = read_storage_card(Wire(VirtualCard(atr=atr, number=number)))
    assert answer is not None
    assert (answer.card_key, answer.assurance, answer.attributes) == (key, Assurance.UID, {})


def test_contact_card_is_no_storage_card() -> None:
    assert storage_card()(Wire(VirtualCard(atr=CONTACT_ATR))) is None


def test_chip_number_that_cannot_be_one() -> None:
    with pytest.raises(CardError, match="5 bytes"):
        read_storage_card(Wire(VirtualCard(number=bytes(5))))


def test_blocks_that_are_there() -> None:
    card = VirtualCard(number=IDM, blocks={0x090F: {0: bytes(16), 2: bytes(15), 3: b"\xff" * 16}})
    answer = storage_card(FelicaArea(0x090F, (0, 1, 2, 3)))(Wire(card))
    assert answer is not None
    assert answer.attributes == {"felica.090F.0": "00" * 16, "felica.090F.3": "FF" * 16}
    assert answer.assurance is Assurance.UID  # nothing is decoded, so nothing is proved
    mifare = storage_card(FelicaArea(0x090F, (0,)))(Wire(VirtualCard(atr=MIFARE_ATR, number=IDM[:4])))
    assert mifare is not None
    assert mifare.attributes == {}


def test_storage_standard() -> None:
    assert [storage_standard(a) for a in (FELICA_ATR, MIFARE_ATR, CONTACT_ATR, b"", FELICA_ATR[:12])] == [
        0x11,
        0x03,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(("service", "blocks"), [(-1, (0,)), (0x10000, (0,)), (0x090F, (256,))])
def test_area_that_cannot_be(service: int, blocks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no FeliCa area"):
        FelicaArea(service, blocks)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Virtual PCD 00 00", "Virtual PCD"),
        ("Virtual PCD 00 01", "Virtual PCD B"),
        ("SONY FeliCa RC-S300/P (1234567) 00 00", "SONY FeliCa RC-S300/P"),
        ("ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 01 00", "ACS ACR1252 Dual Reader B"),
        ("Sony FeliCa Port/PaSoRi 4.0 0", "Sony FeliCa Port/PaSoRi 4.0"),
        ("Reader", "Reader"),
        ("(x) 0", "(x) 0"),
    ],
)
def test_label(name: str, label: str) -> None:
    assert short_label(name) == label


def test_lanes_come_and_go() -> None:
    said: list[ReaderEvent] = []
    lanes = Lanes("pcsc", None, SystemClock())
    lanes.start(said.append)

    def news() -> list[tuple[str, ReaderCondition]]:
        states = [(e.reader, e.condition) for e in said if isinstance(e, ReaderState)]
        said.clear()
        return states

    assert lanes.follow([]) == []
    assert news() == [("pcsc", C.NO_READER)]
    (lane,) = lanes.follow(["R 00 00"])
    lanes.say(lane, C.READY)
    assert news() == [("pcsc", C.STOPPED), ("pcsc:R 00 00", C.READY)]
    lane.seen = True
    lanes.follow([])
    assert isinstance(said[0], CardRemoved)  # the reader was pulled with the card on it
    assert news() == [("pcsc:R 00 00", C.NO_READER)]
    lanes.follow(["R 01 00"])  # the same reader on another socket
    assert news() == [("pcsc:R 00 00", C.STOPPED)]
    lanes.follow(["R 00 00", "R 01 00"])  # now there are two of them
    lanes.say_all(C.NO_SERVICE, "gone")
    assert news() == [("pcsc:R 01 00", C.NO_SERVICE), ("pcsc:R 00 00", C.NO_SERVICE)]
    assert len(lanes.follow(["R 00 00", "R 01 00", "R 02 00"])) == 3
    assert news() == []


def test_wanted_readers() -> None:
    names = ["Microsoft UICC ISO Reader 1", "Windows Hello for Business 1", "PaSoRi 0"]
    assert Lanes("pcsc", None, SystemClock()).wanted(names) == ["PaSoRi 0"]
    assert Lanes("pcsc", "uicc", SystemClock()).wanted(names) == names[:1]
