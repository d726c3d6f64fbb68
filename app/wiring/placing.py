"""Putting a provisioning file beside the program: what a set-up does, after the program has found it good."""

from __future__ import annotations

from pathlib import Path

from app.errors import EnvironmentTrouble, InputRefused
from app.files import write_carried
from app.settings import PROVISIONING_FILE, DataDir
from app.wiring import provisioning


def place(file: Path, folder: Path, data: DataDir, it_key: Path | None = None) -> list[Path]:
    """Copy a file without a fault, and the certificates that lie beside it, for every account of this PC to read.

    The paths written. Raises its first fault (InputRefused, `provision.ca_elsewhere` for certificates that lie beside
    it in name only; then nothing was written), EnvironmentTrouble.
    """
    given = provisioning.read(file, data, it_key)
    ca_file: str | None = given.values.get("ca_file")
    wanted = [(file, folder / PROVISIONING_FILE)]
    if ca_file is not None and not Path(ca_file).is_absolute():
        target = folder / ca_file
        if not target.resolve().is_relative_to(folder.resolve()):
            raise InputRefused("provision.ca_elsewhere", f"{file}: $.ca_file")
        wanted.insert(0, (given.file.parent / ca_file, target))
    try:
        texts = [(source.read_bytes(), target) for source, target in wanted]
        for text, target in texts:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_carried(target, text)
    except OSError as exc:
        raise EnvironmentTrouble("provision.cannot_write", str(folder), why=exc.strerror or "") from exc
    return [target for _, target in wanted]
