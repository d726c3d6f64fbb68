"""Promise: no record vanishes silently with a damaged write-ahead log; a power cut is no damage.

Every log here is a real one: of a process that was killed while it wrote, or of a database copied while open.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.errors import StorageTrouble
from app.store import driver, rescue, wal
from app.store.audit import AuditTrail
from app.store.database import Database
from app.store.events import EventLog
from app.store.pagecode import page_code
from tests.helpers.drafts import draft
from tests.store.conftest import KEY, NAME

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from app.clock import SystemClock
from app.store.database import Database
from app.store.events import EventLog
from tests.helpers.drafts import draft
log = EventLog(Database.open(Path(sys.argv[1]), bytes(range(32)), SystemClock()))
while True:
    stored = log.append(draft())
    print(stored.seq, stored.id, flush=True)
"""


@dataclass
class Left:
    """What a killed program left. `shown`: seq and id of every touch that was told to be recorded."""

    path: Path
    shown: dict[int, str]

    @property
    def wal(self) -> Path:
        return wal.beside(self.path)

    def without_index(self) -> Left:
        """As after a power cut: the index beside the log is not synced."""
        self.path.with_name(NAME + "-shm").unlink()
        return self

    def flip(self, place: int, length: int = 1, dice: random.Random | None = None) -> bytes:
        """Alter bytes of the log; what it is then."""
        whole = bytearray(self.wal.read_bytes())
        for at in range(place, min(place + length, len(whole))):
            whole[at] ^= dice.randrange(1, 256) if dice else 0x10
        self.wal.write_bytes(whole)
        return bytes(whole)

    def kept(self) -> dict[int, str]:
        """Open it as the program does."""
        with Database.open(self.path, KEY, SystemClock()) as db, db.looking() as connection:
            assert EventLog(db).verify_chain() is None
            return dict(connection.execute("SELECT seq, id FROM event").fetchall())


