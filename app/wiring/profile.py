"""`genba-touch profile`: looking at cards and at profile files, outside a gate."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.domain.ids import unusable_card
from app.errors import EnvironmentTrouble, InputRefused
from app.readers import specs
from app.readers.felica import BLOCK_BYTES, FelicaArea
from app.readers.port import CONTENT_REFUSED, CardSeen, CardUnreadable, ReaderEvent, ReaderState
from app.readers.profile import Kind, Profile, block_numbers
from app.readers.profile_card import Chip, recognise
from app.readers.profile_decode import Content, decode
from app.readers.profile_file import weak_spots
from app.readers.storage_card import StorageArea, Technology
from app.readers.supervisor import Supervisor
from app.settings import DataDir
from app.wiring.card_profiles import Found, found, load
from app.wiring.gate import DEFAULT_ROADS
from app.wiring.readers import build

Area = FelicaArea | StorageArea


@dataclass(frozen=True, slots=True)
class Look:
    """A card that lay on a reader: its chip number, and the blocks of the area that it gave."""

    reader: str
    chip_key: str
    blocks: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Tried:
    """A profile against a card. `content`: what could be decoded of what was read, whatever a gate says."""

    look: Look
    content: Content
    missing: tuple[int, ...]
    card_key: str
    assurance: str
    refused: str
    """Why a gate refuses the card; empty when it does not."""


def check(file: Path) -> tuple[Profile, Sequence[str]]:
    """A profile file and its weak spots (message codes). Raises InputRefused naming file and place."""
    profile = load(file)
    return profile, weak_spots(profile)


def listed(data: DataDir) -> list[dict[str, Any]]:
    """Every profile there is, and whether the settings of this folder put it in force."""
    wanted: tuple[str, ...] = ()
    try:
        wanted = data.settings().card_profiles
    except InputRefused:  # not provisioned yet: nothing is in force
        pass
    return [_row(item, item.name in wanted) for item in found(data)]


def area_of(service: str, blocks: str, system: str | None) -> FelicaArea:
    """The area that `dump` is asked for. Raises InputRefused `profile.bad_code`, `profile.bad_blocks`."""
    try:
        numbers = block_numbers(blocks)
    except ValueError as exc:
        raise InputRefused("profile.bad_blocks", f"--blocks {blocks}", why=str(exc)) from exc
    systems = (_code("--system", system),) if system is not None else ()
    return FelicaArea(_code("--service", service), numbers, systems)


def look(area: Area | None, roads: Sequence[str], seconds: float, ready: Callable[[], None]) -> Look:
    """The next card on any of these readers; `ready` is called once one can take it.

    Raises EnvironmentTrouble `profile.no_reader`, `profile.no_card`, `profile.card_unreadable`; UsageError for a SPEC.
    """
    clock = SystemClock()
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    wanted = [specs.parse_spec(text) for text in roads or DEFAULT_ROADS]
    supervisor = Supervisor([build(spec, clock, area=area) for spec in wanted], events.put, clock)
    until = clock.monotonic() + seconds
    usable = False
    supervisor.start()
    try:
        while (left := until - clock.monotonic()) > 0:
            try:
                event = events.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(event, ReaderState) and event.condition.usable and not usable:
                usable = True
                ready()
            elif isinstance(event, CardUnreadable):
                raise EnvironmentTrouble("profile.card_unreadable", event.reader, why=event.detail)
            elif isinstance(event, CardSeen):
                return Look(event.reader, event.card_key, _blocks(event.attributes))
    finally:
        supervisor.stop()
    raise EnvironmentTrouble("profile.no_card" if usable else "profile.no_reader", seconds=f"{seconds:g}")


def try_on(profile: Profile, looked: Look) -> Tried:
    """What a gate with this profile alone makes of the card."""
    blocks, area = looked.blocks, profile.area
    missing = tuple(number for number in area.blocks if number not in blocks) if area is not None else ()
    whole = b"" if area is None or missing else b"".join(blocks[number] for number in area.blocks)
    size = area.block_bytes if isinstance(area, StorageArea) else BLOCK_BYTES
    # a block that is not there leaves a hole, so that the others stay in their places
    shown = b"".join(blocks.get(number, bytes(size)) for number in area.blocks) if area is not None else b""
    chip = Chip(looked.chip_key, _technology(profile, looked))
    answer = recognise([profile], chip, lambda _area: None if missing else whole)
    content = decode(profile, shown if blocks else b"")
    refused = answer.attributes.get(CONTENT_REFUSED) or unusable_card(answer.card_key) or ""
    return Tried(looked, content, missing, answer.card_key, answer.assurance.value, refused)


def _technology(profile: Profile, looked: Look) -> Technology:
    if looked.chip_key.startswith("felica:"):
        return Technology.FELICA
    # raw blocks came only from a chip of the profile's kind
    return Technology(profile.kind.value) if looked.blocks and profile.kind is not Kind.UID else Technology.OTHER


def _blocks(attributes: Any) -> dict[int, bytes]:
    return {int(name.rpartition(".")[2]): bytes.fromhex(value) for name, value in attributes.items()}


def _code(option: str, text: str) -> int:
    if len(text) != 4:
        raise InputRefused("profile.bad_code", f"{option} {text}")
    try:
        return int(text, 16)
    except ValueError as exc:
        raise InputRefused("profile.bad_code", f"{option} {text}") from exc


def _row(item: Found, in_force: bool) -> dict[str, Any]:
    profile = item.profile
    return {
        "name": item.name,
        "file": str(item.file),
        "in_force": in_force,
        "ok": profile is not None,
        "trouble": str(item.trouble) if item.trouble else None,
        "sample": profile.sample if profile else None,
        "kind": profile.kind.value if profile else None,
        "version": profile.version if profile else None,
        "label": dict(profile.label) if profile else None,
        "assurance": ("uid" if profile.kind is Kind.UID else "open") if profile else None,
    }
