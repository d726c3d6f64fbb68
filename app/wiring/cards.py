"""Secure cards for the people who issue them: roots, revocation lists, and what a card on the reader is."""

from __future__ import annotations

import queue
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.domain.ids import InvalidId, mask_card_key
from app.errors import EnvironmentTrouble, InputRefused, UsageError
from app.readers import trial_ca
from app.readers.piv import PivCard, guid_of
from app.readers.port import CardSeen, CardUnreadable, ReaderEvent
from app.readers.secure import secure_card
from app.readers.specs import PcscSpec, parse_spec
from app.readers.storage_card import storage_card
from app.readers.supervisor import Supervisor
from app.readers.trust_folder import TrustFolder
from app.settings import DataDir, Settings
from app.wiring.readers import trust_of

PROVEN, REFUSED, NOT_SECURE, UNREADABLE = "proven", "refused", "not_secure", "unreadable"


@dataclass(frozen=True, slots=True)
class Look:
    """What a card on the reader is. `result`: one of the four above."""

    result: str
    card: str = ""
    """Masked."""
    guid: str = ""
    """In full, for the roster: what a proven card may say of itself is no secret."""
    assurance: str = ""
    reason: str | None = None
    detail: str = ""
    steps: list[dict[str, str]] = field(default_factory=list)
    """`step` and `result` (ok, failed, not_reached), in order."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def open_trust(data: DataDir) -> TrustFolder:
    """The folder's roots and lists; a PC that is not provisioned yet can be prepared too. Raises InputRefused."""
    try:
        settings = data.settings()
    except InputRefused as refused:
        if refused.code != "settings.missing":
            raise
        settings = Settings("", "")
    return trust_of(data, settings, SystemClock())


def listing(trust: TrustFolder) -> list[dict[str, Any]]:
    """Roots with their lists, and files that cannot be used: what `cards list --json` prints."""
    contents = trust.contents()
    now = SystemClock().now()
    rows: list[dict[str, Any]] = []
    for root in contents.anchors.roots:
        crl = contents.anchors.crl_of(root)
        rows.append(
            {
                "root": root.name,
                "fingerprint": root.fingerprint,
                "valid_until": root.not_after.isoformat(),
                "crl_next_update": crl.next_update.isoformat() if crl else None,
                "revoked": crl.count if crl else 0,
                "trouble": "cards.root_expired" if not root.in_time(now) else trust.state_of(crl, now) or None,
            }
        )
    rows += [{"file": str(b.path), "trouble": b.code} for b in contents.broken]
    return rows


def show(data: DataDir, reader: str, seconds: float) -> Look:
    """Wait for a card and try every step on it. Raises InputRefused `cards.root_missing`, UsageError
    `cards.pcsc_only`, EnvironmentTrouble `cards.no_card` or the reader's trouble."""
    spec = parse_spec(reader)
    if not isinstance(spec, PcscSpec):
        raise UsageError("cards.pcsc_only", reader)
    from app.readers.pcsc import PcscReader

    trust = open_trust(data)
    if not trust.active:
        raise InputRefused("cards.root_missing", str(trust.folder / "roots"))
    clock = SystemClock()
    piv = PivCard(trust)
    passed: list[str] = []

    def note(step: str) -> None:
        if step == piv.steps[0]:
            passed.clear()  # a second try
        passed.append(step)

    seen: queue.SimpleQueue[CardSeen | CardUnreadable] = queue.SimpleQueue()

    def take(event: ReaderEvent) -> None:
        if isinstance(event, CardSeen | CardUnreadable):
            seen.put(event)

    pcsc = PcscReader(spec.name_part, clock, protocols=[secure_card([piv], clock, note=note), storage_card()])
    supervisor = Supervisor([pcsc], take, clock)
    supervisor.start()
    try:
        event = seen.get(timeout=seconds)
    except queue.Empty:
        states = [state.condition for state in supervisor.states().values()]
        if any(condition.usable for condition in states) or not states:
            raise EnvironmentTrouble("cards.no_card") from None
        raise EnvironmentTrouble(f"reader.{states[0].value}", reader) from None
    finally:
        supervisor.stop()
    return _look(event, piv.steps, passed)


def _look(event: CardSeen | CardUnreadable, steps: tuple[str, ...], passed: list[str]) -> Look:
    if isinstance(event, CardUnreadable):
        return Look(UNREADABLE, detail=event.detail, steps=_steps(steps, passed))
    card, level = mask_card_key(event.card_key), event.assurance.value
    guid = event.card_key.removeprefix("piv:") if event.card_key.startswith("piv:") else ""
    if event.refused is not None:
        detail = event.attributes.get("secure.detail", "")
        return Look(REFUSED, card, guid, "", event.refused.value, detail, _steps(steps, passed))
    if not passed:
        return Look(NOT_SECURE, card, assurance=level)
    return Look(PROVEN, card, guid, level, steps=_steps(steps, passed))


def _steps(steps: tuple[str, ...], passed: list[str]) -> list[dict[str, str]]:
    failed = steps[len(passed)] if len(passed) < len(steps) else None
    return [
        {"step": step, "result": "ok" if step in passed else "failed" if step == failed else "not_reached"}
        for step in steps
    ]


def make_test_ca(folder: Path) -> tuple[Path, Path]:
    """See `trial_ca.make_ca`."""
    return trial_ca.make_ca(folder, SystemClock().now())


def issue_test_card(folder: Path, guid: str, kind: str, out: Path) -> None:
    """See `trial_ca.issue_card`. Raises InputRefused `cards.bad_guid` besides."""
    try:
        wanted = guid_of(guid)
    except InvalidId as exc:
        raise InputRefused("cards.bad_guid", guid) from exc
    trial_ca.issue_card(folder, wanted, kind, out, SystemClock().now())
