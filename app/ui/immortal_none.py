"""Keeps a fault of PySide6 6.12.0 under CPython 3.11 from killing the gate.

Every Qt call that returns nothing gives away one reference of `None` that it never took: the wheel is compiled for an
interpreter on which `None` is immortal, as it is from CPython 3.12 on (PEP 683). Under 3.11 some thousand calls later
the process ends with "Fatal Python error: none_dealloc". Seen here: `QFont().setPixelSize(1)` in a loop, 6.12.0,
CPython 3.11.7; refcount −1 a call. So `None` is given what 3.12 gives it: more references than can ever be lost.
"""

from __future__ import annotations

import ctypes
import sys

_PLENTY = 1 << 60


def make_none_immortal() -> bool:
    """Give `None` references for ever; False where that is not needed (3.12 and later, or not CPython)."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return False
    count = ctypes.c_ssize_t.from_address(id(None))
    if count.value < _PLENTY // 2:
        count.value += _PLENTY if ctypes.sizeof(ctypes.c_ssize_t) == 8 else 1 << 29
    return True
