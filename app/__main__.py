"""`python -m app` and the `genba-touch` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line. Exit codes: docs/cli.md."""
    from app.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
