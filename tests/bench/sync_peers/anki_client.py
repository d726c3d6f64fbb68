"""Anki as a peer of `bench_sync.py`: `python anki_client.py KIND fill|push FOLDER URL COUNT`; prints one line of JSON.

Runs in an environment of its own. KIND `note`: the same facts as our touches, one note each (id and JSON) made
through its public interface, which gives each note its card. KIND `review`: its leanest rows, those of the review
log, nine whole numbers each, written beside that interface.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path

from anki.collection import AddNoteRequest, Collection  # type: ignore[import-not-found,unused-ignore]

START_MS = 1_790_000_000_000
WAITING = {
    "note": "select count() from notes where usn = -1",
    "review": "select count() from revlog where usn = -1",
}
REVIEW = "insert into revlog values (?, ?, -1, ?, ?, ?, 2500, 8000, 1)"


def main() -> None:
    """See the module."""
    kind, what, folder, url, count = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    collection = Collection(str(folder / "collection.anki2"))
    auth = collection.sync_login("bench", "bench", url)
    if what == "fill":
        answer = collection.sync_collection(auth, sync_media=False)
        collection.close_for_full_sync()
        collection.full_upload_or_download(auth=auth, server_usn=answer.server_media_usn, upload=True)
        collection.reopen(after_full_sync=True)
        if kind == "note":
            _add_notes(collection, count)
        else:
            collection.db.executemany(REVIEW, [_review(n) for n in range(count)])
            collection.db.execute("update col set mod = ?", START_MS)  # or nothing is sent
        print(json.dumps({"events": collection.db.scalar(WAITING[kind])}))
    else:
        begin, used = time.perf_counter(), time.process_time()
        collection.sync_collection(auth, sync_media=False)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
        sent = count - collection.db.scalar(WAITING[kind])
        print(json.dumps({"seconds": seconds, "cpu": cpu, "rss_mb": _peak_mb(), "events": sent}))
    collection.close()


def _add_notes(collection: Collection, count: int) -> None:
    notetype = collection.models.by_name("Basic")
    for start in range(0, count, 1000):
        wanted = []
        for n in range(start, min(count, start + 1000)):
            note = collection.new_note(notetype)
            note.fields = list(_fields(n))
            wanted.append(AddNoteRequest(note, 1))
        collection.add_notes(wanted)


def _fields(n: int) -> tuple[str, str]:
    id_ = str(uuid.uuid4())
    body = {
        "id": id_,
        "seq": n + 1,
        "type": "touch",
        "site_id": "90000000000001",
        "occurred_at": "2026-11-20T07:40:00.000+09:00",
        "recorded_at": "2026-11-20T07:40:00.000+09:00",
        "payload": {
            "card_key": f"felica:{n % 300:016X}",
            "worker_id": f"9100000{n % 300:07d}",
            "direction": "out" if n % 2 else "in",
            "work_day": "2026-11-20",
            "assurance": "open",
            "reader": "bench:1",
            "source": "gate",
            "clock": {"skew_ms": None, "suspect": False},
        },
    }
    return id_, json.dumps(body)


def _review(n: int) -> tuple[object, ...]:
    return START_MS + n * 1000, START_MS + n % 300, 1 + n % 4, 1 + n % 30, n % 30


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
