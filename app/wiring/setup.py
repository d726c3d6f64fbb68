"""Setting a station up: the first start, and taking over the data folder of a PC that is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app import recovery, sealing
from app.clock import Clock, SystemClock
from app.errors import EnvironmentTrouble, InputRefused
from app.files import make_private, write_private
from app.secrets import (
    CLIENT_SECRET,
    DATABASE_KEY,
    ENROLMENT_CODE,
    INSTALLATION_ID,
    SecretVault,
    installation_id,
    new_database_key,
)
from app.settings import DataDir, Identity, Settings
from app.store import closing
from app.store.meta import Meta
from app.store.outbox import Outbox
from app.sync.enrol import enrol, normalise_code
from app.sync.wire import ChainEnd
from app.version import VERSION
from app.wiring import accounts, bring, duties, provisioning
from app.wiring.sealed import seal
from app.wiring.station import centre_client, keep_chain, open_station, sync_once, vault_of

CA_FILE = "company-ca.pem"


def provision(
    data: DataDir,
    file: Path,
    code: str | None = None,
    *,
    clock: Clock | None = None,
    it_key: Path | None = None,
    second_account: bool = False,
) -> dict[str, Any]:
    """Set a data folder up from a provisioning file: keys, enrolment, first roster.

    Can be run again after a break (a lost answer burns no use of the code). `it_key`: IT's public key, where this PC
    has none of its own. `second_account`: even if another account of this PC is a station. Raises InputRefused,
    EnvironmentTrouble (offline, no keyring), CentreRefused; what was done stays and is taken up again.
    """
    begin(data, file, code, it_key=it_key, second_account=second_account)
    return go_on(data, clock=clock)


def begin(
    data: DataDir, file: Path, code: str | None = None, *, it_key: Path | None = None, second_account: bool = False
) -> None:
    """Take a provisioning file into the data folder, all but asking the centre; `go_on` does the rest.

    From here on the file is not needed any more. Raises InputRefused (then nothing was done), EnvironmentTrouble.
    """
    given = provisioning.read(file, data, it_key)
    if data.identity() is not None:
        if not data.has_settings():
            data.save_settings(_own_ca(data, given.settings))  # they were lost, and this file brings them back
            _mark(data)
        return
    settings = replace(given.settings, second_account=given.settings.second_account or second_account)
    if not (settings.second_account or data.has_settings()):  # with settings it has begun already
        accounts.check_only_one()
    code = code or given.code
    if code:
        keep_code(data, settings, code)
    elif not data.root.exists() or vault_of(data, settings).get(ENROLMENT_CODE) is None:
        raise InputRefused("settings.no_code", str(file))
    data.save_settings(_own_ca(data, settings))
    _mark(data)


def keep_code(data: DataDir, settings: Settings, code: str) -> None:
    """Keep a code that was typed until the centre has answered it. Raises InputRefused, EnvironmentTrouble."""
    code = normalise_code(code)
    data.create()
    vault_of(data, settings).set(ENROLMENT_CODE, code.encode())


def roster_of(data: DataDir) -> tuple[str, int]:
    """Name of the site this PC records for, and how many workers its roster has. Raises GenbaErrors."""
    with open_station(data, look=True) as station:
        site = station.site()
        return site.name, len(station.rosters.load(site.id).workers)


def go_on(
    data: DataDir, *, clock: Clock | None = None, tell: Callable[[str], None] = lambda step: None
) -> dict[str, Any]:
    """What is left of setting up: keys, enrolment, first roster. `tell`: the step that begins, 'enrol' or 'roster'.

    Raises as `provision`; `settings.already_enrolled` when nothing is left.
    """
    time = clock or SystemClock()
    if data.identity() is None:
        tell("enrol")
        _enrol(data, time)
    tell("roster")
    return _finish(data, time)


def _enrol(data: DataDir, clock: Clock) -> None:
    settings = data.settings()
    vault = vault_of(data, settings)
    code = vault.get(ENROLMENT_CODE)
    if code is None:
        raise InputRefused("settings.no_code", str(data.root))
    if settings.recovery_public_key:
        sealing.public_key(settings.recovery_public_key.encode())  # refused now, before a use of the code is burned
    if vault.get(DATABASE_KEY) is None:
        if data.database.exists():
            raise EnvironmentTrouble("keyring.lost", str(data.database))
        vault.set(DATABASE_KEY, new_database_key())
    client = centre_client(settings, clock, vault)
    try:
        answer = enrol(client, code.decode(), installation_id(data.root), settings.station_name, VERSION)
    finally:
        client.close()
    vault.set(CLIENT_SECRET, answer.client_secret.encode())
    seal(data, settings, vault, answer.station_id, answer.client_secret)
    data.save_identity(Identity(answer.station_id, tuple(answer.site_ids), answer.role))
    accounts.leave_mark(settings)
    vault.delete(ENROLMENT_CODE)


def _own_ca(data: DataDir, settings: Settings) -> Settings:
    """The company's certificates as a file of the data folder: a stick is pulled out, a share goes away."""
    if not settings.ca_file:
        return settings
    kept = data.root / CA_FILE
    try:
        write_private(kept, Path(settings.ca_file).read_bytes())
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(kept), why=exc.strerror or "") from exc
    return replace(settings, ca_file=str(kept))


