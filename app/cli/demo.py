"""`genba-touch demo`: the whole thing on one PC, with a fictional site and virtual cards."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli import out
from app.cli.gate import has_display
from app.errors import EnvironmentTrouble


def add_commands(commands: Any) -> None:
    """Add `demo` to the parser."""
    demo = commands.add_parser("demo", help="a fictional site, a centre and virtual cards on this PC")
    demo.add_argument("--headless", action="store_true", help="a scripted morning without a window")
    demo.add_argument("--office", action="store_true", help="the office's window on a month to try, with PINs")
    demo.add_argument("--json", action="store_true", help="only the JSON summary on stdout")
    demo.add_argument("--seed", type=int, default=1)
    demo.add_argument("--seconds", type=out.seconds, metavar="N", help="close the window after N seconds")
    demo.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> int:
    # Imported below: the demo brings the centre and the card emulator, which a gate PC's build does not have.
    if args.headless or not has_display():
        if not args.headless and args.office:
            raise EnvironmentTrouble("cli.no_display")
        if not args.headless:
            out.warn("画面がないため、画面なしの朝を実行します / no display: running the headless morning")
        from app.demo import headless

        return headless.run(
            seed=args.seed,
            language=args.language,
            as_json=args.json,
            say=out.say,
            warn=out.warn,
            print_json=out.print_json,
            table=out.table,
        )
    if args.office:
        from app.demo import office

        return office.run(language=args.language, seconds=args.seconds, say=out.say)
    from app.demo import window

    return window.run(language=args.language, seconds=args.seconds, say=out.say)
