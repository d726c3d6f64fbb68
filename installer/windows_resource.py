"""What Windows shows of a program: name, maker, version (its version resource)."""

from __future__ import annotations

from typing import Any

from app.version import VERSION
from installer.contents import COMPANY, PRODUCT

JAPANESE, UTF_16 = 0x0411, 1200
"""Language and code page of the texts (learn.microsoft.com, VarFileInfo)."""


def version_resource(name: str) -> Any:
    """The resource of `name`.exe for PyInstaller's `EXE`; on Windows alone."""
    from PyInstaller.utils.win32 import versioninfo as parts

    number = (*(int(part) for part in VERSION.split(".")[:3]), 0)
    texts = {
        "CompanyName": COMPANY,
        "FileDescription": PRODUCT,
        "FileVersion": VERSION,
        "InternalName": name,
        "OriginalFilename": f"{name}.exe",
        "ProductName": PRODUCT,
        "ProductVersion": VERSION,
        "LegalCopyright": "Apache-2.0 AND EUPL-1.2; licences/",
    }
    table = parts.StringTable(f"{JAPANESE:04x}{UTF_16:04x}", [parts.StringStruct(*item) for item in texts.items()])
    return parts.VSVersionInfo(
        ffi=parts.FixedFileInfo(filevers=number, prodvers=number),
        kids=[parts.StringFileInfo([table]), parts.VarFileInfo([parts.VarStruct("Translation", [JAPANESE, UTF_16])])],
    )