def killed(folder: Path, touches: int) -> Left:
    """A writer killed (-9) after so many touches were shown, wherever it is then."""
    path = folder / NAME
    with Database.open(path, KEY, SystemClock()) as db:
        for _ in range(20):
            EventLog(db).append(draft())
        with db.looking() as connection:
            shown = dict(connection.execute("SELECT seq, id FROM event").fetchall())
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(touches):
        seq, id_ = writer.stdout.readline().split()
        shown[int(seq)] = id_
    os.kill(writer.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    for line in writer.stdout.read().splitlines(keepends=True):
        if line.endswith("\n"):
            shown[int(line.split()[0])] = line.split()[1]
    writer.wait()
    writer.stdout.close()
    return Left(path, shown)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Left:
    return killed(tmp_path_factory.mktemp("killed") / "data", 12)


@pytest.fixture
def left(once: Left, tmp_path: Path) -> Left:
    shutil.copytree(once.path.parent, tmp_path / "left")
    return Left(tmp_path / "left" / NAME, once.shown)


def last_whole(left: Left) -> int:
    """Number of the last frame of the last commit that was told: the kill may have come before it was."""
    return (wal.walk(left.wal).synced or wal.walk(left.wal).taken) - 1


def frame(n: int, at: int) -> int:
    return wal.HEADER + n * wal.FRAME + at


def test_a_killed_program_left_a_sound_log(left: Left) -> None:
    log = wal.walk(left.wal)
    assert not log.damaged
    assert log.taken > 12
    assert log.complete_at(mend=False) == log.taken - 1 == log.last_commit
    assert left.shown.items() <= left.kept().items()
    assert not left.wal.exists()
    assert not (left.path.parent / rescue.FOLDER).exists()


def test_the_code_of_a_page_is_sqlciphers(left: Left) -> None:
    raw, is_page = left.wal.read_bytes(), page_code(left.path, KEY)
    pages = set()
    for n, one in enumerate(wal.walk(left.wal).frames):
        image = raw[frame(n, 24) : frame(n + 1, 0)]
        assert is_page(image, one.page)
        assert not is_page(image, one.page + 1)
        assert not is_page(image[:-100] + bytes([image[-100] ^ 1]) + image[-99:], one.page)
        pages.add(one.page)
    assert len(pages) > 5


HEADER = [0, 3, 4, 8, 10, 12, 16, 20, 24, 29]
FRAME = [0, 3, 4, 7, 8, 12, 16, 20, 24, 27, 1000, 2222, 4056, 4119]


@pytest.mark.parametrize("place", [*(("header", at) for at in HEADER), *((n, at) for n in (0, 0.5, 1) for at in FRAME)])
def test_one_flipped_byte_loses_nothing(left: Left, place: tuple[float | str, int]) -> None:
    """In the header, and in the first, a middle and the last frame; without the index, as after a power cut."""
    part, at = place
    last = last_whole(left)
    left.without_index()
    found = left.flip(at if isinstance(part, str) else frame(int(last * part), at))
    before = left.path.read_bytes()
    assert wal.walk(left.wal).damaged
    assert left.shown.items() <= left.kept().items()
    done = rescue.standing(left.path)
    assert done is not None
    assert not done.lost
    assert (done.folder / left.wal.name).read_bytes() == found, "what was found is kept as it was"
    assert not (done.folder / NAME).exists()
    assert before
    with Database.open(left.path, KEY, SystemClock()) as db:
        (row,) = AuditTrail(db).latest(action="log_rescued")
        assert (row.ok, row.detail) == (True, f"{done.folder.name}, seq {done.seq}")
    assert len(list(done.folder.parent.iterdir())) == 1, "the second start has nothing to rescue"


@pytest.mark.parametrize("seed", range(25))
def test_a_lost_sector_is_never_silent(left: Left, seed: int) -> None:
    """512 bytes of rubbish, as disks lose them: nothing shown is missing, or it is said aloud."""
    dice = random.Random(seed)
    place = dice.randrange(0, frame(last_whole(left) + 1, 0), wal.SECTOR)
    found, before = left.flip(place, wal.SECTOR, dice), left.path.read_bytes()
    kept = left.kept()
    done = rescue.standing(left.path)
    assert done is not None
    assert (done.folder / left.wal.name).read_bytes() == found
    assert done.seq == max(kept)
    if not left.shown.items() <= kept.items():
        assert done.lost
    if done.lost:
        assert (done.folder / NAME).read_bytes() == before, "somebody may still get more out of it"
        with Database.open(left.path, KEY, SystemClock()) as db:
            assert [row.ok for row in AuditTrail(db).latest(action="log_rescued")] == [False]


def test_most_lost_sectors_lose_nothing(left: Left, tmp_path: Path) -> None:
    """A page is written again by the next touches, and then the lost image is not needed. SQLite alone would stop."""
    raw = left.wal.read_bytes()
    logs, last = [], wal.walk(left.wal).taken - 1
    for n in range(0, last - 20):
        (tmp_path / "one").write_bytes(raw[: frame(n, 600)] + os.urandom(512) + raw[frame(n, 1112) :])
        logs.append(wal.walk(tmp_path / "one"))
    assert all(log.damaged for log in logs)
    whole = sum(log.complete_at(mend=False) == last for log in logs)
    assert whole > len(logs) * 0.6, (whole, len(logs))


@pytest.mark.long
@pytest.mark.parametrize("fill", [b"", b"\0"], ids=["cut", "zeros"])
def test_a_torn_tail_is_no_damage(left: Left, tmp_path: Path, fill: bytes) -> None:
    raw = left.wal.read_bytes()
    taken = []
    for end in range(0, len(raw), wal.SECTOR):
        if fill and end == 0:
            continue  # the header is synced before the first frame
        (tmp_path / "one").write_bytes(raw[:end] + fill * (len(raw) - end))
        log = wal.walk(tmp_path / "one")
        assert not log.damaged, end
        taken.append(log.taken)
    assert taken == sorted(taken)
    assert len(set(taken)) > 10


def test_any_part_of_the_last_transaction_may_be_missing(left: Left, tmp_path: Path) -> None:
    raw, log, dice = left.wal.read_bytes(), wal.walk(left.wal), random.Random(5)
    begin = max(n for n, one in enumerate(log.frames[: log.taken - 1]) if one.commit) + 1
    cut = 0
    for _ in range(200):
        some = bytearray(raw[: frame(log.taken, 0)])
        for at in range(-(-frame(begin, 0) // wal.SECTOR) * wal.SECTOR, len(some), wal.SECTOR):
            if dice.random() < 0.3:
                some[at : at + wal.SECTOR] = bytes(len(some[at : at + wal.SECTOR]))
        (tmp_path / "one").write_bytes(some)
        found = wal.walk(tmp_path / "one")
        assert not found.damaged
        cut += found.taken == begin
    assert cut > 150


def test_with_its_index_even_the_last_transaction_is_missed(left: Left) -> None:
    """After a kill the index says how far the log was synced: a cut log is then no power cut's."""
    raw = left.wal.read_bytes()
    left.wal.write_bytes(raw[: frame(last_whole(left), 100)])
    assert wal.walk(left.wal).damaged
    missing = left.shown.keys() - left.kept().keys()
    done = rescue.standing(left.path)
    assert len(missing) <= 1
    assert done is not None
    assert done.lost


@pytest.fixture
def two_generations(tmp_path: Path) -> Left:
    """A log that was begun anew: frames of the one before stand behind those of today."""
    path = tmp_path / "gate" / NAME
    with Database.open(path, KEY, SystemClock()) as db:
        log = EventLog(db)
        for _ in range(30):
            log.append(draft())
        with db.hot():
            pass
        with db.looking() as connection:
            connection.execute("PRAGMA query_only=OFF")
            assert connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()[0][0] == 0
        for _ in range(5):
            log.append(draft())
        with db.looking() as connection:
            shown = dict(connection.execute("SELECT seq, id FROM event").fetchall())
        shutil.copytree(path.parent, tmp_path / "copy")
    return Left(tmp_path / "copy" / NAME, shown).without_index()


def test_an_older_generation_is_not_looked_at(two_generations: Left, tmp_path: Path) -> None:
    left = two_generations
    log = wal.walk(left.wal)
    assert len({one.salts for one in log.frames}) == 2
    assert not log.damaged
    assert log.taken < len(log.frames)
    shutil.copytree(left.path.parent, tmp_path / "again")
    left.flip(frame(log.taken + 20, 500))
    assert not wal.walk(left.wal).damaged, "what is moved into the database already may be anything"
    other = Left(tmp_path / "again" / NAME, left.shown)
    other.flip(frame(2, 500))
    for one in (left, other):
        assert one.kept() == one.shown
    assert rescue.standing(left.path) is None
    assert rescue.standing(other.path) is not None


@pytest.mark.parametrize("at", HEADER)
def test_without_its_header_the_newest_generation_is_taken(two_generations: Left, at: int) -> None:
    two_generations.flip(at)
    assert two_generations.kept() == two_generations.shown


def test_who_only_looks_does_not_throw_the_log_away(left: Left) -> None:
    found = left.flip(frame(3, 900))
    with pytest.raises(StorageTrouble) as caught:
        Database.look(left.path, KEY, SystemClock())
    assert caught.value.code == "store.log_damaged"
    assert left.wal.read_bytes() == found
    assert left.shown.items() <= left.kept().items()
    with Database.open(left.path, KEY, SystemClock()) as db:
        EventLog(db).append(draft())
        Database.look(left.path, KEY, SystemClock()).close()


def test_a_wrong_key_changes_nothing(left: Left) -> None:
    found = left.flip(frame(3, 900))
    with pytest.raises(StorageTrouble) as caught:
        Database.open(left.path, bytes(32), SystemClock())
    assert caught.value.code == "store.wrong_key"
    assert left.wal.read_bytes() == found
    assert not (left.path.parent / rescue.FOLDER).exists()


def test_when_nothing_is_sound_nothing_is_changed(left: Left) -> None:
    found = left.flip(frame(0, 600), 3000)
    whole = bytearray(left.path.read_bytes())
    for page in range(1, len(whole) // wal.PAGE):
        whole[page * wal.PAGE + 7] ^= 1
    left.path.write_bytes(whole)
    with pytest.raises(StorageTrouble) as caught:
        Database.open(left.path, KEY, SystemClock())
    assert caught.value.code == "store.damaged"
    assert left.wal.read_bytes() == found
    assert left.path.read_bytes() == bytes(whole)
    (folder,) = (left.path.parent / rescue.FOLDER).iterdir()
    assert (folder / left.wal.name).read_bytes() == found
    assert rescue.standing(left.path) is None


def test_no_room_no_rescue(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    found = left.flip(frame(3, 900))
    usage = shutil.disk_usage(left.path.parent)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
        with pytest.raises(StorageTrouble) as caught:
            Database.open(left.path, KEY, SystemClock())
    assert caught.value.code == "store.disk_full"
    assert left.wal.read_bytes() == found
    assert left.shown.items() <= left.kept().items()


def test_moving_the_folder_away_ends_the_warning(left: Left, tmp_path: Path) -> None:
    left.flip(frame(3, 900))
    left.kept()
    done = rescue.standing(left.path)
    assert done is not None
    (done.folder / rescue.NOTE).write_text("rubbish")
    unread = rescue.standing(left.path)
    assert unread is not None
    assert unread.lost, "a note that cannot be read is not taken for good news"
    shutil.move(done.folder, tmp_path / "at-the-office")
    assert rescue.standing(left.path) is None


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_any_damage_to_any_killed_log(tmp_path: Path) -> None:
    """Many writers, killed anywhere; many kinds of damage. Nothing shown vanishes in silence, nothing false is in."""
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)
    for number in range(12):
        made = killed(tmp_path / f"data-{number}", dice.randint(1, 60))
        for turn in range(25):
            shutil.copytree(made.path.parent, tmp_path / "left")
            left = Left(tmp_path / "left" / NAME, made.shown)
            size = left.wal.stat().st_size
            for _ in range(dice.choice((1, 1, 1, 2, 3))):
                left.flip(dice.randrange(size), dice.choice((1, 1, 2, 4, 64, 512, 4096)), dice)
            kept = left.kept()
            done = rescue.standing(left.path)
            where = f"seed {seed}, writer {number}, turn {turn}"
            assert {seq: kept[seq] for seq in kept.keys() & made.shown.keys()}.items() <= made.shown.items(), where
            if not made.shown.items() <= kept.items():
                assert done is not None, where
                assert done.lost, where
            shutil.rmtree(tmp_path / "left")


def test_what_sqlite_takes_is_what_the_walk_says(left: Left, tmp_path: Path) -> None:
    """The walk beside SQLite itself, on logs cut anywhere."""
    raw, dice = left.wal.read_bytes(), random.Random(3)
    for _ in range(30):
        end = dice.randrange(len(raw))
        left.wal.write_bytes(raw[:end])
        left.path.with_name(NAME + "-shm").unlink(missing_ok=True)
        taken = wal.walk(left.wal).taken
        copy = tmp_path / "copy"
        shutil.copytree(left.path.parent, copy)
        connection = driver.open_bare(copy / NAME, KEY)
        connection.execute("SELECT count(*) FROM event").fetchall()
        assert connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()[0][1] in (
            taken,
            -1 if not taken else taken,
        )
        connection.close()
        shutil.rmtree(copy)
