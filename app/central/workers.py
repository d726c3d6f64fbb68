"""Several processes on one address: uvicorn's supervisor, which starts a process anew that dies or hangs.

The socket is opened once and handed to all, so a connection that waits in it is nobody's yet: when a process is killed
only the requests at work in it are lost, and a station sends those again. Every process stands alone; the database is
all they share.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait

import uvicorn
from uvicorn.supervisors import Multiprocess

from app.central.api import create_app
from app.central.database import CentralDatabase
from app.central.envelope import AsgiApp
from app.central.server import START_SECONDS, configured
from app.central.settings import CentralSettings
from app.clock import SystemClock
from app.errors import EnvironmentTrouble


@dataclass(frozen=True)
class Worker:
    """What a process needs to make its application; travels to it. `prepare`: called first there (logging)."""

    url: str
    settings: CentralSettings
    prepare: Callable[[], None]

    def __call__(self) -> AsgiApp:
        """The application, in the worker's process. Raises as CentralDatabase.open does."""
        self.prepare()
        parent = multiprocessing.parent_process()
        if parent is not None:
            threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent", daemon=True).start()
        return create_app(CentralDatabase.open(self.url), SystemClock(), self.settings)


def _end_with(sentinel: int) -> None:
    """End this process when its parent ends: without one nobody would start it anew, and it would hold the port."""
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


class _Supervisor(Multiprocess):
    def __init__(self, config: uvicorn.Config, listening: socket.socket, ready: Callable[[], None]) -> None:
        super().__init__(config, [listening])
        self._ready = ready
        self.started = False
        self.asked_to_end = False

    def handle_signals(self) -> None:
        self.asked_to_end = self.asked_to_end or bool(self.signal_queue)
        super().handle_signals()

    def init_processes(self) -> None:
        super().init_processes()
        for process in self.processes:
            if not process.wait_until_ready(START_SECONDS, self.should_exit):
                self.should_exit.set()
                return
        self.started = True
        self._ready()


def serve(worker: Worker, listening: socket.socket, count: int, ready: Callable[[], None], proxies: str = "") -> None:
    """Serve with `count` processes until SIGINT or SIGTERM; main thread only. `ready` is called when all answer.

    Raises EnvironmentTrouble when they do not start.
    """
    config = configured(worker, proxies, workers=count, factory=True)
    supervisor = _Supervisor(config, listening, ready)
    try:
        supervisor.run()
    finally:
        host, port = listening.getsockname()[:2]
        listening.close()
    if not supervisor.started and not supervisor.asked_to_end:
        raise EnvironmentTrouble("central.cannot_listen", f"{host}:{port}", reason="the workers did not start")
