"""The reference centre: its database, its server, and what an administrator does from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from app import codec, logs
from app.central import drop, inspection, site_load
from app.central.api import create_app
from app.central.database import CentralDatabase
from app.central.enrolment import issue_code as issue
from app.central.server import CentralServer, address, listen
from app.central.settings import CentralSettings, is_version
from app.central.workers import Worker
from app.central.workers import serve as serve_many
from app.clock import Clock, SystemClock
from app.errors import UsageError
from app.secrets import make_pin_verifier
from app.wiring.stopping import Stop


class RunningCentre:
    """A centre that answers on an address of this machine from its construction until `stop`."""

    def __init__(
        self,
        url: str,
        host: str,
        port: int = 0,
        *,
        clock: Clock | None = None,
        settings: CentralSettings | None = None,
        proxies: str = "",
    ) -> None:
        """Raises EnvironmentTrouble when the address or the database cannot be had."""
        self._db = CentralDatabase.open(url)
        app = create_app(self._db, clock or SystemClock(), settings)
        self._server = CentralServer(app, host, port, proxies)
        try:
            self._server.start()
        except BaseException:
            self._db.close()
            raise
        self.url = self._server.url

    def ended(self) -> bool:
        """Whether the server has ended by itself."""
        return self._server.join(0.0)

    def stop(self) -> None:
        """End it; running requests get a few seconds."""
        self._server.stop()
        self._db.close()


MAX_WORKERS = 64
DROP_PAGE = 2000
"""Items of a page in a letter."""


def serve(
    url: str,
    host: str,
    port: int,
    *,
    workers: int,
    log_level: str,
    proxies: str,
    oldest_version: str,
    announce: Callable[[str], None],
) -> int:
    """Serve until SIGINT or SIGTERM. Raises EnvironmentTrouble when the address or the database cannot be had.

    `oldest_version`: that a station may have; '' for any, UsageError for what is no version.
    """
    if oldest_version and not is_version(oldest_version):
        raise UsageError("cli.bad_version", oldest_version)
    prepare = partial(logs.to_stderr_as_json, log_level)
    settings = CentralSettings(oldest_version=oldest_version)
    if workers > 1:
        CentralDatabase.open(url).close()  # tables are made, and troubles with it said, before anybody else tries
        listening = listen(host, port)
        prepare()
        serve_many(Worker(url, settings, prepare), listening, workers, lambda: announce(address(listening)), proxies)
        return 0
    stop = Stop().on_signals()
    centre = RunningCentre(url, host, port, settings=settings, proxies=proxies)
    prepare()
    try:
        announce(centre.url)
        while not stop.wait(0.5) and not centre.ended():
            pass
    finally:
        centre.stop()
    return 0


def issue_code(url: str, site_ids: Sequence[str], uses: int, valid_days: int, role: str) -> dict[str, Any]:
    """An enrolment code, as `central issue-code --json` prints it. Raises InputRefused."""
    with closing(CentralDatabase.open(url)) as db:
        answer = issue(db, SystemClock(), site_ids, uses, valid_days=valid_days, role=role)
    plain: dict[str, Any] = codec.plain(answer)
    return plain


def load_site(url: str, file: Path, *, replace: bool = False) -> dict[str, Any]:
    """Load a site file; what it did. Raises InputRefused."""
    with closing(CentralDatabase.open(url)) as db:
        plain: dict[str, Any] = codec.plain(site_load.load_site(db, SystemClock(), file, replace=replace))
    return plain


def drop_key(url: str, folder: Path | None) -> str:
    """The centre's public keys for carried letters; `folder` is made ready for them. Raises EnvironmentTrouble."""
    with closing(CentralDatabase.open(url)) as db:
        public = drop.keys_of(db).public
    if folder is not None:
        drop.prepare(folder, public)
    return public.text


def take_drop(url: str, folder: Path) -> list[dict[str, Any]]:
    """What became of every letter in a folder. Raises EnvironmentTrouble."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        taken: list[dict[str, Any]] = codec.plain(drop.take_drop(db, SystemClock(), folder, DROP_PAGE))
    return taken


def pin_verifier(pin: str) -> str:
    """What a site file holds instead of an operator's PIN. Raises InputRefused for one that is too short."""
    return make_pin_verifier(pin)


def held_events(url: str) -> list[str]:
    """Ids of every event that a centre's database holds, in the order of receipt."""
    with closing(CentralDatabase.open(url)) as db:
        return inspection.event_ids(db)


def count_work_records(url: str) -> int:
    """How many work records stand in a centre's database."""
    with closing(CentralDatabase.open(url)) as db:
        return inspection.count_work_records(db)
