"""A set-up for each company: real codes from a real centre, real makensis and osslsigncode, run under wine."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from app import signing as keys
from installer import companies, signing, signing_config, signing_pe
from installer.company_setups import Made, summary
from installer.signing import Signer
from installer.windows import nsis, wine
from installer.windows.wine import windows_path
from tests.helpers import code_pki
from tests.helpers.code_pki import PASSPHRASE
from tests.helpers.station_rig import Centre, call
from tests.helpers.tiny_site import SITE_ID, tiny_site
from tests.packaging.setup_bench import Bench, bench

VERSION = nsis.VERSION
NAMES = {"yamada": "山田組", "suzuki": '鈴木 & 息子"特"', "髙﨑": "髙﨑鉄筋㈱"}

wants_tools = pytest.mark.skipif(
    bool(wine.missing()) or not shutil.which("makensis") or not shutil.which("osslsigncode"),
    reason="needs Debian's nsis, wine, osslsigncode",
)


def table(folder: Path, rows: list[dict[str, str]]) -> Path:
    """companies.csv."""
    file = folder / "companies.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, ["file", "company", "station_name", "site_ids"])
        writer.writeheader()
        writer.writerows(rows)
    return file


def three() -> list[dict[str, str]]:
    return [
        {"file": file, "company": company, "station_name": "第1ゲート", "site_ids": SITE_ID}
        for file, company in NAMES.items()
    ]


def template(folder: Path, centre_url: str) -> Path:
    file = folder / "base.toml"
    file.write_text(f'schema = 1\ncentre_url = "{centre_url}"\n')
    return file


def signing_toml(folder: Path) -> Path:
    files = code_pki.make(folder / "pki", "Kakuu Kensetsu")
    how = {"key": "pkcs12", "file": str(files.p12), "roots": str(files.root)}
    (folder / "signing.toml").write_text(tomli_w.dumps({"schema": 1, "authenticode": how}))
    return folder / "signing.toml"


def failing_token(folder: Path, signatures: int) -> Path:
    """A signing.toml whose token is pulled out after so many signatures."""
    setup = signing_toml(folder)
    values = tomllib.loads(setup.read_text())["authenticode"]
    (folder / "left").write_text(str(signatures))
    tool = folder / "sign.py"
    tool.write_text(
        "import os, pathlib, subprocess, sys\n"
        f"left = pathlib.Path({str(folder / 'left')!r})\n"
        "number = int(left.read_text())\n"
        "left.write_text(str(number - 1))\n"
        "if number == 0: sys.exit('token removed')\n"
        f"done = subprocess.run(['osslsigncode', 'sign', '-pkcs12', {values['file']!r}, '-readpass', '/dev/stdin',"
        f" '-in', sys.argv[1], '-out', sys.argv[1] + '.new'], input={PASSPHRASE!r}.encode(), capture_output=True)\n"
        "os.replace(sys.argv[1] + '.new', sys.argv[1])\n"
    )
    how = {"key": "command", "command": [sys.executable, str(tool), "{file}"], "roots": values["roots"]}
    setup.write_text(tomli_w.dumps({"schema": 1, "authenticode": how}))
    return setup


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("companies")) as made:
        yield made


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing is installed after a test."""
    yield
    if "windows" in request.fixturenames:
        windows: Bench = request.getfixturevalue("windows")
        for file in list(windows.own.rglob("uninstall.exe")):
            assert windows.uninstall(file.parent) == 0, windows.logged()
        shutil.rmtree(windows.own, ignore_errors=True)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    (tmp_path / "c").mkdir()
    centre = Centre(tmp_path / "c", tiny_site())
    yield centre
    centre.close()


