"""THIRD_PARTY.md names every library that is delivered, in the version that is locked."""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ]+)(?P<rest>.*?)(?=^\S|\Z)", re.M | re.S)
ROW = re.compile(r"^\| (?P<name>[\w.-]+) \| (?P<version>\d[\w.]*) \| (?P<licence>[^|]+) \|", re.M)


def canonical(requirement: str) -> str:
    """The bare name of a requirement such as `httpx[zstd]>=0.28`, as the lock file writes it."""
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, tuple[str, set[str]]]:
    """Each locked distribution with its version and with those that brought it in."""
    text = (ROOT / "requirements.lock").read_text("utf-8").split("\n", 2)[2]
    found = {}
    for entry in LOCKED.finditer(text):
        comment = entry["rest"].partition("# via")[2]
        found[entry["name"]] = entry["version"], {canonical(name) for name in re.findall(r"[\w.-]+", comment)}
    return found


def lines_of(name: str) -> list[str]:
    """What a distribution says it needs; of another platform's nothing is known here."""
    try:
        return [line.replace("'", '"') for line in requires(name) or []]
    except PackageNotFoundError:
        return []


def extras_in(lines: Iterable[str]) -> dict[str, set[str]]:
    """The extras that requirements ask for, such as `zstd` of `httpx[zstd]>=0.28`, by the name."""
    found: dict[str, set[str]] = {}
    for line in lines:
        if asked := re.match(r"[\w.-]+\[([^]]+)\]", line):
            found.setdefault(canonical(line), set()).update(part.strip() for part in asked[1].split(","))
    return found


def brings(parent: str, child: str, extras: set[str]) -> bool:
    """Whether a distribution brings another along by itself or by one of these extras, not by one that nobody asked."""
    lines = [line for line in lines_of(parent) if canonical(line) == child]
    wanted = [f'extra == "{extra}"' for extra in extras]
    return not lines or any("extra ==" not in line or any(one in line for one in wanted) for line in lines)


def delivered(direct: list[str]) -> dict[str, str]:
    """Name and version of the given requirements and of all that they bring along."""
    lock = locked()
    names = {canonical(requirement) for requirement in direct}
    while True:
        own = (line for name in names for line in lines_of(name) if "extra ==" not in line)
        extras = extras_in([*direct, *own])
        more = {
            name
            for name, (_, parents) in lock.items()
            if name not in names and any(brings(p, name, extras.get(p, set())) for p in parents & names)
        }
        if not more:
            return {name: lock[name][0] for name in names}
        names |= more


def described(heading: str) -> dict[str, str]:
    """Name and version of the rows under a heading of THIRD_PARTY.md."""
    text = (ROOT / "THIRD_PARTY.md").read_text("utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {canonical(row["name"]): row["version"] for row in ROW.finditer(section)}


def row_for(name: str, version: str) -> str:
    """A row to start from, with what the library itself says about its licence."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return f"| {name} | {version} | (not installed here: look it up) |"
    classifiers = [c.rpartition(":: ")[2] for c in said.get_all("Classifier", []) if c.startswith("License")]
    licence = said["License-Expression"] if "License-Expression" in said else ", ".join(classifiers)
    return f"| {name} | {version} | {licence or '(look it up)'} |"


@pytest.mark.parametrize("part", ["program", "centre", "package", "development"])
def test_every_library_is_named_with_its_version(part: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    program = delivered(project["dependencies"])
    if part == "program":
        wanted, rows = program, described("In the program")
    elif part == "centre":
        wanted = {k: v for k, v in delivered(extras["central"]).items() if k not in program}
        rows = described("Only in the reference centre")
    elif part == "package":
        wanted = {canonical(name): locked()[canonical(name)][0] for name in extras["package"]}
        rows = described("Only for making installers")
    else:
        wanted = {canonical(name): locked()[canonical(name)][0] for name in extras["dev"]}
        rows = described("Only for development")
    lacking = [row_for(name, version) for name, version in sorted(wanted.items()) if rows.get(name) != version]
    assert not lacking, "THIRD_PARTY.md lacks these rows:\n" + "\n".join(lacking)
    assert rows.keys() <= wanted.keys(), "THIRD_PARTY.md names what is not locked"


def test_locks_carry_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-build.lock"):
        text = (ROOT / name).read_text("utf-8")
        entries = re.findall(r"^\S+==.*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
        assert len(entries) == len(re.findall(r"^[^#\s]", text, re.M)) > 0
        assert not re.search(r"://|--index|--find-links|\bfile:| @ ", text)
