"""A provisioning file: every fault with its place, and a signature that nobody gets round."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from app import signing
from app.cli import provision, provision_new
from app.cli.main import run
from app.errors import GenbaError, InputRefused
from app.settings import DataDir
from app.wiring import provision_batch, provisioning

GOOD = 'schema = 1\ncentre_url = "https://centre.example"\nstation_name = "門"\nenrolment_code = "ABCD-EFGH-JKLM"\n'


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir.at(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "provisioning.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> signing.PrivateKey:
    """A PC on which the installer put IT's key."""
    private, _, _ = signing.make_key(tmp_path / "machine")
    monkeypatch.setattr(provisioning, "machine_folders", lambda: (tmp_path / "machine",))
    return signing.private_key(private)


def codes(file: Path, data: DataDir) -> list[tuple[str, str]]:
    report = provisioning.check(file, data)
    return [(fault.code, fault.where.partition(": ")[2]) for fault in report.faults]


def test_every_fault_is_named_with_its_place(file: Path, data: DataDir) -> None:
    file.write_text(
        GOOD.replace("JKLM", "JKLN")
        + 'readers = ["pcsc", "bogus"]\ncard_profiles = ["sample-uid", "nobody"]\nca_file = "not-there.pem"\n'
        + 'recovery_public_key = "-----BEGIN PUBLIC KEY-----"\n',
        encoding="utf-8",
    )
    assert codes(file, data) == [
        ("sync.ca_file", "$.ca_file"),
        ("sync.enrol_check", "$.enrolment_code"),
        ("reader.spec_invalid", "$.readers[1]"),
        ("profile.unknown", "$.card_profiles[1]"),
        ("recovery.bad_public_key", "$.recovery_public_key"),
    ]
    file.write_text('schema = 1\ncentre_url = "ftp://x"\nkiosk = "yes"\n', encoding="utf-8")
    assert codes(file, data) == [
        ("file.invalid", "$"),
        ("provision.centre_url", "$.centre_url"),
        ("file.invalid", "$.kiosk"),
    ]
    assert not data.root.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text, None),
        (lambda text: text.replace("\n", "\r\n"), None),
        (lambda text: text.replace("門", "裏門"), "signing.altered"),
        (lambda text: "# note\n" + text, "signing.altered"),
        (lambda text: text + "kiosk = true\n", "signing.damaged"),
        (lambda text: text + "[other]\nkiosk = true\n", "signing.damaged"),
        (lambda text: text.replace("[signature]", "kiosk = true\n[signature]"), "signing.altered"),
        (lambda text: text.partition("[signature]")[0], "signing.missing"),
        (lambda text: text.replace("[signature]", '["signature"]'), "signing.missing"),
        (lambda text: text.replace('value = "', 'value = "!'), "signing.damaged"),
    ],
)
def test_only_what_it_signed_is_taken(
    file: Path, data: DataDir, pinned: signing.PrivateKey, change: Any, code: str | None
) -> None:
    provisioning.sign(file, pinned, data)
    file.write_bytes(change(file.read_text(encoding="utf-8")).encode())
    if code is None:
        assert provisioning.read(file, data).trusted
        return
    with pytest.raises(InputRefused) as caught:
        provisioning.read(file, data)
    assert caught.value.code == code


def test_another_key_is_not_its_key(file: Path, data: DataDir, pinned: signing.PrivateKey, tmp_path: Path) -> None:
    private, public, _ = signing.make_key(tmp_path / "own", "正しい合言葉")
    with pytest.raises(InputRefused, match=r"signing\.passphrase"):
        signing.private_key(private, "wrong")
    provisioning.sign(file, signing.private_key(private, "正しい合言葉"), data)
    with pytest.raises(InputRefused, match=r"signing\.other_key"):
        provisioning.read(file, data, it_key=public)  # naming a key does not get round the machine's own
    provisioning.sign(file, pinned, data)  # in place of the other signature
    assert provisioning.read(file, data).trusted
    assert file.read_text(encoding="utf-8").count("[signature]") == 1
    assert private.stat().st_mode & 0o077 == 0


def test_without_a_key_of_it_a_signature_is_said_to_prove_little(file: Path, data: DataDir, tmp_path: Path) -> None:
    assert provisioning.check(file, data).notes == ("provision.unsigned", "provision.no_recovery_key")
    private, _, fingerprint = signing.make_key(tmp_path / "own")
    provisioning.sign(file, signing.private_key(private), data)
    report = provisioning.check(file, data)
    assert (report.faults, report.notes, report.signer) == (
        (),
        ("provision.key_unknown", "provision.no_recovery_key"),
        fingerprint,
    )


