"""The phones whose files are taken, and the key they seal them to (docs/phone-file.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app import phone_seal
from app.clock import Clock
from app.domain import ids
from app.domain.roster import Operator
from app.errors import InputRefused
from app.office.rights import RIGHTS
from app.office.shapes import Right
from app.secrets import CLIENT_SECRET, IMPORT_KEY
from app.settings import DataDir
from app.store.phones import Phone, PhoneStore
from app.wiring.imports import writing
from app.wiring.operators import proven
from app.wiring.sealed import changing, seal
from app.wiring.station import Station, open_station, vault_of

MAX_LABEL = 60


def station_key(data: DataDir) -> dict[str, Any]:
    """What a phone needs to know of this station; its key pair is made the first time. Raises GenbaErrors."""
    settings, identity = data.settings(), data.identity()
    if identity is None:
        raise InputRefused("settings.not_enrolled", str(data.root))
    vault = vault_of(data, settings)
    with changing(data):
        private = vault.get(IMPORT_KEY)
        if private is None:
            private = phone_seal.new_private()
            # sealed first: a key that is in use has been kept
            secret = vault.require(CLIENT_SECRET).decode()
            seal(data, settings, vault, identity.station_id, secret, private)
            vault.set(IMPORT_KEY, private)
    public = phone_seal.public_of(private)
    return {
        "key": phone_seal.as_text(public),
        "fingerprint": phone_seal.fingerprint(public),
        "site_ids": list(identity.site_ids),
        "sealed": bool(settings.recovery_public_key),
    }


def register(
    data: DataDir,
    key: str,
    label: str,
    operator_id: str,
    pin: str,
    *,
    worker_id: str | None = None,
    company_id: str | None = None,
    clock: Clock | None = None,
) -> Phone:
    """Take files of this phone from now on. Raises InputRefused `phones.bad_key`, `phones.label`, `phones.known`,
    `phones.revoked`, `phones.bad_id`, `phones.operator`, `phones.pin_wait`; `import.in_use`."""
    try:
        public = phone_seal.phone_key(key)
    except phone_seal.BadKey as exc:
        raise InputRefused("phones.bad_key") from exc
    label = label.strip()
    if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
        raise InputRefused("phones.label", most=MAX_LABEL)
    try:
        worker_id = ids.worker_id(worker_id) if worker_id else None
        company_id = ids.company_id(company_id) if company_id else None
    except ids.InvalidId as exc:
        raise InputRefused("phones.bad_id", why=str(exc)) from exc
    with writing(data, clock) as station:
        operator = _operator(station, "phone_register", operator_id, pin)
        store, now = PhoneStore(station.db), station.clock.now()
        phone_id = phone_seal.fingerprint(public)
        before = store.get(phone_id)
        if before is not None:
            code = "phones.revoked" if before.revoked else "phones.known"
            raise InputRefused(code, phone_id, label=before.label)
        phone = Phone(phone_id, public, label, worker_id, company_id, False, now, operator.id)
        store.put(phone)
        return phone


def revoke(
    data: DataDir, phone_id: str, reason: str, operator_id: str, pin: str, *, clock: Clock | None = None
) -> Phone:
    """Take no more files of this phone, for good. Raises InputRefused `phones.unknown`, `phones.revoked`,
    `phones.operator`, `phones.pin_wait`; `import.in_use`."""
    with writing(data, clock) as station:
        operator = _operator(station, "phone_revoke", operator_id, pin)
        store = PhoneStore(station.db)
        before = store.get(phone_id)
        if before is None:
            raise InputRefused("phones.unknown", phone_id[:40])
        if before.revoked:
            raise InputRefused("phones.revoked", phone_id, label=before.label)
        now = station.clock.now()
        phone = replace(before, revoked=True, at=now, operator_id=operator.id, reason=reason.strip()[:200])
        store.put(phone)
        return phone


def phones(data: DataDir) -> list[dict[str, Any]]:
    """Every phone there ever was; beside a running gate too."""
    with open_station(data, look=True) as station:
        return [
            {
                "phone": one.id,
                "label": one.label,
                "state": "revoked" if one.revoked else "registered",
                "worker_id": one.worker_id,
                "company_id": one.company_id,
                "at": one.at.isoformat(timespec="milliseconds"),
                "operator_id": one.operator_id,
                "reason": one.reason,
            }
            for one in PhoneStore(station.db).all()
        ]


def _operator(station: Station, action: str, operator_id: str, pin: str) -> Operator:
    """Who does it, with the right to. Raises InputRefused `phones.operator`, `phones.pin_wait`."""
    found, may = None, False
    for site in station.rosters.sites():
        operator = station.rosters.load(site.id).operators.get(operator_id)
        if operator is not None and not may:
            found, may = operator, any(Right.IMPORT in RIGHTS.get(role, ()) for role in operator.roles)
    return proven(station, action, found, operator_id, pin, may=may)
