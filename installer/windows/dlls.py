"""Makes small Windows DLLs and programs with mingw-w64: stand-ins for test builds (`stubs/`)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

STUBS = Path(__file__).parent / "stubs"
COMPILER, READER = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-objdump"


def compile_c(source: Path, target: Path, *more: str | Path) -> None:
    """Compile C for Windows x64: a program where the target is called `.exe`, else a DLL. Raises CalledProcessError."""
    kind = "-municode" if target.suffix == ".exe" else "-shared"
    subprocess.run([COMPILER, "-Wall", "-O2", "-s", kind, source, "-o", target, *more], check=True)


def exports(dll: Path) -> list[str]:
    """The names that a DLL offers, in order. Raises CalledProcessError, RuntimeError when it seems to have none."""
    listed = subprocess.run([READER, "-p", dll], capture_output=True, text=True, check=True).stdout
    table = listed.partition("[Ordinal/Name Pointer] Table")[2]
    names = re.findall(r"^\t\[ *\d+\].* (\w+)$", table, flags=re.MULTILINE)
    if not names:
        raise RuntimeError(f"no exports understood in {dll}")
    return names


def forwarding(source: Path, target: Path, names: Iterable[str], to: str, work: Path) -> None:
    """Compile a DLL whose `names` are those of the DLL `to`, with what `source` has of its own. CalledProcessError."""
    table = work / f"{target.stem}.def"
    table.write_text("EXPORTS\n" + "".join(f"  {name} = {to}.{name}\n" for name in names), "utf-8")
    compile_c(source, target, table)
