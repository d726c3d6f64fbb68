"""`python -m app` and the `genba-touch` command."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the command line. Exit codes: docs/cli.md."""
    from app.cli.main import run

    return run(sys.argv[1:] or _when_opened(), own_process=True)


def _when_opened() -> list[str]:
    """The words of an installed program that is opened without any: it shows this PC's window.

    On Windows that is the program without a console; the other one is for commands, and says how they are written.
    """
    opened = getattr(sys, "frozen", False) and Path(sys.executable).name.lower() in ("genba-touch", "genba-touchw.exe")
    return ["start"] if opened else []


if __name__ == "__main__":
    sys.exit(main())
