"""Signing with real osslsigncode: keys in files, in a token and behind a command; what is wrong is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import setuptools
import tomli_w
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app import signing as keys
from app.errors import InputRefused
from installer import signing, signing_config, signing_pe
from installer.signing import NotSigned, Signer
from tests.helpers import code_pki
from tests.helpers.code_pki import PASSPHRASE, Files

PROGRAMS = Path(setuptools.__file__).parent
SOFTHSM = next((p for p in Path("/usr/lib").glob("**/libsofthsm2.so")), Path("libsofthsm2.so"))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tools of Debian")


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return code_pki.make(tmp_path_factory.mktemp("ours"), "Kakuu Kensetsu")


@pytest.fixture(scope="session")
def author(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return code_pki.make(tmp_path_factory.mktemp("author"), "Some Library's Author")


@pytest.fixture(scope="session")
def time_stamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with code_pki.time_stamps(tmp_path_factory.mktemp("tsa")) as found:
        yield found


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return Path(shutil.copy(PROGRAMS / "cli-64.exe", tmp_path / "現場 タッチ.exe"))


def config(folder: Path, **authenticode: object) -> Path:
    """A signing.toml."""
    file = folder / "signing.toml"
    file.write_text(tomli_w.dumps({"schema": 1, "authenticode": authenticode}), "utf-8")
    return file


def signer(folder: Path, **authenticode: object) -> Signer:
    return Signer(signing_config.load(config(folder, **authenticode)))


def plain(folder: Path, files: Files) -> Signer:
    """Signs without a passphrase."""
    return signer(folder, key="pem", file=str(files.plain), certificates=str(files.certificates), roots=str(files.root))


def token(folder: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A software token with the key in it; its PIN is 4321."""
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    tool = ["softhsm2-util", "--label"]
    start = [*tool, "ours", "--init-token", "--free", "--pin", "4321", "--so-pin", "8765"]
    put = [*tool, "signing", "--import", str(key), "--token", "ours", "--id", "01", "--pin", "4321"]
    for command in (start, put):
        subprocess.run(command, check=True, capture_output=True)
    return "pkcs11:token=ours;object=signing;type=private"


