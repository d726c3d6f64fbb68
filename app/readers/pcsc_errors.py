"""PC/SC's error codes: which there are, and what each means for a reader. Pure; knows no vendor library.

Codes as in Microsoft's winscard.h and pcsc-lite's pcsclite.h (they agree); pyscard hands them out signed.
"""

from __future__ import annotations

import os
import sys

from app.readers.port import ReaderCondition

CANCELLED = 0x80100002
INVALID_HANDLE = 0x80100003
UNKNOWN_READER = 0x80100009
TIMEOUT = 0x8010000A
SHARING_VIOLATION = 0x8010000B
NO_SMARTCARD = 0x8010000C
PROTO_MISMATCH = 0x8010000F
COMM_ERROR = 0x80100013
NOT_TRANSACTED = 0x80100016
READER_UNAVAILABLE = 0x80100017
NO_SERVICE = 0x8010001D
SERVICE_STOPPED = 0x8010001E
NO_ACCESS = 0x80100027
NO_READERS = 0x8010002E
UNRESPONSIVE_CARD = 0x80100066
RESET_CARD = 0x80100068
REMOVED_CARD = 0x80100069
SECURITY_VIOLATION = 0x8010006A

CARD_LEFT = frozenset({NO_SMARTCARD, REMOVED_CARD, UNKNOWN_READER, READER_UNAVAILABLE, NO_SERVICE, SERVICE_STOPPED})
"""While a card is being read: it is not there any more, or what it lay on is not."""
TRY_AGAIN = frozenset({NOT_TRANSACTED, COMM_ERROR, RESET_CARD, UNRESPONSIVE_CARD, PROTO_MISMATCH})
"""While a card is being read: a bad moment (a card at the edge of the field, another program's reset)."""
DENIED = frozenset({NO_ACCESS, SECURITY_VIOLATION})

PCSCD_SOCKET = "/run/pcscd/pcscd.comm"


class PcscError(Exception):
    """A PC/SC call failed. `code` is normalised to 32 bits unsigned."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: {code:08X}")
        self.code = code


def code_of(hresult: int) -> int:
    """A PC/SC result as the 32-bit code of the headers (pyscard gives it signed)."""
    return hresult & 0xFFFFFFFF


def condition_of(code: int) -> ReaderCondition:
    """What a context that cannot be had or has died means for the readers."""
    if code in DENIED or (code == NO_SERVICE and _socket_denied()):
        return ReaderCondition.NO_PERMISSION
    if code == NO_READERS:
        return ReaderCondition.NO_READER
    return ReaderCondition.NO_SERVICE


def _socket_denied() -> bool:
    """Linux: pcscd runs, but this user may not open its socket; the library calls that 'no service' (was run)."""
    if sys.platform != "linux":
        return False
    return os.path.exists(PCSCD_SOCKET) and not os.access(PCSCD_SOCKET, os.R_OK | os.W_OK)
