"""The set-up under wine, as IT runs it: every way in, every way it must say no, and that nothing is ever half done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from installer.windows.wine import windows_path
from tests.packaging.setup_bench import KEY, OFFICE, SHORTCUT, UNINSTALL, Bench, bench

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CONFIG = 'schema = 1\nenrolment_code = "ABCD-EFGH-JKLM"\n'
AUTOSTART = f"StartUp/{SHORTCUT}"


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("setup")) as made:
        yield made


@pytest.fixture(scope="module")
def setup(windows: Bench) -> Path:
    """Version 0.1.0."""
    return windows.make(windows.program())


@pytest.fixture(scope="module")
def newer(windows: Bench) -> Path:
    """Version 0.2.0."""
    return windows.make(windows.program("newer", fresh="new"), "0.2.0")


@pytest.fixture(autouse=True)
def tidy(windows: Bench) -> Iterator[None]:
    """Nothing is installed before a test, and there is no log."""
    windows.log.unlink(missing_ok=True)
    yield
    for folder in (windows.machine, windows.own):
        if (folder / "genba-touch.exe").exists():
            assert windows.uninstall(folder) == 0, windows.logged()
        (folder / "uninstall.exe").unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()


def config(windows: Bench, name: str, text: str = CONFIG) -> Path:
    file = windows.work / name / "provisioning.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def state(folder: Path) -> dict[str, bytes]:
    """Every file of an installed program."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def unchanged(windows: Bench, folder: Path) -> Iterator[None]:
    """What is installed stays to the byte, and nothing is left beside it."""
    before, values = state(folder), windows.registry("HKLM", KEY)
    yield
    assert state(folder) == before
    assert windows.registry("HKLM", KEY) == values
    assert not folder.with_name("genba-touch.new").exists()


@pytest.mark.parametrize("common", [True, False], ids=["all users", "one user"])
def test_silently_for_everybody_or_one(windows: Bench, setup: Path, common: bool) -> None:
    folder, root = (windows.machine, "HKLM") if common else (windows.own, "HKCU")
    assert windows.run(setup, "/S " + ("/AllUsers" if common else "/CurrentUser")) == 0, windows.logged()
    assert {path.name for path in folder.iterdir()} == {
        "genba-touch.exe", "genba-touchw.exe", "uninstall.exe", "_internal"
    }  # fmt: skip
    assert windows.shortcuts(common=common) == {SHORTCUT, OFFICE, AUTOSTART}
    assert not windows.shortcuts(common=not common)
    told = windows.registry(root, KEY)
    assert (told["Version"], told["InstallDir"]) == ("0.1.0", windows.inside(folder).replace("C:/", "C:\\"))
    shown = windows.registry(root, UNINSTALL)
    assert (shown["DisplayName"], shown["DisplayVersion"]) == ("現場タッチ", "0.1.0")
    assert shown["QuietUninstallString"] == f'"{told["InstallDir"]}\\uninstall.exe" /S'
    assert int(shown["EstimatedSize"], 16) > 0
    assert (windows.drive / "ProgramData/genba-touch/accounts").is_dir() is common or not common
    assert windows.uninstall(folder) == 0
    assert {path.name for path in folder.iterdir()} == {"uninstall.exe"}  # the running one
    assert not windows.shortcuts(common=common)
    assert not windows.registry(root, UNINSTALL)
    assert "Version" not in windows.registry(root, KEY)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("plain", "/CONFIG={}"),
        ("a folder", '/CONFIG="{}"'),
        ("quoted whole", '"/CONFIG={}"'),
        ("現場 一号", '"/CONFIG={}"'),
    ],
)
def test_a_provisioning_file_in_every_spelling(windows: Bench, setup: Path, name: str, form: str) -> None:
    file = config(windows, name)
    assert windows.run(setup, f"/S /CurrentUser {form.format(windows_path(file))}") == 0, windows.logged()
    assert (windows.own / "provisioning.toml").read_text(encoding="utf-8") == CONFIG
    assert windows_path(file) in windows.logged()
    assert "ABCD" not in windows.logged()


def test_what_lies_beside_the_set_up_is_taken(windows: Bench, setup: Path) -> None:
    config(windows, setup.parent.name)
    (setup.parent / "it-key.pem").write_text("KEY")
    try:
        assert windows.run(setup, r"/S /CurrentUser /NOAUTOSTART /D=C:\機械 置き場\touch") == 0, windows.logged()
    finally:
        (setup.parent / "it-key.pem").unlink()
        (setup.parent / "provisioning.toml").unlink()
    folder = windows.drive / "機械 置き場/touch"
    assert (folder / "provisioning.toml").read_text(encoding="utf-8") == CONFIG
    assert (folder / "it-key.pem").read_text() == "KEY"
    assert windows.shortcuts(common=False) == {SHORTCUT, OFFICE}
    assert windows.uninstall(folder) == 0


