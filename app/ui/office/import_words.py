"""How the import pages say things: the importer's sentences, times to the second, spans, rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.office.import_port import BadRow, Correction, Plan, Progress, Said
from app.office.shapes import Right, SignedIn
from app.ui.words import Words

UNREADABLE, FUTURE, OUTSIDE = "unreadable", "future", "outside_site"
_BAD_KINDS = {"import.row_future": FUTURE, "import.row_outside_site": OUTSIDE}
_DAY_S = 86_400


def sentence(words: Words, said: Said) -> str:
    """Where, what, what to do; on one line."""
    message = words.known(said.code, "office.bug", said.values)
    where = f"{said.where}: " if said.where else ""
    return f"{where}{message.title} → {message.remedy}" if message.remedy else f"{where}{message.title}"


def reason(words: Words, said: Said) -> str:
    """What is wrong, without what to do."""
    return words.known(said.code, "office.bug", said.values).title


def remedy(words: Words, said: Said) -> str:
    """What to do; may be empty."""
    return words.known(said.code, "office.bug", said.values).remedy


def no_right(words: Words, person: SignedIn | None) -> str:
    """Why who sits here may not bind cards nor take imports back."""
    withheld = person is not None and Right.CARDS in person.withheld
    return words.title("cards.gate_station" if withheld else "wizard.no_right")


def grouped(said: Said) -> Said:
    """With its counts as 42,000."""
    values = {name: f"{int(value):,}" if str(value).isdecimal() else value for name, value in said.values.items()}
    return replace(said, values=values)


def device_moment(text: str) -> str:
    """A device's own time, '2026-11-19T07:40:12', like `moment`; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(text):%Y/%m/%d %H:%M:%S}"
    except ValueError:
        return text


def moment(words: Words, at: datetime | None) -> str:
    """'2026/11/19 07:40:12', local; '' for none."""
    return f"{at.astimezone(words.zone):%Y/%m/%d %H:%M:%S}" if at is not None else ""


def date(words: Words, at: datetime | None) -> str:
    """'2026/11/19', local; '' for none."""
    return f"{at.astimezone(words.zone):%Y/%m/%d}" if at is not None else ""


def span(words: Words, seconds: float) -> str:
    """A length of time: '12分3秒', '12 min 3 s'; the sign is left out."""
    rest = round(abs(seconds))
    days, rest = divmod(rest, _DAY_S)
    parts = (("d", days), ("h", rest // 3600), ("m", rest // 60 % 60), ("s", rest % 60))
    said = [words.title(f"wizard.span_{unit}", count=count) for unit, count in parts if count]
    return ("" if words.language == "ja" else " ").join(said[:2]) or words.title("wizard.span_s", count=0)


def encoding(words: Words, name: str) -> str:
    """An encoding's name for the screen."""
    plain = name.removesuffix("-sig").removesuffix("-le").removesuffix("-be").replace("-", "_")
    return words.title(f"wizard.encoding_{plain}") if plain in ("cp932", "utf_8", "utf_16") else name


def shift(at: datetime | None, correction: Correction) -> str:
    """How far a row's time was moved, as '+12:03'; '' where nothing was."""
    if at is None or not (correction.offset_s or correction.drift_ppm):
        return ""
    seconds = correction.offset_s
    if correction.since is not None and correction.drift_ppm:
        seconds += (at - correction.since).total_seconds() * correction.drift_ppm / 1e6
    sign, whole = "−" if seconds < 0 else "+", round(abs(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{sign}{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{sign}{minutes}:{whole % 60:02}"


def found(words: Words, correction: Correction, worst_s: float) -> str:
    """What the pairs of times say about the device's clock."""
    offset = correction.offset_s
    if abs(offset) < 1:
        said = words.title("wizard.clock_right")
    else:
        said = words.title("wizard.clock_fast" if offset < 0 else "wizard.clock_slow", span=span(words, offset))
    if correction.drift_ppm:
        a_day = timedelta(days=1).total_seconds() * correction.drift_ppm / 1e6
        code = "wizard.drift_fast" if a_day < 0 else "wizard.drift_slow"
        said += words.title(code, seconds=f"{abs(a_day):.1f}", worst=f"{worst_s:.0f}")
    return said


def pace(words: Words, news: Progress) -> str:
    """How far, how fast, how long still."""
    said = words.title("wizard.pace", done=f"{news.done:,}", total=f"{news.total:,}", rate=f"{news.rows_per_s:,.0f}")
    if news.seconds_left is None:
        return said
    return said + words.title("wizard.pace_left", span=span(words, news.seconds_left))


def bad_kind(row: BadRow) -> str:
    """Under which of a plan's three counts a bad row falls."""
    return _BAD_KINDS.get(row.problem.code, UNREADABLE)


def adds_up(plan: Plan) -> bool:
    """Whether the numbers are what `Plan` promises; the page says nothing that does not add up."""
    new = plan.recorded + plan.recorded_check + plan.unknown_card + plan.suppressed + plan.refused
    bad = plan.unreadable + plan.future + plan.outside_site
    return plan.read == plan.known + plan.new + plan.bad and plan.new == new and plan.bad == bad
