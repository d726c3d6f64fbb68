"""Reading a FeliCa area of a tag that nfcpy activated. `nfc` is passed in, not imported (see `pasori`)."""

from __future__ import annotations

from typing import Any

from app.readers.felica import BLOCK_BYTES, FelicaArea

LITE_BLOCKS = 4
"""Blocks that every FeliCa card gives in one command; Lite-S gives no more."""
LOOKS = 3
"""A card at the edge of the field may miss a question."""


def read_whole(nfc: Any, tag: Any, area: FelicaArea) -> bytes | None:
    """Every block of an area, one after the other; None when the card has no such area or not all of it.

    Raises nfc.tag.TagCommandError when the card left or is silent.
    """
    blocks = read_blocks(nfc, tag, area)
    if any(number not in blocks for number in area.blocks):
        return None
    return b"".join(blocks[number] for number in area.blocks)


def read_blocks(nfc: Any, tag: Any, area: FelicaArea) -> dict[int, bytes]:
    """The area's blocks up to the first four that the card refuses as one. Raises nfc.tag.TagCommandError."""
    before = tag.idm, tag.pmm, tag.sys
    try:
        return _read(nfc, tag, area) if _select(nfc, tag, area.system_codes) else {}
    finally:  # nfcpy asks by these whether the card is still there, and each system of a card has an IDm of its own
        tag.idm, tag.pmm, tag.sys = before


def _read(nfc: Any, tag: Any, area: FelicaArea) -> dict[int, bytes]:
    tt3 = nfc.tag.tt3
    service = tt3.ServiceCode(area.service_code >> 6, area.service_code & 0x3F)
    found: dict[int, bytes] = {}
    for start in range(0, len(area.blocks), LITE_BLOCKS):
        numbers = area.blocks[start : start + LITE_BLOCKS]
        try:
            data = tag.read_without_encryption([service], [tt3.BlockCode(n) for n in numbers])
        except nfc.tag.TagCommandError as exc:
            if int(exc) > 0xFF:  # the card's own refusal: it has no such service or block
                return found
            raise
        for at, number in enumerate(numbers):
            found[number] = bytes(data[at * BLOCK_BYTES : (at + 1) * BLOCK_BYTES])
    return found


def _select(nfc: Any, tag: Any, codes: tuple[int, ...]) -> bool:
    """Make the card answer as one of these systems (any when there are none); False when it has none of them."""
    if not codes or tag.sys in codes:
        return True
    for code in codes:
        try:
            idm, pmm, *_system = tag.polling(code)
        except nfc.tag.TagCommandError:
            continue  # a card without this system keeps silent, and so does one that has left
        tag.idm, tag.pmm, tag.sys = idm, pmm, code
        return True
    if not any(tag.is_present for _ in range(LOOKS)):
        raise nfc.tag.tt3.Type3TagCommandError(nfc.tag.TIMEOUT_ERROR)
    return False
