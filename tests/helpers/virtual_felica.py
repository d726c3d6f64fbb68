"""What an emulated contactless card answers to PC/SC's storage-card commands. Pure; written from the PC/SC part 3
tables and not from `app.readers`, so that a mistake there is not repeated here."""

from __future__ import annotations

from dataclasses import dataclass, field

OK = b"\x90\x00"
FELICA_ATR = bytes.fromhex("3B8F8001804F0CA000000306" + "11003B" + "00000000" + "42")
MIFARE_ATR = bytes.fromhex("3B8F8001804F0CA000000306" + "030001" + "00000000" + "6A")
CONTACT_ATR = bytes.fromhex("3B6500002063CB6600")


@dataclass
class VirtualCard:
    """`blocks`: 16 bytes each by block number, by service code. `vanish_at` / `hang_at`: the start of a command on
    which the card leaves, or stops answering."""

    atr: bytes = FELICA_ATR
    number: bytes = b""
    blocks: dict[int, dict[int, bytes]] = field(default_factory=dict)
    pages: dict[int, bytes] = field(default_factory=dict)
    """Blocks by number of a chip that is no FeliCa."""
    vanish_at: bytes | None = None
    hang_at: bytes | None = None
    refuse_first: int = 0
    """So many commands are answered with 6F00 first."""
    _service: int | None = None

    def answer(self, apdu: bytes) -> bytes:
        """The answer with its status word."""
        if self.refuse_first > 0:
            self.refuse_first -= 1
            return b"\x6f\x00"
        if apdu[:2] == b"\xff\xca" and self.number:
            return self.number + OK
        if apdu[:2] == b"\xff\xa4" and len(apdu) == 7:
            service = int.from_bytes(apdu[5:7], "little")
            if service not in self.blocks:
                return b"\x6a\x82"
            self._service = service
            return OK
        if apdu[:2] == b"\xff\xb0" and self.pages:
            page = self.pages.get(apdu[3])
            return page + OK if page is not None and apdu[4] in (0, len(page)) else b"\x6a\x83"
        if apdu[:2] == b"\xff\xb0" and self._service is not None:
            block = self.blocks[self._service].get(apdu[3])
            return block + OK if block is not None else b"\x6a\x83"
        return b"\x6a\x81"