def test_provision_file_means_apply() -> None:
    assert provision.spelled_out(["x.toml", "--code", "c"]) == ["apply", "x.toml", "--code", "c"]
    assert provision.spelled_out(["check", "x.toml"]) == ["check", "x.toml"]


def test_questions_are_asked_again_until_the_answer_is_right(
    tmp_path: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.toml"
    answers = ["http://far.example", "https://centre.example", "架空建設", "", "", "abcd efgh jkln", "abcd efgh jklm"]
    answers += ["", "", "", "bogus", "pcsc、wedge", "", "en", "y", "", "updates", r"\\srv\更新 版"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    assert run(["--data-dir", str(data.root), "provision", "new", str(file)]) == 0
    assert dict(provisioning.read(file, data).values) == {
        "schema": 1, "centre_url": "https://centre.example", "company": "架空建設", "station_name": "第1ゲート",
        "enrolment_code": "abcd efgh jklm", "readers": ["pcsc", "wedge"], "language": "en", "kiosk": True,
        "update_url": r"\\srv\更新 版",
    }  # fmt: skip
    said = capsys.readouterr()
    assert said.err.count("×") == 4
    assert run(["provision", "new", str(file)]) == 3, "never over a file that is there"


def test_giving_up_leaves_nothing(tmp_path: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "new.toml"
    answers = iter(["https://centre.example", "架空建設"])

    def typed(prompt: str) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("builtins.input", typed)
    with pytest.raises(KeyboardInterrupt):
        provision_new.ask_all(file, data, "ja")
    assert [path.name for path in tmp_path.iterdir()] == []


def template(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text('schema = 1\ncentre_url = "https://centre.example"\nlanguage = "ja"\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_fifty_companies_are_fifty_signed_files(
    tmp_path: Path, data: DataDir, pinned: signing.PrivateKey, encoding: str
) -> None:
    table = tmp_path / "companies.csv"
    lines = [f"{n:02d}-架空建設,架空建設{n},第1ゲート" for n in range(50)]
    table.write_text("file,company,station_name\n" + "\n".join(lines), encoding=encoding)
    planned, faults = provision_batch.plan(table, template(tmp_path), data, issuing=False)
    assert faults == []
    written = provision_batch.write(planned, tmp_path / "out", key=pinned)
    assert len(written) == 50
    for one in written:
        opened = provisioning.read(tmp_path / "out" / one.file, data)
        assert (opened.trusted, opened.values["company"]) == (True, one.company)
    assert len(list((tmp_path / "out").iterdir())) == 51, "and the summary"
    with pytest.raises(InputRefused, match="folder_there"):
        provision_batch.write(planned, tmp_path / "out")


def test_a_tables_faults_are_named_by_line_and_nothing_is_written(
    tmp_path: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "companies.csv"
    table.write_text(
        "file,station_name,site_ids,uses,enrolment_code\n"
        "a,門,1,1,\n"
        "../b,門,1,1,\n"
        "A,門,1,1,\n"
        '"c","門",,1,\n'
        "d,,1,99999,\n"
        "e,門,1,1,ABCD-EFGH-JKLN\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    arguments = ["provision", "batch", str(table), "--template", str(template(tmp_path)), "--out", str(out)]
    assert run(["--data-dir", str(data.root), *arguments, "--issue-as", "administrator-1"]) == 3
    said = capsys.readouterr().err
    for where in ("3: file", "4: file", "5: site_ids", "6: $", "6: uses", "7: $.enrolment_code"):
        assert f"companies.csv: {where}" in said, where
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "provision.columns"),
        ("file,station_name,colour\n", "provision.columns"),
        ("file,station_name\n", "provision.empty_table"),
        ("file,station_name\na,b,c\n", "provision.cells"),
        ('file,station_name\na,"b\n', "file.syntax"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, data: DataDir, text: str, code: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(GenbaError) as caught:
        provision_batch.plan(table, template(tmp_path), data, issuing=False)
    assert caught.value.code == code


def test_what_the_check_says_to_scripts(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["--data-dir", str(tmp_path / "d"), "provision", "check", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "ok": True, "signed_by": None, "faults": [], "notes": ["provision.unsigned", "provision.no_recovery_key"],
    }  # fmt: skip
