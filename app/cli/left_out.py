"""In place of commands that this copy of the program does not have: an answer that says so."""

from __future__ import annotations

import argparse
from typing import Any

from app.errors import UsageError

COMMANDS = ("central", "demo")


def add_commands(commands: Any) -> None:
    """Add them, unlisted; whatever follows them is taken."""
    for name in COMMANDS:
        # no character begins an option: `--help` is a word like any other
        parser = commands.add_parser(name, add_help=False, prefix_chars="\0")
        parser.add_argument("words", nargs="*")
        parser.set_defaults(run=_refuse)


def _refuse(args: argparse.Namespace) -> int:
    raise UsageError("cli.left_out", args.command)
