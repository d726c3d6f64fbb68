"""The fictional demonstration site, in the form of a site file: plain data, made anew for the day it is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.demo.people import FIRMS, OCCUPATIONS, PEOPLE, ROLES, Matter, Person
from app.domain.assurance import Assurance
from app.domain.verdict import Outcome, Reason

SITE_ID = "99990000000011"
SUPPRESS_SECONDS = 6
"""Short, so that a morning fits into a minute."""
UNKNOWN_CARD = "felica:0114F00DCAFE0001"
"""A card nobody is known for."""
PHONE = "felica:01FE5A17C3D20B94"
"""A phone: its number is made anew each time."""

_REASONS: dict[Matter, Reason] = {
    Matter.EXPIRED: Reason.CARD_EXPIRED,
    Matter.EXPIRING: Reason.CARD_EXPIRING,
    Matter.STOPPED: Reason.CARD_STOPPED,
    Matter.OUTSIDE: Reason.NOT_IN_CONTRACT_TREE,
    Matter.NO_OCCUPATION: Reason.OCCUPATION_MISSING,
    Matter.NO_ROLE: Reason.ROLE_MISSING,
    Matter.INSURANCE: Reason.VISIT_OFFICE,
    Matter.RESIDENCE: Reason.VISIT_OFFICE,
    Matter.VIRTUAL: Reason.COMPANY_UNREGISTERED,
}
_NOTES: dict[Matter, tuple[str, str]] = {
    Matter.EXPIRED: ("期限切れ", "expired"),
    Matter.EXPIRING: ("まもなく期限", "expires soon"),
    Matter.STOPPED: ("紛失届のカード", "reported lost"),
    Matter.OUTSIDE: ("施工体制になし", "not in the contract tree"),
    Matter.NO_OCCUPATION: ("職種なし", "no occupation"),
    Matter.NO_ROLE: ("立場なし", "no role"),
    Matter.INSURANCE: ("事務所へ", "visit the office"),
    Matter.RESIDENCE: ("事務所へ", "visit the office"),
    Matter.VIRTUAL: ("CCUS未登録の会社", "company not in CCUS"),
}


@dataclass(frozen=True, slots=True)
class TrayCard:
    """A card in the demonstration's tray. `outcome` and `reasons`: what its first touch brings, as a gate names it."""

    card_key: str
    assurance: Assurance
    name: str
    """The holder's; for special cards what it is."""
    name_en: str
    note_ja: str
    note_en: str
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    worker_id: str | None = None


def worker_id(place: int) -> str:
    """Id of a person by the place in `PEOPLE`, from 0: 14 digits, fictional."""
    return f"99990000{place + 1:04}21"


def card_key(place: int) -> str:
    """A FeliCa card with a plausible, always the same IDm."""
    number = hashlib.sha256(f"demo card {place}".encode()).hexdigest().upper()
    return f"felica:{('0114', '012E', '0139')[place % 3]}{number[:12]}"


def demo_site(today: date, *, pin: str = "", make_verifier: Callable[[str], str] | None = None) -> dict[str, Any]:
    """The site file's content, with expiries and assignments around `today`.

    `pin`, `make_verifier`: the operators' PIN for this run and how a verifier is made of it (`app.secrets`); without
    them the operators have no PIN. The PIN itself is not kept.
    """

    def day(offset: int) -> str:
        return (today + timedelta(days=offset)).isoformat()

    firms = {firm.key: firm for firm in FIRMS}
    numbered = list(enumerate(PEOPLE))
    return {
        "site": {
            "id": SITE_ID,
            "name": "架空町立東小学校 改築工事(見本)",
            "suppress_seconds": SUPPRESS_SECONDS,
            "opens_on": day(-120),
            "closes_on": day(300),
        },
        "companies": [
            {
                "id": firm.id,
                "name": firm.name,
                "short_name": firm.short,
                "registered": firm.registered,
                "sole_proprietor": firm.sole,
            }
            for firm in FIRMS
        ],
        "contracts": [
            {
                "id": f"contract-{firm.key}",
                "company_id": firm.id,
                "tier": firm.tier,
                "parent_id": f"contract-{firm.parent}" if firm.parent else None,
            }
            for firm in FIRMS
        ],
        "workers": [_worker(place, person, day) for place, person in numbered],
        "assignments": [
            {
                "id": f"assignment-{place + 1:02}",
                "worker_id": worker_id(place),
                "company_id": firms[person.firm].id,
                "occupation": person.occupation or None,
                "role": person.role or None,
                "starts_on": day(-100),
            }
            for place, person in numbered
            if person.firm
        ],
        "cards": [_card(place, person, day) for place, person in numbered if person.matter is not Matter.NO_CARD],
        "occupations": [{"id": code, "name": name} for code, name in OCCUPATIONS.items()],
        "roles": [{"id": code, "name": name} for code, name in ROLES.items()],
        "operators": _operators(pin, make_verifier),
        "calendar": [
            {"id": day(offset), "kind": "closed", "note": "定休日"}
            for offset in range(-60, 61)
            if (today + timedelta(days=offset)).weekday() == 6
        ],
        "targets": [
            {"id": "target-companies", "name": "事業者登録率(見本)", "value_permille": 950, "year": today.year},
            {"id": "target-cards", "name": "カード保有率(見本)", "value_permille": 900, "year": today.year},
            {"id": "target-touches", "name": "カード保有者タッチ率(見本)", "value_permille": 850, "year": today.year},
        ],
    }


