"""What can be known of the set-up without making one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.wiring.running import object_name
from installer.windows import nsis

FOLDER = Path(nsis.__file__).parent
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in [*FOLDER.glob("*.nsh"), *FOLDER.glob("*.nsi")]}
SCRIPT = "\n".join(SCRIPTS.values())
SAYINGS = re.findall(r'^!insertmacro SAY (\w+) "(.*?)" "(.*?)"$', SCRIPTS["strings.nsh"], re.M)
DOCS = (FOLDER.parent.parent / "docs" / "packaging.md").read_text(encoding="utf-8")


def section() -> str:
    found = re.search(r"^## Windows set-up$(.*?)(?=^## |\Z)", DOCS, re.M | re.S)
    assert found is not None
    return found[1]


def test_every_sentence_is_there_in_both_languages_and_used() -> None:
    assert len(SAYINGS) == SCRIPTS["strings.nsh"].count("!insertmacro SAY") > 15
    for name, japanese, english in SAYINGS:
        assert re.search("[ぁ-んァ-ヶ]", japanese), name
        assert english.isascii(), name
        assert re.findall(r"\$\w+", japanese) == re.findall(r"\$\w+", english), name
    used = set(re.findall(r"\$\((\w+)\)", SCRIPT)) | set(re.findall(r"\$\{Fail\} \$\{\w+\} (\w+)", SCRIPT))
    assert used - {"SENTENCE"} == {name for name, _, _ in SAYINGS}


def test_the_exit_codes_are_the_documented_ones() -> None:
    codes = {name: int(code) for name, code in re.findall(r"!define EXIT_(\w+) (\d+)", SCRIPTS["codes.nsh"])}
    assert len(set(codes.values())) == len(codes)
    assert set(re.findall(r"\$\{EXIT_(\w+)\}", SCRIPT)) == set(codes)
    table = [int(code) for code in re.findall(r"^\| (\d+) \|", section(), re.M)]
    assert sorted(table) == sorted(codes.values())


def test_the_switches_are_the_documented_ones() -> None:
    known = {name for name in re.findall(r'\$R1 == "(/\w+)"', SCRIPT)} - {"/NCRC"}
    rows = "".join(re.findall(r"^\| (`/.*?) \|", section(), re.M))
    assert known == set(re.findall(r"`(/\w+)", rows))


def test_program_and_set_up_call_the_objects_alike() -> None:
    for kind in ("running", "close"):
        assert f"\\genba-touch {kind} $R4" in SCRIPTS["common.nsh"]
    assert object_name("close", r"c:\program files\genba-touch") == "genba-touch close c:/program files/genba-touch"
    assert object_name("running", "x" * 300) == "genba-touch running " + "x" * 180
    assert '$R4 "" -180' in SCRIPTS["common.nsh"]


def test_texts_go_into_the_script_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "_internal").mkdir()
    (tmp_path / "a $b.dll").touch()
    told = nsis.settings(nsis.Wanted(tmp_path, company='架空 "東" $1'), tmp_path / "setup.exe", None)
    assert '!define BRANDING "現場タッチ ' in told
    assert '架空 $\\"東$\\" $$1"' in told
    assert '  RMDir /r "${FOLDER}\\_internal"' in told
    assert '  Delete "${FOLDER}\\a $$b.dll"' in told
    with pytest.raises(SystemExit):
        nsis.settings(nsis.Wanted(tmp_path, company="a\n!system evil"), tmp_path / "setup.exe", None)
