"""One provisioning file for each line of a table: everything is looked at first, and it is all files or none."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import datafile, signing
from app.errors import EnvironmentTrouble, GenbaError, InputRefused
from app.files import PRIVATE_FOLDER, sync_folder, write_private
from app.settings import DataDir, provisioning_text
from app.sync.wire import EnrolmentCodeAnswer, EnrolmentCodeRequest
from app.wiring.provisioning import Provisioning, faults

REQUIRED = ("file", "station_name")
SETTINGS = ("station_name", "company", "site_id", "enrolment_code", "support_contact", "language", "proxy", "ca_file")
"""Columns that are fields of the provisioning file."""
ISSUING = ("site_ids", "uses", "valid_days", "role")
"""Columns for the code that is issued."""
SUMMARY_FILE = "summary.csv"
MAX_BYTES, MAX_ROWS = 4 * 1024 * 1024, 5000
_NAME = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,80}")

Issue = Callable[[EnrolmentCodeRequest], EnrolmentCodeAnswer]


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that can be written. `where`: its line in the table; `request`: the code to be issued for it."""

    where: str
    name: str
    values: dict[str, Any]
    request: EnrolmentCodeRequest | None
    ca_file: Path | None = None
    """The company's certificates, when they are named without their whole path: they go along."""


@dataclass(frozen=True, slots=True)
class Written:
    """A line of the summary. `code`: 'issued', 'given' or 'to be typed'."""

    file: str
    company: str
    station_name: str
    site_ids: str
    code: str
    expires_at: str = ""


class Unissued(Exception):
    """The centre did not issue a code. `issued`: codes that it had issued before, which nobody will use."""

    def __init__(self, cause: GenbaError, where: str, issued: int) -> None:
        super().__init__(str(cause))
        self.cause, self.where, self.issued = cause, where, issued


def plan(table: Path, template: Path, data: DataDir, *, issuing: bool) -> tuple[list[Planned], list[GenbaError]]:
    """What would be written, and everything that is wrong with the table, each with its line.

    Raises InputRefused for a table or a template that cannot be read at all.
    """
    base = datafile.parse(template)
    if "signature" in base:
        raise InputRefused("provision.signed_template", str(template))
    planned: list[Planned] = []
    wrong: list[GenbaError] = []
    lines: dict[str, int] = {}
    for line, row in _rows(table):
        where = f"{table}: {line}"
        name = row.get("file", "")
        key = name.casefold()
        if not _NAME.fullmatch(name) or name.startswith(".") or name.endswith((".", " ")) or key == "summary":
            wrong.append(InputRefused("provision.file_name", f"{where}: file"))
        elif key in lines:
            wrong.append(InputRefused("provision.file_twice", f"{where}: file", line=lines[key]))
        lines.setdefault(key, line)
        values = {**base, **{field: row[field] for field in SETTINGS if row.get(field)}}
        opened = Provisioning(template.resolve(), values, None, trusted=False)
        wrong += faults(opened, data, where)
        request = None
        if issuing and not row.get("enrolment_code"):
            values.pop("enrolment_code", None)  # a template's code is nobody's in a batch that issues its own
            try:
                request = _request(row, where)
            except InputRefused as fault:
                wrong.append(fault)
        planned.append(Planned(where, f"{name}.toml", values, request, _beside(template, values)))
    if not planned:
        raise InputRefused("provision.empty_table", str(table))
    return planned, wrong


def write(
    planned: list[Planned], folder: Path, issue: Issue | None = None, key: signing.PrivateKey | None = None
) -> list[Written]:
    """Issue the codes and write every file and the summary; `folder` must not be there yet.

    Raises InputRefused `provision.folder_there`; EnvironmentTrouble; Unissued. Then nothing is written, and codes that
    were issued already are in nobody's hands.
    """
    if folder.exists():
        raise InputRefused("provision.folder_there", str(folder))
    rows: list[tuple[Written, bytes]] = []
    for one in planned:
        try:
            rows.append(_made(one, issue, key))
        except GenbaError as error:
            issued = sum(written.code == "issued" for written, _ in rows)
            raise Unissued(error, one.where, issued) from error
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished.mkdir(mode=PRIVATE_FOLDER)
        for written, text in rows:
            write_private(unfinished / written.file, text)
        for ca_file in {one.ca_file for one in planned if one.ca_file}:
            write_private(unfinished / ca_file.name, ca_file.read_bytes())
        write_private(unfinished / SUMMARY_FILE, _summary([written for written, _ in rows]))
        os.rename(unfinished, folder)
        sync_folder(folder.parent)
    except OSError as exc:
        raise EnvironmentTrouble("provision.cannot_write", str(folder), why=exc.strerror or "") from exc
    finally:
        with suppress(OSError):
            shutil.rmtree(unfinished)
    return [written for written, _ in rows]


