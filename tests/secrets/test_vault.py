"""Where secrets may be kept: by the backend's class, read back, and never in plain text by accident."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from keyring.backends import SecretService, chainer, fail, null

from app.errors import EnvironmentTrouble
from app.secrets import DATABASE_KEY, EphemeralVault, KeyFileVault, SecretVault, installation_id, new_database_key

ROOT = Path(__file__).resolve().parents[2]
SECRET = bytes(range(250, 256)) + b"\x00\n"


@pytest.fixture(autouse=True)
def own_keyring() -> Iterator[None]:
    """Whatever a test chooses as keyring is gone after it."""
    before = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = before


class Memory(SecretService.Keyring):
    """Looks like the real one, but is another class."""

    priority = 9

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class PlaintextKeyring(keyring.backend.KeyringBackend):
    """As keyrings.alt.file.PlaintextKeyring: a file anybody reads."""

    priority = 0.5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


def code(vault: SecretVault) -> str:
    with pytest.raises(EnvironmentTrouble) as caught:
        vault.set(DATABASE_KEY, SECRET)
    with pytest.raises(EnvironmentTrouble) as again:
        vault.get(DATABASE_KEY)
    assert caught.value.code == again.value.code
    return caught.value.code


def use(monkeypatch: pytest.MonkeyPatch, backend: object) -> SecretVault:
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    return SecretVault("folder")


@pytest.mark.parametrize("backend", [PlaintextKeyring(), Memory(), null.Keyring()], ids=lambda b: type(b).__name__)
def test_other_backends_are_refused_and_never_asked(
    monkeypatch: pytest.MonkeyPatch, backend: keyring.backend.KeyringBackend
) -> None:
    assert code(use(monkeypatch, backend)) == "keyring.refused_backend"
    assert not getattr(backend, "kept", {})


def test_no_backend_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code(use(monkeypatch, fail.Keyring())) == "keyring.missing"

    def raises() -> None:
        raise keyring.errors.NoKeyringError

    monkeypatch.setattr(keyring, "get_keyring", raises)
    assert code(SecretVault("folder")) == "keyring.missing"


def in_memory(monkeypatch: pytest.MonkeyPatch, kept: dict[str, str]) -> SecretService.Keyring:
    """The real class with its two calls taken over."""
    monkeypatch.setattr(SecretService.Keyring, "get_password", lambda self, service, user: kept.get(user))
    monkeypatch.setattr(
        SecretService.Keyring, "set_password", lambda self, service, user, text: kept.__setitem__(user, text)
    )
    monkeypatch.setattr(SecretService.Keyring, "delete_password", lambda self, service, user: kept.pop(user))
    return SecretService.Keyring()


def test_a_chain_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, str] = {}
    real, plain = in_memory(monkeypatch, kept), PlaintextKeyring()
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, real])
    vault = use(monkeypatch, chainer.ChainerBackend())
    vault.set(DATABASE_KEY, SECRET)
    assert vault.get(DATABASE_KEY) == SECRET
    assert not plain.kept
    assert list(kept) == ["folder:database-key"]
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, null.Keyring()])
    assert code(vault) == "keyring.refused_backend"
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [])
    assert code(vault) == "keyring.missing"


def test_what_was_put_away_must_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, str] = {}
    vault = use(monkeypatch, in_memory(monkeypatch, kept))
    with pytest.raises(EnvironmentTrouble, match=r"keyring\.lost"):
        vault.require(DATABASE_KEY)
    vault.set(DATABASE_KEY, SECRET)
    assert vault.require(DATABASE_KEY) == SECRET
    assert SecretVault("other folder").get(DATABASE_KEY) is None
    vault.delete(DATABASE_KEY)
    vault.delete(DATABASE_KEY)
    assert vault.get(DATABASE_KEY) is None
    kept["folder:database-key"] = "not base64!"
    with pytest.raises(EnvironmentTrouble, match=r"keyring\.damaged"):
        vault.get(DATABASE_KEY)
    monkeypatch.setattr(SecretService.Keyring, "set_password", lambda self, service, user, text: None)
    kept.clear()
    with pytest.raises(EnvironmentTrouble, match=r"keyring\.not_kept"):
        vault.set(DATABASE_KEY, SECRET)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (keyring.errors.KeyringLocked(), "keyring.locked"),
        (keyring.errors.InitError(), "keyring.locked"),
        (type("LockedException", (Exception,), {})(), "keyring.locked"),
        (type("PromptDismissedException", (Exception,), {})(), "keyring.locked"),
        (keyring.errors.PasswordSetError(), "keyring.failed"),
        (ConnectionResetError(), "keyring.failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_troubles_have_sentences(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    def raises(*_: object) -> None:
        raise error

    monkeypatch.setattr(SecretService.Keyring, "get_password", raises)
    monkeypatch.setattr(SecretService.Keyring, "set_password", raises)
    assert code(use(monkeypatch, SecretService.Keyring())) == told


REAL = """
    import sys
    from app.errors import EnvironmentTrouble
    from app.secrets import SecretVault
    vault, other = SecretVault("folder-a"), SecretVault("folder-b")
    step = sys.argv[1]
    try:
        if step == "write":
            assert vault.get("database-key") is None
            vault.set("database-key", bytes(range(32)))
            vault.set("client-secret", b"first")
            vault.set("client-secret", "秘密".encode())
        assert vault.get("database-key") == bytes(range(32))
        assert vault.get("client-secret").decode() == "秘密"
        assert other.get("database-key") is None
        print("ok")
    except EnvironmentTrouble as trouble:
        print(trouble.code)
