"""A running program as others on this PC see it: the set-up that wishes it to close, and a second start of it.

Windows has no signal that one program sends another. There, a program is announced by a mutex and hears a wish to close
from an event; both bear the name of the folder that it runs from, so that a set-up sees the programs of that folder
in every session, and no others. Elsewhere SIGTERM does it, and nothing here is needed.
"""

from __future__ import annotations

import getpass
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)

_LONGEST = 180
"""Of a folder's name, from its end; an object's whole name has 260 characters at most."""
_AGAIN_S = 0.5
"""So long between wishes: a program that opens at this very moment does not handle signals yet."""


def object_name(kind: str, folder: str) -> str:
    """What the mutex ('running') or the event ('close') of a folder is called, without its `Global\\`.

    `folder`: with the system's own lower case. The set-up makes the same name (installer/windows/common.nsh).
    """
    return f"genba-touch {kind} {folder.replace(chr(92), '/')[-_LONGEST:]}"


def program_folder() -> Path:
    """The folder that this program runs from."""
    return Path(sys.executable).resolve().parent


def announce() -> None:
    """Be seen by a set-up until this process ends, and hear its wish to close: it counts as SIGTERM.

    A command that does not handle SIGTERM is not cut off: the set-up waits for it. Raises nothing.
    """
    if sys.platform == "win32":
        _announce()


def account() -> str:
    """This account's name as Windows writes it (`PC\\taro`); elsewhere the user's name."""
    if sys.platform == "win32":
        return _account()
    return getpass.getuser()


def bring_to_front() -> bool:
    """Show the window of another program from this folder. Whether there was one; never where windows may not do that
    to each other (anywhere but on Windows)."""
    return sys.platform == "win32" and _bring_to_front()


if sys.platform == "win32":
    import ctypes
    from collections.abc import Callable
    from ctypes import wintypes

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _user = ctypes.WinDLL("user32", use_last_error=True)
    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _SYNCHRONIZE, _INFINITE, _SIGNALLED = 0x0010_0000, 0xFFFF_FFFF, 0
    _RIGHTS = "D:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)(A;;0x00100000;;;AU)"
    """System, administrators and who made it may do all; others may look and wait: nobody closes another's gate."""
    _WINDOW_OF = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)

    class _Security(ctypes.Structure):
        _fields_ = (("length", wintypes.DWORD), ("descriptor", wintypes.LPVOID), ("inherit", wintypes.BOOL))

    for _name, _answer, _takes in (
        ("CreateMutexW", wintypes.HANDLE, (wintypes.LPVOID, wintypes.BOOL, wintypes.LPCWSTR)),
        ("OpenMutexW", wintypes.HANDLE, (wintypes.DWORD, wintypes.BOOL, wintypes.LPCWSTR)),
        ("CreateEventW", wintypes.HANDLE, (wintypes.LPVOID, wintypes.BOOL, wintypes.BOOL, wintypes.LPCWSTR)),
        ("OpenEventW", wintypes.HANDLE, (wintypes.DWORD, wintypes.BOOL, wintypes.LPCWSTR)),
        ("WaitForSingleObject", wintypes.DWORD, (wintypes.HANDLE, wintypes.DWORD)),
        ("CloseHandle", wintypes.BOOL, (wintypes.HANDLE,)),
        ("OpenProcess", wintypes.HANDLE, (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)),
        ("QueryFullProcessImageNameW", wintypes.BOOL,
         (wintypes.HANDLE, wintypes.DWORD, wintypes.LPWSTR, ctypes.POINTER(wintypes.DWORD))),
    ):  # fmt: skip
        _function = getattr(_kernel, _name)
        _function.restype, _function.argtypes = _answer, _takes
    _user.CharLowerBuffW.argtypes = (wintypes.LPWSTR, wintypes.DWORD)

    def _announce() -> None:
        folder = _system_lower(str(program_folder()))
        descriptor = wintypes.LPVOID()
        _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(_RIGHTS, 1, ctypes.byref(descriptor), None)
        security = _Security(ctypes.sizeof(_Security), descriptor, False)
        rights = ctypes.byref(security) if descriptor else None
        running, close = object_name("running", folder), object_name("close", folder)
        _first(  # never closed: it lasts as long as the process
            lambda scope: _kernel.CreateMutexW(rights, False, scope + running),
            lambda scope: _kernel.OpenMutexW(_SYNCHRONIZE, False, scope + running),
        )
        wish = _first(
            lambda scope: _kernel.CreateEventW(rights, True, False, scope + close),
            lambda scope: _kernel.OpenEventW(_SYNCHRONIZE, False, scope + close),
        )
        if wish:
            threading.Thread(target=_listen, args=(wish,), name="close-wish", daemon=True).start()

    def _first(*makers: Callable[[str], int | None]) -> int | None:
        """Global objects are seen from other sessions (the set-up of a management system runs in one)."""
        for scope in ("Global\\", "Local\\"):
            for make in makers:
                if handle := make(scope):
                    return handle
        log.warning("not announced: Windows error %s", ctypes.get_last_error())
        return None

    def _listen(wish: int) -> None:
        while _kernel.WaitForSingleObject(wish, _INFINITE) == _SIGNALLED:
            if callable(signal.getsignal(signal.SIGTERM)):
                log.info("a set-up wishes this program to close")
                signal.raise_signal(signal.SIGTERM)
            time.sleep(_AGAIN_S)

    def _system_lower(text: str) -> str:
        buffer = ctypes.create_unicode_buffer(text)
        _user.CharLowerBuffW(buffer, len(text))
        return buffer.value

    def _account() -> str:
        """Not from the environment, which anybody may change."""
        size = wintypes.ULONG(512)
        buffer = ctypes.create_unicode_buffer(size.value)
        same_as_at_sign_in = 2
        if ctypes.WinDLL("secur32").GetUserNameExW(same_as_at_sign_in, buffer, ctypes.byref(size)):
            return buffer.value
        return os.environ.get("USERNAME", "?")

    def _bring_to_front() -> bool:
        own, found = os.getpid(), []

        def look(window: int, _: int) -> bool:
            process = wintypes.DWORD()
            _user.GetWindowThreadProcessId(wintypes.HWND(window), ctypes.byref(process))
            if _user.IsWindowVisible(wintypes.HWND(window)) and process.value != own and _is_ours(process.value):
                found.append(window)
            return True

        _user.EnumWindows(_WINDOW_OF(look), 0)
        for window in found[:1]:
            if _user.IsIconic(wintypes.HWND(window)):
                restore = 9
                _user.ShowWindow(wintypes.HWND(window), restore)
            _user.SetForegroundWindow(wintypes.HWND(window))
        return bool(found)

    def _is_ours(process: int) -> bool:
        query_limited_information = 0x1000
        handle = _kernel.OpenProcess(query_limited_information, False, process)
        if not handle:
            return False
        size = wintypes.DWORD(1024)
        buffer = ctypes.create_unicode_buffer(size.value)
        known = _kernel.QueryFullProcessImageNameW(handle, 0, buffer, ctypes.byref(size))
        _kernel.CloseHandle(handle)
        return bool(known) and Path(buffer.value).parent == program_folder()
