"""Provisioning files: reading one, whose signature it bears, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app import datafile, sealing, signing
from app.clock import SystemClock
from app.errors import CentreRefused, EnvironmentTrouble, GenbaError, InputRefused
from app.files import write_private
from app.readers.specs import parse_spec
from app.secrets import CLIENT_SECRET, SecretVault
from app.settings import DataDir, Settings, from_provisioning, machine_folders, provisioning_text
from app.sync import tls
from app.sync.address import checked
from app.sync.enrol import normalise_code
from app.sync.http import CentreClient
from app.sync.trouble import AuthFailed, BadRequest, Forbidden
from app.sync.wire import EnrolmentCodeAnswer, EnrolmentCodeRequest
from app.wiring import card_profiles
from app.wiring.station import USER_AGENT

SCHEMA = "provisioning"
FAMILY = "https://", "http://"
"""How an address begins that a client can ask."""


@dataclass(frozen=True, slots=True)
class Provisioning:
    """A file that was read. `signer`: fingerprint of the key that signed it; `trusted`: this PC knows that key."""

    file: Path
    values: Mapping[str, Any]
    signer: str | None
    trusted: bool

    @property
    def settings(self) -> Settings:
        """Its settings; a `ca_file` that is no whole path lies beside the file."""
        found = from_provisioning(dict(self.values))
        return replace(found, ca_file=str(self.file.parent / found.ca_file)) if found.ca_file else found

    @property
    def code(self) -> str | None:
        """Its enrolment code."""
        code: str | None = self.values.get("enrolment_code")
        return code


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found: nothing wrong when `faults` is empty. `notes`: message codes of what is worth knowing."""

    faults: tuple[GenbaError, ...]
    notes: tuple[str, ...] = ()
    signer: str | None = None


def read(file: Path, data: DataDir, it_key: Path | None = None) -> Provisioning:
    """A file without a fault; the first fault is raised otherwise (InputRefused, or a reader SPEC's UsageError)."""
    opened = _opened(file, it_key)
    for fault in faults(opened, data):
        raise fault
    return opened


def check(file: Path, data: DataDir, it_key: Path | None = None, *, online: bool = False) -> Report:
    """Every fault of a file, each with its place. `online`: the centre is asked as well, if nothing else is wrong.

    `it_key`: IT's public key, where this PC has none of its own. Changes nothing.
    """
    try:
        opened = _opened(file, it_key)
    except InputRefused as fault:
        return Report((fault,))
    found = list(faults(opened, data))
    notes = [] if opened.trusted else ["provision.unsigned" if opened.signer is None else "provision.key_unknown"]
    if opened.code is None:
        notes.append("provision.code_to_be_typed")
    if not found and opened.settings.recovery_public_key is None:
        notes.append("provision.no_recovery_key")
    if online and not found:
        try:
            notes.append(_ask(opened.settings))
        except GenbaError as fault:
            found.append(fault)
    return Report(tuple(found), tuple(notes), opened.signer)


def faults(opened: Provisioning, data: DataDir, where: str = "") -> Iterator[GenbaError]:
    """What is wrong with the values, one after the other. `where`: begins each place, instead of the file's name."""
    where = where or str(opened.file)
    wrong = datafile.faults(dict(opened.values), SCHEMA, where)
    for fault in wrong:
        address = fault.where.endswith(": $.centre_url")  # a pattern says nothing to whom it refuses
        yield InputRefused("provision.centre_url", fault.where) if address else fault
    if wrong:
        return
    settings = opened.settings
    if settings.centre_url.startswith(FAMILY):
        yield from _tried(f"{where}: $.centre_url", lambda: checked(settings.centre_url))
    if settings.ca_file:
        ca_file = settings.ca_file
        yield from _tried(f"{where}: $.ca_file", lambda: tls.trust(ca_file))
    if opened.code is not None:
        code = opened.code
        yield from _tried(f"{where}: $.enrolment_code", lambda: normalise_code(code))
    for number, spec in enumerate(settings.readers):
        yield from _tried(f"{where}: $.readers[{number}]", lambda spec=spec: parse_spec(spec))
    for number, name in enumerate(settings.card_profiles):
        one = replace(settings, card_profiles=(name,))
        place = f"{where}: $.card_profiles[{number}]"
        yield from _tried(place, lambda one=one: card_profiles.enabled(one, data))
    if settings.recovery_public_key:
        pem = settings.recovery_public_key.encode()
        yield from _tried(f"{where}: $.recovery_public_key", lambda: sealing.public_key(pem))


def pinned_key(given: Path | None = None) -> Path | None:
    """IT's public key on this PC, put there by the installer; the one given where there is none."""
    places = (folder / signing.PUBLIC_NAME for folder in machine_folders())
    return next((place for place in places if place.exists()), given)


def client_of(settings: Settings, client_id: str = "", secret: str = "") -> CentreClient:
    """A client for what stations do not do. Raises InputRefused (`provision.no_api` where there is no address)."""
    if not settings.centre_url.startswith(FAMILY):
        raise InputRefused("provision.no_api", settings.centre_url)
    clock = SystemClock()
    return CentreClient(
        settings.centre_url,
        client_id,
        lambda: secret,
        clock,
        USER_AGENT,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
    )


