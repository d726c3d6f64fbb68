"""Reading a contactless card through PC/SC's storage-card commands (PC/SC part 3, rev. 2.01.09, 3.2.2).

This is what a reader whose own driver speaks PC/SC offers for FeliCa, MIFARE and other memory chips: the chip number
(`FF CA`), and for FeliCa unencrypted blocks (`FF A4` select service, `FF B0` read block; run on an emulated card only).
"""

from __future__ import annotations

from app.domain.assurance import Assurance
from app.domain.ids import InvalidId, card_key
from app.readers.channel import CardAnswer, CardError, CardProtocol, Channel
from app.readers.felica import BLOCK_BYTES, IDM_BYTES, FelicaArea, block_attributes

PCSC_WORKGROUP_RID = bytes.fromhex("A000000306")
FELICA = 0x11
"""Storage card standard 'FeliCa' (PC/SC part 3 supplemental document, 'SS')."""

_GET_UID = bytes.fromhex("FFCA000000")


def storage_card(area: FelicaArea | None = None) -> CardProtocol:
    """The protocol for cards of which only the chip number, and perhaps `area`, is read. Assurance: `uid`."""

    def read(channel: Channel) -> CardAnswer | None:
        return read_storage_card(channel, area)

    return read


def read_storage_card(channel: Channel, area: FelicaArea | None = None) -> CardAnswer | None:
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
    blocks = read_felica_blocks(channel, area) if felica and area is not None else {}
    attributes = block_attributes(area, blocks) if area is not None else {}
    return CardAnswer(key, Assurance.UID, attributes)


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