def _beside(template: Path, values: dict[str, Any]) -> Path | None:
    """The certificates that lie beside the template, and now beside each file."""
    named = values.get("ca_file")
    if not isinstance(named, str) or Path(named).is_absolute():
        return None
    values["ca_file"] = Path(named).name
    return template.resolve().parent / named


def _made(one: Planned, issue: Issue | None, key: signing.PrivateKey | None) -> tuple[Written, bytes]:
    values = dict(one.values)
    sites, expires_at = "", ""
    code = "given" if values.get("enrolment_code") else "to be typed"
    if one.request is not None and issue is not None:
        answer = issue(one.request)
        values["enrolment_code"] = answer.enrolment_code
        sites, code, expires_at = ";".join(one.request.site_ids), "issued", answer.expires_at
    text = provisioning_text(values)
    written = Written(one.name, values.get("company", ""), values["station_name"], sites, code, expires_at)
    return written, signing.signed(text.encode(), key, one.where) if key else text.encode()


def _request(row: dict[str, str], where: str) -> EnrolmentCodeRequest:
    sites = tuple(part.strip() for part in row.get("site_ids", "").split(";") if part.strip())
    if not sites:
        raise InputRefused("provision.no_sites", f"{where}: site_ids")
    role = row.get("role") or "gate"
    if role not in ("gate", "office"):
        raise InputRefused("provision.role", f"{where}: role")
    uses = _number(row, "uses", where, default=1, most=1000)
    valid_days = _number(row, "valid_days", where, default=180, most=3660)
    return EnrolmentCodeRequest(sites, uses, valid_days, role)


def _number(row: dict[str, str], field: str, where: str, *, default: int, most: int) -> int:
    text = row.get(field) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise InputRefused("provision.number", f"{where}: {field}", most=most)
    return int(text)


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Line numbers and cells by column; UTF-8, or what a Japanese Excel saves. Raises InputRefused."""
    try:
        raw = table.read_bytes()
    except OSError as exc:
        raise InputRefused("file.missing", str(table), why=exc.strerror or "") from exc
    if len(raw) > MAX_BYTES:
        raise InputRefused("file.too_large", str(table), limit=MAX_BYTES // 1024 // 1024)
    reader = csv.reader(io.StringIO(_text(raw, table), newline=""), strict=True)
    found: list[tuple[int, dict[str, str]]] = []
    try:
        head = [cell.strip() for cell in next(reader, [])]
        _check_head(head, f"{table}: 1")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                raise InputRefused("provision.cells", f"{table}: {reader.line_num}", wanted=len(head), given=len(cells))
            found.append((reader.line_num, dict(zip(head, (cell.strip() for cell in cells), strict=True))))
            if len(found) > MAX_ROWS:
                raise InputRefused("provision.too_many", str(table), most=MAX_ROWS)
    except csv.Error as exc:
        raise InputRefused("file.syntax", f"{table}: {reader.line_num}", why=str(exc)) from exc
    return found


def _check_head(head: list[str], where: str) -> None:
    known = {*REQUIRED, *SETTINGS, *ISSUING}
    strange = [name for name in head if name not in known or head.count(name) > 1]
    missing = [name for name in REQUIRED if name not in head]
    if strange or missing:
        raise InputRefused(
            "provision.columns", f"{where}: {', '.join(strange or missing)}", known=", ".join(sorted(known))
        )


def _text(raw: bytes, table: Path) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    raise InputRefused("file.not_text", str(table))


def _summary(rows: list[Written]) -> bytes:
    """The summary as a table that Excel opens; it holds no code."""
    out = io.StringIO(newline="")
    names = ("file", "company", "station_name", "site_ids", "code", "expires_at")
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
