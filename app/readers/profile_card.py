"""A card on a reader, by the profiles in force: the same decision on every road (PC/SC here, nfcpy in `pasori`).

- Profiles are tried in order; the first whose area is read and whose every check passes says who the card is (`open`).
- An area that is read and fails a check refuses the card, whatever its chip number is bound to: never a wrong identity,
  and no silent step down to `uid`.
- A card without the area counts by its chip number (`uid`) where a profile of its kind of chip allows it
  (`fallback_uid`, or kind `uid`); otherwise it is refused.
- A chip of a kind that no profile is about counts by its chip number, as without profiles.

A refused card is still seen, with its chip number and `CONTENT_REFUSED`: the gate records the refusal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.assurance import Assurance
from app.domain.ids import mask_card_key, unusable_card
from app.domain.verdict import Reason
from app.readers.channel import CardAnswer, CardProtocol, Channel
from app.readers.felica import FelicaArea
from app.readers.port import CHIP, CONTENT_REFUSED, EXPIRES_ON, PROFILE, WORKER_ID
from app.readers.profile import Kind, Profile
from app.readers.profile_decode import Content, decode
from app.readers.storage_card import StorageArea, Technology, read_storage_card, read_whole, technology

log = logging.getLogger(__name__)

ReadArea = Callable[[FelicaArea | StorageArea], bytes | None]
"""All bytes of an area; None when the card has no such area (or the road cannot read that kind). Raises what the road
raises for a card that left or does not answer sensibly."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A card that answered: `key` is `felica:IDm` or `uid:hex`."""

    key: str
    technology: Technology


def profile_card(profiles: Sequence[Profile]) -> CardProtocol:
    """The PC/SC protocol for storage cards by profiles; without profiles that of chip numbers alone."""

    def read(channel: Channel) -> CardAnswer | None:
        answer = read_storage_card(channel)
        if answer is None:
            return None
        chip = Chip(answer.card_key, technology(channel.atr, answer.card_key))
        return recognise(profiles, chip, lambda area: read_whole(channel, area))

    return read


def recognise(profiles: Sequence[Profile], chip: Chip, read: ReadArea) -> CardAnswer:
    """What the card is (see the module's text). Raises only what `read` raises."""
    concerned = [p for p in profiles if not p.technologies or chip.technology in p.technologies]
    refusal: tuple[str, str] | None = None
    by_number = not concerned
    for profile in concerned:
        if profile.area is None:
            by_number = by_number or _has_number(profile, chip)
            continue
        data = read(profile.area)
        if data is None:
            by_number = by_number or profile.fallback_uid
            continue
        content = decode(profile, data)
        if content.card_key is not None:
            return CardAnswer(content.card_key, Assurance.OPEN, attributes(profile, content, chip))
        refusal = refusal or (profile.name, content.refused)
    if refusal is None and by_number:
        return CardAnswer(chip.key, Assurance.UID)
    name, why = refusal or (concerned[0].name, "area: absent")
    log.info("%s: the content is not that of profile %s (%s)", mask_card_key(chip.key), name, why)
    # of a chip number that changes, the gate has more to say
    refused = None if unusable_card(chip.key) else Reason.CARD_CONTENT
    return CardAnswer(chip.key, Assurance.UID, {PROFILE: name, CONTENT_REFUSED: why}, refused)


def attributes(profile: Profile, content: Content, chip: Chip) -> dict[str, str]:
    """What goes along with the card's key."""
    found = {PROFILE: profile.name, CHIP: chip.key}
    if content.worker_id is not None:
        found[WORKER_ID] = content.worker_id
    if content.expires_on is not None:
        found[EXPIRES_ON] = content.expires_on
    return found | {f"field.{item.field.name}": item.value or "" for item in content.fields}


def _has_number(profile: Profile, chip: Chip) -> bool:
    """Whether a profile of kind `uid` takes this chip number."""
    number = bytes.fromhex(chip.key.partition(":")[2])
    return (
        profile.kind is Kind.UID
        and (not profile.lengths or len(number) in profile.lengths)
        and number.startswith(profile.prefix)
    )
