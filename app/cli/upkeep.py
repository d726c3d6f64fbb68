"""Commands about this copy of the program: self-test."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli import out
from app.wiring.self_test import run as wiring
from app.wiring.self_test.check import Result, Step, words

UNDECIDED, INCOMPLETE = 6, 7
"""Exit codes of the self-test (docs/cli.md)."""
_MARKS = {Result.OK: "✓", Result.FAILED: "×", Result.NOT_HERE: "!", Result.SKIPPED: "-"}


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    names = [step.name for step in wiring.STEPS]
    test = commands.add_parser("self-test", help="whether this copy of the program is whole (also: --self-test)")
    test.add_argument("--json", action="store_true")
    test.add_argument("--no-keyring", action="store_true", help="put nothing into the system's keyring")
    test.add_argument("--only", action="append", choices=[*names, "commands"], metavar="CHECK", default=[])
    test.set_defaults(run=_self_test)


def _self_test(args: argparse.Namespace) -> int:
    checks = []
    for finding in wiring.findings(
        args.language, keyring=not args.no_keyring, only=args.only, more=(Step("commands", _commands),)
    ):
        checks.append(finding)
        if not args.json:
            detail = f": {finding.detail}" if finding.detail else ""
            out.say(f"{_MARKS[finding.result]} {finding.check} {finding.title}{detail}")
    code = _exit_code({finding.result for finding in checks})
    if args.json:
        out.print_json({"ok": code == 0, "checks": [finding.as_json() for finding in checks]})
    else:
        verdict = {0: "self_test.whole", INCOMPLETE: "self_test.incomplete", UNDECIDED: "self_test.undecided"}[code]
        message = words(verdict, args.language)
        out.say("\n".join(line for line in (message.title, message.remedy) if line))
    return code


def _exit_code(results: set[Result]) -> int:
    if Result.FAILED in results:
        return INCOMPLETE
    return UNDECIDED if Result.NOT_HERE in results else 0


def _commands() -> str:
    """The whole command line, and each command's family by itself."""
    from app.cli import main

    whole: Any = main.build_parser()
    names = sorted(whole._subparsers._group_actions[0].choices)
    for name in names:
        main.build_parser([name])
    return str(len(names))