def _worker(place: int, person: Person, day: Callable[[int], str]) -> dict[str, Any]:
    residence = 20 if person.matter is Matter.RESIDENCE else 300 + 11 * place
    return {
        "id": worker_id(place),
        "name": person.name,
        "kana": person.kana,
        "name_latin": person.latin,
        "nationality": person.nationality,
        "level": person.level,
        "kentaikyo_member": place % 4 != 3,
        "visit_office": person.matter in (Matter.INSURANCE, Matter.RESIDENCE),
        "insurance_confirmed": person.matter is not Matter.INSURANCE,
        "residence_expires_on": None if person.nationality == "JP" else day(residence),
    }


def _card(place: int, person: Person, day: Callable[[int], str]) -> dict[str, Any]:
    left = {Matter.EXPIRED: -12, Matter.EXPIRING: 9}.get(person.matter, 400 + 67 * place)
    return {
        "id": card_key(place),
        "worker_id": worker_id(place),
        "expires_on": day(left),
        "stopped": "lost" if person.matter is Matter.STOPPED else None,
    }


def _operators(pin: str, make_verifier: Callable[[str], str] | None) -> list[dict[str, Any]]:
    foreman = next(place for place, person in enumerate(PEOPLE) if person.firm == "scaffold")
    people: list[tuple[str, str, list[str], str | None]] = [
        ("op-admin", "架空建設 管理者", ["administrator", "office"], None),
        ("op-approver", PEOPLE[0].name, ["approver"], worker_id(0)),
        ("op-foreman", PEOPLE[foreman].name, ["foreman"], worker_id(foreman)),
        ("op-gate", "ゲート当番", ["gate"], None),
    ]
    return [
        {
            "id": id_,
            "name": name,
            "roles": roles,
            "pin_verifier": make_verifier(pin) if pin and make_verifier else "",
            "worker_id": worker,
        }
        for id_, name, roles, worker in people
    ]


def tray_cards(site: dict[str, Any]) -> list[TrayCard]:
    """The site's cards in the order of its workers, then an unknown card and a phone."""
    on_site = {card["id"]: card["worker_id"] for card in site["cards"]}
    tray: list[TrayCard] = []
    for place, person in enumerate(PEOPLE):
        key = card_key(place)
        if key not in on_site:
            continue
        reason = _REASONS.get(person.matter)
        outcome = Outcome.RECORDED if reason is None else Outcome.RECORDED_CHECK
        if person.matter is Matter.STOPPED:
            outcome = Outcome.REFUSED
        tray.append(
            TrayCard(
                key,
                Assurance.UID,
                person.name,
                person.latin,
                *_NOTES.get(person.matter, ("", "")),
                outcome,
                (reason,) if reason else (),
                on_site[key],
            )
        )
    unknown = ("未登録のカード", "unknown card", "未登録", "unknown", Outcome.UNKNOWN_CARD)
    phone = ("スマートフォン", "phone", "番号が毎回変わる", "changing number", Outcome.REFUSED, (Reason.RANDOM_ID,))
    return [*tray, TrayCard(UNKNOWN_CARD, Assurance.UID, *unknown), TrayCard(PHONE, Assurance.UID, *phone)]
