"""The file for support behind a window's page: neither the gate's thread nor the window's ever waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from app.errors import GenbaError
from app.settings import DataDir
from app.ui.support_sheet import Part, TakeParts, TakeSaved
from app.wiring import support
from app.wiring.diagnosis.check import Live

log = logging.getLogger(__name__)


class SupportDesk:
    """`app.ui.support_sheet.SupportPort` of a data folder. GUI thread."""

    def __init__(self, data: DataDir, language: str, live: Live) -> None:
        self._data, self._language, self._live = data, language, live

    def collect(self, take: TakeParts) -> None:
        """See the protocol."""
        self._beside(lambda: take(support.collect(self._data, self._language, self._live)), lambda: take(None))

    def save(self, parts: Sequence[Part], take: TakeSaved) -> None:
        """See the protocol."""
        these = [support.Part(part.name, part.text) for part in parts]
        self._beside(lambda: take(str(support.save(these))), lambda: take(""))

    @staticmethod
    def _beside(deed: Callable[[], None], failed: Callable[[], None]) -> None:
        def run() -> None:
            try:
                deed()
            except GenbaError as error:
                log.info("support file: %s", error.code)
                failed()
            except Exception:  # the gate goes on without
                log.exception("support file failed")
                failed()

        threading.Thread(target=run, name="support", daemon=True).start()
