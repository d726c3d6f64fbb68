"""What a command prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from app.errors import GenbaError, InputRefused
from app.messages import explain
from app.messages import say as sentence


def print_json(value: Any, *, line: bool = False) -> None:
    """One JSON value on stdout; `line`: compact, in one line, flushed at once."""
    text = json.dumps(value, ensure_ascii=False, indent=None if line else 2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A line for people, on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_through(text: str) -> None:
    """A line on stdout past Python's own buffer, which a thread that hangs in it would take along to the grave.

    Blocks while nobody reads; raises OSError when nobody ever will.
    """
    sys.stdout.flush()
    rest = f"{text}\n".encode()
    while rest:
        rest = rest[os.write(sys.stdout.fileno(), rest) :]


def warn(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def nobody_reads() -> None:
    """`… | head` has gone: what is left to write goes nowhere, or Python's own last flush would be a fault."""
    with suppress(OSError, ValueError):  # a stream without a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def print_error(error: GenbaError, language: str) -> None:
    """What, where, what to do: a line each, on stderr."""
    for line in explain(error, language):
        warn(line)


def seconds(text: str) -> float:
    """A command line's number of seconds: more than none, less than a year. Raises ValueError."""
    value = float(text)
    if not 0 < value < 366 * 86_400:
        raise ValueError(text)
    return value


def table(rows: Sequence[Sequence[object]], head: Sequence[str]) -> str:
    """Columns that line up, full-width characters counted as two."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def nothing(language: str) -> None:
    """Said to people where a list is empty."""
    say(sentence("cli.nothing", language).title)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def ask_pin() -> str:
    """Asked for on the terminal, or the next line of stdin."""
    return _unseen("PIN").strip()


def ask_hidden(what: str) -> str:
    """What is typed without being shown; from a script the next line of stdin. Raises InputRefused without one."""
    try:
        given = _unseen(what)
    except EOFError:
        given = ""
    if not given:
        raise InputRefused("provision.no_answer", what)
    return given


def _unseen(what: str) -> str:
    import getpass

    return getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
