#!/usr/bin/env python3
"""One door for everything a developer does: `python3 dev.py <command>`.

Needs nothing but Python's standard library. Commands that run the program first make what it needs: system
packages (Debian and Ubuntu only), `.venv` from the two lock files, and the program itself in editable form.
What is there already is not touched, so a second run starts at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "made-from.txt"
WINDOWS = sys.platform == "win32"
PYTHON = str(VENV / ("Scripts/python.exe" if WINDOWS else "bin/python"))
LOCK, BUILD_LOCK = "requirements.lock", "requirements-build.lock"
BUILD_NEEDS = "setuptools>=80\nwheel\nswig ; sys_platform != 'win32'\n"
OLDEST, NEWEST = (3, 11), (3, 13)

# why, and Debian's names; {python} is the chosen one, such as python3.11
TO_RUN = {
    "make .venv": "{python}-venv",
    "compile pyscard, which has no Linux wheel": "gcc libc6-dev libpcsclite-dev {python}-dev",
    "reach card readers": "libusb-1.0-0 pcscd",
    "let Qt draw": "libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libxkbcommon0",
    "let Qt open windows": "libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 "
    "libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 libwayland-cursor0",
    "show Japanese": "fonts-noto-cjk",
}
TO_TEST = {
    "give tests a screen of their own": "xauth xvfb",
    "give tests a keyring of their own": "dbus gnome-keyring",
    "emulate a PC/SC reader (listens on TCP port 35963 while pcscd runs)": "vsmartcard-vpcd",
    "judge the emulated secure card": "opensc",
    "emulate a USB reader": "gir1.2-umockdev-1.0 python3-gi umockdev",
    "keep test runs apart (namespaces)": "iproute2 mount util-linux",
    "run the reference centre on PostgreSQL": "postgresql",
    "see what reaches the disk": "strace",
    "look at the centre's status page": "chromium",
    "sign, with a token made of software and time stamps of our own": "libengine-pkcs11-openssl openssl osslsigncode "
    "softhsm2",
    "try packages, in a bare Debian too": "debootstrap xz-utils",
}
TO_FAULT = {
    "make disks fail": "fiu-utils",
    "make clocks jump": "libfaketime",
}
TO_PACKAGE = {
    "let PyInstaller look into libraries": "binutils",
    "pack for Linux": "dpkg xz-utils",
    "make the Windows set-up": "nsis",
    "build and try Windows programs here (wine, never delivered)": "gcc-mingw-w64-x86-64 wine wine64 xauth xvfb",
    "sign, and verify signatures": "osslsigncode libengine-pkcs11-openssl",
}


def say(text: str) -> None:
    """Print at once, so that our lines keep their place between those of child processes."""
    print(text, flush=True)


def run(command: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> int:
    """Run a command, in the project folder unless told, and return its exit code; `env` is added to the environment."""
    return subprocess.call(command, cwd=cwd, env={**os.environ, **(env or {})})


def output(*command: str) -> str | None:
    """What a command prints, or None if it cannot be run or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def timed(name: str, command: list[str], env: dict[str, str] | None = None) -> int:
    """Run a named step and say how it went and how long it took."""
    say(f"== {name}")
    start = time.monotonic()
    code = run(command, env)
    say(f"== {name}: {'ok' if code == 0 else f'FAILED (exit {code})'}, {time.monotonic() - start:.1f} s")
    return code


