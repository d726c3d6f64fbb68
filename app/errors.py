"""Errors that people read. Each names what, where and what to do.

The words are not here: `code` names a sentence in `resources/messages/{ja,en}.toml` (see `app.messages`), so that
command line, screen and log say the same. Exit codes are those of the command line (`docs/cli.md`).
"""

from __future__ import annotations

from typing import ClassVar


class GenbaError(Exception):
    """An expected trouble with a sentence of its own.

    `code`: key in the messages file. `where`: file, field, reader or address it is about (shown as it is; never a
    secret, never an unmasked card id). `values`: filled into the sentence's `{names}`.
    """

    exit_code: ClassVar[int] = 1
    waiting_helps: ClassVar[bool] = False

    def __init__(self, code: str, where: str = "", **values: object) -> None:
        super().__init__(code, where, values)
        self.code = code
        self.where = where
        self.values = values

    def __str__(self) -> str:
        details = ", ".join(f"{k}={v}" for k, v in self.values.items())
        return ": ".join(part for part in (self.code, self.where, details) if part)


class UsageError(GenbaError):
    """The command line itself is wrong."""

    exit_code = 2


class InputRefused(GenbaError):
    """A file, setting or value that somebody gave is not acceptable; nothing was changed."""

    exit_code = 3


class EnvironmentTrouble(GenbaError):
    """No reader, no network, no keyring, no disk: the machine's trouble, not the program's."""

    exit_code = 4
    waiting_helps = True


class StorageTrouble(EnvironmentTrouble):
    """The disk is full, read-only or damaged, or the database is another version's or another key's."""

    waiting_helps = False


class CentreRefused(GenbaError):
    """The centre answered, and said no."""

    exit_code = 5