@pytest.mark.parametrize(
    "switches",
    [
        r"/CONFIG=C:\nowhere.toml",
        r"/CONFIG=C:\windows",
        "/CONFIG=",
        "/CONFIG",
        r"/CONFIG=C:\a b\p.toml",  # not quoted: cut at the space
        r"/ITKEY=C:\nowhere.pem",
        "/CODE=ABCD-EFGH-JKLM",
        "ABCD-EFGH-JKLM",
        "/AllUsers",  # and /CurrentUser before
        "/CLOSEWAIT=soon",
        "/NOAUTOSTART /AUTOSTART",
        "/D=folder",
        "/D=C:\\",
        r'/D="C:\a b"',
        r"/D=C:\windows",
        "/" + "x" * 1100,
    ],
)
def test_a_wrong_switch_installs_nothing(windows: Bench, setup: Path, switches: str) -> None:
    assert windows.run(setup, f"/S /CurrentUser {switches}") == 87, windows.logged()
    assert not windows.own.exists()
    assert not windows.shortcuts(common=False)
    assert not windows.registry("HKCU", UNINSTALL)
    assert "EFGH" not in windows.logged()


def test_a_log_that_cannot_be_written(windows: Bench, setup: Path) -> None:
    assert windows.run(setup, r"/S /CurrentUser /LOG=C:\no\such\folder\setup.log", log=False) == 87
    assert not windows.own.exists()


def test_a_refused_provisioning_file_leaves_what_was_there(windows: Bench, setup: Path, newer: Path) -> None:
    bad = config(windows, "edited", "# edited\n" + CONFIG)
    assert windows.run(setup, f"/S /AllUsers /CONFIG={windows_path(bad)}") == 13
    assert not windows.machine.exists()
    assert windows.run(setup, "/S /AllUsers") == 0
    with unchanged(windows, windows.machine):
        assert windows.run(newer, f"/S /AllUsers /CONFIG={windows_path(bad)}") == 13
    assert "provision check" in windows.logged()
    assert "ABCD" not in windows.logged()


def test_an_upgrade_keeps_data_and_what_it_put_there(windows: Bench, setup: Path, newer: Path) -> None:
    file = config(windows, "first")
    assert windows.run(setup, f"/S /AllUsers /CONFIG={windows_path(file)}") == 0
    (windows.machine / "company.pem").write_text("CA")
    (windows.machine / "_internal/stale.dll").write_text("old")
    (windows.menu(common=True) / AUTOSTART).unlink()
    windows.data.mkdir(parents=True, exist_ok=True)
    (windows.data / "genba-touch.db").write_bytes(b"records")
    assert windows.run(newer, "/S /AllUsers") == 0, windows.logged()
    assert (windows.machine / "_internal/fresh.txt").read_text() == "new"
    assert not (windows.machine / "_internal/stale.dll").exists()
    assert (windows.machine / "company.pem").read_text() == "CA"
    assert (windows.machine / "provisioning.toml").read_text(encoding="utf-8") == CONFIG
    assert (windows.data / "genba-touch.db").read_bytes() == b"records"
    assert windows.registry("HKLM", KEY)["Version"] == "0.2.0"
    assert windows.shortcuts(common=True) == {SHORTCUT, OFFICE}  # it does not come back to the sign-in
    assert not windows.machine.with_name("genba-touch.old").exists()

    with unchanged(windows, windows.machine):
        assert windows.run(setup, "/S /AllUsers") == 1638
        assert "E_DOWNGRADE" in windows.logged()
        assert windows.run(setup, "/S /CurrentUser") == 1638  # for all users it is there already
    assert windows.run(setup, "/S /AllUsers /ROLLBACK") == 0
    assert windows.registry("HKLM", KEY)["Version"] == "0.1.0"
    assert (windows.data / "genba-touch.db").read_bytes() == b"records"


def test_a_running_program_is_asked_to_close(windows: Bench, setup: Path, newer: Path) -> None:
    assert windows.run(setup, "/S /AllUsers") == 0
    program = windows.machine / "genba-touchw.exe"
    stubborn = windows.start(program, "running", "stubborn")
    with unchanged(windows, windows.machine):
        assert windows.run(newer, "/S /AllUsers /NOCLOSE") == 1618
        began = time.monotonic()
        assert windows.run(newer, "/S /AllUsers /CLOSEWAIT=3") == 1618, windows.logged()
        assert time.monotonic() - began > 3
        assert windows.uninstall(windows.machine, "/S /NOCLOSE") == 1618
    stubborn.kill()
    running = windows.start(program, "running")
    assert windows.run(newer, "/S /AllUsers") == 0, windows.logged()
    assert running.end(20).code == 0
    assert windows.registry("HKLM", KEY)["Version"] == "0.2.0"
    assert "it has closed" in windows.logged()