"""


@pytest.fixture
def real(tmp_path: Path) -> dict[str, str]:
    """A home of its own. Skips only where nothing of it is installed, and never on CI."""
    for binary in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(binary) is None:
            if os.environ.get("CI"):
                pytest.fail(f"{binary} is missing, and this is CI")
            pytest.skip(f"{binary} is not installed")
    home = tmp_path / "home"
    run = tmp_path / "run"
    for folder in (home, run):
        folder.mkdir(mode=0o700)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DBUS_", "GNOME_", "PYTHON_KEYRING"))}
    kept.pop("DISPLAY", None)
    return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(run), "PYTHONPATH": str(ROOT)}


def session(env: dict[str, str], daemon: str, step: str) -> str:
    """Run REAL in a session bus of its own; the daemon ends with it."""
    script = (
        f"{daemon} >/dev/null 2>&1 & daemon=$!; "
        "for i in $(seq 100); do dbus-send --session --dest=org.freedesktop.DBus --print-reply / "
        "org.freedesktop.DBus.GetNameOwner string:org.freedesktop.secrets >/dev/null 2>&1 && break; sleep 0.05; done; "
        '"$@"; kill $daemon 2>/dev/null; wait $daemon 2>/dev/null; true'
    )
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", script, "-", sys.executable, "-c", textwrap.dedent(REAL), step],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip(), done.stderr
    return done.stdout.strip()


UNLOCKED = "printf %s password | gnome-keyring-daemon --unlock --foreground --components=secrets"
LOCKED = "gnome-keyring-daemon --foreground --components=secrets"


@pytest.mark.skipif(sys.platform != "linux", reason="SecretService is Linux'")
def test_the_real_keyring_keeps_them_over_a_restart(real: dict[str, str]) -> None:
    assert session(real, UNLOCKED, "write") == "ok"
    assert session(real, UNLOCKED, "read") == "ok"
    kept = b"".join(file.read_bytes() for file in Path(real["HOME"]).rglob("*") if file.is_file())
    assert kept
    assert "秘密".encode() not in kept
    assert session(real, LOCKED, "read") == "keyring.locked"


@pytest.mark.skipif(sys.platform != "linux", reason="SecretService is Linux'")
def test_without_a_session_there_is_no_keyring(real: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(REAL), "read"],
        env={**real, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip() == "keyring.missing", done.stderr


@pytest.mark.parametrize("name", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
def test_an_environment_variable_cannot_choose_another(real: dict[str, str], name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(REAL), "write"],
        env={**real, "PYTHON_KEYRING_BACKEND": name},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    wanted = "keyring.refused_backend" if "null" in name else "keyring.missing"
    assert done.stdout.strip() == wanted, done.stderr


class TestKeyFile:
    """Only where somebody asked for it."""

    def test_it_keeps_them_privately(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.json"
        vault = KeyFileVault(path)
        assert vault.get(DATABASE_KEY) is None
        with pytest.raises(EnvironmentTrouble, match=r"keyring\.lost"):
            vault.require(DATABASE_KEY)
        vault.set(DATABASE_KEY, SECRET)
        vault.set("client-secret", b"x")
        vault.set("client-secret", b"y")
        assert KeyFileVault(path).require(DATABASE_KEY) == SECRET
        assert KeyFileVault(path).get("client-secret") == b"y"
        assert set(json.loads(path.read_text())) == {DATABASE_KEY, "client-secret"}
        assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o660])
    def test_others_may_not_read_it(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "keys.json"
        KeyFileVault(path).set(DATABASE_KEY, SECRET)
        path.chmod(mode)
        for call in (KeyFileVault(path).get, lambda name: KeyFileVault(path).set(name, b"z")):
            with pytest.raises(EnvironmentTrouble, match=r"keyring\.key_file_open"):
                call(DATABASE_KEY)

    @pytest.mark.parametrize("text", [b"", b"[]", b'{"a": 5}', b'{"a": "not base64!"}', b"\xff"])
    def test_a_damaged_one_is_told(self, tmp_path: Path, text: bytes) -> None:
        path = tmp_path / "keys.json"
        path.write_bytes(text)
        path.chmod(0o600)
        with pytest.raises(EnvironmentTrouble, match=r"keyring\.key_file_damaged"):
            KeyFileVault(path).get("a")

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentTrouble, match=r"keyring\.failed"):
            KeyFileVault(tmp_path / "no folder" / "keys.json").set("a", b"b")


def test_the_demos_vault_forgets() -> None:
    vault = EphemeralVault()
    vault.set("a", b"b")
    assert vault.require("a") == b"b"
    with pytest.raises(EnvironmentTrouble, match=r"keyring\.lost"):
        EphemeralVault().require("a")


def test_a_folders_name_stays(tmp_path: Path) -> None:
    name = installation_id(tmp_path)
    assert installation_id(tmp_path) == name
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    assert installation_id(moved) == name
    (moved / "installation-id").write_text("?")
    with pytest.raises(EnvironmentTrouble, match=r"keyring\.folder"):
        installation_id(moved)
    moved.rename(tmp_path)


def test_keys_are_random() -> None:
    assert len(new_database_key()) == 32
    assert new_database_key() != new_database_key()
