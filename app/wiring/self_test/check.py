"""What a check of the self-test is, and how it came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from app.errors import EnvironmentTrouble, GenbaError
from app.messages import Message, explain, say


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    FAILED = "failed"
    """This copy of the program lacks something or does not work."""
    NOT_HERE = "not_here"
    """The program may be whole: it is this machine that lacks what the check needs (a keyring, a font)."""
    SKIPPED = "skipped"
    """Nobody wanted it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check. `check` is stable; `detail` is what was found, or what is wrong and where."""

    check: str
    result: Result
    title: str
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Step:
    """A check by its name (its title is the message `self_test.<name>`).

    `look` returns what was found, in a few words that need no translation. It raises EnvironmentTrouble for what this
    machine lacks, anything else for what the program lacks. `apart`: made in a process of its own, because what is
    missing there ends the process.
    """

    name: str
    look: Callable[[], str]
    apart: bool = False


def carry_out(step: Step, language: str) -> Finding:
    """Make a check; whatever it raises is its answer."""
    try:
        detail, result = step.look(), Result.OK
    except EnvironmentTrouble as trouble:
        detail, result = "; ".join(explain(trouble, language)), Result.NOT_HERE
    except GenbaError as error:
        detail, result = "; ".join(explain(error, language)), Result.FAILED
    except Exception as exc:
        detail, result = f"{type(exc).__name__}: {exc}", Result.FAILED
    return Finding(step.name, result, title(step.name, language), detail)


def title(name: str, language: str) -> str:
    """What a check looks at, in words."""
    return words(f"self_test.{name}", language).title


def words(code: str, language: str) -> Message:
    """As `say`; the code itself where the sentences are what is missing."""
    try:
        return say(code, language)
    except (OSError, ValueError):
        return Message(code)


class Missing(Exception):
    """Something that belongs to the program is not there; the text names it."""
