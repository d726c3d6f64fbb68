"""The contract's shapes, version 1, shared by client and reference centre. Prose: `docs/contract.md`.

Plain dataclasses; `app.codec` reads and writes them and ignores unknown fields. Events travel as plain objects
(`app.domain.events.Event.as_wire`) so that what is hashed is exactly what was sent, unknown fields included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

API_VERSION = 1
MAX_BATCH = 1000
"""Most events in one batch."""
ZSTD = "zstd"
PROBLEM = "application/problem+json"
"""Media type of errors (RFC 9457)."""
ASK_ROTATE = "rotate_secret"
"""Change the secret."""
ASK_WITHDRAW = "withdraw"
"""This PC is lost: deliver what waits, then wipe what it holds of people."""


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    """`POST /v1/stations/enrol` → 201 EnrolAnswer. Idempotent by `installation_id` until the secret is first used."""

    enrolment_code: str
    installation_id: str
    station_name: str
    app_version: str
    restored: ChainEnd | None = None
    """Of a restored copy that has recorded since: the last seq up to which the centre has settled everything in it,
    and the copy's hash there. Makes a new station that goes on from there (docs/adr/0006)."""


@dataclass(frozen=True, slots=True)
class EnrolAnswer:
    """Who this station is from now on. The secret goes to the OS keyring and nowhere else."""

    station_id: str
    client_secret: str = field(repr=False)
    site_ids: tuple[str, ...]
    role: str = ""
    """'gate' or 'office': what the centre lets this station say (docs/contract.md). '' from a centre that does not
    tell: then only its verdicts do."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """`POST /v1/token`: OAuth 2 client credentials, form-encoded (`grant_type=client_credentials`, `client_id` = the
    station id, `client_secret`) → 200."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    """Seconds."""
    ask: str = ""
    """What the centre wants of this station: ASK_ROTATE, ASK_WITHDRAW, or nothing. Words not known here are nothing."""


@dataclass(frozen=True, slots=True)
class NextSecret:
    """`POST /v1/stations/{station_id}/secret` → 204: this secret opens as well. The old one ends when it first does."""

    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """Where the sender's chain stands at the highest seq of a batch. `hash`: 64 hex digits."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """`POST /v1/events/batch` → 200 BatchAnswer. At most `MAX_BATCH` events, any order."""

    station_id: str
    events: list[dict[str, Any]]
    chain_end: ChainEnd | None = None


class VerdictKind(StrEnum):
    """What the centre says of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Here already, with the same payload: as good as accepted."""
    CONFLICT = "conflict"
    """Here already, with another payload: kept by the station, needs a look."""
    REJECTED = "rejected"
    """Malformed or not allowed: kept by the station with `code`, needs a look."""


@dataclass(frozen=True, slots=True)
class EventVerdict:
    """The centre's word on one event that it names."""

    id: str
    verdict: VerdictKind
    code: str | None = None
    detail: str | None = None
    receipt: int | None = None
    """The centre's running number of an event it has, where it tells it."""


class ChainState(StrEnum):
    """How the station's chain stands at the centre."""

    OK = "ok"
    WAITING = "waiting"
    """Events before these have not come yet."""
    BROKEN = "broken"
    """Another hash for a known seq, or a used seq with a new id: somebody edited or put back the file."""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """`results` names every event of the request once. `chain_head`: last contiguous seq and its hash."""

    results: list[EventVerdict]
    chain_head: ChainEnd
    server_time: str
    chain_state: ChainState = ChainState.OK


