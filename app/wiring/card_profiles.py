"""Card profiles in files: the shipped samples, and what an office put into its data folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app import datafile
from app.errors import InputRefused
from app.readers.profile import Profile
from app.readers.profile_file import profile_of
from app.resources import resource
from app.settings import DataDir, Settings

SCHEMA = "card-profile"


@dataclass(frozen=True, slots=True)
class Found:
    """A profile file. Exactly one of `profile`, `trouble` is there."""

    name: str
    file: Path
    profile: Profile | None = None
    trouble: InputRefused | None = None


def load(file: Path) -> Profile:
    """A profile from its file. Raises InputRefused naming file and place."""
    profile = profile_of(datafile.load(file, SCHEMA), str(file))
    if file.stem != profile.name:
        raise InputRefused("profile.other_name", str(file), name=profile.name)
    return profile


def found(data: DataDir) -> list[Found]:
    """Every profile file by name; one in the data folder hides a shipped one of the same name."""
    files: dict[str, Path] = {}
    for folder in (resource("card_profiles"), data.card_profiles):
        files |= {file.stem: file for file in sorted(folder.glob("*.toml"))}
    return [_found(name, files[name]) for name in sorted(files)]


def enabled(settings: Settings, data: DataDir) -> tuple[Profile, ...]:
    """The profiles that the settings name, in their order.

    Raises InputRefused for one that is not there or not right: a gate that went on without it would read less than
    its office asked for.
    """
    if not settings.card_profiles:
        return ()
    files = {item.name: item for item in found(data)}
    return tuple(_required(name, files) for name in settings.card_profiles)


def _required(name: str, files: dict[str, Found]) -> Profile:
    item = files.get(name)
    if item is None:
        raise InputRefused("profile.unknown", name, known=_names(tuple(files)))
    if item.profile is None:
        raise item.trouble or InputRefused("profile.unknown", name, known=_names(tuple(files)))
    return item.profile


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "-"


def _found(name: str, file: Path) -> Found:
    try:
        return Found(name, file, profile=load(file))
    except InputRefused as trouble:
        return Found(name, file, trouble=trouble)