@pytest.mark.parametrize("kind", ["pkcs12", "pem", "pkcs11", "command"])
def test_each_kind_of_key_signs_and_its_secret_is_seen_nowhere(
    kind: str, ours: Files, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    secret, roots = PASSPHRASE, {"roots": str(ours.root)}
    match kind:
        case "pkcs12":
            how = signer(tmp_path, key=kind, file=str(ours.p12), **roots)
        case "pem":
            how = signer(tmp_path, key=kind, file=str(ours.locked), certificates=str(ours.certificates), **roots)
        case "pkcs11":
            secret, place = "4321", token(tmp_path, ours.plain, monkeypatch)
            certificates = str(ours.certificates)
            how = signer(
                tmp_path, key=kind, module=str(SOFTHSM), object=place, certificates=certificates, **roots
            )  # fmt: skip
        case _:
            theirs = tmp_path / "theirs"  # the company's own command: here this program again, with its own file
            theirs.mkdir()
            plain(theirs, ours)
            command = [
                sys.executable,
                "-m",
                "installer.signing",
                "sign",
                "{file}",
                "--config",
                f"{theirs}/signing.toml",
            ]
            how = signer(tmp_path, key=kind, command=command, **roots)
    monkeypatch.setenv("GENBA_SIGNING_PASSPHRASE", secret)
    seen = spied_commands(monkeypatch)

    done = how.sign(program)

    assert done.signer.endswith("CN=Kakuu Kensetsu")
    assert not done.author
    assert seen
    assert not any(secret in word for words in seen for word in words)
    told = capfd.readouterr()
    assert secret not in told.out + told.err
    assert [p.name for p in tmp_path.glob("*.signing")] == []


def spied_commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command line that is run from now on."""
    seen: list[list[str]] = []
    real = subprocess.run

    def run(command: list[str], **options: object) -> object:
        seen.append(command)
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("installer.signing_tools.subprocess.run", run)
    return seen


def test_a_wrong_passphrase_leaves_the_file_as_it_was(
    ours: Files, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBA_SIGNING_PASSPHRASE", "something else")
    before = program.read_bytes()
    with pytest.raises(NotSigned, match="not signed"):
        signer(tmp_path, key="pkcs12", file=str(ours.p12)).sign(program)
    assert program.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {program.name, "signing.toml"}


def test_without_a_passphrase_nobody_is_kept_waiting(
    ours: Files, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENBA_SIGNING_PASSPHRASE", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")  # no keyring
    how = signer(tmp_path, key="pkcs12", file=str(ours.p12))
    with open(os.devnull) as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(NotSigned, match="GENBA_SIGNING_PASSPHRASE"):
            how.sign(program)


@pytest.mark.parametrize("where", ["in the code", "in its signature", "behind its end"])
def test_one_changed_byte_is_seen(where: str, ours: Files, program: Path, tmp_path: Path) -> None:
    how = plain(tmp_path, ours)
    how.sign(program)
    bytes_ = bytearray(program.read_bytes())
    match where:
        case "in the code":
            bytes_[2000] ^= 1
        case "in its signature":
            certificate = x509.load_pem_x509_certificates(ours.certificates.read_bytes())[0]
            bytes_[bytes_.index(certificate.public_bytes(serialization.Encoding.DER)) + 400] ^= 1
        case _:
            bytes_ += b"provisioning\0\0\0\0"
    program.write_bytes(bytes_)
    with pytest.raises(NotSigned, match=str(program.name)):
        how.verify(program)


def test_a_folder_is_signed_but_for_what_its_authors_signed(ours: Files, author: Files, tmp_path: Path) -> None:
    folder = tmp_path / "genba-touch"
    (folder / "_internal").mkdir(parents=True)
    for name, source in {
        "genba-touch.exe": "cli-64.exe", "_internal/old.pyd": "cli-32.exe", "_internal/python311.dll": "gui-64.exe",
    }.items():  # fmt: skip
        shutil.copy(PROGRAMS / source, folder / name)
    (folder / "_internal" / "notes.dll").write_text("MZ, but no program")
    plain(tmp_path, author).sign(folder / "_internal" / "python311.dll")
    by_author = (folder / "_internal" / "python311.dll").read_bytes()
    how = plain(tmp_path, ours)

    found = {one.file.name: one.author for one in how.sign_tree(folder)}

    assert found == {"genba-touch.exe": False, "old.pyd": False, "python311.dll": True}
    assert (folder / "_internal" / "python311.dll").read_bytes() == by_author
    assert len(how.verify_tree(folder)) == 3
    shutil.copy(PROGRAMS / "gui-32.exe", folder / "_internal" / "late.dll")
    with pytest.raises(NotSigned, match=r"late\.dll: it has no signature"):
        how.verify_tree(folder)
    (folder / "_internal" / "late.dll").unlink()
    changed = bytearray(by_author)
    changed[2000] ^= 1
    (folder / "_internal" / "python311.dll").write_bytes(changed)
    with pytest.raises(NotSigned, match=r"python311\.dll: it was changed"):
        how.verify_tree(folder)


def test_another_companys_signature_is_not_ours(ours: Files, author: Files, program: Path, tmp_path: Path) -> None:
    plain(tmp_path, author).sign(program)
    with pytest.raises(NotSigned, match="leads to none of the roots"):
        plain(tmp_path, ours).verify(program)
    shutil.copy(program, tmp_path / "genba-touch.exe")  # not ours to be had from another
    with pytest.raises(NotSigned, match=r"genba-touch\.exe: its signature .*Some Library"):
        plain(tmp_path, ours).sign_tree(tmp_path)


def test_a_time_stamp_is_taken_and_demanded(
    ours: Files, program: Path, tmp_path: Path, time_stamps: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, root = time_stamps
    files = {"file": str(ours.plain), "certificates": str(ours.certificates), "roots": str(ours.root)}
    how = signer(tmp_path, key="pem", timestamp_url=url, timestamp_roots=str(root), **files)
    bare = Path(shutil.copy(program, tmp_path / "bare.exe"))
    assert how.sign(program).stamped
    plain(tmp_path, ours).sign(bare)
    with pytest.raises(NotSigned, match="no valid time stamp"):
        how.verify(bare)
    monkeypatch.setattr("installer.signing_tools.PAUSE_S", 0.0)
    shutil.copy(PROGRAMS / "cli-64.exe", bare)
    with pytest.raises(NotSigned, match="not signed"):
        signer(tmp_path, key="pem", timestamp_url="http://127.0.0.1:9/", **files).sign(bare)
    assert not signing_pe.is_signed(bare)


def test_a_command_that_signs_nothing_is_caught(program: Path, ours: Files, tmp_path: Path) -> None:
    with pytest.raises(NotSigned, match="no signature"):
        signer(tmp_path, key="command", command=["true", "{file}"], roots=str(ours.root)).sign(program)


def test_makensis_calls_it_for_the_uninstaller(
    ours: Files, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBA_SIGNING_PASSPHRASE", PASSPHRASE)
    how = signer(tmp_path, key="pkcs12", file=str(ours.p12), roots=str(ours.root))
    command = [sys.executable, "-m", "installer.signing"]
    no = program.with_name("no.exe")
    with how.announced():
        done = subprocess.run([*command, "sign", str(program)], capture_output=True, text=True)
        absent = subprocess.run([*command, "verify", str(no)], capture_output=True, text=True)
    assert "GENBA_SIGNING_CONFIG" not in os.environ
    assert done.returncode == 0, done.stderr
    assert how.verify(program).signer.endswith("Kakuu Kensetsu")
    assert absent.returncode == 4
    assert str(no) in absent.stderr
    assert "Traceback" not in absent.stderr


@pytest.mark.parametrize(
    ("authenticode", "place"),
    [
        ({"key": "pkcs12"}, "file"),
        ({"key": "pem", "file": "k.pem"}, "certificates"),
        ({"key": "pkcs11", "module": "m", "certificates": "c", "object": "pkcs11:object=a?pin-value=1"}, "object"),
        ({"key": "command", "command": ["sign-it"]}, "command"),
        ({"key": "pkcs12", "file": "k.p12", "password": "x"}, "password"),
    ],
)
def test_a_wrong_signing_toml_is_refused_with_its_place(
    authenticode: dict[str, object], place: str, tmp_path: Path
) -> None:
    with pytest.raises(InputRefused) as refused:
        signing_config.load(config(tmp_path, **authenticode))
    assert place in str(refused.value)
    assert "=1" not in str(refused.value)


def test_checksums_are_signed_and_openssl_agrees(tmp_path: Path) -> None:
    private, public, _ = keys.make_key(tmp_path / "keys", "geheim")
    out = tmp_path / "dist"
    out.mkdir()
    (out / "a.deb").write_bytes(b"one")
    (out / "b.tar.xz").write_bytes(b"two")
    signing.write_sums(out, out.iterdir(), keys.private_key(private, "geheim"))

    assert subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=out, capture_output=True).returncode == 0
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    verify += ["-in", "SHA256SUMS", "-sigfile", "SHA256SUMS.sig"]
    assert subprocess.run(verify, cwd=out, capture_output=True).returncode == 0
    assert signing.verify_sums(out, keys.public_key(public)) == ["a.deb", "b.tar.xz"]
    (out / "b.tar.xz").write_bytes(b"twO")
    with pytest.raises(NotSigned, match=r"b\.tar\.xz"):
        signing.verify_sums(out, keys.public_key(public))
    (out / "SHA256SUMS").write_bytes((out / "SHA256SUMS").read_bytes().replace(b"a.deb", b"c.deb"))
    with pytest.raises(NotSigned, match="changed since"):
        signing.verify_sums(out, keys.public_key(public))


def test_a_signer_with_a_japanese_name_is_readable(program: Path, tmp_path: Path) -> None:
    files = code_pki.make(tmp_path / "ours", "架空建設 株式会社")
    assert plain(tmp_path, files).sign(program).signer == "/CN=架空建設 株式会社"


def test_a_test_build_is_signed_for_tests_alone(program: Path, ours: Files, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    folder.mkdir()
    inside = Path(shutil.move(program, folder / "genba-touch.exe"))
    (folder / "TEST-BUILD.txt").write_text("TEST BUILD")
    plain(tmp_path, ours)
    words = ["tree", str(folder), "--config", str(tmp_path / "signing.toml")]
    assert signing.main(words) == 4
    assert not signing_pe.is_signed(inside)
    assert signing.main([*words, "--test-build"]) == 0
    assert signing_pe.is_signed(inside)
