"""A centre with a site, stations and a clock that stands still; events as stations make them."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uuid_utils
from sqlalchemy import select

from app import codec
from app.central import schema as t
from app.central.api import create_app
from app.central.audit import Act
from app.central.database import CentralDatabase
from app.central.enrolment import issue_code
from app.central.settings import CentralSettings
from app.central.site_load import SiteLoaded, load_site
from app.domain.events import GENESIS, next_hash

SITE = "99990000000001"
OTHER = "99990000000002"
WORKER = "90000000000121"
SECOND = "90000000000221"
CARD = "felica:0123456789ABCDEF"
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
TODAY = "2026-11-21"
ACT = Act("test", "because")

SITE_FILE: dict[str, Any] = {
    "site": {"id": SITE, "name": "架空タワー"},
    "companies": [{"id": "90000000000022", "name": "架空建設"}, {"id": "90000000000122", "name": "見本鉄筋"}],
    "contracts": [
        {"id": "c-0", "company_id": "90000000000022", "tier": 0},
        {"id": "c-1", "company_id": "90000000000122", "tier": 1, "parent_id": "c-0"},
    ],
    "occupations": [{"id": "04", "name": "鉄筋工"}],
    "roles": [{"id": "1", "name": "職長"}],
    "workers": [
        {"id": WORKER, "name": "見本 太郎", "insurance_confirmed": True},
        {"id": SECOND, "name": "見本 花子", "insurance_confirmed": False},
        {"id": "L-1", "name": "SAMPLE", "residence_expires_on": "2027-01-20"},
    ],
    "assignments": [
        {"id": "a-1", "worker_id": WORKER, "company_id": "90000000000122", "occupation": "04", "role": "1"}
    ],
    "cards": [{"id": CARD, "worker_id": WORKER}],
    "operators": [
        {"id": "foreman", "name": "F", "roles": ["foreman"]},
        {"id": "approver", "name": "A", "roles": ["approver"]},
        {"id": "boss", "name": "B", "roles": ["administrator"]},
        {"id": "nobody", "name": "N"},
    ],
}


class StillClock:
    """A clock that moves when told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Move to a moment."""
        self._now = now

    def forward(self, **delta: float) -> None:
        """Move on."""
        self._now += timedelta(**delta)

    def monotonic(self) -> float:
        return self._now.timestamp()

    def skew_ms(self) -> int | None:
        return None

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        """Never asked of a centre."""


@dataclass
class World:
    """The centre under test. `call` goes through the whole ASGI application in this process."""

    db: CentralDatabase
    folder: Path
    clock: StillClock = field(default_factory=StillClock)
    settings: CentralSettings = field(default_factory=CentralSettings)

    def __post_init__(self) -> None:
        self.app = create_app(self.db, self.clock, self.settings)

    def call(self, method: str, path: str, *, token: str = "", **kwargs: Any) -> httpx.Response:
        """One request."""
        headers = {"Accept-Encoding": "identity", **kwargs.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://centre") as client:
                return await client.request(method, path, headers=headers, **kwargs)

        return asyncio.run(go())

    def load(self, value: Mapping[str, Any] | None = None, *, replace: bool = False) -> SiteLoaded:
        """Load a site file."""
        path = self.folder / f"site-{uuid.uuid4()}.json"
        path.write_text(json.dumps(value or SITE_FILE, ensure_ascii=False), encoding="utf-8")
        return load_site(self.db, self.clock, path, replace=replace)

    def code(self, *site_ids: str, uses: int = 1, **kwargs: Any) -> str:
        """An enrolment code."""
        return issue_code(self.db, self.clock, site_ids or (SITE,), uses, **kwargs).enrolment_code

    def enrol(self, code: str, installation: str | None = None) -> httpx.Response:
        """Ask to become a station."""
        body = {
            "enrolment_code": code,
            "installation_id": installation or str(uuid.uuid4()),
            "station_name": "門1",
            "app_version": "0.1.0",
        }
        return self.call("POST", "/v1/stations/enrol", json=body)

    def token(self, client_id: str, secret: str) -> httpx.Response:
        """Ask for a token."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        return self.call("POST", "/v1/token", data=form)

    def station(self, *site_ids: str, role: str = "gate") -> Station:
        """An enrolled station with a token."""
        answer = self.enrol(self.code(*site_ids, role=role))
        assert answer.status_code == 201, answer.text
        who = answer.json()
        token = self.token(who["station_id"], who["client_secret"]).json()["access_token"]
        return Station(self, who["station_id"], who["client_secret"], token)

    def records(self, site_id: str = SITE) -> dict[tuple[str, str], dict[str, Any]]:
        """Standing work records by (worker, day)."""
        with self.db.read() as tx:
            rows = tx.execute(select(t.work_record).where(t.work_record.c.site_id == site_id)).mappings().all()
        return {
            (row["worker_id"], row["work_day"]): {**row, "events": codec.decode(row["events"], list)}
            for row in rows
            if row["events"] != "[]"
        }