def _mark(data: DataDir) -> None:
    try:
        write_private(data.unfinished, b"")
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(data.root), why=exc.strerror or "") from exc


def rejoin(data: DataDir, code: str, *, clock: Clock | None = None) -> dict[str, Any]:
    """Go on with a restored copy: enrol it as a new station whose chain begins where the centre still agrees.

    Events keep their ids, seqs and bytes. All after that point wait again: what the centre has is a duplicate there,
    and the new chain runs over it too. May be repeated with the same code after a lost answer. Raises InputRefused,
    StorageTrouble, CentreRefused (`sync.enrol_…`), the troubles of sync; then this is the station that it was.
    """
    normalise_code(code)
    with open_station(data, clock=clock, rejoining=True) as station:
        settings, until = station.settings, station.outbox.settled_until()
        restored = ChainEnd(until, station.outbox.chain_hash(until).hex())
        client = centre_client(settings, station.clock, station.vault)
        try:
            answer = enrol(client, code, installation_id(data.root), settings.station_name, VERSION, restored)
        finally:
            client.close()
        station.vault.set(CLIENT_SECRET, answer.client_secret.encode())
        seal(data, settings, station.vault, answer.station_id, answer.client_secret)
        again = station.outbox.resend_after(until)  # before the identity: a break in between finds the same `until`
        data.save_identity(Identity(answer.station_id, tuple(answer.site_ids), answer.role))
        keep_chain(station, broken=False)
        closing.reopen(station.db)  # what was moved away goes on as a new station
        data.rejoin_first.unlink(missing_ok=True)
        return {"station_id": answer.station_id, "last_common_seq": until, "resent": again}


def _finish(data: DataDir, clock: Clock) -> dict[str, Any]:
    """Fetch the first roster. Without the mark of a beginning, and with a roster, there is nothing left to do."""
    begun = data.unfinished.exists()
    with open_station(data, clock=clock, new=begun) as station:
        if not begun and station.rosters.sites():
            raise InputRefused("settings.already_enrolled", str(data.root))
        _, error = sync_once(station)
        if error is not None:
            raise error
        data.unfinished.unlink(missing_ok=True)  # which of several sites is another question
        site = station.site()
        return {
            "station_id": station.identity.station_id,
            "station_name": station.settings.station_name,
            "site_id": site.id,
            "site_name": site.name,
            "workers": len(station.rosters.load(site.id).workers),
        }


def recover(old: Path, private_key: Path, new: DataDir) -> dict[str, Any]:
    """Open a data folder whose keyring is lost: copy it to `new`, with its secrets in this PC's keyring.

    Unsent touches come along and are sent from here, and so does everything else of the folder but copies and reports.
    The first contact with the centre changes the station's secret, so that the old folder cannot go on beside this one.
    Raises InputRefused, StorageTrouble, EnvironmentTrouble.
    """
    try:
        pem = private_key.read_bytes()
    except OSError as exc:
        raise InputRefused("file.missing", str(private_key), why=exc.strerror or "") from exc
    if not old.is_dir():
        raise InputRefused("file.missing", str(old), why="not a folder")
    source = DataDir.at(old)
    settings, identity = source.settings(), source.identity()
    new.create()
    with _named(str(private_key)):
        key = sealing.private_key(pem)
    with _named(str(source.sealed)):
        recovery.read_sealed(source.root, key)  # before a keyring is asked for anything
        _keep_name(source, new, settings)
        found = recovery.recover(source.root, key, vault_of(new, settings), new.root, SystemClock())
    with found.database as db:
        waiting = Outbox(db).counts().pending
        Meta(db).set(duties.ROTATE_FIRST, "1")
        if duties.standing(db) == (closing.MOVED,):
            closing.reopen(db)
        names = list(bring.others(source, settings))
        try:
            for name in names:
                make_private((new.root / name).parent)
                write_private(new.root / name, (source.root / name).read_bytes())
        except OSError as exc:
            raise EnvironmentTrouble("settings.folder", exc.filename or "", why=exc.strerror or "") from exc
    settings = bring.moved(settings, new.root, frozenset(name.as_posix() for name in names))
    new.save_settings(settings)
    new.save_identity(identity or Identity(found.station_id))
    return {"last_seq": found.last_seq, "pending": waiting, "folder": str(new.root)}


def _keep_name(source: DataDir, new: DataDir, settings: Settings) -> None:
    """The copy is the same installation to the centre, so that it may `rejoin`; but where this very keyring still has
    the old folder's secrets, what is sealed (older, maybe) must not take their place."""
    kept = source.root / INSTALLATION_ID
    if kept.is_file() and (settings.key_file or SecretVault(installation_id(source.root)).get(DATABASE_KEY) is None):
        write_private(new.root / INSTALLATION_ID, kept.read_bytes())


def make_recovery_key(folder: Path) -> tuple[Path, Path]:
    """A new recovery key pair as two PEM files. Raises InputRefused when they are there already."""
    return sealing.make_key_pair(folder)


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Say where a value came from that was refused by somebody who cannot know."""
    try:
        yield
    except InputRefused as error:
        if error.where:
            raise
        raise InputRefused(error.code, where, **error.values) from error
