"""The list of what is in a build (CycloneDX), and the licences of it."""

from __future__ import annotations

import json
import re
import venv
from pathlib import Path
from typing import Any

import pytest

from installer import licences, sbom, twice

CONTENTS: dict[str, Any] = {
    "platform": "linux-x86_64",
    "python": "3.11.7",
    "qt": "6.11.3",
    "sqlcipher": "4.19.0",
    "sqlite": "3.53.4",
    "openssl": ["3.0.19", "3.6.0"],
    "distributions": [{"name": "Tiny.Library", "version": "1.2"}, {"name": "elsewhere-only", "version": "3.0"}],
    "system": [{"name": "libx11-6", "version": "2:1.8.4-2", "purl": "pkg:deb/debian/libx11-6@2%3A1.8.4-2?arch=amd64"}],
}


def add_distribution(site: Path, name: str, version: str, *, licence: str | None = None) -> None:
    info = site / f"{re.sub(r'[-.]', '_', name)}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n", "utf-8"
    )
    listed = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
    if licence is not None:
        (info / "LICENSE").write_text(licence, "utf-8")
        listed.append(f"{info.name}/LICENSE,,")
    (info / "RECORD").write_text("\n".join(listed) + "\n", "utf-8")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is said of an environment of two distributions, one of which is in the build."""
    folder = tmp_path_factory.mktemp("sbom") / "env"
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    add_distribution(site, "Tiny.Library", "1.2")
    add_distribution(site, "a-test-tool", "9")
    return sbom.environment(str(folder / "bin" / "python"))


def test_the_list_has_what_is_in_the_build_and_nothing_else(known: dict[str, Any]) -> None:
    assert {one["name"] for one in known["components"]} == {"Tiny.Library", "a-test-tool"}
    made = sbom.make(CONTENTS, known)
    assert sbom.faults(json.dumps(made)) is None
    found = {one["name"]: one for one in made["components"]}
    wanted = {"Tiny.Library", "elsewhere-only", "libx11-6", "Python", "Qt", "SQLCipher", "SQLite", "OpenSSL"}
    assert set(found) == wanted
    assert found["Tiny.Library"]["licenses"][0]["license"]["id"] == "MIT"
    assert found["elsewhere-only"]["purl"] == "pkg:pypi/elsewhere-only@3.0"
    assert made["metadata"]["component"]["name"] == "genba-touch"
    assert sorted(made["dependencies"][0]["dependsOn"]) == sorted(one["bom-ref"] for one in made["components"])


def test_the_list_is_the_same_each_time(known: dict[str, Any]) -> None:
    assert json.dumps(sbom.make(CONTENTS, known)) == json.dumps(sbom.make(CONTENTS, known))
    assert "2026-01-01" in str(sbom.make(CONTENTS, known)["metadata"]["timestamp"])


def test_a_list_that_is_not_valid_is_refused(known: dict[str, Any]) -> None:
    made = sbom.make(CONTENTS, known)
    made["components"][0]["type"] = "sandwich"
    assert "sandwich" in str(sbom.faults(json.dumps(made)))


def test_licences_come_from_the_distribution_or_from_those_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    add_distribution(site, "with-its-own", "1", licence="Do as you like.")
    monkeypatch.syspath_prepend(str(site))
    names = [("with-its-own", "1"), ("pyserial", "3.5"), ("sqlcipher3", "0.6.4")]
    contents = {**CONTENTS, "system": [], "distributions": [{"name": n, "version": v} for n, v in names]}
    licences.put(tmp_path, contents)
    packages = tmp_path / "licences" / "packages"
    assert (packages / "with-its-own-1" / "LICENSE").read_text("utf-8") == "Do as you like."
    assert "Chris Liechti" in (packages / "pyserial-3.5" / "pyserial.txt").read_text("utf-8")
    assert {path.name for path in (packages / "sqlcipher3-0.6.4").iterdir()} == {"LICENSE", "SQLCipher.txt"}
    assert (tmp_path / "licences" / "THIRD_PARTY.md").is_file()
    assert "PYTHON SOFTWARE FOUNDATION" in (tmp_path / "licences" / "Python-3.11.7" / "LICENSE.txt").read_text("utf-8")


def test_nothing_is_passed_on_without_its_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_distribution(tmp_path, "nobodys-own", "1")
    monkeypatch.syspath_prepend(str(tmp_path))
    contents = {**CONTENTS, "system": [], "distributions": [{"name": "nobodys-own", "version": "1"}]}
    with pytest.raises(SystemExit, match="nobodys-own"):
        licences.put(tmp_path, contents)


def test_every_text_that_was_looked_up_is_there() -> None:
    wanted = {text for texts in (*licences.LOOKED_UP.values(), *licences.CARRIED.values()) for text in texts}
    assert {path.name for path in licences.TEXTS.iterdir()} == wanted | {"Python.txt"}


def test_two_folders_are_compared_to_the_byte(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "same").write_bytes(b"x" * 100)
        (folder / "link").symlink_to("same")
        (folder / "changed").write_bytes(b"a" * 40 + (b"b" if folder == one else b"c"))
    assert [line.partition(" (")[0] for line in twice.differences(one, other)] == ["differs: changed: from byte 40 on"]
    (other / "changed").write_bytes((one / "changed").read_bytes())
    assert twice.differences(one, other) == []
    (other / "same").chmod(0o755)
    (other / "more").touch()
    told = twice.differences(one, other)
    assert told[0] == f"only in {other}: more"
    assert told[1].startswith("differs: same: mode ")