class Issuer:
    """Issues enrolment codes as an administrator of the centre. Used as `with`.

    `on_first`: called when the centre has issued the first one, so the secret is right.
    """

    def __init__(
        self, settings: Settings, client_id: str, secret: str, on_first: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client_of(settings, client_id, secret)
        self._on_first: Callable[[], None] | None = on_first

    def __enter__(self) -> Issuer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def issue(self, wanted: EnrolmentCodeRequest) -> EnrolmentCodeAnswer:
        """A code for these sites. Raises CentreRefused, and the other troubles of sync."""
        try:
            answer = self._client.issue_code(wanted)
        except AuthFailed as exc:
            raise CentreRefused("provision.administrator_refused", self._client.host) from exc
        except (Forbidden, BadRequest) as exc:
            codes = {"site_unknown": "central.site_unknown", "wrong_client": "provision.administrator_refused"}
            if exc.problem_code not in codes:
                raise
            raise CentreRefused(codes[exc.problem_code], ", ".join(wanted.site_ids)) from exc
        if self._on_first is not None:
            self._on_first()
            self._on_first = None
        return answer


def _opened(file: Path, it_key: Path | None) -> Provisioning:
    """Raises InputRefused: no such file, no TOML, and a signature that is wrong, missing or another's."""
    pinned = pinned_key(it_key)
    trusted_key = signing.public_key(pinned) if pinned else None
    if file.suffix.lower() == ".json":
        signed, values = signing.Signed("", None), datafile.parse(file)
    else:
        datafile.parse(file)  # says what is wrong with a file that is none of ours, size and all
        signed = signing.opened(file.read_bytes(), str(file))
        values = datafile.parsed(signed.body, str(file))
    trusted = False
    signer = signing.fingerprint(signed.key) if signed.key else None
    if trusted_key is not None:
        wanted = signing.fingerprint(trusted_key)
        if signed.key is None:
            raise InputRefused("signing.missing", str(file), wanted=wanted)
        if signed.key.public_bytes_raw() != trusted_key.public_bytes_raw():
            raise InputRefused("signing.other_key", str(file), wanted=wanted, given=signer)
        trusted = True
    return Provisioning(file.resolve(), values, signer, trusted)


def _tried(where: str, attempt: Any) -> Iterator[GenbaError]:
    try:
        attempt()
    except GenbaError as error:
        yield InputRefused(error.code, where, **error.values)


def _ask(settings: Settings) -> str:
    """Whether the centre answers: the message code of a note. Raises the troubles of sync."""
    if not settings.centre_url.startswith(FAMILY):
        return "provision.not_asked"
    with closing(client_of(settings)) as client:
        client.alive()
    return "provision.centre_answers"


def faults_of(field: str, answer: Any, others: Mapping[str, Any], file: Path, data: DataDir) -> list[GenbaError]:
    """What is wrong with the value of one field of a file that is being written."""
    stand_in = {"schema": 1, "centre_url": "https://centre.invalid", "station_name": "-"}
    values = {**stand_in, **others, field: answer}
    opened = Provisioning(file.resolve(), values, None, trusted=False)
    place = f": $.{field}"
    return [fault for fault in faults(opened, data) if place in fault.where]


def write(file: Path, values: Mapping[str, Any], data: DataDir) -> None:
    """Write a new file, if nothing is wrong with it. Raises its first fault, EnvironmentTrouble."""
    for fault in faults(Provisioning(file.resolve(), values, None, trusted=False), data):
        raise fault
    _put(file, provisioning_text(values).encode())


def make_key(folder: Path, passphrase: str | None) -> tuple[Path, Path, str]:
    """IT's key pair for signing; paths (private, public) and fingerprint. Raises as `app.signing.make_key`."""
    return signing.make_key(folder, passphrase)


def key_is_locked(file: Path) -> bool:
    """Whether a private key wants a passphrase. Raises InputRefused."""
    return signing.needs_passphrase(file)


def signing_key(file: Path, passphrase: str | None) -> signing.PrivateKey:
    """IT's private key. Raises InputRefused."""
    return signing.private_key(file, passphrase)


def sign(file: Path, key: signing.PrivateKey, data: DataDir) -> str:
    """Sign a file without a fault in its place (a signature it has is replaced); the key's fingerprint.

    Raises its first fault, EnvironmentTrouble.
    """
    if file.suffix.lower() == ".json":
        raise InputRefused("signing.toml_alone", str(file))
    values = datafile.parse(file)
    values.pop("signature", None)
    for fault in faults(Provisioning(file.resolve(), values, None, trusted=False), data):
        raise fault
    _put(file, signing.signed(file.read_bytes(), key, str(file)))
    return signing.fingerprint(key.public_key())


def administrator(template: Path, client_id: str, ask: Callable[[], str], *, keep: bool) -> Issuer:
    """An issuer at the template's centre; its secret from the OS keyring, or else asked for (and kept there).

    Raises InputRefused, and EnvironmentTrouble when it is to be kept and there is no keyring.
    """
    values = {"station_name": "-", **datafile.parse(template)}  # a table's lines have the names
    settings = Provisioning(template.resolve(), values, None, trusted=False).settings
    vault = SecretVault(f"administrator:{settings.centre_url}:{client_id}")
    try:
        kept = vault.get(CLIENT_SECRET)
    except EnvironmentTrouble:
        if keep:
            raise
        kept = None  # a PC without a keyring: somebody types it
    secret = kept.decode() if kept else ask()

    def remember() -> None:
        if keep and not kept:
            vault.set(CLIENT_SECRET, secret.encode())

    return Issuer(settings, client_id, secret, remember)


def _put(file: Path, text: bytes) -> None:
    try:
        write_private(file, text)
    except OSError as exc:
        raise EnvironmentTrouble("provision.cannot_write", str(file), why=exc.strerror or "") from exc