@dataclass
class Station:
    """A station: makes events with gapless seqs, and keeps its own chain."""

    world: World
    id: str
    secret: str
    access_token: str
    seq: int = 0
    site_id: str = SITE
    hash: bytes = GENESIS

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """GET with this station's token."""
        return self.world.call("GET", path, token=self.access_token, **kwargs)

    def page(self, path: str, cursor: str | None = None, **params: str) -> dict[str, Any]:
        """A page."""
        if cursor is not None:
            params["cursor"] = cursor
        answer = self.get(path, params=params)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def everything(self, path: str, cursor: str | None = None, **params: str) -> tuple[list[dict[str, Any]], str]:
        """All items since a cursor, page by page, and where that ends."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.page(path, cursor, **params)
            items += page["items"]
            cursor = page["cursor"]
            if not page["more"]:
                return items, page["cursor"]

    def event(self, kind: str, payload: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """The next event; also moves the chain on."""
        self.seq += 1
        made = {
            "id": str(uuid_utils.uuid7()),
            "seq": self.seq,
            "type": kind,
            "site_id": self.site_id,
            "occurred_at": f"{TODAY}T07:30:00.000+09:00",
            "recorded_at": f"{TODAY}T07:30:00.100+09:00",
            "payload": dict(payload),
            **fields,
        }
        self.hash = next_hash(self.hash, codec.canonical(made))
        return made

    def touch(self, worker: str | None = WORKER, **payload: Any) -> dict[str, Any]:
        """A touch."""
        fields = {name: payload.pop(name) for name in ("occurred_at", "site_id", "id", "seq") if name in payload}
        base = {
            "card_key": CARD,
            "direction": "in",
            "work_day": TODAY,
            "assurance": "open",
            "reader": "pcsc:TEST",
            "source": "gate",
            "clock": {"skew_ms": None, "suspect": False},
            **({"worker_id": worker} if worker else {}),
        }
        return self.event("touch", {**base, **payload}, **fields)

    def entry(self, by: str = "foreman", **payload: Any) -> dict[str, Any]:
        """A direct entry."""
        base = {"worker_id": WORKER, "work_day": TODAY, "reason": "カード忘れ", "entered_by": by}
        return self.event("entry", {**base, **payload})

    def approval(self, entry: str, by: str = "approver", decision: str = "approved") -> dict[str, Any]:
        """A word on an entry."""
        return self.event("approval", {"entry": entry, "decision": decision, "by": by})

    def correction(self, target: str, op: str = "void", by: str = "foreman", **fields: Any) -> dict[str, Any]:
        """A correction."""
        extra = {"fields": fields} if op == "set" else {}
        return self.event("correction", {"target": target, "op": op, "reason": "誤り", "by": by, **extra})

    def binding(self, card_key: str, worker: str, valid_from: str = "2026-01-01") -> dict[str, Any]:
        """A card is a worker's."""
        return self.event(
            "card_binding", {"card_key": card_key, "worker_id": worker, "valid_from": valid_from, "by": "foreman"}
        )

    def roster_change(self, kind: str, key: str, by: str = "foreman", **fields: Any) -> dict[str, Any]:
        """A change of the roster."""
        return self.event("roster_change", {"kind": kind, "key": key, "fields": fields, "reason": "変更", "by": by})

    @property
    def chain_end(self) -> dict[str, Any]:
        """The end of the own chain."""
        return {"seq": self.seq, "hash": self.hash.hex()}

    def push(self, events: Sequence[Any], chain_end: Any = None, **kwargs: Any) -> httpx.Response:
        """Send a batch."""
        body: dict[str, Any] = {"station_id": self.id, "events": list(events)}
        if chain_end is not None:
            body["chain_end"] = chain_end
        return self.world.call("POST", "/v1/events/batch", token=self.access_token, json=body, **kwargs)

    def verdicts(self, events: Sequence[Any], chain_end: Any = None) -> list[tuple[str, str | None]]:
        """Send a batch that is taken: (verdict, code) each."""
        answer = self.push(events, chain_end)
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [r["id"] for r in results] == [e["id"] for e in events]
        return [(r["verdict"], r["code"]) for r in results]


def in_threads(count: int, work: Any) -> list[Any]:
    """Run `work(i)` in so many threads at once; their results, or the first error."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(i: int) -> None:
        try:
            gate.wait(30)
            results[i] = work(i)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=run, args=(i,), name=f"test-{i}") for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return results
