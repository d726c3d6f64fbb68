"""Makes the set-up for Windows from a program's folder: `python -m installer.windows.nsis` (needs makensis)."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import GenbaError
from app.messages import explain
from app.settings import PROVISIONING_FILE, DataDir
from app.signing import PUBLIC_NAME, public_key
from app.version import VERSION
from app.wiring import placing
from installer import signing_config
from installer.contents import COMPANY as PUBLISHER
from installer.contents import PRODUCT, ROOT
from installer.signing import Signer, add_test_build

HERE = Path(__file__).resolve().parent
PROGRAM = ROOT / "dist" / "windows-x86_64" / "genba-touch"
SIGN = (sys.executable, "-m", "installer.signing", "sign")
"""How files are signed: the file's name is added as the last word."""
_ROOM = 3
"""So many times the program's size is needed: the new one, the old one, and some air."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A set-up. `company`: whom it is made for, in words; None for anybody.

    `provisioning`, `it_key`, `update_root`: files that are put beside the program. `sign`: the command for the
    uninstaller and the set-up; None leaves them unsigned. `needed_mb`: free room asked for; None reckons it.
    """

    program: Path = PROGRAM
    out: Path = ROOT / "dist"
    version: str = VERSION
    company: str | None = None
    provisioning: Path | None = None
    it_key: Path | None = None
    update_root: Path | None = None
    icon: Path = ROOT / "resources" / "icons" / "genba-touch.ico"
    sign: Sequence[str] | None = None
    needed_mb: int | None = None


def make(wanted: Wanted) -> Path:
    """The set-up's path: `genba-touch-VERSION-setup.exe`.

    Raises GenbaError for a provisioning file or key that the program would refuse, SystemExit when makensis fails.
    """
    target = wanted.out / f"genba-touch-{wanted.version}-setup.exe"
    wanted.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        brought = _brought(wanted, work / "brought")
        (work / "settings.nsh").write_text(settings(wanted, target, brought), encoding="utf-8-sig")
        command = ["makensis", "-V2", "-WX", "-NOCD", "-INPUTCHARSET", "UTF8"]
        done = subprocess.run(
            [*command, str(HERE / "genba-touch.nsi")], cwd=work, capture_output=True, text=True, check=False
        )
    if done.returncode:
        target.unlink(missing_ok=True)  # it may be whole, and not signed
        raise SystemExit(f"makensis ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return target


def _brought(wanted: Wanted, folder: Path) -> Path | None:
    """What lies beside the program from the beginning, judged as the program would."""
    folder.mkdir()
    if wanted.it_key is not None:
        public_key(wanted.it_key)
        shutil.copyfile(wanted.it_key, folder / PUBLIC_NAME)
    if wanted.provisioning is not None:
        placing.place(wanted.provisioning, folder, DataDir.at(folder / "none"), wanted.it_key)
    if wanted.update_root is not None:
        shutil.copyfile(wanted.update_root, folder / "update-root.json")
    return folder if any(folder.iterdir()) else None


def settings(wanted: Wanted, target: Path, brought: Path | None) -> str:
    """What genba-touch.nsi is told, as NSIS' own definitions."""
    size = sum(file.stat().st_size for file in wanted.program.rglob("*") if file.is_file())
    needed = wanted.needed_mb or size * _ROOM // 1024**2 + 50
    made_for = f" — {wanted.company}" if wanted.company else ""
    lines = [
        *(f'!addincludedir "{folder}"' for folder in (HERE,)),
        define("VERSION", wanted.version),
        define("OUT", str(target.absolute())),
        define("PROGRAM", str(wanted.program.absolute())),
        define("PUBLISHER", PUBLISHER),
        define("BRANDING", f"{PRODUCT} {wanted.version}{made_for}"),
        define("ICON", str(wanted.icon.absolute())),
        define("LICENSE", str(ROOT / "LICENSE")),
        define("SIZE_KB", str(size // 1024)),
        define("NEEDED_MB", str(needed)),
    ]
    if brought is not None:
        lines.append(define("BROUGHT", str(brought)))
    if wanted.sign is not None:
        lines.append(f"!define SIGN `cd {shlex.quote(str(ROOT))} && {shlex.join(wanted.sign)}`")
    lines += ["!macro REMOVE_PROGRAM FOLDER"]
    for path in sorted(wanted.program.iterdir()):
        lines.append(f'  {"RMDir /r" if path.is_dir() else "Delete"} "${{FOLDER}}\\{_escaped(path.name)}"')
    lines += ['  Delete "${FOLDER}\\uninstall.exe"', "!macroend"]
    return "\n".join(lines) + "\n"


def define(name: str, text: str) -> str:
    """A definition of NSIS. Raises SystemExit for a text with line breaks."""
    return f'!define {name} "{_escaped(text)}"'


def _escaped(text: str) -> str:
    """For a string in double quotes."""
    if any(ord(letter) < ord(" ") for letter in text):
        raise SystemExit(f"no line breaks are possible in a set-up's texts: {text!r}")
    return text.replace("$", "$$").replace('"', '$\\"')


def main(arguments: Sequence[str] | None = None) -> int:
    """Make it, and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m installer.windows.nsis", description=__doc__)
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="DIR", help="the built program")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--company", help="whom this set-up is made for; shown on its pages")
    parser.add_argument("--provisioning", type=Path, metavar="FILE", help=f"{PROVISIONING_FILE} to bring along")
    parser.add_argument("--it-key", type=Path, metavar="PEM", help=f"{PUBLIC_NAME} to bring along")
    parser.add_argument("--update-root", type=Path, metavar="JSON", help="whom the program takes new versions from")
    parser.add_argument("--signing", type=Path, metavar="TOML", help="sign program, uninstaller and set-up with it")
    add_test_build(parser)
    args = parser.parse_args(arguments)
    wanted = Wanted(
        program=args.program,
        out=args.out,
        company=args.company,
        provisioning=args.provisioning,
        it_key=args.it_key,
        update_root=args.update_root,
    )
    try:
        if args.signing is None:
            target = make(wanted)
        else:
            signer = Signer(signing_config.load(args.signing), test_build=args.test_build)
            target = signer.build(wanted.program, lambda: make(replace(wanted, sign=SIGN)), print)
    except signing_config.NotSigned as unsigned:
        print(unsigned, file=sys.stderr)
        return 4
    except GenbaError as error:
        print("\n".join(explain(error, "en")), file=sys.stderr)
        return error.exit_code
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
