"""Tells when the machine is connected again, as the operating system sees it: one wish to send, no promise."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QNetworkInformation

log = logging.getLogger(__name__)


class NetworkWatch(QObject):
    """Made and used on the GUI thread. `on_up`: called there each time more of the network can be reached than before.

    Where the system has no such service (`watching` is False) nothing is lost: the engine tries by itself.
    """

    def __init__(self, on_up: Callable[[], None]) -> None:
        super().__init__()
        self._on_up = on_up
        self._information: QNetworkInformation | None = None
        self._last = 0
        if not QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Reachability):
            log.info("the system does not tell when the network comes back")
            return
        self._information = QNetworkInformation.instance()
        self._last = self._information.reachability().value
        self._information.reachabilityChanged.connect(self._changed)

    @property
    def watching(self) -> bool:
        """Whether the system tells."""
        return self._information is not None

    def _changed(self, reachability: QNetworkInformation.Reachability) -> None:
        # Qt's order: unknown, disconnected, local, site, online
        before, self._last = self._last, reachability.value
        log.info("network: %s", reachability.name.lower())
        if self._last > before:
            self._on_up()

    def close(self) -> None:
        """Listen no more."""
        if self._information is not None:
            self._information.reachabilityChanged.disconnect(self._changed)
            self._information = None
