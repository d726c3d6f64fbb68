"""A script is played as written, and a mistake in it is refused by file and line."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.errors import InputRefused
from app.messages import explain
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, ReaderCondition, ReaderEvent, ReaderState
from app.readers.scripted import ScriptedReader

CARD = {"card": "felica:01 01 00 00 00 00 12 34"}


def script(folder: Path, *lines: object) -> Path:
    file = folder / "morning.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return file


def test_plays_the_file(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        {"after_s": 0.01, **CARD, "assurance": "open", "hold_s": 0.01},
        "",
        {"unreadable": True},
        {"state": "no_reader", "detail": "cable"},
        {"state": "ready"},
        {"after_s": 0, "card": "uid:04a1b2c3"},
    )
    said: list[ReaderEvent] = []
    stop = threading.Event()

    def emit(event: ReaderEvent) -> None:
        said.append(event)
        if isinstance(event, CardRemoved) and sum(isinstance(e, CardRemoved) for e in said) == 2:
            stop.set()

    ScriptedReader(file, SystemClock()).run(emit, stop)
    seen = [e for e in said if isinstance(e, CardSeen)]
    assert [(e.card_key, e.assurance, e.source) for e in seen] == [
        ("felica:0101000000001234", Assurance.OPEN, "scripted"),
        ("uid:04A1B2C3", Assurance.UID, "scripted"),
    ]
    states = [(e.condition, e.detail) for e in said if isinstance(e, ReaderState)]
    assert (ReaderCondition.NO_READER, "cable") in states
    assert sum(isinstance(e, CardUnreadable) for e in said) == 1
    assert {e.reader for e in said} == {"scripted:morning.jsonl"}


def test_stops_at_once_while_a_card_lies_there(tmp_path: Path) -> None:
    reader = ScriptedReader(script(tmp_path, {**CARD, "hold_s": 600}), SystemClock())
    stop = threading.Event()
    seen = threading.Event()
    thread = threading.Thread(target=reader.run, args=(lambda e: seen.set() if isinstance(e, CardSeen) else None, stop))
    thread.start()
    assert seen.wait(10)
    stop.set()
    reader.interrupt()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Expecting"),
        ("[]", "an object"),
        ({}, "exactly one"),
        ({**CARD, "unreadable": True}, "exactly one"),
        ({**CARD, "hold": 1}, "unknown here: hold"),
        ({"unreadable": True, "hold_s": 1}, "unknown here: hold_s"),
        ({"unreadable": False}, "unreadable is true"),
        ({"card": "felica:12"}, "8 bytes in hex"),
        ({"card": 12}, "card is a text"),
        ({**CARD, "assurance": "sure"}, "assurance: unknown value 'sure'"),
        ({**CARD, "after_s": -1}, "after_s"),
        ({**CARD, "hold_s": True}, "hold_s"),
        ({**CARD, "hold_s": 1e9}, "hold_s"),
        ({"state": "fine"}, "state: unknown value 'fine'"),
        ({"state": "failed", "detail": 1}, "detail is a text"),
    ],
)
def test_mistake_is_named_by_file_and_line(tmp_path: Path, line: object, problem: str) -> None:
    file = script(tmp_path, CARD, "", line)
    with pytest.raises(InputRefused) as refused:
        ScriptedReader(file, SystemClock())
    assert (refused.value.code, refused.value.where) == ("reader.script_line", f"{file}:3")
    assert problem in str(refused.value)
    assert len(explain(refused.value)) == 3


def test_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "morning.jsonl"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputRefused, match=r"reader\.script_unreadable"):
        ScriptedReader(file, SystemClock())
