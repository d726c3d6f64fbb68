"""IT's side: a folder with packages and their signed list, for a web server, a share or a stick. Imports python-tuf.

Three keys: `root` (kept offline: names the others), `release` (says what a package is), `online` (says daily that the
list is the newest). What clients see changes at once, with the last file written (`timestamp.json`).
"""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import RepositoryError, StorageError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from app import signing
from app.errors import EnvironmentTrouble, InputRefused
from app.files import write_carried
from app.update.metadata import METADATA, TARGETS
from app.update.plan import CHANNEL, CUSTOM, PLATFORMS, offer_of, version_of
from app.update.port import Offer

ROOT_FILE = "update-root.json"
"""What IT's installer puts beside the program."""
KEYS = ("root", "release", "online")
ROOT_DAYS, RELEASE_DAYS, ONLINE_DAYS = 730, 365, 30
_SIGNERS = {Root.type: "root", Targets.type: "release", Snapshot.type: "online", Timestamp.type: "online"}
"""Which key signs which of tuf's roles."""
_XZ = b"\xfd7zXZ\x00"


def make_keys(folder: Path, name: str, passphrase: str | None) -> tuple[Path, Path, str]:
    """A pair `NAME-private.pem`, `NAME.pem`; with its fingerprint. Raises as `app.signing.make_key`."""
    return signing.make_key(folder, passphrase, (f"{name}-private.pem", f"{name}.pem"))


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the pairs lie, and the private keys that this deed needs (name → key)."""

    folder: Path
    private: dict[str, signing.PrivateKey]

    def public(self, name: str) -> SSlibKey:
        """Raises InputRefused."""
        return SSlibKey.from_crypto(signing.public_key(self.folder / f"{name}.pem"))

    def signer(self, role: str) -> CryptoSigner:
        """Raises KeyError for a key that was not opened."""
        return CryptoSigner(self.private[_SIGNERS[role]])


class Repository:
    """`folder` of packages and list. Methods raise InputRefused (`update_repo.…`) and EnvironmentTrouble; then what
    clients see is as it was."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self._folder = folder
        self._now = now

    def create(self, keys: Keys) -> Path:
        """A new one, with nothing on its list; the file of its root, for the installers."""
        if (self._folder / METADATA).exists():
            raise InputRefused("update_repo.is_there", str(self._folder))
        root = Root(expires=self._days(ROOT_DAYS), consistent_snapshot=True)
        for role, name in _SIGNERS.items():
            root.add_key(keys.public(name), role)
        self._make_folders()
        signed: Metadata[Root] = Metadata(root)
        signed.sign(keys.signer(Root.type))
        self._put("1.root.json", signed)
        self._write(ROOT_FILE, signed)
        self._publish(keys, Metadata(Targets(expires=self._days(RELEASE_DAYS))), Snapshot(), Timestamp(), ONLINE_DAYS)
        return self._folder / ROOT_FILE

    def offers(self) -> list[Offer]:
        """The list."""
        found = self._load(Targets).signed.targets.values()
        offers = (offer_of(one.path, one.length, one.hashes.get("sha256", ""), one.custom) for one in found)
        return sorted((one for one in offers if one), key=lambda one: (one.channel, version_of(one.version)))

    def add(
        self, keys: Keys, file: Path, *, channel: str, version: str, platform: str, percent: int, minimum: str
    ) -> None:
        """Put a package on the list, for `percent` of the stations."""
        self._check(file, channel, version, platform, minimum)
        path = f"{channel}/{file.name}"
        targets = self._load(Targets)
        there = [
            one for one in self.offers() if (one.channel, one.platform, one.version) == (channel, platform, version)
        ]
        if path in targets.signed.targets or there:
            raise InputRefused("update_repo.on_list", path)
        try:
            target = TargetFile.from_file(path, str(file), ["sha256"])
            target.unrecognized_fields["custom"] = {
                CUSTOM: {
                    "channel": channel,
                    "version": version,
                    "platform": platform,
                    "percent": _percent(percent),
                    "minimum": minimum,
                }
            }
            lies = self._folder / TARGETS / target.get_prefixed_paths()[0]
            lies.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, lies.with_name(lies.name + ".new"))
            lies.with_name(lies.name + ".new").replace(lies)
        except OSError as exc:
            raise EnvironmentTrouble("update_repo.cannot_write", str(self._folder), why=exc.strerror or "") from exc
        targets.signed.targets[path] = target
        self._release(keys, targets)

    def set_percent(self, keys: Keys, *, channel: str, version: str, percent: int) -> int:
        """Offer a version to more stations, or to fewer (0: to none; who has it keeps it). How many packages it was."""
        targets = self._load(Targets)
        wanted = self._of(channel, version)
        for offer in wanted:
            targets.signed.targets[offer.path].custom[CUSTOM]["percent"] = _percent(percent)
        self._release(keys, targets)
        return len(wanted)

    def withdraw(self, keys: Keys, *, channel: str, version: str) -> int:
        """Take a version off the list, and its files away. How many packages it was."""
        targets = self._load(Targets)
        gone = [targets.signed.targets.pop(offer.path) for offer in self._of(channel, version)]
        self._release(keys, targets)
        for target in gone:
            for path in target.get_prefixed_paths():
                (self._folder / TARGETS / path).unlink(missing_ok=True)
        return len(gone)

    def refresh(self, keys: Keys, days: int = ONLINE_DAYS) -> datetime:
        """Say anew that the list is the newest, good for so many days; until when. Needs the online key alone."""
        self._publish(keys, None, self._load(Snapshot).signed, self._load(Timestamp).signed, days)
        return self._days(days)

    def rotate_root(self, old: Keys, new: Keys) -> Path:
        """The next root: signed by the old root key and the new one, with the new three keys; the file for installers.

        PCs with the old file follow by themselves. With `new` the same as `old` the root is only made good for longer.
        """
        root = self._load(Root)
        before = copy.deepcopy(root.signed)
        root.signed.version += 1
        root.signed.expires = self._days(ROOT_DAYS)
        for role, name in _SIGNERS.items():
            for keyid in list(root.signed.roles[role].keyids):
                root.signed.revoke_key(keyid, role)
            root.signed.add_key(new.public(name), role)
        root.signatures.clear()
        root.sign(old.signer(Root.type), append=True)
        root.sign(new.signer(Root.type), append=True)
        for judge in (before, root.signed):
            _judged(judge, Root.type, root)
        self._put(f"{root.signed.version}.root.json", root)
        self._write(ROOT_FILE, root)
        self._release(new, self._load(Targets))
        return self._folder / ROOT_FILE

    # --- how

    def _release(self, keys: Keys, targets: Metadata[Targets]) -> None:
        targets.signed.version += 1
        targets.signed.expires = self._days(RELEASE_DAYS)
        self._publish(keys, targets, self._load(Snapshot).signed, self._load(Timestamp).signed, ONLINE_DAYS)

    def _publish(
        self, keys: Keys, targets: Metadata[Targets] | None, snapshot: Snapshot, timestamp: Timestamp, days: int
    ) -> None:
        """All is signed and judged before the first file is written; `timestamp.json` comes last."""
        root = self._load(Root).signed
        files: list[tuple[str, Metadata[Any]]] = []
        if targets is not None:
            files.append((f"{targets.signed.version}.targets.json", targets))
            snapshot.meta["targets.json"] = MetaFile(targets.signed.version)
        if (self._folder / METADATA / "timestamp.json").exists():
            snapshot.version += 1
            timestamp.version += 1
        snapshot.expires = timestamp.expires = self._days(days)
        timestamp.snapshot_meta = MetaFile(snapshot.version)
        files += [(f"{snapshot.version}.snapshot.json", Metadata(snapshot)), ("timestamp.json", Metadata(timestamp))]
        for _, one in files:
            one.signatures.clear()
            one.sign(keys.signer(one.signed.type))
            _judged(root, one.signed.type, one)
        for name, one in files:
            self._put(name, one)

    def _load(self, kind: type[Any]) -> Metadata[Any]:
        """The one that counts: what `timestamp.json` leads to, and the newest root. What a broken publishing left
        behind leads nowhere."""
        metadata = self._folder / METADATA
        if kind is Root:
            numbers = [int(f.name.partition(".")[0]) for f in metadata.glob("*.root.json")]
            name = f"{max(numbers, default=0)}.root.json"
        elif kind is Timestamp:
            name = "timestamp.json"
        elif kind is Snapshot:
            name = f"{self._load(Timestamp).signed.snapshot_meta.version}.snapshot.json"
        else:
            name = f"{self._load(Snapshot).signed.meta['targets.json'].version}.targets.json"
        try:
            return Metadata[Any].from_file(str(metadata / name))
        except StorageError as exc:
            raise InputRefused("update_repo.none", str(metadata / name)) from exc
        except (DeserializationError, RepositoryError) as exc:
            raise InputRefused("file.invalid", str(metadata / name), why=str(exc)) from exc

    def _of(self, channel: str, version: str) -> list[Offer]:
        found = [one for one in self.offers() if (one.channel, one.version) == (channel, version)]
        if not found:
            raise InputRefused("update_repo.not_on_list", f"{channel}/{version}")
        return found

    def _check(self, file: Path, channel: str, version: str, platform: str, minimum: str) -> None:
        try:
            version_of(version)
            version_of(minimum)
        except ValueError as exc:
            raise InputRefused("update_repo.version", str(exc)) from exc
        if not CHANNEL.fullmatch(channel):
            raise InputRefused("update_repo.channel", channel)
        if platform not in PLATFORMS:
            raise InputRefused("update_repo.platform", platform, known=", ".join(PLATFORMS))
        try:
            with file.open("rb") as opened:
                head = opened.read(6)
        except OSError as exc:
            raise InputRefused("file.missing", str(file), why=exc.strerror or "") from exc
        ending = PLATFORMS[platform]
        if not file.name.endswith(ending) or not head.startswith(b"MZ" if ending == ".exe" else _XZ):
            raise InputRefused("update_repo.package", str(file), ending=ending)

    def _days(self, days: int) -> datetime:
        return self._now.replace(microsecond=0) + timedelta(days=days)

    def _make_folders(self) -> None:
        try:
            for name in (METADATA, TARGETS):
                (self._folder / name).mkdir(parents=True)
        except OSError as exc:
            raise EnvironmentTrouble("update_repo.cannot_write", str(self._folder), why=exc.strerror or "") from exc

    def _put(self, name: str, signed: Metadata[Any]) -> None:
        self._write(f"{METADATA}/{name}", signed)

    def _write(self, name: str, signed: Metadata[Any]) -> None:
        try:
            write_carried(self._folder / name, signed.to_bytes(JSONSerializer()))
        except OSError as exc:
            raise EnvironmentTrouble("update_repo.cannot_write", str(self._folder), why=exc.strerror or "") from exc


def _judged(root: Root, role: str, signed: Metadata[Any]) -> None:
    try:
        root.verify_delegate(role, signed.signed_bytes, signed.signatures)
    except RepositoryError as exc:
        raise InputRefused("update_repo.wrong_key", _SIGNERS[role]) from exc


def _percent(value: int) -> int:
    if not 0 <= value <= 100:
        raise InputRefused("update_repo.percent", str(value))
    return value
