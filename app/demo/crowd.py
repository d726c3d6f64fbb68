"""A large made-up site: thousands of people over years, and their touches. Seeded; the same for the same numbers.

Plausible, not measured: weekdays and every other Saturday with half the crew, fixed holidays, the Obon and New Year
breaks, 7 % of days missed, 5 % of out-touches forgotten, 2 % of touches twice, now and then a card nobody knows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from app.domain.events import JST

SITE_ID = "99990000000029"
READERS = ("pasori:usb", "pcsc:ACS ACR1252 00 00")
SUPPRESS_SECONDS = 60
_FIXED_HOLIDAYS = frozenset(
    {(1, 1), (1, 2), (1, 3), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23), (12, 31)}
    | {(8, day) for day in range(13, 17)}
)
_MISSES, _FORGETS_OUT, _TWICE, _UNKNOWN = 0.07, 0.05, 0.02, 0.002
_FAMILY = "佐伯 桐山 水沢 早瀬 宮古 風間 日高 城戸 結城 葛西 椎名 設楽 真鍋 望月 矢吹 若宮 黒羽 白石 辰巳 乾".split()
_FAMILY_KANA = (
    "サエキ キリヤマ ミズサワ ハヤセ ミヤコ カザマ ヒダカ キド ユウキ カサイ シイナ シタラ マナベ モチヅキ ヤブキ"
    " ワカミヤ クロハ シライシ タツミ イヌイ"
).split()
_GIVEN = "一樹 二郎 三津男 史郎 悟 陸 七海 蓮 久 徹也 直人 将 学 優 英樹 茜 拓 豊 涼 渉".split()
_GIVEN_KANA = (
    "カズキ ジロウ ミツオ シロウ サトル リク ナナミ レン ヒサシ テツヤ ナオト マサル マナブ ユウ ヒデキ アカネ タク"
    " ユタカ リョウ ワタル"
).split()


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it. `until`: the last day."""

    workers: int
    companies: int
    touches: int
    years: int
    until: date
    seed: int


class Touch(NamedTuple):
    """One touch, before it has an id. `first`: place in the day of the touch that this one repeats."""

    at_ms: int
    """Milliseconds since midnight in Japan."""
    worker: int
    """From 0; -1: a card nobody knows."""
    direction: str
    reader: int
    first: int | None = None


def working_days(scale: Scale) -> list[date]:
    """Days on which somebody works, oldest first."""
    last = scale.until
    count = 365 * scale.years + scale.years // 4
    days = (last - timedelta(days=back) for back in range(count - 1, -1, -1))
    return [day for day in days if _crew(day) > 0]


def _crew(day: date) -> float:
    if (day.month, day.day) in _FIXED_HOLIDAYS or day.weekday() == 6:
        return 0.0
    if day.weekday() == 5:
        return 0.5 if day.toordinal() // 7 % 2 else 0.0
    return 1.0


@lru_cache(maxsize=65536)
def worker_id(place: int) -> str:
    """14 digits, fictional."""
    return f"99991{place:07}21"


def company_id(place: int) -> str:
    """14 digits, fictional."""
    return f"99992{place:07}22"


@lru_cache(maxsize=65536)
def card_key(place: int) -> str:
    """A FeliCa card; that of worker -1 and below is on no roster."""
    return f"felica:0114{place & 0xFFFFFFFF:08X}{place * 40503 & 0xFFFF:04X}"


def site_items(scale: Scale) -> list[dict[str, Any]]:
    """The site and its roster as the centre's pages hold them."""
    tiers = [_tier(place) for place in range(scale.companies)]
    site = {"kind": "site", "id": SITE_ID, "name": "架空湾岸再開発(見本・大規模)", "suppress_seconds": SUPPRESS_SECONDS}
    items: list[dict[str, Any]] = [site]
    items += [{"kind": "occupation", "id": f"SAMPLE-{n:02}", "name": f"見本職種{n}"} for n in range(1, 21)]
    items += [{"kind": "role", "id": f"SAMPLE-{code}", "name": f"見本立場{code}"} for code in "ABC"]
    for place, (tier, parent) in enumerate(tiers):
        firm = {"id": company_id(place), "name": f"見本建設{place + 1}号株式会社", "short_name": f"見本{place + 1}"}
        items.append({"kind": "company", **firm, "sole_proprietor": place % 17 == 16})
        above = None if parent is None else f"contract-{parent}"
        contract = {"id": f"contract-{place}", "company_id": company_id(place), "tier": tier, "parent_id": above}
        items.append({"kind": "contract", **contract})
    for place in range(scale.workers):
        items += _person(place, scale)
    return items


