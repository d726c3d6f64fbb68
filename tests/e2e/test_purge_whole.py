"""Promise: after a purge nothing of a station is left, and nothing goes unasked that is nowhere else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from app import secrets
from app.errors import EnvironmentTrouble, InputRefused
from app.secrets import DATABASE_KEY, KeyFileVault
from app.settings import DataDir
from app.store.backup import Backups
from app.wiring import purge as purging
from app.wiring import setup
from app.wiring.purge import purge
from app.wiring.station import open_station, sync_once
from tests.e2e.test_rejoin import record
from tests.helpers.station_rig import ROOT, Centre
from tests.helpers.tiny_site import tiny_site

SITE = tiny_site(workers=2)
CARD = SITE["cards"][0]["id"]


@pytest.fixture
def data(centre: Centre, tmp_path: Path) -> DataDir:
    """A station that has delivered all it has."""
    made = DataDir.at(tmp_path / "現場 データ")
    setup.provision(made, centre.write_provisioning('key_file = "keys.json"\n'))
    touch(made, centre)
    return made


def touch(data: DataDir, centre: Centre, *, deliver: bool = True) -> None:
    with open_station(data) as station:
        record(station, centre.site_id, CARD, 1)
        assert not deliver or sync_once(station)[1] is None


def test_nothing_that_the_program_makes_is_left(data: DataDir) -> None:
    """Every file that docs/data-kept.md names, and every secret that the program has a name for."""
    table = (
        (ROOT / "docs" / "data-kept.md").read_text("utf-8").partition("### The data folder")[2].partition("\n### ")[0]
    )
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell) if not name.startswith("central.db")]
    assert len(names) > 20
    named = {
        value
        for name, value in vars(secrets).items()
        if name.isupper() and isinstance(value, str) and name.endswith(("_KEY", "_KEYS", "_SECRET", "_CODE"))
    }
    vault = KeyFileVault(data.root / "keys.json")
    for name in named:
        if vault.get(name) is None:
            vault.set(name, b"x")
    names += [f"{name}.new" for name in names if not re.search(r"[*/]|^genba-touch.db|lock$|doctor", name)]
    for name in names:
        *folders, last = name.split("/")
        path = data.root.joinpath(*(folder.replace("*", "folder") for folder in folders), last.replace("*", "file"))
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != "*.new" and not path.exists() and not name.startswith("genba-touch.db"):
            path.write_text("x")
    (data.backups / "genba-touch-2026-01-01.db.part").write_text("x")
    done = purge(data, force=True)
    assert set(done.secrets) == named
    assert done.left == ()
    assert not data.root.exists()


def test_a_purge_that_deleted_nothing_yet_does_not_let_the_next_one_go_unasked(
    data: DataDir, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was cut off, or the keyring was locked: the gate goes on for weeks, and then somebody purges again."""
    with monkeypatch.context() as locked:

        def refuse(self: KeyFileVault, name: str) -> None:
            raise EnvironmentTrouble("keyring.failed", name)

        locked.setattr(KeyFileVault, "delete", refuse)
        with pytest.raises(EnvironmentTrouble):
            purge(data)
    assert (data.root / purging.BEGUN).exists()
    touch(data, centre, deliver=False)
    with pytest.raises(InputRefused, match=r"purge\.unsent"):
        purge(data)
    KeyFileVault(data.root / "keys.json").delete(DATABASE_KEY)  # from here on nobody records any more
    assert purge(data).left == ()


def test_a_copy_that_alone_has_a_record_is_not_purged_unasked(data: DataDir, centre: Centre, tmp_path: Path) -> None:
    twin = DataDir.at(tmp_path / "twin")
    shutil.copytree(data.root, twin.root)
    touch(twin, centre, deliver=False)
    with open_station(twin) as station:
        only = shutil.copy(Backups(station.db).now(), data.database.with_name("only.db"))
    with open_station(data) as station:
        Backups(station.db).now()
    Path(only).rename(data.backups / "genba-touch-2026-01-01.db")
    with pytest.raises(InputRefused, match=r"purge\.copies") as refused:
        purge(data)
    assert refused.value.where == str(data.backups / "genba-touch-2026-01-01.db")
    assert refused.value.values == {"count": 1}
    (data.backups / "genba-touch-2026-01-01.db").rename(tmp_path / "safe.db")
    assert purge(data).left == ()
