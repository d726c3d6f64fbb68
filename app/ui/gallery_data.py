"""Gallery data: fictional people, companies and a gate that only remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.events import JST, Direction
from app.domain.site import Site
from app.domain.verdict import Outcome, Reason
from app.gate.look import LookRow
from app.gate.news import (
    Announcement,
    CompanyCount,
    Delivery,
    News,
    StandingWarning,
    StorageAlarm,
    Today,
    TouchLine,
    WarningLevel,
    WorkerHit,
)
from app.gate.port import PinAnswer
from app.readers.port import ReaderCondition, ReaderState

NOW = datetime(2026, 11, 20, 7, 42, 11, tzinfo=JST)
SITE = Site("00000000000001", "霞が関三丁目 共同ビル新築工事")
A, B, C = "pcsc:reader-a", "pasori:usb", "pcsc:reader-c"
LABELS = {A: "リーダー A", B: "PaSoRi RC-S300", C: "リーダー C"}


class GalleryClock:
    """A clock that stands still."""

    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def skew_ms(self) -> int | None:
        return 0

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        pass


@dataclass(frozen=True, slots=True)
class GallerySync:
    """A sync status."""

    pending: int = 3
    rejected: int = 0
    accepted: int = 120
    oldest_pending_at: datetime | None = None
    last_sync_at: datetime | None = NOW - timedelta(minutes=1)
    last_error: str | None = None
    next_attempt_at: datetime | None = None
    online: bool | None = True
    roster_at: datetime | None = None
    chain_state: str | None = None
    skew_ms: int | None = 0
    paused: str = ""
    held: bool = False
    handed: int = 0


@dataclass
class GalleryDelivery:
    """Delivery of paper: keeps what it was asked."""

    rows: list[LookRow] = field(default_factory=lambda: [*LOOK])
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def send_now(self) -> None:
        self.asked.append(("send",))

    def roster_now(self) -> None:
        self.asked.append(("roster",))

    def look(self, reply: Callable[[Sequence[LookRow]], None]) -> None:
        reply(tuple(self.rows))

    def send_again(self, ids: Sequence[str], reply: Callable[[Sequence[LookRow]], None]) -> None:
        self.asked.append(("again", *ids))
        self.rows = [row for row in self.rows if row.id not in ids]
        reply(tuple(self.rows))


@dataclass(slots=True)
class GalleryAnswer:
    """An answer to a PIN."""

    ok: bool
    wait_s: int = 0


@dataclass
class GalleryGate:
    """A gate of paper: keeps what it was asked, answers at once."""

    site: Site = SITE
    hits: list[WorkerHit] = field(default_factory=list)
    answer: GalleryAnswer = field(default_factory=lambda: GalleryAnswer(True))
    asked: list[tuple[object, ...]] = field(default_factory=list)
    listener: Callable[[News], None] | None = None

    def listen(self, listener: Callable[[News], None]) -> None:
        self.listener = listener

    def choose_direction(self, direction: Direction | None) -> None:
        self.asked.append(("direction", direction))

    def search(self, text: str, reply: Callable[[list[WorkerHit]], None]) -> None:
        self.asked.append(("search", text))
        reply([hit for hit in self.hits or HITS if text in hit.kana or text.upper() in hit.name])

    def enter_forgotten(self, worker_id: str, reason: str = "card_forgotten") -> None:
        self.asked.append(("enter", worker_id, reason))

    def set_headcount(self, company_id: str, count: int) -> None:
        self.asked.append(("headcount", company_id, count))

    def check_pin(self, pin: str, action: str, reply: Callable[[PinAnswer], None]) -> None:
        self.asked.append(("pin", len(pin), action))
        reply(self.answer)

    def refresh(self) -> None:
        self.asked.append(("refresh",))


HITS = (
    WorkerHit("1", "佐藤 健一", "さとう けんいち", "関東鉄筋"),
    WorkerHit("2", "佐藤 翔", "さとう しょう", "大日向建設"),
    WorkerHit("3", "佐々木 由美", "ささき ゆみ", "山川型枠"),
    WorkerHit("4", "NGUYEN THI PHUONG THAO", "ぐえん てぃ ふおん さお", "株式会社 東日本総合足場仮設工業 関東支店"),
    WorkerHit("5", "斎藤 誠", "さいとう まこと", "関東鉄筋"),
    WorkerHit("6", "坂本 大輔", "さかもと だいすけ", "山川型枠"),
    WorkerHit("7", "桜井 陽子", "さくらい ようこ", "大日向建設"),
)


def state(name: str, condition: ReaderCondition = ReaderCondition.READY) -> ReaderState:
    """A reader's state."""
    return ReaderState(name, LABELS[name], condition)


def recorded(lane: str = A, **changes: object) -> Announcement:
    """佐藤 健一 is recorded; `changes` replace fields."""
    fields: dict[str, object] = {
        "lane": lane,
        "outcome": Outcome.RECORDED,
        "reasons": (),
        "at": NOW,
        "id": "0192",
        "name": "佐藤 健一",
        "company": "関東鉄筋",
        "tier": 2,
        "occupation": "鉄筋工",
        "role": "職長",
        "direction": Direction.IN,
        "days_this_month": 14,
    }
    return Announcement(**(fields | changes))  # type: ignore[arg-type]


