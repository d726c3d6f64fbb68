"""What is in a build and what is not, read from the lists; the build itself is in test_build."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app import __main__ as program
from app.cli import main
from installer import contents
from tests.test_architecture import APP, ROOT, imports, modules


def test_the_centre_the_tests_and_the_tools_stay_out() -> None:
    out = contents.undelivered()
    assert {"litestar", "uvicorn", "psycopg", "pytest", "hypothesis", "PyInstaller", "cyclonedx", "lxml"} <= out
    assert not {"app", "PySide6", "sqlcipher3", "nfc", "smartcard", "usb1", "keyring", "tuf", "certifi"} & out


def test_an_extra_that_nobody_asked_for_brings_nothing() -> None:
    """jsonschema[format] is in the environment for a tool's sake; httpx[zstd] is the program's own wish."""
    found = contents.delivered()
    assert {"httpx", "zstandard", "jsonschema", "urllib3", "cffi"} <= found
    assert not {"fqdn", "lark", "webcolors", "h2"} & found


def test_nothing_that_is_delivered_imports_what_is_left_out() -> None:
    wrong = []
    for path in modules():
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if contents.left_out(name.removesuffix(".__init__"), contents.NOT_OURS):
            continue
        wrong += [
            f"{name}:{line} {found}" for found, line in imports(path) if contents.left_out(found, ("app.central",))
        ]
        wrong += [f"{name}:{line} {found}" for found, line in imports(path) if contents.left_out(found, ("app.demo",))]
    assert not wrong


def test_what_is_left_out_is_there() -> None:
    """A name that is misspelt would leave nothing out."""
    ours = [name for name in contents.NOT_OURS if name.startswith("app.")]
    for name in ours:
        path = APP.joinpath(*name.split(".")[1:])
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
    rooms = {p.stem for p in (APP / "cli").glob("centre*.py")} | {p.stem for p in (APP / "wiring").glob("centre*.py")}
    assert rooms == {name.rpartition(".")[2] for name in ours if "centre" in name}


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/plugins/platforms/qwindows.dll", True),
        ("PySide6/plugins/networkinformation/qnetworklistmanager.dll", True),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so", False),
        ("PySide6/Qt/plugins/imageformats/libqpdf.so", False),
        ("PySide6/Qt/translations/qtbase_ja.qm", True),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
        ("PySide6/opengl32sw.dll", False),
        ("resources/messages/ja.toml", True),
    ],
)
def test_files_of_qt(name: str, stays: bool) -> None:
    assert contents.stays(name) is stays


@pytest.mark.parametrize(
    "words", [["demo", "--headless"], ["central", "serve", "--listen", ":1"], ["central", "--help"]]
)
def test_a_command_that_is_left_out_says_so(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for family in main.LEFT_OUT.values():
        monkeypatch.setitem(sys.modules, family, None)
    assert main.run(["--language", "en", *words]) == 2
    assert capsys.readouterr().err.startswith("The installed program does not have this command\n" + words[0])
    assert "the reference centre" not in main.build_parser().format_help()


@pytest.mark.parametrize(
    ("executable", "frozen", "words"),
    [
        ("/opt/genba-touch/genba-touch", True, ["start"]),
        ("C:/genba-touch/genba-touchw.exe", True, ["start"]),
        ("C:/genba-touch/genba-touch.exe", True, []),
        ("/usr/bin/python3", False, []),
    ],
)
def test_what_opening_the_program_does(
    executable: str, frozen: bool, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    assert program._when_opened() == words


def test_every_folder_of_data_has_its_place() -> None:
    places = {folder for _, folder in contents.data_files()}
    assert {"resources/messages", "resources/udev", "app/store/migrations/versions"} <= places
    assert all(not Path(folder).is_absolute() for folder in places)
