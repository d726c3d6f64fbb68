"""`start`: this PC's window, whatever it is for. Imported only when a window opens."""

from __future__ import annotations

from app.errors import EnvironmentTrouble
from app.settings import START_LOCK, DataDir
from app.store.folder import FolderLock
from app.ui.trouble_window import open_until_ready
from app.wiring import accounts, first_start, running
from app.wiring.office_window import open_office_window
from app.wiring.window import open_window, set_up_first


def start(data: DataDir, *, language: str, seconds: float | None, at_sign_in: bool = False) -> int:
    """The first start where it is needed, then the gate, or the office on an office's PC. Main thread.

    Of each data folder one program opens: a second start shows the first one's window, or says that it is there.
    `at_sign_in`: nobody asked for it; on the PC of another account's station nothing opens. Raises the GenbaError that
    still stood when the person gave up.
    """
    if at_sign_in and first_start.needed(data) and accounts.other() is not None:
        return 0
    lock = FolderLock(data.root / START_LOCK)
    if (lock.held() or FolderLock.beside(data.database).held()) and running.bring_to_front():
        return 0

    def take() -> None:
        data.create()
        try:
            lock.take()
        except OSError as exc:
            raise EnvironmentTrouble("settings.folder", str(data.root), why=exc.strerror or "") from exc

    open_until_ready(take, language=language, seconds=seconds)
    try:
        if not set_up_first(data, language=language, seconds=seconds):
            return 0
        identity = data.identity()
        if identity is not None and identity.role == "office":
            return open_office_window(data, site_id=None, reader_specs=(), seconds=seconds, language=language)
        return open_window(data, site_id=None, reader_specs=(), kiosk=False, seconds=seconds, language=language)
    finally:
        lock.release()