def vietnamese(lane: str = B) -> Announcement:
    """A long name, in a company with a long name."""
    return recorded(
        lane,
        name="NGUYEN THI PHUONG THAO",
        company="株式会社 東日本総合足場仮設工業 関東支店",
        tier=3,
        occupation="とび工",
        role="",
        days_this_month=9,
    )


def with_level(lane: str = A) -> Announcement:
    """A site that shows level and 建退共 見込み."""
    return recorded(lane, level=3, retirement_yen=4480)


def check(lane: str = A) -> Announcement:
    """Somebody whom the contract tree does not know."""
    return recorded(
        lane,
        outcome=Outcome.RECORDED_CHECK,
        reasons=(Reason.NOT_IN_CONTRACT_TREE,),
        name="髙﨑 翔太",
        company="",
        tier=None,
        occupation="",
        role="",
        days_this_month=3,
    )


def two_reasons(lane: str = A) -> Announcement:
    """Two open reasons and a personal one."""
    return recorded(
        lane,
        outcome=Outcome.RECORDED_CHECK,
        reasons=(Reason.ROLE_MISSING, Reason.CARD_EXPIRING, Reason.VISIT_OFFICE),
        name="山本 由美",
        company="㈱髙﨑建設",
        tier=1,
        role="",
        days_this_month=12,
    )


def personal(lane: str = A) -> Announcement:
    """Only a personal reason: for the office list, not for the gate."""
    return recorded(lane, outcome=Outcome.RECORDED_CHECK, reasons=(Reason.VISIT_OFFICE,), name="田中 大輔")


def unknown(lane: str = A) -> Announcement:
    """A card nobody registered."""
    return Announcement(lane, Outcome.UNKNOWN_CARD, (), NOW, id="0193", card_masked="•••• ••47", direction=Direction.IN)


def double(lane: str = A) -> Announcement:
    """A second touch."""
    first = NOW - timedelta(seconds=20)
    return recorded(lane, outcome=Outcome.SUPPRESSED, first_at=first, days_this_month=None)


def refused(lane: str = A, reason: Reason = Reason.RANDOM_ID) -> Announcement:
    """A card that cannot be used."""
    return Announcement(lane, Outcome.REFUSED, (reason,), NOW, id="0194", card_masked="•••• ••08")


def unreadable(lane: str = A) -> Announcement:
    """Nothing could be read."""
    return Announcement(lane, Outcome.UNREADABLE, (), NOW)


def entered() -> Announcement:
    """A person without a card."""
    return recorded("", entered=True, days_this_month=None)


ALARM = StorageAlarm(A, NOW, "store.disk_full")

_PEOPLE: tuple[tuple[int, str, Outcome, Delivery], ...] = (
    (3, "佐藤 健一", Outcome.RECORDED, Delivery.WAITING),
    (10, "NGUYEN THI PHUONG THAO", Outcome.RECORDED, Delivery.WAITING),
    (16, "髙﨑 翔太", Outcome.RECORDED_CHECK, Delivery.WAITING),
    (24, "", Outcome.UNKNOWN_CARD, Delivery.SENT),
    (31, "鈴木 一郎", Outcome.RECORDED, Delivery.SENT),
    (35, "山本 由美", Outcome.SUPPRESSED, Delivery.SENT),
    (41, "BUDI SANTOSO", Outcome.RECORDED, Delivery.NEEDS_LOOK),
    (49, "田中 大輔", Outcome.RECORDED, Delivery.SENT),
    (52, "", Outcome.REFUSED, Delivery.SENT),
    (58, "伊藤 誠", Outcome.RECORDED, Delivery.SENT),
    (70, "渡辺 直樹", Outcome.RECORDED, Delivery.SENT),
)
LINES = tuple(
    TouchLine(
        str(ago),
        NOW - timedelta(seconds=ago),
        name,
        outcome,
        Direction.NONE if outcome is Outcome.REFUSED else Direction.IN,
        delivery,
        entered=name == "田中 大輔",
    )
    for ago, name, outcome, delivery in _PEOPLE
)
COMPANIES = (
    CompanyCount("11", "大日向建設", 12, 14, 13),
    CompanyCount("12", "関東鉄筋", 9, 9, None),
    CompanyCount("13", "株式会社 東日本総合足場仮設工業", 8, 10, 8),
    CompanyCount("14", "山川型枠", 6, 7, None),
    CompanyCount("15", "一人親方 坂本", 1, 0, None),
    CompanyCount("16", "青葉電設", 2, 5, None),
)
TODAY = Today("2026-11-20", LINES, COMPANIES, 38)
LOOK: tuple[LookRow, ...] = (
    LookRow("a1", 41, NOW - timedelta(days=2), "entry", "too_late", "佐藤 健一"),
    LookRow("a2", 57, NOW - timedelta(days=1), "touch", "site_not_allowed", "NGUYEN THI PHUONG THAO", "felica:…0147"),
    LookRow("a3", 58, NOW - timedelta(hours=1), "touch", "payload_differs", "", "uid:…08A4"),
    LookRow("a4", 59, NOW - timedelta(minutes=9), "roster_change", "operator_not_allowed"),
)
WARNINGS = (
    StandingWarning("health.clock_behind", WarningLevel.SHOUT, (("minutes", "14"),)),
    StandingWarning("health.key_file", WarningLevel.WHISPER),
)
