"""The programs that sign and verify: osslsigncode (any platform), signtool (Windows), or the company's own command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from installer.signing_config import Authenticode, NotSigned

DESCRIPTION = "Genba Touch"
TRIES, PAUSE_S = 3, 2.0
"""Time stamp servers are busy now and then."""
_FROM_STDIN = "-" if sys.platform == "win32" else "/dev/stdin"
_DIGESTS = re.compile(r"^(?:Current|Calculated) message digest\s*: ([0-9A-F]+)", re.MULTILINE)
_SIGNER = re.compile(r"Signer #0:\s+Subject\s*: (.+)")
_ESCAPED = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")  # OpenSSL's way with what is not ASCII


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a signature showed. `intact`: the file is what was signed; `trusted`: by somebody we trust too."""

    intact: bool
    trusted: bool
    signer: str
    stamped: bool
    told: str


def sign(how: Authenticode, file: Path, secret: str) -> None:
    """Sign one file in its place, or leave it as it was. `secret`: passphrase or PIN. Raises NotSigned."""
    for attempt in range(1, TRIES + 1):
        done = _signed(how, file, secret)
        if done.returncode == 0:
            return
        if attempt == TRIES or not how.timestamp_url:
            raise NotSigned(f"{file}: not signed. {_last(done)}")
        time.sleep(PAUSE_S)


def look(how: Authenticode, file: Path) -> Seen:
    """Judge a file's signature. Raises NotSigned when the tool is not there."""
    if how.key == "store":
        done = _run(["signtool", "verify", "/pa", "/v", str(file)])
        ok = done.returncode == 0
        return Seen(ok, ok, "", "The signature is timestamped" in done.stdout, _last(done))
    command = ["osslsigncode", "verify", *(["-ignore-cdp"] if _knows("-ignore-cdp") else []), "-in", str(file)]
    if how.roots:
        command += ["-CAfile", str(how.roots)]
    stamps = how.timestamp_roots or how.roots
    if stamps:
        command += ["-TSA-CAfile", str(stamps)]
    done = _run(command)
    digests = _DIGESTS.findall(done.stdout)
    intact = len(digests) >= 2 and all(a == b for a, b in zip(digests[::2], digests[1::2], strict=True))
    signer = _SIGNER.search(done.stdout)
    stamped = "Timestamp verified" in done.stdout or "Timestamp Server Signature verification: ok" in done.stdout
    name = _ESCAPED.sub(_unescaped, signer[1].strip()) if signer else ""
    return Seen(intact, intact and done.returncode == 0, name, stamped, _last(done))


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", errors="replace")


def _signed(how: Authenticode, file: Path, secret: str) -> subprocess.CompletedProcess[str]:
    if how.key == "command":
        return _run([part.replace("{file}", str(file)) for part in how.command])
    if how.key == "store":
        stamp = ["/tr", how.timestamp_url, "/td", "sha256"] if how.timestamp_url else []
        return _run(
            ["signtool", "sign", "/sha1", how.thumbprint, "/fd", "sha256", *stamp, "/d", DESCRIPTION, str(file)]
        )
    out = file.with_name(file.name + ".signing")
    command = ["osslsigncode", "sign", *_key_options(how), "-h", "sha256", "-n", DESCRIPTION]
    if secret:
        command += ["-readpass", _FROM_STDIN]
    if how.timestamp_url:
        command += ["-ts", how.timestamp_url]
    try:
        done = _run([*command, "-in", str(file), "-out", str(out)], typed=f"{secret}\n")
        if done.returncode == 0:
            out.chmod(file.stat().st_mode)
            os.replace(out, file)
    finally:
        with suppress(OSError):
            out.unlink()
    return done


def _key_options(how: Authenticode) -> list[str]:
    if how.key == "pkcs12":
        return ["-pkcs12", str(how.file)]
    if how.key == "pem":
        return ["-certs", str(how.certificates), "-key", str(how.file)]
    engine = ["-pkcs11engine", how.engine] if how.engine else []
    return [*engine, "-pkcs11module", how.module, "-certs", str(how.certificates), "-key", how.object]


def _run(command: list[str], typed: str = "") -> subprocess.CompletedProcess[str]:
    """The program's name is one of ours or stands in signing.toml; a passphrase goes through a pipe alone."""
    try:
        return subprocess.run(command, input=typed, capture_output=True, text=True, errors="replace", check=False)
    except OSError as exc:
        raise NotSigned(f"{command[0]}: {exc.strerror}. Please install it, or correct signing.toml") from exc


@lru_cache
def _knows(option: str) -> bool:
    done = _run(["osslsigncode", "verify", "--help"])
    return option in done.stdout + done.stderr


def _last(done: subprocess.CompletedProcess[str]) -> str:
    """The tool's own reason, short: its lines that are no mere "Failed"."""
    lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines()]
    told = [line for line in lines if line and line not in ("Failed", "Succeeded")]
    return " / ".join(told[:3])[:400] if done.stderr.strip() else " / ".join(told[-2:])[:400]