def test_another_folders_program_is_left_alone(windows: Bench, setup: Path) -> None:
    other = windows.start(windows.work / "program" / "genba-touch.exe", "running")
    assert windows.run(setup, "/S /CurrentUser /NOCLOSE") == 0
    assert other.process.poll() is None
    other.kill()


def test_a_file_that_somebody_holds_leaves_the_old_program(windows: Bench, setup: Path, newer: Path) -> None:
    assert windows.run(setup, "/S /AllUsers") == 0
    for beside in ("genba-touch.new", "genba-touch.old"):
        held = windows.machine.with_name(beside) / "held.exe"
        held.parent.mkdir()
        held.write_bytes((windows.machine / "genba-touch.exe").read_bytes())
        holder = windows.start(held, "running")  # Windows deletes no program that runs
        before = state(windows.machine)
        assert windows.run(newer, "/S /AllUsers") == 1603, windows.logged()
        assert state(windows.machine) == before
        assert windows.registry("HKLM", KEY)["Version"] == "0.1.0"
        holder.kill()
    assert windows.run(newer, "/S /AllUsers") == 0, windows.logged()


def test_cut_off_between_the_two_renames(windows: Bench, setup: Path, newer: Path) -> None:
    assert windows.run(setup, "/S /AllUsers") == 0
    (windows.machine / "company.pem").write_text("CA")
    windows.machine.rename(windows.machine.with_name("genba-touch.old"))
    assert windows.run(newer, "/S /AllUsers") == 0, windows.logged()
    assert (windows.machine / "company.pem").read_text() == "CA"
    assert (windows.machine / "_internal/fresh.txt").exists()


def test_a_disk_without_room(windows: Bench) -> None:
    greedy = windows.make(windows.program(), needed_mb=1 << 30)
    assert windows.run(greedy, "/S /CurrentUser") == 112
    assert not windows.own.exists()


def test_a_set_up_brings_what_it_was_made_with(windows: Bench) -> None:
    file = windows.work / "ours.toml"
    values = 'schema = 1\ncentre_url = "https://centre.example.jp"\nstation_name = "門"\n'
    file.write_text(values, encoding="utf-8")
    ours = windows.make(windows.program(), company='架空建設 "東" $1', provisioning=file)
    assert windows.run(ours, "/S /CurrentUser") == 0, windows.logged()
    assert (windows.own / "provisioning.toml").read_text(encoding="utf-8") == values
    assert '架空建設 "東" $1' in windows.logged()


def test_uninstalling_keeps_and_purging_does_not(windows: Bench, setup: Path) -> None:
    database = windows.data / "genba-touch.db"
    windows.data.mkdir(parents=True, exist_ok=True)
    database.write_bytes(b"records")
    (windows.data / "unsent").touch()
    assert windows.run(setup, "/S /CurrentUser") == 0
    assert windows.uninstall(windows.own, "/S /PURGE=perhaps") == 87
    assert windows.uninstall(windows.own, "/S /PURGE") == 4309
    assert (windows.own / "genba-touch.exe").exists()
    assert windows.uninstall(windows.own) == 0
    assert database.read_bytes() == b"records"

    assert windows.run(setup, "/S /CurrentUser") == 0
    assert windows.uninstall(windows.own, "/S /PURGE=force") == 0, windows.logged()
    assert not database.exists()
    assert not (windows.own / "genba-touch.exe").exists()

    assert windows.run(setup, "/S /CurrentUser") == 0
    assert windows.uninstall(windows.own, "/S /PURGE") == 4310  # the program could not
    assert (windows.own / "genba-touch.exe").exists()


def test_without_waiting_uninstall_takes_its_folder_too(windows: Bench, setup: Path) -> None:
    assert windows.run(setup, "/S /CurrentUser") == 0
    windows.run(windows.inside(windows.own / "uninstall.exe"), "/S")
    until = time.monotonic() + 30
    while windows.own.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not windows.own.exists()


def test_the_uninstaller_and_the_set_up_are_signed_in_this_order(windows: Bench) -> None:
    signed = windows.work / "signed"
    note = ("sh", "-c", f'head -c 2 "$0" >> "{signed}" && echo " $0" >> "{signed}"')
    made = windows.make(windows.program(), sign=note)
    uninstaller, last = signed.read_text().splitlines()
    assert uninstaller.startswith("MZ ")
    assert last == f"MZ {made}"
    with pytest.raises(SystemExit, match="makensis"):
        windows.make(windows.program(), sign=("false",))
