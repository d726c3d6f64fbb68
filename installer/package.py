"""Makes what is installed: `dev.py package`, or `python -m installer.package`.

Without a word: the steps for this platform, one after the other. With the name of a step: that one, and what follows
goes to it (`python -m installer.package NAME --help`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Step:
    """A module with `main(arguments) -> int`; `platforms`: of `sys.platform`, where it runs without being asked."""

    module: str
    does: str
    platforms: tuple[str, ...] = ()


STEPS = {
    "build": Step("installer.build", "the program with its own Python inside, and its self-test", ("linux", "win32")),
    "sbom": Step("installer.sbom", "the list of what is in it (CycloneDX)", ("linux", "win32")),
    "linux": Step("installer.linux.packages", "the .deb and the .tar.xz of it", ("linux",)),
    "windows": Step("installer.windows.build", "a Windows program made and tried under wine; never shipped"),
    "companies": Step("installer.companies", "a set-up for each line of a table: --for CSV --template TOML"),
    "signing": Step("installer.signing", "sign and verify: sign | tree | verify | sums | passphrase"),
    "twice": Step("installer.twice", "build two times and compare file by file"),
}
"""In the order in which they run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps; the first that fails ends it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["--for"]:
        words.insert(0, "companies")
    if words and words[0] in STEPS:
        return _run(words[0], words[1:])
    if words:
        print(f"{__doc__}\n" + "".join(f"   {name:10} {step.does}\n" for name, step in STEPS.items()))
        return 0 if words[0] in ("-h", "--help") else 2
    for name, step in STEPS.items():
        if sys.platform in step.platforms and (code := _run(name, [])):
            return code
    return 0


def _run(name: str, words: Sequence[str]) -> int:
    print(f"== {name}: {STEPS[name].does}", flush=True)
    start = time.monotonic()
    code = int(import_module(STEPS[name].module).main(words))
    print(f"== {name}: {'ok' if code == 0 else f'FAILED (exit {code})'}, {time.monotonic() - start:.1f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
