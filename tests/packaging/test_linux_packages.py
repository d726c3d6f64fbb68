"""The .deb and the .tar.xz in a bare Debian: installed, used, upgraded, removed; and the same bytes every time."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.version import VERSION
from installer import build as building
from installer.linux import deb, needs, packages, placing, tarball
from installer.linux.placing import Company
from tests.helpers import bare_debian
from tests.helpers.bare_debian import BareDebian
from tests.helpers.station_rig import Centre
from tests.helpers.tiny_site import tiny_site

NEWER = "99.1"
SELF_TEST = "genba-touch --self-test --no-keyring"

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's packages are made on Debian")
needs_debian = pytest.mark.skipif(bare_debian.lacking() is not None, reason=str(bare_debian.lacking()))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built program; GENBA_BUILT names one that is there already."""
    if given := os.environ.get("GENBA_BUILT"):
        return Path(given)
    folder = tmp_path_factory.mktemp("build")
    return building.build(folder / "out", folder / "work")


@pytest.fixture(scope="module")
def made(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with both packages, packed in a hurry."""
    out = tmp_path_factory.mktemp("dist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "LEVEL", 0)
        packages.make(program, out)
    return out


@pytest.fixture
def debian(tmp_path: Path) -> BareDebian:
    return BareDebian(tmp_path / "root")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    centre = Centre(tmp_path, tiny_site(workers=2))
    yield centre
    centre.close()


@pytest.fixture
def little(tmp_path: Path) -> Path:
    """A program folder with everything a real one has, but small: one ELF file, a link, data. It says yes to all."""
    folder = tmp_path / "little" / "genba-touch"
    (folder / "_internal").mkdir(parents=True)
    true = Path("/bin/true").read_bytes()
    (folder / "genba-touch").write_bytes(true)
    (folder / "genba-touch").chmod(0o700)
    (folder / "_internal" / "data.toml").write_text("a = 1\n")
    (folder / "_internal" / "libx.so.6").symlink_to("data.toml")
    return folder


def morning(centre: Centre, folder: Path) -> tuple[Path, Path]:
    """Provisioning for a PC without a keyring, and two cards for its scripted reader."""
    provisioning = centre.write_provisioning('key_file = "keys.json"\n')
    cards = [{"after_s": 0.3, "card": f"felica:{0x0140_0000_0000_0000 + n:016X}"} for n in (1, 2)]
    script = folder / "morning.jsonl"
    script.write_text("".join(json.dumps(card) + "\n" for card in cards))
    return provisioning, script


def quiet(folder: Path) -> Path:
    """A reader that nobody comes to."""
    script = folder / "quiet.jsonl"
    script.write_text('{"after_s": 3600, "unreadable": true}\n')
    return script


def delivered(debian: BareDebian, user: str, command: str) -> int:
    """How many touches the centre has confirmed."""
    debian.sh(f"{command} sync --once", user=user)
    status = json.loads(debian.sh(f"{command} status --json 2>/dev/null", user=user))
    assert status["pending"] == 0
    return int(status["accepted"])


@pytest.mark.long
@pytest.mark.timeout(1800)
@needs_debian
def test_deb_on_a_pc_without_anything(
    made: Path, little: Path, debian: BareDebian, centre: Centre, tmp_path: Path
) -> None:
    package = debian.take(made / deb.name_of())
    debian.sh("apt-get update -q")
    # Depends alone must do: what is recommended is left out
    debian.sh(f"apt-get install -qy --no-install-recommends {package}")
    debian.sh("adduser --disabled-password --gecos gate gate")
    assert "not found" not in debian.sh(
        "find /usr/lib/genba-touch -name '*.so*' | LD_LIBRARY_PATH=/usr/lib/genba-touch/_internal xargs ldd 2>&1"
    )
    checks = json.loads(debian.sh(f"{SELF_TEST} --json 2>/dev/null", user="gate", code=6))["checks"]
    assert [c["check"] for c in checks if c["result"] not in ("ok", "skipped")] == ["qt_fonts"]  # only recommended

    provisioning, script = morning(centre, tmp_path)
    provisioning_there = debian.take(provisioning, "/tmp")
    debian.sh(f"genba-touch provision {provisioning_there}", user="gate")
    debian.sh("adduser --disabled-password --gecos other other")
    told = debian.sh(f"genba-touch provision {provisioning_there}", user="other", code=3)
    assert "gate" in told  # whose account has the station
    gate = f"genba-touch gate --headless --json-lines --seconds 6 --reader scripted:{debian.take(script, '/tmp')}"
    assert debian.sh(gate, user="gate").count('"event": "touch"') == 2
    assert delivered(debian, "gate", "genba-touch") == 2

    newer = debian.take(deb.make(little, tmp_path, Company(), version=NEWER))
    running = f"genba-touch gate --headless --seconds 60 --reader scripted:{debian.take(quiet(tmp_path), '/tmp')}"
    told = debian.sh(f'su - gate -c "{running}" >/dev/null 2>&1 & sleep 3; dpkg -i {newer}', code=1)
    assert "it is running (process" in told
    assert version(debian) == VERSION
    debian.sh(f"dpkg -i {newer}")
    assert version(debian) == NEWER
    debian.sh(f"dpkg -i {package}")
    assert version(debian) == VERSION
    assert delivered(debian, "gate", "genba-touch") == 2

    (debian.root / "etc/xdg/genba-touch/it-key.pem").write_text("put there by IT")
    debian.sh("dpkg -r genba-touch")
    assert not (debian.root / "usr/bin/genba-touch").is_symlink()
    assert (debian.root / "etc/xdg/genba-touch/it-key.pem").exists()
    told = debian.sh("dpkg -P genba-touch")
    assert "/home/gate/.local/share/genba-touch" in told
    assert (debian.root / "home/gate/.local/share/genba-touch/genba-touch.db").stat().st_size > 0
    left = debian.sh("find / -xdev -path /proc -prune -o -path '*genba-touch*' -print")
    strangers = [
        line
        for line in left.splitlines()
        if not line.startswith(("/home/gate/.local/share/", "/root/", "/var/cache/apt"))
    ]
    assert strangers == []


def version(debian: BareDebian) -> str:
    return debian.sh("dpkg-query -W -f '${Version}' genba-touch")


@pytest.mark.long
@pytest.mark.timeout(1800)
@needs_debian
def test_what_an_administrator_changed_is_kept(little: Path, debian: BareDebian, tmp_path: Path) -> None:
    files = {}
    for name in ("one", "two"):
        files[name] = tmp_path / f"{name}.toml"
        files[name].write_text(f'company = "{name}"\n')
    key = tmp_path / "it-key.pem"
    key.write_text("the key\n")
    first = debian.take(deb.make(little, tmp_path, Company(files["one"], key), name="first.deb"))
    second = debian.take(deb.make(little, tmp_path, Company(files["two"], key), version=NEWER, name="second.deb"))
    plain = debian.take(deb.make(little, tmp_path, Company(), version="99.2", name="plain.deb"))
    settings = debian.root / "etc/xdg/genba-touch"

    debian.sh(f"dpkg -i --force-depends {first}")
    assert (settings / "provisioning.toml").read_text() == 'company = "one"\n'
    debian.sh(f"dpkg -i --force-depends --force-confold {second}")
    assert (settings / "provisioning.toml").read_text() == 'company = "two"\n'  # nobody had changed it
    (settings / "provisioning.toml").write_text("# by hand\n")
    debian.sh(f"dpkg -i --force-depends --force-confold {first}")
    assert (settings / "provisioning.toml").read_text() == "# by hand\n"
    debian.sh(f"dpkg -i --force-depends {plain}")  # the common package does not take a company's files away
    assert (settings / "provisioning.toml").read_text() == "# by hand\n"
    assert (settings / "it-key.pem").read_text() == "the key\n"
    debian.sh("dpkg -P genba-touch")
    assert not settings.exists()


@pytest.mark.long
@pytest.mark.timeout(1800)
@needs_debian
def test_tar_for_one_user(made: Path, little: Path, debian: BareDebian, centre: Centre, tmp_path: Path) -> None:
    debian.sh("apt-get update -q && apt-get install -qy --no-install-recommends xz-utils adduser")
    debian.sh("adduser --disabled-password --gecos gate gate")
    archive = debian.take(made / f"{tarball.name_of()}.tar.xz", "/tmp")
    debian.sh(f"tar xf {archive}", user="gate")
    install = f"sh {tarball.name_of()}/install.sh"
    # a PC without graphics libraries: told so, and nothing is left half done
    told = debian.sh(install, user="gate", code=4)
    assert "Nothing was changed" in told
    assert not (debian.root / "home/gate/.local/lib/genba-touch").exists()
    advice = next(line for line in told.splitlines() if "apt-get install" in line).partition("install ")[2]
    debian.sh(f"apt-get install -qy --no-install-recommends {advice}")

    provisioning, script = morning(centre, tmp_path)
    debian.take(provisioning, "/tmp")
    debian.sh(f"cp /tmp/{provisioning.name} {tarball.name_of()}/provisioning.toml && {install}", user="gate")
    command = ".local/bin/genba-touch"
    debian.sh(f"{command} first-start --json", user="gate", code=4)  # no reader on this PC, but it is set up
    debian.take(script, "/tmp")
    gate = f"{command} gate --headless --json-lines --seconds 6 --reader scripted:/tmp/{script.name}"
    assert debian.sh(gate, user="gate").count('"event": "touch"') == 2
    assert delivered(debian, "gate", command) == 2

    running = f"{command} gate --headless --seconds 60 --reader scripted:{debian.take(quiet(tmp_path), '/tmp')}"
    told = debian.sh(f"({running} >/dev/null 2>&1 & sleep 3; {install} --uninstall)", user="gate", code=5)
    assert "running" in told
    newer = debian.take(tarball.make(little, tmp_path, Company(), version=NEWER), "/tmp")
    debian.sh(f"tar xf {newer} && {install}", user="gate")  # the same again: a repair
    debian.sh(f"sh {tarball.name_of(NEWER)}/install.sh", user="gate")
    assert "not replaced" in debian.sh(install, user="gate", code=3)
    home = debian.root / "home/gate"
    assert (home / ".local/lib/genba-touch/VERSION").read_text() == f"{NEWER}\n"
    assert (home / ".local/lib/genba-touch/provisioning.toml").exists()  # an upgrade keeps it
    desktop = (home / ".local/share/applications/genba-touch.desktop").read_text("utf-8")
    assert 'Exec="/home/gate/.local/bin/genba-touch" office\n' in desktop
    assert "ExecStart=%h/.local/bin" in (home / ".config/systemd/user/genba-touch-kiosk.service").read_text()
    told = debian.sh(f"{install} --uninstall", user="gate")
    assert "/home/gate/.local/share/genba-touch" in told
    left = [str(p.relative_to(home)) for p in home.rglob("*genba-touch*") if "linux-x86_64" not in str(p)]
    assert ".local/share/genba-touch/genba-touch.db" in left
    assert [name for name in left if not name.startswith(".local/share/genba-touch")] == []


def test_a_package_is_the_same_bytes_every_time(little: Path, tmp_path: Path) -> None:
    files = packages.make(little, tmp_path / "one")
    os.utime(little / "genba-touch", (1, 1))
    (little / "_internal" / "data.toml").chmod(0o666)
    again = packages.make(little, tmp_path / "two")
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in again]
    assert not list((tmp_path / "one").glob("tmp*"))


def test_companies_share_the_compressed_program(little: Path, tmp_path: Path) -> None:
    common = tarball.begin(little, tmp_path / "common.tar.xz")
    for company in ("one", "two"):
        files = tmp_path / company
        files.mkdir()
        (files / "provisioning.toml").write_text(f'company = "{company}"\n')
        (files / "it-key.pem").write_text("key\n")
        tarball.finish(common, files, tmp_path / f"{company}.tar.xz")
        out = tmp_path / f"{company} out"
        out.mkdir()
        subprocess.run(["tar", "xf", f"../{company}.tar.xz"], cwd=out, check=True)
        root = out / tarball.name_of()
        assert {path.name for path in root.iterdir()} == {
            "genba-touch", "install.sh", "it-key.pem", "provisioning.toml", "share"
        }  # fmt: skip
        assert (root / "provisioning.toml").read_text() == f'company = "{company}"\n'
        assert (root / "genba-touch/_internal/libx.so.6").readlink() == Path("data.toml")
        assert (root / "genba-touch/genba-touch").read_bytes() == (little / "genba-touch").read_bytes()


def test_deb_has_what_it_must_have(little: Path, tmp_path: Path) -> None:
    file = deb.make(little, tmp_path, Company())
    assert (
        subprocess.run(["dpkg-deb", "-f", str(file), "Version"], capture_output=True, text=True).stdout
        == f"{VERSION}\n"
    )
    listed = subprocess.run(["dpkg-deb", "-c", str(file)], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    assert {row[1] for row in rows} == {"root/root"}
    modes = {row[0] for row in rows}
    assert modes == {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--", "lrwxrwxrwx"}
    runnable = [row[5] for row in rows if row[0] == "-rwxr-xr-x"]
    assert runnable == ["./usr/lib/genba-touch/genba-touch"]
    names = [row[5] for row in rows]
    for name in ("udev/rules.d/70-genba-touch-pasori.rules", "systemd/user/genba-touch-kiosk.service"):
        assert f"./usr/lib/{name}" in names
    control_tar = subprocess.run(["dpkg-deb", "--ctrl-tarfile", str(file)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(control_tar)) as control:
        scripts = [m.name for m in control.getmembers() if m.mode == 0o755 and m.isfile()]
    assert sorted(scripts) == ["./postinst", "./postrm", "./preinst", "./prerm"]


def test_a_library_nobody_knows_a_package_of_stops_the_packaging(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int f(void) { return 1; }\n")
    strange = ["gcc", "-shared", "-o", "libstrange.so.7", "-Wl,-soname,libstrange.so.7", "a.c"]
    user = ["gcc", "-shared", "-o", "user.so", "a.c", "-Wl,--no-as-needed", "libstrange.so.7"]
    for command in (strange, user):
        subprocess.run(command, cwd=tmp_path, check=True)
    assert needs.depends(tmp_path)  # it lies beside: no package is wanted
    (tmp_path / "libstrange.so.7").unlink()
    with pytest.raises(SystemExit, match=r"libstrange\.so\.7"):
        needs.depends(tmp_path)


def test_scripts_and_desktop_files_are_sound() -> None:
    for script in [tarball.SCRIPT, *sorted(deb.SCRIPTS.iterdir())]:
        subprocess.run(["sh", "-n", str(script)], check=True)
    desktop = placing.DESKTOP.read_text("utf-8")
    assert "Name[ja]=現場タッチ" in desktop
    assert [line for line in desktop.splitlines() if line.startswith("Exec=")] == [
        "Exec=genba-touch", "Exec=genba-touch office"
    ]  # fmt: skip
