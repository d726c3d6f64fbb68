"""Sentences by code, Japanese first: shared by the command line, `doctor`, the log and the screen.

A message has `title` (what happened, one plain sentence) and `remedy` (what to do; may be empty). The files are
`resources/messages/{ja,en}.toml` and, for the office, `{ja,en}.office.toml`; both languages must hold the same codes
and the same `{names}`, and no code may stand in two files (tests).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.errors import GenbaError
from app.resources import resource

LANGUAGES = ("ja", "en")
FILES = (".toml", ".office.toml")
"""Endings of a language's files."""
_LINE_BREAKS = re.compile(r"\s*[\r\n\t]\s*")
"""In what libraries say; a sentence of ours is one line."""


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence and what to do about it, in one language."""

    title: str
    remedy: str = ""


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, Message]:
    """Every message of a language by its dotted code. `language`: 'ja' or 'en'; anything else is 'ja'."""
    name = language if language in LANGUAGES else "ja"
    found: dict[str, Message] = {}
    for file in FILES:
        tree = tomllib.loads(resource("messages", f"{name}{file}").read_text(encoding="utf-8"))
        found.update(_walk("", tree))
    return found


def _walk(prefix: str, tree: Mapping[str, Any]) -> list[tuple[str, Message]]:
    if isinstance(tree.get("title"), str):
        return [(prefix, Message(tree["title"], tree.get("remedy", "")))]
    found: list[tuple[str, Message]] = []
    for key, value in tree.items():
        found += _walk(f"{prefix}.{key}" if prefix else key, value)
    return found


def say(code: str, language: str = "ja", **values: object) -> Message:
    """The message of a code with its `{names}` filled in.

    An unknown code is answered with the code itself, a missing value with '…': a gate must not stop for a missing
    word (a test finds every code used in the program that has no sentence).
    """
    message = catalogue(language).get(code)
    if message is None:
        return Message(code)
    filled = _Values(values)
    return Message(message.title.format_map(filled), message.remedy.format_map(filled))


def known(code: str, fallback: str, language: str = "ja", **values: object) -> Message:
    """The message of somebody else's code, or that of `fallback` when there is none: no bare code on a screen."""
    return say(code if code in catalogue(language) else fallback, language, **values)


class _Values(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "…"


def explain(error: GenbaError, language: str = "ja") -> list[str]:
    """What, where, what to do: a line each, empty ones left out."""
    message = say(error.code, language, where=error.where, **error.values)
    lines = (message.title, error.where, message.remedy)
    return [_LINE_BREAKS.sub(" ", line) for line in lines if line]
