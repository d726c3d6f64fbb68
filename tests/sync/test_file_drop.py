"""Letters on a stick: the station's adapter and the centre's half against each other, real stores below both.

Promises: what was handed over waits until the centre named it; lost, doubled, old, changed and cut-off files lose
nothing and count nothing twice; what is not the centre's, or not for this station, is not believed.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uuid_utils
import zstandard
from sqlalchemy import select

from app import codec
from app.central import drop
from app.central import schema as t
from app.central.administration import revoke_station
from app.central.credentials import new_code
from app.central.database import CentralDatabase
from app.domain.events import Draft, rfc3339
from app.domain.outbox import records_scope
from app.drop_seal import BadLetter, Keys, Kind, PublicKeys, head_of, name, unpacked, write
from app.errors import EnvironmentTrouble, InputRefused
from app.store.outbox import Outbox
from app.sync import file_drop
from app.sync.drop_folder import folder_of
from app.sync.status import SyncStatus
from app.wiring.centre import DROP_PAGE
from tests.central.world import ACT, CARD, NOW, SITE, SITE_FILE, WORKER, World
from tests.helpers.drop_bench import Bench, Gate
from tests.sync.conftest import draft


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        db = CentralDatabase.open(f"sqlite:///{tmp_path / 'central.db'}")
        stack.callback(db.close)
        yield Bench(World(db, tmp_path), tmp_path, stack)


def test_there_and_back(bench: Bench) -> None:
    gate = bench.gate()
    assert {w for w in gate.roster.load(SITE).workers} >= {WORKER}, "the roster came with the enrolment"
    ids = gate.touch(5)
    status = gate.trip()
    assert (status.pending, status.handed, status.last_sync_at, gate.error) == (5, 5, None, None), "not sent yet"
    (taken, *_), again = bench.take(), bench.take()
    assert (taken.result, taken.accepted) == ("taken", 5)
    assert [(one.result, one.accepted) for one in again] == [("again", 5)], "the same file, the same word"
    status = gate.trip()
    assert (status.pending, status.handed, status.accepted, status.chain_state) == (0, 0, 5, "ok")
    assert status.last_sync_at == NOW
    assert bench.held() == ids
    bench.take()
    gate.trip()
    assert gate.roster.cursor(records_scope(SITE, "2026-11")), "and the centre's work records came back"


def test_two_stations_share_a_stick_and_see_each_others_feed(bench: Bench) -> None:
    first, second = bench.gate(1), bench.gate(2)
    told = first.touch(3) + second.touch(4)
    first.trip(), second.trip()
    assert sorted(one.accepted for one in bench.take()) == [3, 4]
    assert (first.trip().pending, second.trip().pending) == (0, 0)
    assert sorted(bench.held()) == sorted(told)


def test_a_lost_stick_loses_nothing_and_tells_nothing(bench: Bench) -> None:
    gate = bench.gate()
    ids = gate.touch(4)
    gate.trip()
    letters = b"".join(bench.letters().values())
    for secret in (CARD.encode(), ids[0].encode(), gate.station_id.encode(), WORKER.encode(), "見本".encode()):
        assert secret not in letters
    shutil.rmtree(bench.stick)
    gate.touch(2)
    status = gate.trip()
    assert gate.code_said == "sync.offline_drop_missing"
    assert (status.pending, status.handed, status.online) == (6, 4, False)
    bench.stick.mkdir()  # another stick, not prepared: or the bare place of none
    gate.trip()
    assert gate.error is not None
    assert not list(bench.stick.iterdir())
    drop.prepare(bench.stick, PublicKeys.read(bench.centre_key))
    status = gate.trip()
    assert (status.handed, status.online, status.last_error) == (6, True, None), "all of it is on the new stick"
    bench.take()
    assert gate.trip().pending == 0
    assert len(bench.held()) == len(set(bench.held())) == 6


def test_a_running_gate_finds_the_stick_by_itself(bench: Bench) -> None:
    gate = bench.gate()
    bench.take()
    rounds = gate.rounds
    assert rounds is not None
    rounds.start()
    rounds.tick()
    away = bench.folder / "away"

    def later(seconds: float) -> SyncStatus:
        bench.clock.advance(seconds)
        rounds.tick()
        return rounds.status

    gate.touch(2)
    rounds.wake(frozenset({"touch"}))
    before = bench.letters("s-")
    assert later(1).handed == 0
    assert bench.letters("s-") == before, "a touch alone does not wear the stick out"
    assert later(75).handed == 2
    before = bench.letters("s-")
    later(75)
    assert bench.letters("s-") == before, "nothing new: nothing is written"
    bench.stick.rename(away)
    gate.touch(1)
    status = later(75)
    assert (status.online, status.last_error, status.pending, status.handed) == (
        False, "sync.offline_drop_missing", 3, 2,
    )  # fmt: skip
    away.rename(bench.stick)
    status = later(31)
    assert (status.online, status.last_error, status.handed) == (True, None, 3)
    bench.take()
    status = later(75)
    assert (status.pending, status.handed, status.accepted) == (0, 0, 3)


def test_old_files_of_both_sides_do_no_harm(bench: Bench) -> None:
    gate = bench.gate()
    gate.touch(2)
    gate.trip()
    old_letter = bench.letters("s-")
    bench.take()
    old_answer = bench.letters("c-")
    assert gate.trip().pending == 0
    gate.touch(1)
    with bench.world.db.read() as tx:
        first = tx.execute(select(t.event.c.id)).scalars().first()
    for file, data in {**old_letter, **old_answer}.items():
        (bench.stick / file).write_bytes(data)
    gate.trip()
    assert (gate.pending, gate.error) == (1, None)
    for file, data in old_letter.items():  # a copy of last week's stick turns up at the centre
        (bench.stick / file).write_bytes(data)
    assert sorted(one.result for one in bench.take()) == ["again", "taken"]
    assert gate.trip().pending == 0
    assert len(bench.held()) == 3
    assert bench.held()[0] == first


def test_an_old_receipt_does_not_settle_what_was_sent_again(bench: Bench) -> None:
    gate = bench.gate()
    bench.world.load({**SITE_FILE, "site": {"id": "99990000000003", "name": "別"}})
    gate.log.append_many([draft(77, "99990000000003", card_key=CARD)])
    gate.trip()
    bench.take()
    receipts = bench.letters("c-")
    assert gate.trip().rejected == 1
    (row,) = gate.outbox.needing_look()
    gate.outbox.resend([row[1].id])
    for file, data in receipts.items():
        (bench.stick / file).write_bytes(data)
    gate.start()
    assert (gate.trip().pending, gate.error) == (1, None), "it waits for the word on the new letter"


Forge = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "forge",
    [
        lambda data: data[:-1],
        lambda data: data[:60],
        lambda data: b"",
        lambda data: data[:25] + bytes([data[25] ^ 1]) + data[26:],
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        lambda data: data + b"x",
        lambda data: b"\xff" * 5000,
    ],
    ids=["cut", "stub", "empty", "head", "signature", "sealed", "longer", "noise"],
)
def test_a_changed_file_is_refused_on_both_sides_and_stays(bench: Bench, forge: Forge) -> None:
    gate = bench.gate()
    gate.touch(3)
    gate.trip()
    ((file, letter),) = bench.letters("s-").items()
    (bench.stick / file).write_bytes(forge(letter))
    (refused,) = bench.take()
    assert refused.result == "refused"
    assert refused.why
    assert bench.held() == []
    assert (bench.stick / file).exists()
    (bench.stick / file).write_bytes(letter)
    bench.take()
    answer = name(False, gate.me, head_of(letter).number)
    good = (bench.stick / answer).read_bytes()
    (bench.stick / answer).write_bytes(forge(good))
    gate.touch(1)
    status = gate.trip()
    assert gate.code_said == "sync.drop_refused"
    assert gate.error is not None
    assert answer in gate.error.where
    assert (status.pending, status.handed) == (4, 4), "what waits goes out all the same"
    assert (bench.stick / answer).exists()
    (bench.stick / answer).write_bytes(good)
    assert gate.trip().pending == 1


def test_nobody_else_can_speak_for_the_centre_or_a_station(bench: Bench) -> None:
    gate, other = bench.gate(1), bench.gate(2)
    gate.touch(2)
    gate.trip()
    ((file, letter),) = bench.letters(f"s-{gate.me}").items()
    number, centre = head_of(letter).number, PublicKeys.read(bench.centre_key)
    mine, stranger = name(False, gate.me, number), Keys.new()
    verdicts = codec.encode({"server_time": "2026-11-21T00:00:00Z"})
    for forged in (
        write(Kind.ANSWER, number, stranger, gate.keys.public, verdicts),
        write(Kind.ANSWER, number, other.keys, gate.keys.public, verdicts),
        (bench.stick / file).read_bytes(),
    ):
        (bench.stick / mine).write_bytes(forged)
        gate.trip()
        assert gate.code_said == "sync.drop_refused"
        assert gate.pending == 2
    (bench.stick / mine).unlink()
    # the other station's answer under this one's name
    other.touch(1)
    other.trip()
    bench.take()
    theirs = max(bench.letters(f"c-{other.me}").items())
    ours = max(bench.letters(f"c-{gate.me}").items())
    (bench.stick / ours[0]).write_bytes(theirs[1])
    gate.trip()
    assert gate.code_said == "sync.drop_refused"
    # and towards the centre: a stranger, a station that is not known, another station's batch under one's own key
    before = bench.held()
    batch = {"station_id": gate.station_id, "events": [], "chain_end": None}
    body = codec.encode({"app_version": "9", "batches": [batch]})
    for keys in (stranger, other.keys):
        forged = write(Kind.EVENTS, 99, keys, centre, body)
        (bench.stick / name(True, keys.public.fingerprint, 99)).write_bytes(forged)
    results = {one.file: (one.result, one.why) for one in bench.take()}
    assert results[name(True, stranger.public.fingerprint, 99)][0] == "refused"
    assert results[name(True, other.me, 99)] == ("refused", "station_mismatch")
    assert bench.held() == before


def test_a_receipt_with_ids_that_are_not_ours_settles_nothing(bench: Bench) -> None:
    gate = bench.gate()
    (id_,) = gate.touch()
    gate.trip()
    keys = drop.keys_of(bench.world.db)
    result = {"verdict": "accepted"}
    batch = {
        "results": [{"id": id_, **result}, {"id": "somebody-elses", **result}],
        "chain_head": {"seq": 1, "hash": "00"},
        "server_time": "2026-11-21T00:00:00Z",
    }
    answer = codec.encode({"server_time": "2026-11-21T00:00:00Z", "batches": [batch]})
    (bench.stick / name(False, gate.me, 50)).write_bytes(write(Kind.ANSWER, 50, keys, gate.keys.public, answer))
    gate.trip()
    assert gate.code_said == "sync.bad_answer"
    assert gate.pending == 1


def test_a_bomb_is_not_unpacked() -> None:
    packed = zstandard.compress(bytes(200 * 1024 * 1024))
    with pytest.raises(BadLetter, match="too much"):
        unpacked(packed)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "sync.offline_drop_full"),
        (errno.EROFS, "sync.offline_drop_readonly"),
        (errno.EIO, "sync.offline_drop_missing"),
    ],
)
def test_a_stick_that_does_not_take_it_is_said_and_comes_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    gate = bench.gate()
    bench.take()
    gate.touch(3)
    before = bench.letters("s-")

    def fails(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fails)
        status = gate.trip()
    assert gate.code_said == code
    assert (status.pending, status.handed) == (3, 0)
    assert bench.letters("s-") == before, "the last whole letter is still there"
    assert not list(bench.stick.glob("*.new"))
    assert gate.trip().handed == 3
    bench.take()
    assert gate.trip().pending == 0


def test_killed_in_mid_write_leaves_no_half_letter(bench: Bench) -> None:
    program = (
        "import sys, itertools; from pathlib import Path; from app.files import write_carried\n"
        "target = Path(sys.argv[1]); data = bytes(30_000_000)\n"
        "for n in itertools.count(): write_carried(target, bytes([n % 256]) * 30_000_000); print(n, flush=True)"
    )
    gate = bench.gate()
    gate.touch(3)
    gate.trip()
    target = bench.stick / name(True, gate.me, 90)
    dice = random.Random(3)
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.15))
        writer.kill()
        writer.wait()
        writer.stdout.close()
        data = target.read_bytes()
        assert len(data) == 30_000_000
        assert len(set(data)) == 1, "the old one or the new one"
    (bench.stick / f"{name(True, gate.me, 91)}.new").write_bytes(b"half")
    assert [one.result for one in bench.take()] == ["taken", "refused"]
    assert gate.trip().pending == 0
    assert not target.exists()
    assert not list(bench.stick.glob("*.new")), "swept by its owner"


def test_killed_between_reading_and_writing_down(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = bench.gate()
    gate.touch(3)
    gate.trip()
    bench.take()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Outbox, "settle", dies)
        with pytest.raises(KeyboardInterrupt):
            gate.trip()
    assert gate.pending == 3
    gate.start()
    assert (gate.trip().pending, gate.error) == (0, None), "the receipt was not counted as read"


def test_the_centre_dies_in_a_letter_and_takes_it_whole_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = bench.gate()
    bench.take()
    gate.touch(450)  # three batches
    gate.trip()
    real, calls = drop.checked_batch, []

    def second_fails(*args: Any) -> Any:
        calls.append(1)
        work = real(*args)
        return work if len(calls) == 1 else lambda tx: (_ for _ in ()).throw(OSError(errno.EIO, "gone"))

    with monkeypatch.context() as broken:
        broken.setattr(drop, "checked_batch", second_fails)
        with pytest.raises(EnvironmentTrouble, match="drop_folder"):
            bench.take()
    assert bench.held() == [], "all of a letter or nothing"
    (taken,) = bench.take()
    assert (taken.result, taken.accepted) == ("taken", 450)
    assert gate.trip().pending == 0


def test_a_revoked_station_is_told_and_keeps_everything(bench: Bench) -> None:
    gate = bench.gate()
    gate.touch(2)
    gate.trip()
    revoke_station(bench.world.db, bench.world.clock, gate.station_id, ACT)
    (refused,) = bench.take()
    assert (refused.result, refused.why) == ("refused", "station_revoked")
    status = gate.trip()
    assert gate.code_said == "sync.forbidden_station_revoked"
    assert (status.pending, bench.held()) == (2, [])


def test_a_wrong_code_and_an_old_answer_do_not_enrol(bench: Bench) -> None:
    gate = Gate(bench, 1)
    good, gate.code = gate.code, new_code()
    with pytest.raises(EnvironmentTrouble, match="drop_enrol"):
        gate.enrol()
    assert [one.why for one in bench.take()] == ["code_unknown"]
    with pytest.raises(Exception, match="enrol_unknown"):
        gate.enrol()
    gate.code = good
    with pytest.raises(EnvironmentTrouble, match="drop_enrol"):
        gate.enrol()  # the answer that lies there is to another request
    bench.take()
    secret = gate.enrol()
    assert [one.result for one in bench.take()] == ["again"]
    assert gate.enrol() == secret, "the same request again: the same answer"


def test_a_file_url_is_a_folder_and_nothing_else(bench: Bench) -> None:
    assert folder_of("file:///media/usb%20stick/x") == Path("/media/usb stick/x")
    for wrong in ("file:///", "file://server/share", "https://x/y"):
        with pytest.raises(InputRefused, match="address"):
            folder_of(wrong)


@pytest.mark.long
def test_twenty_thousand_in_one_trip(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    gate = bench.gate()
    bench.take()
    bench.page = DROP_PAGE
    people = [f"9000000001{n:04d}" for n in range(400)]
    bench.world.load(
        {
            **SITE_FILE,
            "workers": [{"id": person, "name": person} for person in people],
            "assignments": [
                {"id": f"a-{p}", "worker_id": p, "company_id": "90000000000122", "occupation": "04"} for p in people
            ],
            "cards": [{"id": f"felica:0140{p[2:]}", "worker_id": p} for p in people],
        }
    )
    first = NOW - timedelta(days=25)
    drafts = []
    for n in range(20_000):  # 25 days, 400 people, in and out; ids and idms as random as they come
        at = first + timedelta(days=n // 800, seconds=n % 800 * 40)
        one = draft(n, SITE, card_key=f"felica:0140{people[n % 400][2:]}", reader="pasori:usb", clock=dict(_CLOCK))
        payload = {**one.payload, "direction": "out" if n % 800 >= 400 else "in", "work_day": f"{at:%Y-%m-%d}"}
        stamp = rfc3339(at)
        drafts.append(Draft(str(uuid_utils.uuid7()), one.type, SITE, stamp, stamp, payload))
    gate.log.append_many(drafts)
    start = time.perf_counter()
    status = gate.trip()
    wrote = time.perf_counter() - start
    assert (status.pending, status.handed) == (20_000, 20_000)
    letters = bench.letters("s-")
    start = time.perf_counter()
    taken = bench.take()
    took = time.perf_counter() - start
    assert (sum(one.accepted for one in taken), {one.result for one in taken}) == (20_000, {"taken"})
    answers = [bench.stick.joinpath(file.replace("s-", "c-", 1)).stat().st_size for file in letters]
    start = time.perf_counter()
    status = gate.trip()
    read = time.perf_counter() - start
    assert (status.pending, status.rejected, status.accepted) == (0, 0, 20_000)
    assert bench.held() == [one.id for one in drafts], "each once, in order"
    size = sum(map(len, letters.values()))
    with capsys.disabled():
        print(
            f"\n20,000 touches in {len(letters)} letters: {size / 20_000:.1f} B an event, answers "
            f"{sum(answers) / 20_000:.1f}; written in {wrote:.1f} s, taken in {took:.1f} s, read in {read:.1f} s"
        )
    assert size < 20_000 * 150


_CLOCK = {"skew_ms": 12, "suspect": False}


@pytest.mark.long
def test_a_trip_too_large_for_one_letter_goes_in_several(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_drop, "LETTER_BYTES", 200_000)
    gate = bench.gate()
    bench.take()
    ids = gate.touch(3_000)
    gate.trip()
    assert len(bench.letters("s-")) > 2
    bench.take()
    assert gate.trip().pending == 0
    assert sorted(bench.held()) == sorted(ids)
