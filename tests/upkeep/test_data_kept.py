"""docs/data-kept.md: every file that a station makes stands in it, and whatever is readable there names nobody."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from app import secrets
from app.settings import DataDir
from app.store import rescue
from app.store.backup import Backups
from app.wiring.purge import _OURS
from app.wiring.setup import make_recovery_key
from app.wiring.station import open_station
from tests.helpers.piv_pki import Authority
from tests.helpers.station_rig import Rig, ask, call
from tests.helpers.tiny_site import tiny_site

DOC = Path(__file__).parents[2] / "docs" / "data-kept.md"


def patterns(heading: str) -> list[str]:
    """First cells of the table under a heading."""
    section = DOC.read_text("utf-8").partition(f"### {heading}")[2].partition("\n### ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    _, public = make_recovery_key(tmp_path / "recovery")
    made = Rig(tmp_path, tiny_site(workers=2), station_settings=f'recovery_public_key = """\n{public.read_text()}"""\n')
    try:
        yield made
    finally:
        made.close()


def everything(rig: Rig) -> DataDir:
    """A station that has lived."""
    data = DataDir(rig.station_data)
    script = rig.folder / "cards.jsonl"
    script.write_text('{"after_s": 0.3, "card": "felica:0140000000000001"}', encoding="utf-8")
    gate = rig.start_gate("--reader", f"scripted:{script}")
    gate.wait(lambda item: item["event"] == "touch")
    gate.kill()  # the log of the newest records and a trace stay behind
    assert data.database.with_name(data.database.name + "-wal").exists()
    shutil.copytree(data.root, rig.folder / "killed")
    with open_station(data) as station:
        Backups(station.db).daily()
    Authority().trust(data.trust)
    call(data.root, "phones", "key")
    call(data.root, "sync", "--once")
    data.card_profiles.mkdir(exist_ok=True)
    (data.card_profiles / "our-card.toml").write_text("")
    (data.crashes / "crash-20260101T000000000000.json").write_text("{}")
    put_aside = data.root / rescue.FOLDER / "20260101T000000"
    put_aside.mkdir(parents=True)
    (put_aside / rescue.NOTE).write_text("{}")
    ask(data.root, "doctor", "--quick")
    return data


def test_every_file_of_a_station_is_in_the_table(rig: Rig) -> None:
    data, known = everything(rig), patterns("The data folder")
    for root in (data.root, rig.folder / "killed"):
        found = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
        assert len(found) > 10
        assert [name for name in found if not any(fnmatchcase(name, pattern) for pattern in known)] == []


def test_what_purge_deletes_is_in_the_table() -> None:
    known = patterns("The data folder")
    for name in _OURS:
        assert any(fnmatchcase(pattern, f"{name}*") or fnmatchcase(name, pattern) for pattern in known), name


def test_every_entry_of_the_keyring_is_in_the_table() -> None:
    names = {
        value
        for name, value in vars(secrets).items()
        if name.isupper() and isinstance(value, str) and name.endswith(("_KEY", "_KEYS", "_SECRET", "_CODE"))
    }
    assert names == set(patterns("The keyring"))


def test_whatever_is_said_to_hold_nothing_personal_holds_nothing(rig: Rig) -> None:
    data = everything(rig)
    for path in (path for root in (data.root, rig.folder / "killed") for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for word in ("架空 1郎", "カクウ", "91000000000001", "0140000000000001"):
            assert word.encode() not in content, path
            assert word.encode("utf-16-le") not in content, path