@dataclass(frozen=True, slots=True)
class Page:
    """`GET /v1/sites?cursor=` and `GET /v1/sites/{site_id}/roster?cursor=`: changes since a cursor, oldest first.

    Items are `{kind, id, deleted, …}`; a deleted one has no other fields. `cursor` is opaque; repeat while `more`.
    """

    items: list[dict[str, Any]]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event made elsewhere. `receipt`: the centre's running number, by which corrections are ordered."""

    receipt: int
    station_id: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """`GET /v1/sites/{site_id}/events?cursor=&types=`."""

    items: list[FeedEvent]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class WireWorkRecord:
    """One 就業履歴 as the centre derived it."""

    worker_id: str
    work_day: str
    site_id: str
    assurance: str
    first_in: str | None = None
    last_out: str | None = None
    company_id: str | None = None
    occupation: str | None = None
    role: str | None = None
    events: tuple[str, ...] = ()
    received_month: str = ""
    """'YYYY-MM' in which the centre recognised it (billing)."""
    deleted: bool = False
    """The record stands no more (voided, or somebody else's): only its key counts."""


@dataclass(frozen=True, slots=True)
class WorkRecordPage:
    """`GET /v1/sites/{site_id}/work-records?month=YYYY-MM&cursor=`."""

    items: list[WireWorkRecord]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """A reader's state in a heartbeat."""

    reader: str
    label: str
    condition: str


@dataclass(frozen=True, slots=True)
class PcReport:
    """How the PC of a station is, for whoever watches many. Nothing of people."""

    os: str = ""
    """The system and its version; not the PC's name."""
    last_recorded_at: str | None = None
    """When the newest event was stored there."""
    disk_free_mb: int | None = None
    update: str = ""
    """'' (none known), 'found VERSION', 'ready VERSION', 'applied VERSION', or the code of what went wrong last."""
    crashed_at: str | None = None
    """When the program last ended unexpectedly, of the crashes that are still kept."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`POST /v1/stations/{station_id}/heartbeat` → 204: alive, even with nothing to send."""

    app_version: str
    pending: int
    rejected: int
    oldest_pending_at: str | None
    skew_ms: int | None
    readers: list[ReaderReport] = field(default_factory=list)
    pc: PcReport | None = None

    def as_sent(self) -> dict[str, Any]:
        """Its fields; one that came later than the first version is left out where it says nothing."""
        sent = asdict(self)
        if self.pc is None:
            del sent["pc"]
        return sent


@dataclass(frozen=True, slots=True)
class EnrolmentCodeRequest:
    """`POST /v1/enrolment-codes` (administrator) → 201."""

    site_ids: tuple[str, ...]
    uses: int = 1
    valid_days: int = 180
    role: str = "gate"
    """'gate' gets the roster without insurance and residence data, 'office' with them."""


@dataclass(frozen=True, slots=True)
class EnrolmentCodeAnswer:
    """Short enough to type: 12 characters in groups of four."""

    enrolment_code: str
    uses: int
    expires_at: str


@dataclass(frozen=True, slots=True)
class Problem:
    """RFC 9457. `code` is ours: stable, names the sentence that the client shows."""

    title: str
    status: int
    type: str = "about:blank"
    detail: str = ""
    code: str = ""
    errors: tuple[Mapping[str, str], ...] = ()
    """For 400/422: where (`$.events[3].payload.work_day`) and what."""


@dataclass(frozen=True, slots=True)
class DropPull:
    """One of the four pulls, asked by letter. `call`: 'sites', 'roster', 'events' or 'work-records'."""

    call: str
    site_id: str = ""
    month: str = ""
    types: tuple[str, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DropLetter:
    """What a station has carried to the centre (docs/file-drop.md). The first has `enrol` and `keys` alone."""

    app_version: str
    enrol: EnrolRequest | None = None
    keys: str = ""
    batches: tuple[BatchRequest, ...] = ()
    pulls: tuple[DropPull, ...] = ()
    heartbeat: Heartbeat | None = None


@dataclass(frozen=True, slots=True)
class DropPage:
    """A page, and the pull (with its cursor) that it answers."""

    pull: DropPull
    page: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DropAnswer:
    """What the centre has carried back. `request`: SHA-256 (hex) of the `enrol` that it answers, '' otherwise."""

    server_time: str
    request: str = ""
    enrolled: EnrolAnswer | None = None
    batches: tuple[BatchAnswer, ...] = ()
    pages: tuple[DropPage, ...] = ()
    problem: Problem | None = None
