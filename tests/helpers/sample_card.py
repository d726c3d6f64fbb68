"""The card that `resources/card_profiles/sample-felica-digits.toml` describes, made by hand: not by `app.readers`."""

from __future__ import annotations

SERVICE = "3E0B"
IDM = "0101000000001234"
WORKER = "12345678901221"
NUMBER = "4539578763621486"
"""Its last digit is right by Luhn."""
WRONG_NUMBER = "4539578763621487"
NAME = "現場 太郎"
KEY = f"profile:sample-felica-digits:{NUMBER}"


def sample_blocks(
    *, mark: str = "GENBA-SAMPLE", worker: str = WORKER, number: str = NUMBER, ends: str = "20350331", name: str = NAME
) -> list[str]:
    """Six blocks in hex."""
    text = name.encode("shift_jis").ljust(32, b"\x00")
    blocks = [
        mark.encode("ascii").ljust(16, b"\x00"),
        worker.encode("ascii").ljust(16, b" "),
        bytes.fromhex(number).ljust(16, b"\x00"),
        bytes.fromhex(ends).ljust(16, b"\x00"),
        text[:16],
        text[16:],
    ]
    return [block.hex().upper() for block in blocks]


def by_number(blocks: list[str]) -> dict[str, str]:
    """As the PC/SC card process wants them."""
    return {str(number): block for number, block in enumerate(blocks)}


FIELDS = {
    "field.mark": "GENBA-SAMPLE",
    "field.worker_id": WORKER,
    "field.card_number": NUMBER,
    "field.expires": "20350331",
    "field.holder": NAME,
}
ATTRIBUTES = {
    "profile": "sample-felica-digits",
    "chip": f"felica:{IDM}",
    "worker_id": WORKER,
    "expires_on": "2035-03-31",
    **FIELDS,
}
