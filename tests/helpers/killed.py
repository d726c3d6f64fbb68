"""Runs a command that is killed (SIGKILL) at one exact step: `python -m tests.helpers.killed STEP NAMES COMMAND…`.

NAMES: functions as `module:name` or `module:Class.name`, parted by commas. Each is a step before it and one after it,
counted over all of them; STEP 0: no kill. The number of steps that were passed goes to stderr.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def main() -> int:
    """See the module."""
    wanted, names, *command = sys.argv[1:]
    passed = 0

    def step() -> None:
        nonlocal passed
        passed += 1
        if passed == int(wanted):
            os.kill(os.getpid(), signal.SIGKILL)

    def stepped(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            step()
            value = function(*args, **kwargs)
            step()
            return value

        return run

    for name in names.split(","):
        module, _, path = name.partition(":")
        owner: Any = importlib.import_module(module)
        *parents, last = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, last, stepped(getattr(owner, last)))
    from app.cli.main import run

    done = run(command)
    sys.stderr.write(f"steps {passed}\n")
    return done


if __name__ == "__main__":
    sys.exit(main())
