"""Formats of files with touches: those shipped, and what an office put into its data folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from app import datafile
from app.domain.assurance import Assurance
from app.errors import EnvironmentTrouble, InputRefused
from app.files import make_private, write_private
from app.office import phone_file
from app.office.formats.shapes import Format
from app.office.formats.spec import format_of
from app.office.import_desk import said
from app.office.import_layout import FormatEntry
from app.resources import resource
from app.settings import DataDir

SCHEMA = "import-format"
FOLDER = "import_formats"
PHONE_LABEL = {"ja": "スマートフォンの取込ファイル", "en": "Phone's file of touches"}


@dataclass(frozen=True, slots=True)
class Found:
    """A format file. Exactly one of `format`, `trouble` is there."""

    name: str
    file: Path
    own: bool
    format: Format | None = None
    trouble: InputRefused | None = None


def load(file: Path) -> Format:
    """A format from its file. Raises InputRefused naming file and place."""
    made = format_of(datafile.load(file, SCHEMA), str(file))
    if file.stem != made.name or made.name == phone_file.NAME:
        raise InputRefused("formats.other_name", str(file), name=made.name)
    return made


def faults_of(file: Path) -> list[InputRefused]:
    """Everything in a format file that breaks the schema. Raises InputRefused for a file that cannot be read."""
    found = datafile.faults(datafile.parse(file), SCHEMA, str(file))
    return [_fault(one) for one in found]


def _fault(one: InputRefused) -> InputRefused:
    """In the reader's language where it is a name that is missing or too many."""
    why = str(one.values["why"])
    if missing := re.fullmatch(r"'(\w+)' is a required property", why):
        return InputRefused("formats.fault_missing", one.where, name=missing[1])
    if extra := re.search(r"\((.+) (?:was|were) unexpected\)", why):
        return InputRefused("formats.fault_extra", one.where, name=extra[1].replace("'", ""))
    return InputRefused("formats.fault", one.where, why=why)


class FormatFolder:
    """Formats of a data folder. Any thread."""

    def __init__(self, data: DataDir, trial: Format | None = None) -> None:
        """`trial`: a format that is in no folder yet; it hides one of the same name."""
        self._data = data
        self._own = data.root / FOLDER
        self._trial = trial

    def found(self) -> list[Found]:
        """Every format file, the office's own first; one of these hides a shipped one of the same name.

        Raises EnvironmentTrouble `store.no_access` for another user's data folder."""
        own = sorted(self._own.glob("*.toml")) if self._data.holds(self._own) else []
        names = {file.stem for file in own}
        shipped = [file for file in sorted(resource(FOLDER).glob("*.toml")) if file.stem not in names]
        return [_found(file, own=True) for file in own] + [_found(file, own=False) for file in shipped]

    def usable(self) -> Sequence[Format]:
        """Those whose files are right."""
        return [item.format for item in self.found() if item.format is not None]

    def get(self, name: str) -> Format:
        """Raises InputRefused `formats.unknown`, and what is wrong with the file."""
        if self._trial is not None and self._trial.name == name:
            return self._trial
        for item in self.found():
            if item.name == name:
                if item.format is None:
                    raise item.trouble or InputRefused("formats.unknown", name, known="")
                return item.format
        known = ", ".join([*(item.name for item in self.found()), phone_file.NAME])
        raise InputRefused("formats.unknown", name, known=known)

    def entries(self) -> Sequence[FormatEntry]:
        """For lists; phones' files are among them."""
        return [
            *(_entry(item) for item in self.found()),
            FormatEntry(phone_file.NAME, PHONE_LABEL, Assurance.OPEN),
        ]

    def save(self, values: dict[str, Any], *, replace: bool) -> None:
        """A format of the office's own, checked before it is written.

        Raises InputRefused `formats.exists` and what is wrong with it; EnvironmentTrouble `settings.folder`.
        """
        name = values["name"]
        file = self._own / f"{name}.toml"
        format_of(datafile.checked(values, SCHEMA, name), name)
        if name == phone_file.NAME or (file.exists() and not replace):
            raise InputRefused("formats.exists", name)
        try:
            make_private(self._own)
            write_private(file, tomli_w.dumps(values).encode())
        except OSError as exc:
            raise EnvironmentTrouble("settings.folder", str(file), why=exc.strerror or "") from exc


def _found(file: Path, *, own: bool) -> Found:
    try:
        return Found(file.stem, file, own, format=load(file))
    except InputRefused as trouble:
        return Found(file.stem, file, own, trouble=trouble)


def _entry(item: Found) -> FormatEntry:
    made = item.format
    if made is None:
        error = said(item.trouble) if item.trouble else None
        return FormatEntry(item.name, {"ja": item.name, "en": item.name}, None, own=item.own, error=error)
    return FormatEntry(made.name, made.label, made.assurance, made.sample, item.own)
