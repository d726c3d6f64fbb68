"""Reading a contactless card through PC/SC's storage-card commands (PC/SC part 3, rev. 2.01.09, 3.2.2).

This is what a reader whose own driver speaks PC/SC offers for FeliCa, MIFARE and other memory chips: the chip number
(`FF CA`), and unencrypted blocks: for FeliCa by service (`FF A4` select service, `FF B0` read block), for chips of type
A and B by number (`FF B0`; nothing that needs a key, so no MIFARE Classic). Run on emulated cards only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.assurance import Assurance
from app.domain.ids import InvalidId, card_key
from app.readers.channel import CardAnswer, CardError, CardProtocol, Channel, Response
from app.readers.felica import BLOCK_BYTES, IDM_BYTES, FelicaArea, block_attributes

PCSC_WORKGROUP_RID = bytes.fromhex("A000000306")
FELICA = 0x11
"""Storage card standard 'FeliCa' (PC/SC part 3 supplemental document, 'SS')."""

_GET_UID = bytes.fromhex("FFCA000000")
_REFUSALS = frozenset({0x63, 0x67, 0x68, 0x69, 0x6A, 0x6D, 0x6E})
"""First bytes of a status word that says no in plain words (ISO/IEC 7816-4, PC/SC part 3): there is no such thing."""


class Technology(StrEnum):
    """Kinds of contactless chips that are told apart."""

    FELICA = "felica"
    TYPE_A = "type_a"
    TYPE_B = "type_b"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StorageArea:
    """Blocks (pages) of a chip of type A or B that are read without a key; over PC/SC alone."""

    technology: Technology
    blocks: tuple[int, ...]
    block_bytes: int
    """What one read gives: 16, or 4 for a page."""


def storage_card(area: FelicaArea | StorageArea | None = None) -> CardProtocol:
    """The protocol for cards of which only the chip number, and perhaps `area`, is read. Assurance: `uid`."""

    def read(channel: Channel) -> CardAnswer | None:
        return read_storage_card(channel, area)

    return read


def read_storage_card(channel: Channel, area: FelicaArea | StorageArea | None = None) -> CardAnswer | None:
    """The card's chip number as `felica:` or `uid:`; None when it has none to give (a contact card).

    Raises CardGone, and CardError for a number that cannot be one.
    """
    answer = channel.transmit(_GET_UID)
    if not answer.ok:
        return None
    number = answer.data
    standard = storage_standard(channel.atr)
    felica = len(number) == IDM_BYTES and standard in (FELICA, None)
    kind = "felica" if felica else "uid"
    try:
        key = card_key(f"{kind}:{number.hex()}")
    except InvalidId as exc:
        raise CardError(f"chip number of {len(number)} bytes") from exc
    attributes: dict[str, str] = {}
    if felica and isinstance(area, FelicaArea):
        attributes = block_attributes(area, read_felica_blocks(channel, area))
    elif isinstance(area, StorageArea) and technology(channel.atr, key) is area.technology:
        attributes = {f"block.{number}": data.hex().upper() for number, data in _storage_blocks(channel, area)}
    return CardAnswer(key, Assurance.UID, attributes)


def technology(atr: bytes, key: str) -> Technology:
    """What kind of chip gave this card key."""
    if key.startswith("felica:"):
        return Technology.FELICA
    match storage_standard(atr):
        case 0x01 | 0x02 | 0x03:
            return Technology.TYPE_A
        case 0x05 | 0x06 | 0x07:
            return Technology.TYPE_B
        case _:
            return Technology.OTHER


def storage_standard(atr: bytes) -> int | None:
    """The storage card standard byte of a contactless ATR (0x11 FeliCa, 0x03 ISO 14443 A part 3, …).

    None when the ATR is not of PC/SC's storage-card form `… 80 4F 0C A0 00 00 03 06 SS NN NN …`.
    """
    at = atr.find(PCSC_WORKGROUP_RID)
    after = at + len(PCSC_WORKGROUP_RID)
    if at < 2 or atr[at - 2] != 0x4F or len(atr) <= after:
        return None
    return atr[after]


def read_felica_blocks(channel: Channel, area: FelicaArea) -> dict[int, bytes]:
    """Blocks of a service by number; empty when the card has no such service. Raises CardGone."""
    select = bytes.fromhex("FFA4000102") + area.service_code.to_bytes(2, "little")
    if not channel.transmit(select).ok:
        return {}
    blocks: dict[int, bytes] = {}
    for number in area.blocks:
        answer = channel.transmit(bytes((0xFF, 0xB0, 0x00, number, 0x00)))
        if answer.ok and len(answer.data) == BLOCK_BYTES:
            blocks[number] = answer.data
    return blocks


def read_whole(channel: Channel, area: FelicaArea | StorageArea) -> bytes | None:
    """Every block of an area, one after the other; None when the card plainly has no such area or not all of it.

    Raises CardGone, and CardError for an answer that may be another the next time.
    """
    if isinstance(area, FelicaArea):
        size = BLOCK_BYTES
        select = bytes.fromhex("FFA4000102") + area.service_code.to_bytes(2, "little")
        if not _granted(channel.transmit(select)):
            return None
    else:
        size = area.block_bytes
    data = b""
    for number in area.blocks:
        answer = channel.transmit(bytes((0xFF, 0xB0, 0x00, number, 0x00 if size == BLOCK_BYTES else size)))
        if not _granted(answer):
            return None
        if len(answer.data) != size:
            raise CardError(f"block {number} has {len(answer.data)} bytes")
        data += answer.data
    return data


def _granted(answer: Response) -> bool:
    if answer.ok:
        return True
    if answer.sw >> 8 in _REFUSALS:
        return False
    raise CardError(f"status {answer.sw:04X}")


def _storage_blocks(channel: Channel, area: StorageArea) -> list[tuple[int, bytes]]:
    size = 0x00 if area.block_bytes == BLOCK_BYTES else area.block_bytes
    answers = ((number, channel.transmit(bytes((0xFF, 0xB0, 0x00, number, size)))) for number in area.blocks)
    return [(number, answer.data) for number, answer in answers if answer.ok and len(answer.data) == area.block_bytes]