def _tier(place: int) -> tuple[int, int | None]:
    """One 元請; a third of the others each at 一次, 二次, 三次, under one of the tier above."""
    if place == 0:
        return 0, None
    tier = 1 + (place - 1) % 3
    return tier, (0 if tier == 1 else place - 1)


def _person(place: int, scale: Scale) -> list[dict[str, Any]]:
    family, given = place % len(_FAMILY), place // len(_FAMILY) % len(_GIVEN)
    worker = {
        "id": worker_id(place),
        "name": f"{_FAMILY[family]} {_GIVEN[given]}",
        "kana": f"{_FAMILY_KANA[family]} {_GIVEN_KANA[given]}",
        "level": place % 4 + 1,
        "kentaikyo_member": place % 3 != 0,
    }
    ends = scale.until + timedelta(days=place * 7 % 3000 + 1)
    card = {"id": card_key(place), "worker_id": worker_id(place), "expires_on": ends.isoformat()}
    assignment = {
        "id": f"assignment-{place}",
        "worker_id": worker_id(place),
        "company_id": company_id(place % scale.companies),
        "occupation": f"SAMPLE-{place % 20 + 1:02}",
        "role": f"SAMPLE-{'ABCCCCCC'[place % 8]}",
    }
    return [{"kind": "worker", **worker}, {"kind": "card", **card}, {"kind": "assignment", **assignment}]


def days_of_touches(scale: Scale) -> Iterator[tuple[date, list[Touch]]]:
    """Every working day's touches in order of time; together exactly `scale.touches`."""
    days = working_days(scale)
    crews = [_crew(day) for day in days]
    left, weight = scale.touches, sum(crews)
    for place, (day, crew) in enumerate(zip(days, crews, strict=True)):
        wanted = left if place == len(days) - 1 else min(left, round(left * crew / weight))
        weight -= crew
        left -= wanted
        if wanted:
            yield day, _day(scale, day, place / len(days), wanted)


def _day(scale: Scale, day: date, progress: float, wanted: int) -> list[Touch]:
    rng = random.Random(f"{scale.seed} {day}")  # noqa: S311 - made-up data
    present = _present(scale, progress, wanted, rng)
    rough: list[tuple[Touch, Touch | None]] = []
    chance = rng.random
    for who in present:
        morning = round(27_000_000 + 3_300_000 * (chance() + chance()) / 2)
        worker = who if chance() > _UNKNOWN else -1 - who
        came = Touch(morning, worker, "in", int(chance() * 2))
        rough.append((came, None))
        if chance() < _TWICE * 2:
            rough.append((came._replace(at_ms=morning + 2_000 + int(chance() * 40_000)), came))
        if chance() >= _FORGETS_OUT:
            evening = round(60_300_000 + 5_400_000 * chance() * chance())
            rough.append((Touch(evening, worker, "out", int(chance() * 2)), None))
    while len(rough) < wanted:
        # a small crew and many touches: some go out and come back over noon
        who = present[int(chance() * len(present))]
        noon = 43_200_000 + int(chance() * 3_600_000)
        rough.append((Touch(noon, who, "out" if chance() < 0.5 else "in", int(chance() * 2)), None))
    del rough[wanted:]
    rough.sort(key=lambda pair: pair[0])
    places: dict[Touch, int] = {}
    touches: list[Touch] = []
    for touch, first in rough:
        places.setdefault(touch, len(touches))
        touches.append(touch if first is None else touch._replace(first=places[first]))
    return touches


def _present(scale: Scale, progress: float, wanted: int, rng: random.Random) -> list[int]:
    """Who comes: people join and leave the site over the years in a moving window."""
    needed = max(1, round(wanted / 1.99))
    window = min(scale.workers, max(1, round(needed / (1 - _MISSES))))
    start = int(progress * scale.workers)
    there = [(start + n) % scale.workers for n in range(window)]
    rng.shuffle(there)
    return there[:needed]


def midnight_ms(day: date) -> int:
    """Unix milliseconds of a day's first moment in Japan."""
    return round(datetime(day.year, day.month, day.day, tzinfo=JST).timestamp() * 1000)
