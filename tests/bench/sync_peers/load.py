"""The centre alone under load: bodies made beforehand, sent by as many stations as it has processes and more.

Centre, database and sender share this machine, and the stations' sites are their own, as on 6,500 construction sites.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import uuid_utils
import zstandard

from app import codec
from app.domain.events import GENESIS, next_hash, rfc3339
from app.wiring.centre import count_work_records
from tests.bench.sync_peers.ours_client import FIRST_DAY
from tests.bench.sync_peers.peers import centre
from tests.helpers.station_rig import call
from tests.helpers.tiny_site import tiny_site

BATCH, PEOPLE = 1000, 300


@dataclass
class Loaded:
    """What the centre took. `records`: work records that stand afterwards."""

    database: str
    processes: int
    stations: int
    events: int
    records: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def measure(folder: Path, database: str, processes: int, stations: int, batches: int) -> Loaded:
    """Every event must be accepted, every chain whole, every work record there. `batches`: a multiple of three."""
    folder.mkdir()
    sites = [tiny_site(workers=PEOPLE, id=f"9000000000{n:04d}") for n in range(1, stations + 1)]
    with centre(folder, database, processes, sites=sites) as (port, _, options):
        bodies = []
        for site in sites:
            station_id, token = _enrolled(port, folder, str(site["site"]["id"]), options)
            bodies.append((token, _bodies(station_id, site, batches)))
        faults: list[BaseException] = []
        threads = [threading.Thread(target=_send, args=(port, *one, faults)) for one in bodies]
        begin = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = perf_counter() - begin
        if faults:
            raise faults[0]
        url = options[1] if options else f"sqlite:///{folder / 'centre' / 'central.db'}"
        records = count_work_records(url)
    events = stations * batches * BATCH
    assert records == events // 2  # in and out
    return Loaded(database, processes, stations, events, records, seconds)


def _enrolled(port: int, folder: Path, site_id: str, options: Sequence[str]) -> tuple[str, str]:
    code = json.loads(call(folder / "centre", "central", "issue-code", "--site", site_id, "--json", *options))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    wanted = {
        "enrolment_code": code["enrolment_code"],
        "installation_id": str(uuid_utils.uuid7()),
        "station_name": "bench",
        "app_version": "0",
    }
    who = _asked(connection, "/v1/stations/enrol", codec.encode(wanted), {"Content-Type": "application/json"})
    form = {"grant_type": "client_credentials", "client_id": who["station_id"], "client_secret": who["client_secret"]}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    token = _asked(connection, "/v1/token", urlencode(form).encode("ascii"), headers)
    connection.close()
    return str(who["station_id"]), str(token["access_token"])


def _bodies(station_id: str, site: dict[str, Any], batches: int) -> list[bytes]:
    cards = [(str(card["id"]), str(card["worker_id"])) for card in site["cards"]]
    packer = zstandard.ZstdCompressor(level=3)
    link, seq, made = GENESIS, 0, []
    for _ in range(batches):
        events = []
        for _ in range(BATCH):
            day, turn = divmod(seq, 2 * PEOPLE)
            out, person = divmod(turn, PEOPLE)
            at = rfc3339(FIRST_DAY + timedelta(days=day, hours=10 * out, seconds=12 * person))
            seq += 1
            payload = {
                "card_key": cards[person][0],
                "worker_id": cards[person][1],
                "direction": "out" if out else "in",
                "work_day": at[:10],
                "assurance": "open",
                "reader": "bench:1",
                "source": "gate",
                "clock": {"skew_ms": None, "suspect": False},
            }
            event = {
                "id": str(uuid_utils.uuid7()),
                "seq": seq,
                "type": "touch",
                "site_id": site["site"]["id"],
                "occurred_at": at,
                "recorded_at": at,
                "payload": payload,
            }
            body = codec.canonical(event)
            link = next_hash(link, body)
            events.append(body)
        end = codec.encode({"seq": seq, "hash": link.hex()})
        head = b'{"station_id":' + codec.encode(station_id) + b',"events":['
        made.append(packer.compress(head + b",".join(events) + b'],"chain_end":' + end + b"}"))
    return made


def _send(port: int, token: str, bodies: list[bytes], faults: list[BaseException]) -> None:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Encoding": "zstd",
        "Accept-Encoding": "zstd",
    }
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for body in bodies:
            answer = _asked(connection, "/v1/events/batch", body, headers)
            assert answer["chain_state"] == "ok", answer["chain_state"]
            assert all(result["verdict"] == "accepted" for result in answer["results"])
        connection.close()
    except BaseException as fault:
        faults.append(fault)


def _asked(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> Any:
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status in (200, 201), told[:500]
    if answer.getheader("Content-Encoding") == "zstd":
        told = zstandard.ZstdDecompressor().decompress(told)
    return json.loads(told)
