"""One set-up for each company of a table, in one go: `dev.py package --for companies.csv --template base.toml`.

The program is compressed and signed once, as the common set-up. A company's own set-up is a thin one around it that
brings the company's provisioning file, and is signed by itself. All files of a run or none.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app import signing as keys
from app.cli import out
from app.errors import GenbaError, InputRefused
from app.messages import explain, say
from app.settings import DataDir
from app.wiring import provision_batch, provisioning
from app.wiring.provision_batch import Issue, Planned, Unissued
from installer import signing_config
from installer.company_setups import Common, Tell, make_all
from installer.contents import ROOT
from installer.linux import tarball
from installer.signing import Signer, add_test_build
from installer.signing_config import NotSigned
from installer.windows import nsis

IT_KEY_ENV = "GENBA_IT_KEY_PASSPHRASE"
"""Environment variable with the passphrase of the key that signs provisioning files."""


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    words = argparse.ArgumentParser(prog="dev.py package", description=__doc__)
    words.add_argument("--for", dest="table", type=Path, required=True, metavar="CSV", help="as for `provision batch`")
    words.add_argument("--template", type=Path, required=True, metavar="TOML", help="what all files have in common")
    words.add_argument("--issue-as", metavar="CLIENT_ID", help="issue codes as this administrator of the centre")
    words.add_argument("--keep-secret", action="store_true", help="keep the administrator's secret in the OS keyring")
    words.add_argument("--sign-provisioning", type=Path, metavar="KEY", help="IT's private key; it-key.pem goes along")
    words.add_argument("--signing", type=Path, metavar="TOML", help="signing.toml: sign programs and set-ups")
    words.add_argument("--out", type=Path, default=ROOT / "dist" / "companies", metavar="DIR", help="not there yet")
    words.add_argument("--program", type=Path, default=nsis.PROGRAM, metavar="DIR", help="the program for Windows")
    words.add_argument(
        "--base", type=Path, metavar="EXE", help="the common set-up, when it is made (and signed) already"
    )
    words.add_argument("--update-root", type=Path, metavar="JSON", help="whom the program takes new versions from")
    words.add_argument(
        "--linux", type=Path, metavar="DIR", help="the program for Linux: an archive for each company too"
    )
    add_test_build(words)
    words.add_argument("--language", choices=("ja", "en"), default="ja", help="of what is said about the table")
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit codes are those of docs/cli.md."""
    args = parser().parse_args(arguments)
    try:
        return _run(args, lambda line: print(line, flush=True))
    except NotSigned as exc:
        print(exc, file=sys.stderr)
        return 4
    except OSError as exc:
        print(f"{exc.filename}: {exc.strerror}", file=sys.stderr)
        return 4
    except Unissued as stopped:
        _complain(stopped.cause, args.language)
        _in_vain(stopped.where, stopped.issued, args.language)
        return stopped.cause.exit_code
    except GenbaError as exc:
        _complain(exc, args.language)
        return exc.exit_code


def _run(args: argparse.Namespace, tell: Tell) -> int:
    if args.out.exists():
        raise InputRefused("provision.folder_there", str(args.out))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        planned, faults = provision_batch.plan(
            args.table, args.template, DataDir.at(work / "none"), issuing=args.issue_as is not None
        )
        if faults:
            for fault in faults:
                _complain(fault, args.language)
            raise InputRefused("provision.nothing_written", str(args.table), count=len(faults))
        key = _it_key(args.sign_provisioning)
        # whatever takes long or can fail comes before the first code is issued
        common = _common(args, key, work, tell)
        with _issuing(args, planned) as issue:
            rows = provision_batch.write(planned, work / "provisioning", issue, key)
        try:
            made = make_all(common, rows, work / "provisioning", args.out, tell)
        except BaseException:
            _in_vain(str(args.out), sum(row.code == "issued" for row in rows), args.language)
            raise
    cells = [[one.company, one.file, one.size, one.sha256, one.signed_by or "-", one.code] for one in made]
    tell(out.table(cells, ["company", "file", "bytes", "SHA-256", "signed by", "code"]))
    tell(f"{len(made)} files for {len(rows)} companies: {args.out}")
    return 0


def _complain(error: GenbaError, language: str) -> None:
    print("\n".join(explain(error, language)), file=sys.stderr)


def _in_vain(where: str, issued: int, language: str) -> None:
    if issued:
        print(say("provision.issued_in_vain", language, where=where, count=issued).title, file=sys.stderr)


def _it_key(file: Path | None) -> keys.PrivateKey | None:
    """Raises InputRefused, and NotSigned without its passphrase."""
    if file is None:
        return None
    locked = provisioning.key_is_locked(file)
    return provisioning.signing_key(file, signing_config.passphrase(IT_KEY_ENV, str(file)) if locked else None)


@contextmanager
def _issuing(args: argparse.Namespace, planned: Sequence[Planned]) -> Iterator[Issue | None]:
    """How codes are issued; None when none is wanted. Raises as `provisioning.administrator`."""
    if args.issue_as is None or not any(one.request for one in planned):
        yield None
        return
    question = say("provision.ask_secret", args.language).title
    issuer = provisioning.administrator(
        args.template, args.issue_as, lambda: out.ask_hidden(question), keep=args.keep_secret
    )
    with issuer:
        yield issuer.issue


def _common(args: argparse.Namespace, key: keys.PrivateKey | None, work: Path, tell: Tell) -> Common:
    """Sign the program, make the common set-up, and verify them. Raises NotSigned, SystemExit, GenbaError."""
    signer = Signer(signing_config.load(args.signing), test_build=args.test_build) if args.signing else None
    base: Path | None = args.base
    if base is None:
        if not (args.program / "genba-touch.exe").is_file():
            remedy = "build it on a Windows PC (python dev.py package build) and copy it here, or name it: --program"
            raise SystemExit(f"{args.program}: there is no program for Windows; {remedy}")
        wanted = nsis.Wanted(args.program, work / "common", update_root=args.update_root)
        if signer is None:
            base = nsis.make(wanted)
        else:
            base = signer.build(args.program, lambda: nsis.make(replace(wanted, sign=nsis.SIGN)), tell)
    elif signer is not None:
        signer.verify(base)
    tell(f"the common set-up: {base.name}, {base.stat().st_size / 1e6:.1f} MB")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) if key else None
    linux = tarball.begin(args.linux, work / "common.tar.xz") if args.linux else None
    return Common(base, signer=signer, it_key=public, linux=linux)


if __name__ == "__main__":
    sys.exit(main())
