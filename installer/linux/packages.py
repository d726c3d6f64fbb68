"""Makes the packages for Linux of a built program: `python -m installer.linux.packages`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from installer.contents import ROOT
from installer.linux import deb, tarball
from installer.linux.placing import Company

BUILT = ROOT / "dist" / "linux-x86_64" / "genba-touch"


def make(program: Path, out: Path, company: Company | None = None) -> list[Path]:
    """The .deb and the .tar.xz of a built program. Raises SystemExit with the reason."""
    if not (program / "genba-touch").is_file():
        raise SystemExit(f"{program}: no program is there. Please build it first: python -m installer.build")
    return [kind.make(program, out, company or Company()) for kind in (deb, tarball)]


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m installer.linux.packages", description=__doc__)
    parser.add_argument("--program", type=Path, default=BUILT, metavar="FOLDER", help="what installer.build made")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER")
    parser.add_argument("--provisioning", type=Path, metavar="FILE", help="provisioning.toml of this company's PCs")
    parser.add_argument("--it-key", type=Path, metavar="PEM", help="IT's public key for them")
    args = parser.parse_args(words)
    for file in make(args.program.resolve(), args.out.resolve(), Company(args.provisioning, args.it_key)):
        print(f"{file}: {file.stat().st_size / 1e6:.0f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