@pytest.fixture
def administrator(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its id; its secret is typed when it is asked for."""
    words = ["--kind", "administrator", "--name", "IT", "--reason", "t", "--json"]
    made = json.loads(call(centre.centre_data, "central", "create-client", *words))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")  # no keyring
    monkeypatch.setattr("installer.companies._typed", lambda _: made["client_secret"])
    return str(made["client_id"])


@pytest.mark.long
@pytest.mark.timeout(600)
@wants_tools
def test_three_companies_in_one_go(
    windows: Bench, centre: Centre, administrator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GENBA_SIGNING_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("GENBA_IT_KEY_PASSPHRASE", "geheim")
    private, _, fingerprint = keys.make_key(tmp_path / "it", "geheim")
    signing_file, out = signing_toml(tmp_path), tmp_path / "配布"
    program = shutil.copytree(windows.program(), tmp_path / "genba-touch")
    words = ["--for", table(tmp_path, three()), "--template", template(tmp_path, centre.centre_url), "--out", out]
    words += ["--issue-as", administrator, "--sign-provisioning", private, "--signing", signing_file]

    assert companies.main([*map(str, words), "--program", str(program)]) == 0

    told = capsys.readouterr()
    signer = Signer(signing_config.load(signing_file))
    with (out / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["company"] for row in rows] == list(NAMES.values())
    assert {path.name for path in out.iterdir()} == {row["file"] for row in rows} | {"summary.csv"}
    codes = []
    for row, name in zip(rows, NAMES, strict=True):
        setup = out / row["file"]
        assert setup.name == f"genba-touch-{VERSION}-{name}-setup.exe"
        assert (row["sha256"], row["size"]) == (signing.digest(setup), str(setup.stat().st_size))
        assert row["signed_by"] == signer.verify(setup).signer == "/CN=Kakuu Kensetsu"
        assert windows.run(setup, "/S /CurrentUser") == 0, windows.logged()
        placed = (windows.own / "provisioning.toml").read_bytes()
        opened = keys.opened(placed, row["file"])
        assert opened.key is not None
        assert keys.fingerprint(opened.key) == fingerprint
        values = tomllib.loads(opened.body)
        assert values["company"] == row["company"]
        codes.append(values["enrolment_code"])
        assert keys.fingerprint(keys.public_key(windows.own / "it-key.pem")) == fingerprint
        assert {one.file.name for one in signer.verify_tree(windows.own)} == {
            "genba-touch.exe", "genba-touchw.exe", "uninstall.exe"
        }  # fmt: skip
    assert len(set(codes)) == 3
    everything = told.out + told.err + (out / "summary.csv").read_text("utf-8")
    assert not any(secret in everything for secret in (*codes, PASSPHRASE, "geheim"))


@pytest.mark.long
@pytest.mark.timeout(600)
@wants_tools
def test_switches_and_exit_codes_are_those_of_the_set_up_inside(windows: Bench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--for", table(tmp_path, three()[:1]), "--template", template(tmp_path, "https://centre.example")]
    assert companies.main([*map(str, words), "--out", str(out), "--program", str(windows.program())]) == 0
    setup = out / f"genba-touch-{VERSION}-yamada-setup.exe"

    assert windows.run(setup, "/S /NONSENSE=1") == 87
    assert windows.run(setup, f"/S /CurrentUser /X={'x' * 900}") == 87
    assert not windows.own.exists()
    other = tmp_path / "ほかの フォルダー" / "provisioning.toml"
    other.parent.mkdir()
    other.write_text('company = "by a switch"\n', "utf-8")
    assert windows.run(setup, f'/S /CurrentUser "/CONFIG={windows_path(other)}"') == 0, windows.logged()
    assert (windows.own / "provisioning.toml").read_bytes() == other.read_bytes()
    (out / "provisioning.toml").write_text("edited\n")  # lies beside: taken before the company's own, and refused
    assert windows.run(setup, "/S /CurrentUser") == 13
    (out / "provisioning.toml").unlink()
    inside = windows.own.with_name("genba-touch 現場")
    assert windows.run(setup, f"/S /CurrentUser /D={windows.inside(inside)}") == 0, windows.logged()
    assert 'company = "山田組"' in (inside / "provisioning.toml").read_text("utf-8")
    assert windows.uninstall(inside) == 0
    shutil.rmtree(inside)
    assert not list(windows.temporary.glob("*/set-up"))  # nothing unpacked stays


@pytest.mark.long
@pytest.mark.timeout(600)
@wants_tools
def test_all_companies_or_none(
    windows: Bench, centre: Centre, administrator: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = failing_token(tmp_path, 5)  # two programs, the uninstaller, the common set-up, one company
    out = tmp_path / "out"
    program = shutil.copytree(windows.program(), tmp_path / "genba-touch")
    words = ["--for", table(tmp_path, three()), "--template", template(tmp_path, centre.centre_url), "--out", out]
    words += ["--issue-as", administrator, "--signing", setup, "--program", program, "--language", "en"]

    assert companies.main(list(map(str, words))) == 4

    told = capsys.readouterr()
    assert "[1/3] 山田組" in told.out
    assert "token removed" in told.err
    assert "The 3 codes issued before are known to nobody" in told.err
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.mark.long
@pytest.mark.timeout(600)
@wants_tools
@pytest.mark.parametrize(("signatures", "code"), [(1, 4), (2, None), (3, None), (4, 0)])
def test_a_set_up_is_signed_through_and_through_or_not_made(
    signatures: int, code: int | None, windows: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fails at the second program, the uninstaller, the set-up, not at all."""
    program, out = shutil.copytree(windows.program(), tmp_path / "genba-touch"), tmp_path / "out"
    config = failing_token(tmp_path, signatures)
    words = ["--program", program, "--out", out, "--signing", config]
    if code is None:
        with pytest.raises(SystemExit, match="makensis"):
            nsis.main(list(map(str, words)))
    else:
        assert nsis.main(list(map(str, words))) == code
    made = list(out.iterdir()) if out.exists() else []
    assert [Signer(signing_config.load(config)).verify(file).signer for file in made] == ["/CN=Kakuu Kensetsu"] * (
        code == 0
    )


def test_faults_of_the_table_are_told_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = three()
    rows[1]["file"] = "YAMADA"
    rows[2]["station_name"] = ""
    words = [
        "--for",
        table(tmp_path, rows),
        "--template",
        template(tmp_path, "https://centre.example"),
        "--language",
        "en",
    ]
    out = tmp_path / "out"
    assert companies.main([*map(str, words), "--out", str(out), "--program", str(tmp_path / "none")]) == 3
    told = capsys.readouterr().err
    assert "companies.csv: 3: file" in told
    assert "companies.csv: 4: $" in told
    assert "2 faults: nothing was written" in told
    assert not out.exists()


def test_what_is_missing_is_found_before_a_code_is_issued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installer.companies._issuing", lambda *_: pytest.fail("asked the centre"))
    base = tmp_path / "base.exe"
    shutil.copy(Path(signing_config.__file__), base)
    words = ["--for", table(tmp_path, three()), "--template", template(tmp_path, "https://centre.example")]
    words = [*map(str, words), "--issue-as", "IT", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="no program for Windows"):
        companies.main([*words, "--program", str(tmp_path / "none")])
    assert companies.main([*words, "--base", str(base), "--signing", str(signing_toml(tmp_path))]) == 4
    assert not signing_pe.is_program(base)


def test_the_summary_opens_in_excel_and_keeps_commas() -> None:
    text = summary([Made("鈴木, 息子", "第1ゲート", "a-setup.exe", 5, "ab", "/CN=x", "issued", "")])
    assert text.startswith(b"\xef\xbb\xbf")
    assert next(csv.DictReader(text.decode("utf-8-sig").splitlines()))["company"] == "鈴木, 息子"
