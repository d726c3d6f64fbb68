"""What a result card says, worked out from an announcement without any widget.

Here it is decided what forty people may read: personal reasons become 事務所にお寄りください, a refused card shows no
name, a refused or unread card no direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.verdict import Outcome, Reason
from app.gate.news import Announcement, StorageAlarm
from app.ui.theme import LEVELS, Look
from app.ui.words import Words


class Sound(StrEnum):
    """One short sound per kind of answer; files `resources/sounds/<value>.wav`."""

    RECORDED = "recorded"
    ALREADY = "already"
    CHECK = "check"
    UNKNOWN = "unknown"
    BAD = "bad"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Chip:
    """A short fact under the name. `level`: 1–4 for the level's chip."""

    text: str
    level: int | None = None


@dataclass(frozen=True, slots=True)
class CardContent:
    """The words of one result card, from the top down."""

    look: Look
    sound: Sound
    title: str
    """The outcome."""
    sub: str
    """Direction, time, reader."""
    headline: str
    """The biggest words: the name, or what happened."""
    chips: tuple[Chip, ...] = ()
    notes: tuple[str, ...] = ()
    """Reasons, at most two."""
    figure: str = ""
    """今月 N 日目."""
    advice: str = ""
    """What to do, or 建退共 見込み."""
    loud: bool = False
    """A storage alarm: solid red, nothing like a success."""

    @property
    def spoken(self) -> str:
        """The card as one sentence, for screen readers."""
        parts = (self.title, self.headline, self.sub, *self.notes, self.figure, self.advice)
        return "。".join(part for part in parts if part)


LOOKS = {
    Outcome.RECORDED: (Look.RECORDED, Sound.RECORDED),
    Outcome.RECORDED_CHECK: (Look.CHECK, Sound.CHECK),
    Outcome.UNKNOWN_CARD: (Look.UNKNOWN, Sound.UNKNOWN),
    Outcome.SUPPRESSED: (Look.ALREADY, Sound.ALREADY),
    Outcome.REFUSED: (Look.BAD, Sound.BAD),
    Outcome.UNREADABLE: (Look.BAD, Sound.BAD),
}


def card_content(news: Announcement, words: Words, reader_label: str = "") -> CardContent:
    """The words for an announcement. `reader_label`: shown where there are several readers."""
    if news.entered:
        return _entered(news, words)
    look, sound = LOOKS[news.outcome]
    code = f"outcome.{news.outcome.value}"
    if news.outcome is Outcome.UNREADABLE:
        return CardContent(
            look, sound, words.title(code), reader_label, words.title("gate.again"), advice=words.remedy(code)
        )
    if news.outcome is Outcome.REFUSED:
        return _refused(news, words, reader_label)
    time = words.clock(news.first_at or news.at)
    direction = words.direction(news.direction)
    if news.outcome is Outcome.UNKNOWN_CARD:
        return CardContent(
            look,
            sound,
            words.title(code),
            _dots(f"{direction} {time}".strip(), reader_label),
            words.title("gate.saved_time"),
            chips=(Chip(words.title("gate.card", card=news.card_masked)),) if news.card_masked else (),
            advice=words.remedy(code),
        )
    if news.outcome is Outcome.SUPPRESSED:
        known = _chips(news, words) if news.name else ()
        return CardContent(
            look,
            sound,
            words.title(code, time=time),
            _dots(direction, reader_label),
            news.name or words.title("gate.unknown_name"),
            chips=known,
            advice=words.remedy(code),
        )
    sub = _dots(f"{direction} {words.clock(news.at)}".strip(), reader_label)
    figure = "" if news.days_this_month is None else words.title("gate.days", days=news.days_this_month)
    if news.outcome is Outcome.RECORDED_CHECK:
        return _check(news, words, sub, figure)
    yen = "" if news.retirement_yen is None else words.title("gate.retirement", yen=f"{news.retirement_yen:,}")
    chips = _chips(news, words)
    return CardContent(look, sound, words.title(code), sub, news.name, chips, (), figure, yen)


def _check(news: Announcement, words: Words, sub: str, figure: str) -> CardContent:
    open_reasons = [reason for reason in news.reasons if not reason.personal]
    personal = len(open_reasons) < len(news.reasons)
    look, sound = LOOKS[news.outcome]
    notes = tuple(words.title(f"reason.{reason.value}") for reason in open_reasons[:2])
    advices = [words.remedy(f"reason.{reason.value}") for reason in open_reasons]
    office = words.title(f"reason.{Reason.VISIT_OFFICE.value}")
    advice = office if personal or not advices or office in advices else advices[0]
    # Only personal reasons: the next in line reads no more than "recorded, please drop by".
    code = "outcome.recorded" if personal and not notes else "outcome.recorded_check"
    return CardContent(look, sound, words.title(code), sub, news.name, _chips(news, words), notes, figure, advice)


def _refused(news: Announcement, words: Words, reader_label: str) -> CardContent:
    look, sound = LOOKS[Outcome.REFUSED]
    codes = [f"reason.{reason.value}" for reason in news.reasons if not reason.personal]
    return CardContent(
        look,
        sound,
        words.title("outcome.refused"),
        reader_label,
        words.title(codes[0]) if codes else words.remedy("outcome.refused"),
        advice=words.remedy(codes[0]) if codes else "",
    )


def _entered(news: Announcement, words: Words) -> CardContent:
    return CardContent(
        Look.PENDING,
        Sound.CHECK,
        words.title("gate.entered"),
        f"{words.direction(news.direction)} {words.clock(news.at)}".strip(),
        news.name,
        chips=_chips(news, words),
        advice=words.remedy("gate.entered"),
    )


def alarm_content(alarm: StorageAlarm, words: Words) -> CardContent:
    """The words of a storage alarm."""
    cause = words.known(alarm.code, "gate.alarm_cause")
    return CardContent(
        Look.BAD,
        Sound.ALARM,
        words.title("gate.alarm"),
        "",
        words.title("gate.again"),
        notes=tuple(part for part in (cause.title, cause.remedy) if part),
        advice=words.remedy("gate.alarm"),
        loud=True,
    )


def _chips(news: Announcement, words: Words) -> tuple[Chip, ...]:
    company = news.company or words.title("gate.no_company")
    if news.company and news.tier is not None:
        company = words.title("gate.company_tier", company=news.company, tier=words.tier(news.tier))
    work = news.occupation or words.title("gate.no_occupation")
    if news.role:
        work = f"{work}・{news.role}"
    chips = [Chip(company), Chip(work)]
    if news.level in LEVELS:
        chips.append(Chip(words.title(f"gate.level_{news.level}"), news.level))
    return tuple(chips)


def _dots(*parts: str) -> str:
    return "  ·  ".join(part for part in parts if part)
