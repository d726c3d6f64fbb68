"""The card: is it seen, can it be read, does a profile fit, does it prove itself, whose is it."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.domain.verdict import Outcome, Reason
from app.errors import EnvironmentTrouble, GenbaError
from app.readers.trust import Root
from app.readers.trust_folder import TrustFolder
from app.wiring.cards import open_trust
from app.wiring.diagnosis.check import Patient, Result, Worth
from app.wiring.diagnosis.watch import CardLook
from app.wiring.station import Station

CARD_S = 15.0
"""Seconds to wait for a card, when nobody says how long."""
ROOT_ENDS_SOON = timedelta(days=30)
_LOOK_S = 0.2


def card(patient: Patient) -> str | None:
    """Wait for a card, if one is asked for. Beside a gate it is the gate that reads it, and records it."""
    if patient.card_s is None:
        return None
    if patient.watch is not None:
        patient.prompt("doctor.card_wait")
        patient.card = patient.watch.card(patient.card_s)
    elif patient.station is not None:
        patient.prompt("doctor.card_wait_gate")
        patient.card = _recorded(patient.station, patient.card_s)
    if patient.card is None:
        gate = patient.roads is not None and patient.roads.gate
        raise EnvironmentTrouble("doctor.card_none_gate" if gate else "doctor.card_none")
    return "doctor.card"


def card_read(patient: Patient) -> str | None:
    if patient.card is None:
        return None
    if not patient.card.readable:
        raise EnvironmentTrouble("outcome.unreadable")
    return "doctor.card_read"


def card_profile(patient: Patient) -> str | None:
    """Only where profiles are in force; a card that proves itself needs none."""
    seen, settings = patient.card, patient.settings
    if seen is None or settings is None or not settings.card_profiles:
        return None
    if seen.refused is Reason.CARD_CONTENT:
        raise EnvironmentTrouble("doctor.card_profile_refused", seen.profile)
    if seen.proven or seen.refused is not None:
        return None
    if not seen.profile:
        raise Worth("doctor.card_profile_none")
    patient.said["profile"] = seen.profile
    return "doctor.card_profile"


def trust(patient: Patient) -> str | None:
    """Roots and revocation lists, where the site uses cards that prove themselves."""
    folder, now = open_trust(patient.data), SystemClock().now()
    contents = folder.contents()
    if not contents.held:
        if patient.station is not None and Assurance.AUTHENTICATED in _accepted_alone(patient.station):
            raise EnvironmentTrouble("cards.root_missing", str(folder.folder / "roots"))
        return None
    broken = next((b for b in contents.broken if not b.harmless), None)
    if broken is not None:
        raise EnvironmentTrouble("health.secure_trust_broken", str(broken.path))
    in_time = [root for root in contents.anchors.roots if root.in_time(now)]
    if not in_time:
        raise EnvironmentTrouble("health.secure_root_expired", str(folder.folder / "roots"))
    for root in in_time:
        _check_list(folder, root, now)
    patient.said |= _summary(folder, in_time, now)
    return "doctor.trust"


def _accepted_alone(station: Station) -> frozenset[Assurance]:
    """The levels of proof that the site takes, when a plain card's are not among them."""
    levels: frozenset[Assurance] = frozenset()
    with suppress(GenbaError):  # no site yet, or several: the roster's check says so
        levels = frozenset(station.site().accepted)
    return levels if not levels & {Assurance.OPEN, Assurance.UID} else frozenset()


def _check_list(folder: TrustFolder, root: Root, now: datetime) -> None:
    crl = folder.contents().anchors.crl_of(root)
    code = folder.state_of(crl, now)
    if code == "health.secure_crl_old":
        raise Worth(code)
    if code:
        raise EnvironmentTrouble(code, root.name)
    if root.not_after - now < ROOT_ENDS_SOON:
        raise Worth("doctor.trust_root_ends", root=root.name, days=(root.not_after - now).days)


def _summary(folder: TrustFolder, roots: list[Root], now: datetime) -> dict[str, object]:
    lists = [crl for root in roots if (crl := folder.contents().anchors.crl_of(root)) is not None]
    oldest = min(crl.this_update for crl in lists)
    return {"roots": len(roots), "days": max(0, (now - oldest).days)}


def card_proof(patient: Patient) -> str | None:
    seen = patient.card
    if seen is None:
        return None
    if seen.refused is not None and seen.refused is not Reason.CARD_CONTENT:
        raise EnvironmentTrouble(f"reason.{seen.refused.value}")
    return "doctor.card_proof" if seen.proven else None


def roster(patient: Patient) -> str | None:
    station = patient.station
    if station is None:
        return None
    if not station.rosters.load(station.site().id).workers:
        raise Worth("health.roster_empty")
    return "doctor.roster"


def card_worker(patient: Patient) -> str | None:
    """Whether the roster knows whose card it is; the name is not said."""
    seen, station = patient.card, patient.station
    if seen is None or station is None or not seen.readable:
        return None
    known = station.rosters.load(station.site().id)
    bound = known.cards.get(seen.key)
    if (bound.worker_id if bound else seen.worker_id or "") not in known.workers:
        raise EnvironmentTrouble("doctor.card_unknown")
    return "doctor.card_worker"


def ccus_area(patient: Patient) -> str | None:
    """Said as it is, to whoever looks for the reason why a CCUS card is told by its number."""
    raise Worth("doctor.ccus_area", Result.INFO)


def _recorded(station: Station, seconds: float) -> CardLook | None:
    """The next card that the gate beside us records. One that it cannot read is not recorded."""
    site, clock = station.site(), station.clock
    before, _hash = station.events.chain_head()
    until = clock.monotonic() + seconds
    while clock.monotonic() < until:
        if station.events.chain_head()[0] > before:
            day = site.work_day(clock.now()).isoformat()
            for row in station.events.today(site.id, day, 20).rows:
                if row.seq > before and not row.entered:
                    refused = row.reasons[0] if row.outcome is Outcome.REFUSED and row.reasons else None
                    proven = refused is None and row.card_key.startswith("piv:")
                    profile = row.card_key.split(":")[1] if row.card_key.startswith("profile:") else ""
                    return CardLook(True, row.card_key, row.worker_id, refused, proven, profile)
        time.sleep(_LOOK_S)
    return None