def find_python() -> tuple[str, str]:
    """The Python that `.venv` is made with, and its name: this one if it fits, else the newest that does."""
    own = getattr(sys, "_base_executable", None) or sys.executable
    names = [f"{NEWEST[0]}.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for command in [[own], *(["py", f"-{name}"] if WINDOWS else [f"python{name}"] for name in names)]:
        told = output(*command, "-c", "import sys; print(sys.executable, *sys.version_info[:2], sep='\\n')")
        path, major, minor = (told or "\n0\n0").splitlines()
        if OLDEST <= (int(major), int(minor)) <= NEWEST:
            return path, f"python{major}.{minor}"
    fault = "too new" if sys.version_info[:2] > NEWEST else "too old"
    raise SystemExit(
        f"Python {sys.version_info[0]}.{sys.version_info[1]} is {fault} for this program's libraries: "
        f"please install one from 3.{OLDEST[1]} to 3.{NEWEST[1]} beside it and try again."
    )


def missing_packages(wanted: dict[str, str], python: str, name: str) -> dict[str, list[str]]:
    """Those of the wanted Debian packages that are not installed, by reason."""
    rows = (output("dpkg-query", "-W", "-f=${db:Status-Status} ${Package}, ${Provides}\n") or "").splitlines()
    lists = [row.partition(" ")[2] for row in rows if row.startswith("installed ")]
    present = {item.split()[0] for items in lists for item in items.split(",") if item.strip()}
    # a Python that does not come from Debian brings these two itself
    if output(python, "-c", "import ensurepip, venv") is not None:
        present.add(f"{name}-venv")
    if output(python, "-c", "import sysconfig; open(sysconfig.get_path('include') + '/Python.h')") is not None:
        present.add(f"{name}-dev")
    named = {reason: packages.format(python=name).split() for reason, packages in wanted.items()}
    lacking = {reason: [p for p in packages if p not in present] for reason, packages in named.items()}
    return {reason: packages for reason, packages in lacking.items() if packages}


def system_packages(wanted: dict[str, str], python: str, name: str) -> None:
    """Install what Debian or Ubuntu lacks; where that cannot be done, say what is lacking and go on."""
    if not sys.platform.startswith("linux"):
        return
    if not shutil.which("dpkg-query"):
        say(f"Not Debian or Ubuntu; needed here too: {'; '.join(wanted.values()).format(python=name)}")
        return
    missing = missing_packages(wanted, python, name)
    if not missing:
        return
    packages = [package for group in missing.values() for package in group]
    by_hand = f"   sudo apt-get install --no-install-recommends {' '.join(packages)}"
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    say("System packages that are missing:")
    for reason, group in missing.items():
        say(f"   to {reason}: {' '.join(group)}")
    if sudo and output("sudo", "-n", "true") is None:
        say(f"Installing them takes an administrator; please run this, we go on as far as we can:\n{by_hand}")
        return
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    run([*apt, "update"])
    if timed("install them", [*apt, "install", "-y", "--no-install-recommends", *packages]):
        say(f"Please run this yourself; we go on as far as we can:\n{by_hand}")


def ready(*, to_test: bool = True, more: dict[str, str] | None = None) -> None:
    """Bring the machine and `.venv` to where the lock files want them."""
    python, name = find_python()
    system_packages({**TO_RUN, **(TO_TEST if to_test else {}), **(more or {})}, python, name)
    made_from = hashlib.sha256(name.encode())
    for source in (LOCK, BUILD_LOCK, "pyproject.toml"):
        made_from.update((ROOT / source).read_bytes())
    stamp = f"{name} {made_from.hexdigest()}\n"
    was = STAMP.read_text("utf-8") if STAMP.exists() else ""
    if was == stamp and Path(PYTHON).exists():
        return
    if output(python, "-c", "import ensurepip, venv") is None:
        raise SystemExit(f"Python lacks its venv module; please run: sudo apt-get install {name}-venv")
    STAMP.unlink(missing_ok=True)
    # pip does not look for programs inside .venv, and compiling pyscard takes swig, which is there
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    pip = [PYTHON, "-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check"]
    steps = {
        "make .venv": [python, "-m", "venv", "--clear", str(VENV)],
        "build tools": [*pip, "--require-hashes", "-r", BUILD_LOCK],
        "libraries": [*pip, "--require-hashes", "--no-build-isolation", "-r", LOCK],
        "this program": [*pip, "--no-deps", "--no-build-isolation", "-e", "."],
    }
    if was.startswith(f"{name} ") and Path(PYTHON).exists():
        del steps["make .venv"]
    for step, command in steps.items():
        if timed(step, command, {"PATH": path}):
            raise SystemExit(f"Setting up stopped at “{step}”; the lines above say why.")
    STAMP.write_text(stamp, "utf-8")


def setup(args: list[str]) -> int:
    """make everything that developing and testing needs"""
    ready()
    say(f"Ready: {PYTHON}")
    return 0


def lint_steps() -> dict[str, list[str]]:
    """The checks that read the code without running it."""
    return {
        "ruff check": [PYTHON, "-m", "ruff", "check", "."],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
        "mypy": [PYTHON, "-m", "mypy"],
    }


def all_of(steps: dict[str, list[str]]) -> int:
    """Run every step, sum them up, and return the first failure's exit code."""
    codes = {name: timed(name, command, {"QT_QPA_PLATFORM": qt_platform()}) for name, command in steps.items()}
    failed = [name for name, code in codes.items() if code]
    say(f"Failed: {', '.join(failed)}" if failed else f"All well: {', '.join(codes)}")
    return codes[failed[0]] if failed else 0


def qt_platform() -> str:
    """Tests draw in memory, so that no window pops up and pictures come out alike on every machine."""
    return os.environ.get("QT_QPA_PLATFORM", "offscreen")


def lint(args: list[str]) -> int:
    """ruff and mypy only"""
    ready()
    return all_of(lint_steps())


def test(args: list[str]) -> int:
    """ruff, mypy and pytest; --long adds the tests that take minutes, anything else goes to pytest"""
    ready()
    marks = [] if "--long" in args else ["-m", "not long"]
    chosen = [arg for arg in args if arg != "--long"]
    # two processes for the whole suite; a chosen few start faster, and can be debugged, in one
    spread = [] if chosen else ["-n", "2", "--dist", "worksteal"]
    return all_of({**lint_steps(), "pytest": [PYTHON, "-m", "pytest", *spread, *marks, *chosen]})


def bench(args: list[str]) -> int:
    """the benchmarks, one after the other in one process; a NAME picks those that contain it"""
    ready()
    name = ["-k", args[0], *args[1:]] if args else []
    steady = ["--benchmark-enable", "-p", "no:randomly", "-p", "no:xdist", "--timeout", "1800"]
    return all_of({"bench": [PYTHON, "-m", "pytest", "tests/bench", *steady, *name]})


def soak(args: list[str]) -> int:
    """the readers for a long time: 100,000 cards a road, everything unplugged; [NAME] --minutes N --seed S"""
    ready()
    words, options = iter(args), {"--minutes": "GENBA_SOAK_MINUTES", "--seed": "GENBA_SEED"}
    env, names = {}, []
    for word in words:
        if word in options:
            env[options[word]] = next(words, "")
        else:
            names.append(word)
    chosen = ["-k", names[0], *names[1:]] if names else []
    tests = ["tests/readers/test_soak.py", "tests/e2e/test_unplugging.py"]
    return timed("soak", [PYTHON, "-m", "pytest", *tests, "-m", "long", "-p", "no:xdist", "-s", *chosen], env)


def faults(args: list[str]) -> int:
    """real gates and a real centre under every fault, judged: --seed S, --rounds N (docs/faults.md)"""
    ready(more=TO_FAULT)
    return run([PYTHON, "-m", "tests.helpers.fault_run", *args])


def demo(args: list[str]) -> int:
    """the program with made-up data, no reader and no centre needed; --headless without a window"""
    ready(to_test=False)
    return run([PYTHON, "-m", "app", "demo", *args])


def dataset(args: list[str]) -> int:
    """make large made-up data: dataset big [--out DIR]"""
    ready(to_test=False)
    return run([PYTHON, "-m", "app.demo.dataset", *args])


def package(args: list[str]) -> int:
    """what is installed: program, set-ups, packages in dist/ (docs/packaging.md); [STEP …]"""
    ready(to_test=False, more=TO_PACKAGE)
    # where the person stands: paths of tables and keys are meant from there
    return run([PYTHON, "-m", "installer.package", *args], {"PYTHONPATH": str(ROOT)}, Path.cwd())


def windows(args: list[str]) -> int:
    """a Windows build made and tried under wine, never shipped (docs/packaging.md); what follows goes to pytest"""
    ready(more=TO_PACKAGE)
    files = [f"tests/packaging/test_{name}.py" for name in ("windows_build", "whole_road")]
    tests = [PYTHON, "-m", "pytest", "-p", "no:xdist", *files, *args]
    return all_of({"build": [PYTHON, "-m", "installer.windows.build"], "pytest": tests})


def lock(args: list[str]) -> int:
    """write the lock files anew from pyproject.toml; --upgrade takes the newest versions (needs uv)"""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("Locking needs the tool uv: please install it (pip install uv) and try again.")
    compile_ = [uv, "pip", "compile", "-q", "--no-config", "--universal", "--generate-hashes", *args]
    compile_ += ["--python-version", f"3.{OLDEST[1]}"]
    env = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "python3 dev.py lock"}
    all_ = [*compile_, "pyproject.toml", "--extra", "central", "--extra", "dev", "--extra", "package", "-o", LOCK]
    build = [*compile_, "-", "--no-annotate", "-o", BUILD_LOCK]
    code = subprocess.run(all_, cwd=ROOT, env=env).returncode
    return code or subprocess.run(build, cwd=ROOT, env=env, input=BUILD_NEEDS, text=True).returncode


COMMANDS = {f.__name__: f for f in (setup, test, demo, dataset, bench, soak, faults, package, windows, lint, lock)}


def main() -> int:
    """Hand the words after the command to the command."""
    name, *args = sys.argv[1:] or ["help"]
    if name not in COMMANDS:
        say("python3 dev.py <command>\n" + "".join(f"   {n:8} {f.__doc__}\n" for n, f in COMMANDS.items()))
        return 0 if name in ("help", "-h", "--help") else 2
    return COMMANDS[name](args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
