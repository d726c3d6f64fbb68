"""Signs what Windows runs, and proves it: `python -m installer.signing sign | tree | verify | sums | passphrase`.

The order of a build: own programs and libraries (`tree`; what its author signed stays as it is) → the uninstaller,
while NSIS makes the set-up (`sign`, through `!uninstfinalize`) → the set-up (`sign`). Then every file is verified.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from app import signing as keys
from app.errors import GenbaError
from app.messages import explain
from installer import signing_config, signing_pe, signing_tools
from installer.signing_config import CONFIG_ENV, Authenticode, Config, NotSigned
from installer.windows.build import NOTICE_FILE

OURS = ("genba-touch.exe", "genba-touchw.exe", "uninstall.exe")
"""Programs that nobody else can be the author of."""
SUMS, SUMS_SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"


@dataclass(frozen=True, slots=True)
class Verified:
    """A file whose signature was verified. `author`: somebody else signed it, and it is as they signed it."""

    file: Path
    signer: str
    author: bool
    stamped: bool


class Signer:
    """Signs and verifies with one key. The passphrase is asked for once, and only when it is needed."""

    def __init__(self, config: Config, *, test_build: bool = False) -> None:
        """`test_build`: sign one of those too. Raises NotSigned when the file has no table [authenticode]."""
        if config.authenticode is None:
            raise NotSigned(f"{config.path}: it has no table [authenticode], so nothing for Windows can be signed")
        self._path = config.path
        self._how: Authenticode = config.authenticode
        self._test_build = test_build
        self._secret: str | None = None

    @property
    def how(self) -> Authenticode:
        """What signing.toml says."""
        return self._how

    def sign(self, file: Path) -> Verified:
        """Sign one file in its place and verify it. Raises NotSigned; then it is as it was, or refused."""
        if not signing_pe.is_program(file):
            raise NotSigned(f"{file}: it is no program for Windows, and cannot be signed as one")
        signing_tools.sign(self._how, file, self._passphrase())
        return self.verify(file)

    def sign_tree(self, folder: Path, tell: Callable[[str], None] = lambda line: None) -> list[Verified]:
        """Sign every program and library of a folder that its author did not sign, then verify all of them.

        Raises NotSigned; at once for a build that was made under wine, for tests.
        """
        if (folder / NOTICE_FILE).exists() and not self._test_build:
            raise NotSigned(
                f"{folder}: a test build ({NOTICE_FILE}). Please build the program on Windows, and sign that"
            )
        files = list(signing_pe.programs(folder))
        own = [file for file in files if not signing_pe.is_signed(file)]
        for number, file in enumerate(own, 1):
            tell(f"sign {number}/{len(own)} {file.relative_to(folder)}")
            signing_tools.sign(self._how, file, self._passphrase())
        return [self.verify(file, author=file not in own and file.name not in OURS) for file in files]

    def verify_tree(self, folder: Path) -> list[Verified]:
        """Verify every program and library of a folder; one without a signature is refused, whoever made it."""
        return [self.verify(file, author=file.name not in OURS) for file in signing_pe.programs(folder)]

    def verify(self, file: Path, *, author: bool = False) -> Verified:
        """Raises NotSigned. `author`: a signature that leads to none of our roots will do, if the file is intact."""
        if not signing_pe.is_signed(file):
            raise NotSigned(f"{file}: it has no signature. Nothing unsigned is handed out")
        seen = signing_tools.look(self._how, file)
        if not seen.intact:
            raise NotSigned(f"{file}: it was changed after it was signed. Please build it anew. {seen.told}")
        if seen.trusted and self._how.timestamp_url and not seen.stamped and not author:
            raise NotSigned(f"{file}: its signature has no valid time stamp, though signing.toml names a server")
        if not seen.trusted and not author:
            raise NotSigned(
                f"{file}: its signature ({seen.signer}) leads to none of the roots in "
                f"{self._how.roots or 'this system'}. Please see to `roots` in signing.toml. {seen.told}"
            )
        return Verified(file, seen.signer, not seen.trusted, seen.stamped)

    def build(self, program: Path, make: Callable[[], Path], tell: Callable[[str], None]) -> Path:
        """Sign a program's folder, let `make` make its set-up (makensis calls `sign`), and verify that. Its path.

        Raises NotSigned, and whatever `make` raises.
        """
        tell(f"signed, by us or by their authors: {len(self.sign_tree(program, tell))} programs and libraries")
        with self.announced():
            made = make()
        self.verify(made)
        return made

    @contextmanager
    def announced(self) -> Iterator[None]:
        """As long as it lasts, `sign` called by a child process (makensis) finds signing.toml and the passphrase."""
        told = {CONFIG_ENV: str(self._path)}
        if self._how.locked:
            told[self._how.passphrase_env] = self._passphrase()
        before = {name: os.environ.get(name) for name in told}
        os.environ.update(told)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value

    def _passphrase(self) -> str:
        if self._secret is None:
            locked = self._how.locked
            self._secret = signing_config.passphrase(self._how.passphrase_env, self._how.name) if locked else ""
        return self._secret


def write_sums(folder: Path, files: Iterable[Path], key: keys.PrivateKey | None) -> Path:
    """`SHA256SUMS` of these files (as `sha256sum -c` reads it) and, with a key, its Ed25519 signature beside it."""
    lines = sorted((file.relative_to(folder).as_posix(), digest(file)) for file in files)
    text = "".join(f"{sum_}  {name}\n" for name, sum_ in lines).encode()
    sums, signature = folder / SUMS, folder / SUMS_SIGNATURE
    signature.unlink(missing_ok=True)
    sums.write_bytes(text)
    if key is not None:
        signature.write_bytes(key.sign(text))
    return sums


def verify_sums(folder: Path, key: keys.PublicKey) -> list[str]:
    """Names whose checksums are right, all of them. Raises NotSigned for the first that is not."""
    try:
        text = (folder / SUMS).read_bytes()
        key.verify((folder / SUMS_SIGNATURE).read_bytes(), text)
    except OSError as exc:
        raise NotSigned(f"{exc.filename}: {exc.strerror}") from exc
    except InvalidSignature as exc:
        raise NotSigned(f"{folder / SUMS}: not signed with the key {keys.fingerprint(key)}, or changed since") from exc
    names = []
    for line in text.decode().splitlines():
        sum_, _, name = line.partition("  ")
        file = folder / name
        if not file.is_file() or digest(file) != sum_:
            raise NotSigned(f"{file}: missing, or not the file that was signed")
        names.append(name)
    return names


def digest(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main(words: Sequence[str] | None = None) -> int:
    """The command line; 0, or 4 with the reason when something is not signed as it must be."""
    parser = argparse.ArgumentParser(prog="python -m installer.signing", description=__doc__)
    parser.add_argument("what", choices=("sign", "tree", "verify", "sums", "passphrase"))
    parser.add_argument("places", nargs="*", type=Path, metavar="FILE | FOLDER")
    config_env = os.environ.get(CONFIG_ENV)
    parser.add_argument(
        "--config", type=Path, default=config_env and Path(config_env), metavar="FILE", help="signing.toml"
    )
    add_test_build(parser)
    args = parser.parse_args(words)
    if args.config is None:
        parser.error(f"please name signing.toml with --config, or in the variable {CONFIG_ENV}")
    try:
        _do(args.what, args.places, signing_config.load(args.config), test_build=args.test_build)
    except NotSigned as exc:
        print(exc, file=sys.stderr)
        return 4
    except OSError as exc:
        print(f"{exc.filename}: {exc.strerror}", file=sys.stderr)
        return 4
    except GenbaError as exc:
        print("\n".join(line for line in explain(exc, "en") if line), file=sys.stderr)
        return exc.exit_code
    return 0


def add_test_build(parser: argparse.ArgumentParser) -> None:
    """The switch of every command that signs a program's folder."""
    parser.add_argument("--test-build", action="store_true", help="sign one made under wine too: for tests alone")


def _do(what: str, places: list[Path], config: Config, *, test_build: bool) -> None:
    if what == "sums":
        key = signing_config.release_key(config.release) if config.release else None
        for folder in places:
            print(write_sums(folder, (f for f in folder.iterdir() if f.is_file() and f.stem != SUMS), key))
        return
    if what == "passphrase":
        for name in signing_config.locked_keys(config):
            typed = getpass.getpass(f"Passphrase or PIN of {name}: ")
            signing_config.vault(name).set(signing_config.PASSPHRASE, typed.encode())
        return
    signer = Signer(config, test_build=test_build)
    for place in places:
        if what == "sign":
            _tell([signer.sign(place)])
        elif what == "tree":
            _tell(signer.sign_tree(place, print))
        else:
            _tell(signer.verify_tree(place) if place.is_dir() else [signer.verify(place)])


def _tell(files: list[Verified]) -> None:
    for one in files:
        stamp = ", time stamp" if one.stamped else ""
        print(f"{'author' if one.author else 'signed'}  {one.file}  ({one.signer}{stamp})")


if __name__ == "__main__":
    sys.exit(main())
