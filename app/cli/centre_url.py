"""Which database a `central` command works on."""

from __future__ import annotations

import argparse
from typing import Any

from app.settings import DataDir

_HELP = (
    "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME (password from PGPASSFILE or PGPASSWORD); "
    "default: central.db in the data folder"
)


def add_database(*parts: Any) -> None:
    """Add `--database` to commands."""
    for part in parts:
        part.add_argument("--database", metavar="URL", help=_HELP)


def database(args: argparse.Namespace) -> str:
    """The URL that was given, or the data folder's own."""
    if args.database:
        return str(args.database)
    data = DataDir.at(args.data_dir)
    data.create()
    return f"sqlite:///{data.root / 'central.db'}"
