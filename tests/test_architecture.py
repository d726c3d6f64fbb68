"""The house: arrows only point down, one file per outside library, only the clock reads the time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"

# Each room and the rooms it may know (docs/architecture.md draws the same).
LEAVES = {"clock", "errors", "codec", "files", "resources", "version"}
TOOLS = {"messages", "datafile", "logs", "secrets", "sealing", "signing", "recovery", "settings", "pins", "phone_seal"}
TOOLS |= {"drop_seal", "redact", "crash", "eventlog"}
MAY_KNOW: dict[str, set[str]] = {
    "__main__": {"cli"},
    "cli": {"wiring", "demo", "settings", "messages", "logs", "crash", "eventlog", "gate", "readers", "domain"},
    "demo": {"wiring", "ui", "gate", "office", "readers", "store", "domain", "settings", "messages", "secrets"}
    | {"datafile"},
    "wiring": {"ui", "central", "gate", "office", "sync", "update", "readers", "store", "domain", *TOOLS},
    "ui": {"gate", "office", "readers", "domain", "messages"},
    "central": {"domain", "messages", "datafile", "wire", "drop_seal"},
    "gate": {"readers", "store", "domain", "pins"},
    "office": {"readers", "store", "domain", "pins", "phone_seal"},
    "sync": {"store", "domain", "messages", "drop_seal"},
    "update": {"domain", "signing"},
    "readers": {"domain"},
    "store": {"domain"},
    "domain": set(),
    "settings": {"datafile"},
    "pins": {"domain"},
    "secrets": set(),
    "sealing": set(),
    "signing": set(),
    "phone_seal": set(),
    "drop_seal": set(),
    "messages": set(),
    "datafile": set(),
    "logs": set(),
    "redact": set(),
    "eventlog": set(),
    "crash": {"logs", "redact"},
    "clock": set(),
    "errors": set(),
    "codec": set(),
    "files": set(),
    "recovery": {"store", "secrets", "sealing", "settings"},
    "resources": set(),
    "version": set(),
}

# Outside libraries and the files or rooms that may import them.
IMPORTERS: dict[str, set[str]] = {
    "PySide6": {"app/ui/"},
    "sqlalchemy": {"app/store/", "app/central/"},
    "alembic": {"app/store/"},
    "sqlcipher3": {"app/store/", "app/central/"},
    "smartcard": {"app/readers/pcsc.py", "app/readers/pcsc_scard.py"},
    "nfc": {"app/readers/pasori.py", "app/readers/rcs300.py", "app/readers/virtual_card.py"},
    "usb1": {"app/readers/usb.py"},
    # the centre's contract; files of an update list, without a secret
    "httpx": {"app/sync/http.py", "app/update/http.py"},
    # a PC's side, and IT's that publishes: they share nothing of the library
    "tuf": {"app/update/metadata.py", "app/update/publish.py"},
    "securesystemslib": {"app/update/publish.py"},
    "truststore": {"app/sync/tls.py"},
    "keyring": {"app/secrets.py"},
    "cryptography": {
        "app/sealing.py",
        "app/signing.py",
        "app/phone_seal.py",
        "app/drop_seal.py",
        "app/readers/certificate.py",
        "app/readers/trust.py",
        "app/readers/trial_ca.py",
    },
    "msgspec": {"app/codec.py"},
    "jsonschema": {"app/datafile.py"},
    "litestar": {"app/central/"},
    "uvicorn": {"app/central/"},
    "psycopg": {"app/central/"},
    "platformdirs": {"app/settings.py"},
    "holidays": {"app/office/calendar.py"},
    "openpyxl": {"app/office/"},
    "tomli_w": {"app/settings.py", "app/wiring/import_formats.py"},
}


def modules() -> list[Path]:
    """Every module of the program."""
    return sorted(p for p in APP.rglob("*.py") if "__pycache__" not in p.parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Absolute names that a module imports, with their lines (imports inside functions and TYPE_CHECKING too)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield name, node.lineno
            yield from ((f"{name}.{alias.name}", node.lineno) for alias in node.names)


def room(path: Path) -> str:
    """The room a module lives in."""
    return path.relative_to(APP).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_only_point_down(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    allowed = MAY_KNOW[here] | LEAVES | {here}
    wrong = []
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] != "app" or len(parts) < 2 or not _is_module(parts):
            continue
        if parts[1] == "sync" and here == "central":
            if parts[2:3] not in (["wire"], []):
                wrong.append(f"{line}: {name} (the centre may know sync/wire alone)")
        elif parts[1] not in allowed:
            wrong.append(f"{line}: {name}")
    assert not wrong, f"{here} must not know: {wrong}"


def _is_module(parts: list[str]) -> bool:
    room_path = APP / parts[1]
    return room_path.is_dir() or room_path.with_suffix(".py").exists()


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_one_file_per_outside_library(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for name, line in imports(path):
        allowed = IMPORTERS.get(name.split(".")[0])
        if allowed is None:
            continue
        fits = any(relative == a or (a.endswith("/") and relative.startswith(a)) for a in allowed)
        assert fits, f"{relative}:{line} imports {name}; allowed in {sorted(allowed)}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_clock_reads_the_time(path: Path) -> None:
    if path.name == "clock.py" and path.parent == APP:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called = ast.unparse(node.func)
        forbidden = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "datetime.datetime.now"}
        assert called not in forbidden, f"{path}:{node.lineno} reads the time itself: {called}"


def test_domain_is_pure() -> None:
    """The domain imports nothing that does I/O or reads the clock."""
    impure = {"os", "io", "pathlib", "socket", "time", "logging", "threading", "subprocess", "sqlite3", "random"}
    for path in sorted((APP / "domain").glob("*.py")):
        for name, line in imports(path):
            assert name.split(".")[0] not in impure, f"{path.name}:{line} imports {name}"


def test_every_room_is_in_the_plan() -> None:
    rooms = {room(path) for path in modules()} - {"__init__"}
    assert rooms <= set(MAY_KNOW)


def test_modules_stay_small() -> None:
    """About 300 lines: longer ones must be argued for here."""
    argued: dict[str, str] = {}
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 330
    }
    assert set(long) <= set(argued), long
