"""The Debian package: program in /usr/lib, settings of the machine in /etc/xdg, data nowhere but with its users."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from app.version import VERSION
from installer.contents import ROOT
from installer.linux import needs, placing
from installer.linux.placing import Company

NAME = "genba-touch"
PROGRAM, SETTINGS = f"usr/lib/{NAME}", f"etc/xdg/{NAME}"
SCRIPTS = Path(__file__).resolve().parent / "scripts"
SCRIPT_OF = {"preinst": "refuse_while_running", "prerm": "refuse_while_running"}
"""Maintainer scripts that have another's text; the others have their own."""
CONTROL = """\
Package: {name}
Version: {version}
Architecture: amd64
Maintainer: Genba Touch project <packages@genba-touch.invalid>
Installed-Size: {size}
Depends: {depends}
Recommends: pcscd, fonts-noto-cjk, gnome-keyring
Section: misc
Priority: optional
Description: records who touched their CCUS card at a construction site's gate
 現場タッチは、現場の入口に置く PC で、建設キャリアアップシステム(CCUS)の技能者カードの
 タッチを記録します。通信がなくても記録し、つながったときに 1 件ずつ確実に送ります。
 .
 Genba Touch runs on the PC at a site's gate: workers touch their card, and each touch becomes a
 record that is kept on the PC until the centre has confirmed it. Works without a network for weeks.
"""


def name_of(version: str = VERSION) -> str:
    """File name of the package."""
    return f"{NAME}_{version}_amd64.deb"


def make(program: Path, out: Path, company: Company, *, version: str = VERSION, name: str = "") -> Path:
    """Write the package of a built program into `out`; the same input gives the same bytes. Raises SystemExit.

    `name`: another file name. `version`: another version, for trying upgrades.
    """
    depends = needs.depends(program)
    out.mkdir(parents=True, exist_ok=True)
    file = out / (name or name_of(version))
    with tempfile.TemporaryDirectory(dir=out) as folder:
        root = Path(folder) / "root"
        _place(root, program, company)
        size = -(-sum(p.lstat().st_size for p in placing.walk(root) if not p.is_dir()) // 1024)
        _control(root, company, CONTROL.format(
            name=NAME, version=version, size=size, depends=", ".join(depends),
        ))  # fmt: skip
        placing.settle(root)
        packing = ["-Zxz", f"-z{placing.LEVEL}", "--threads-max=2"]
        command = ["dpkg-deb", "--root-owner-group", *packing, "--build", str(root), str(file)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(placing.epoch())}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"dpkg-deb failed: {done.stderr.strip()}")
    return file


def _place(root: Path, program: Path, company: Company) -> None:
    placing.put(program, root / PROGRAM)
    (root / "usr/bin").mkdir()
    (root / "usr/bin" / NAME).symlink_to(f"../lib/{NAME}/{NAME}")
    placing.put(placing.RULES, root / "usr/lib/udev/rules.d" / placing.RULES.name)
    placing.put(placing.UNIT, root / "usr/lib/systemd/user" / placing.UNIT.name)
    placing.put(placing.DESKTOP, root / "usr/share/applications" / placing.DESKTOP.name)
    for size, icon in placing.ICONS.items():
        placing.put(icon, root / f"usr/share/icons/hicolor/{size}/apps" / icon.name)
    doc = root / "usr/share/doc" / NAME
    for source in (placing.FILES / "copyright", ROOT / "LICENSE", ROOT / "LICENSES/EUPL-1.2.txt"):
        placing.put(source, doc / source.name)
    for text, target in (("THIRD_PARTY.md", "THIRD_PARTY.md.gz"), ("CHANGELOG.md", "changelog.gz")):
        (doc / target).write_bytes(gzip.compress((ROOT / text).read_bytes(), mtime=0))
    (root / SETTINGS).mkdir(parents=True)
    for name, file in company.files().items():
        placing.put(file, root / SETTINGS / name)


def _control(root: Path, company: Company, control: str) -> None:
    folder = root / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(control, "utf-8")
    for name in ("preinst", "postinst", "prerm", "postrm"):
        shutil.copyfile(SCRIPTS / SCRIPT_OF.get(name, name), folder / name)
        (folder / name).chmod(placing.EXECUTABLE)
    # dpkg asks before it overwrites what an administrator changed
    conffiles = [f"/{SETTINGS}/{name}\n" for name in company.files()]
    if conffiles:
        (folder / "conffiles").write_text("".join(conffiles), "utf-8")
    files = [p for p in placing.walk(root) if p.is_file() and not p.is_symlink() and folder not in p.parents]
    sums = (f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(root)}\n" for p in files)
    (folder / "md5sums").write_text("".join(sorted(sums, key=lambda line: line[34:])), "utf-8")
