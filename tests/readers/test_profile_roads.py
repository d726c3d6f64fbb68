"""Card profiles over both real roads: pcscd with an emulated reader, nfcpy's UDP pair. The same card is the same."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.domain.ids import card_key
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.verdict import CardRead, ClockState, Outcome, Reason, judge
from app.messages import say
from app.readers.port import CardRemoved, CardSeen, ReaderEvent
from app.readers.specs import PasoriSpec
from app.readers.supervisor import Supervisor
from app.resources import resource
from app.wiring.card_profiles import load
from app.wiring.readers import build
from tests.helpers import sample_card
from tests.helpers.udp_card import PATIENCE_S, CardProcess, free_port
from tests.helpers.vpcd_bench import SLOT_A, SLOT_B, Bench

SAMPLE = resource("card_profiles", "sample-felica-digits.toml")
IDM = sample_card.IDM
Told = dict[str, Any]
Touch = Callable[..., Told]
"""Puts a FeliCa card on (idm, blocks by service) and gives what its reader said of it."""


class Udp:
    """nfcpy's pair."""

    def __init__(self, files: list[Path]) -> None:
        self._events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
        port = free_port()
        clock = SystemClock()
        reader = build(PasoriSpec(f"udp:127.0.0.1:{port}"), clock, None, [load(file) for file in files])
        self.supervisor = Supervisor([reader], self._events.put, clock)
        self.cards = CardProcess(port)

    def touch(self, idm: str = IDM, blocks: dict[str, list[str]] | None = None, **card: Any) -> Told:
        self.cards.touch(idm=idm, hold_s=0.2, blocks=blocks or {}, **card)
        while True:
            event = self._events.get(timeout=PATIENCE_S)
            if isinstance(event, CardSeen):
                told = {
                    "key": event.card_key,
                    "assurance": event.assurance.value,
                    "attributes": dict(event.attributes),
                    "refused": event.refused,
                }
                while not isinstance(self._events.get(timeout=PATIENCE_S), CardRemoved):
                    pass
                return told


@contextmanager
def udp(*files: Path) -> Iterator[Touch]:
    road = Udp(list(files))
    road.supervisor.start()
    with road.cards:
        yield road.touch
    assert road.supervisor.stop()


@contextmanager
def pcsc(bench: Bench, *files: Path) -> Iterator[Touch]:
    bench.do("service", on=True)
    bench.do("profile_reader", files=[str(file) for file in files])
    bench.wait_state(SLOT_B, "ready")

    def touch(idm: str = IDM, blocks: dict[str, list[str]] | None = None, **card: Any) -> Told:
        numbered = {service: sample_card.by_number(some) for service, some in (blocks or {}).items()}
        bench.do("insert", slot=0, number=idm, blocks=numbered, **card)
        seen = bench.wait_card("CardSeen")
        bench.do("remove", slot=0)
        bench.wait_card("CardRemoved")
        return {name: seen[name] for name in ("key", "assurance", "attributes", "refused")}

    yield touch


def _with_fallback(folder: Path) -> Path:
    text = SAMPLE.read_text(encoding="utf-8").replace("fallback_uid = false", "fallback_uid = true")
    file = folder / SAMPLE.name
    file.write_text(text, encoding="utf-8")
    return file


GOOD: Told = {"key": sample_card.KEY, "assurance": "open", "attributes": sample_card.ATTRIBUTES, "refused": None}


def _refused(why: str) -> Told:
    said = {"profile": "sample-felica-digits", "content_refused": why}
    return {"key": f"felica:{IDM}", "assurance": "uid", "attributes": said, "refused": "card_content"}


CARDS: list[tuple[dict[str, list[str]], Told]] = [
    ({"3E0B": sample_card.sample_blocks()}, GOOD),
    ({"3E0B": sample_card.sample_blocks(number=sample_card.WRONG_NUMBER)}, _refused("card_number: luhn")),
    ({"3E0B": sample_card.sample_blocks()[:5]}, _refused("area: absent")),
    ({"090F": sample_card.sample_blocks()}, _refused("area: absent")),
    ({}, _refused("area: absent")),
]


def test_the_same_card_is_the_same_on_both_roads(bench: Bench) -> None:
    """Key, fields and assurance; a wrong check digit, a short area, another service, no service."""
    with pcsc(bench, SAMPLE) as over_pcsc, udp(SAMPLE) as over_udp:
        for blocks, expected in CARDS:
            assert over_pcsc(blocks=blocks) == expected
            assert over_udp(blocks=blocks) == expected


def test_a_card_without_the_area_falls_back_where_the_profile_says_so(bench: Bench, tmp_path: Path) -> None:
    file = _with_fallback(tmp_path)
    with pcsc(bench, file) as over_pcsc, udp(file) as over_udp:
        for touch in (over_pcsc, over_udp):
            told = touch(blocks={"090F": sample_card.sample_blocks()})
            assert told == {"key": f"felica:{IDM}", "assurance": "uid", "attributes": {}, "refused": None}
            # recorded truthfully, and refused where only the open area counts
            assert _judged(told, Site("S", "現場", accepted=(Assurance.OPEN,))) == (
                Outcome.REFUSED, (Reason.ASSURANCE_TOO_LOW,),
            )  # fmt: skip
            wrong = touch(blocks={"3E0B": sample_card.sample_blocks(mark="GENBA-OTHER!")})
            assert wrong == _refused("mark: fixed")  # a content that fails does not fall back


@pytest.mark.parametrize(
    ("idm", "reason"),
    [("01FE112233445566", Reason.RANDOM_ID), ("0" * 16, Reason.BLANK_ID), ("F" * 16, Reason.BLANK_ID)],
)
def test_felica_ids_that_must_not_count(bench: Bench, idm: str, reason: Reason) -> None:
    """Over both real roads, with profiles in force, to the sentence at the gate."""
    with pcsc(bench, SAMPLE) as over_pcsc, udp(SAMPLE) as over_udp:
        for touch in (over_pcsc, over_udp):
            told = touch(idm=idm)
            assert told["key"] == f"felica:{idm}"
            assert _judged(told) == (Outcome.REFUSED, (reason,))
            assert say(f"reason.{reason}", "ja").remedy == "CCUSカードをタッチしてください"


def test_type_a_ids_that_must_not_count(bench: Bench) -> None:
    """A phone's wallet (08…), empty and cloned chips. nfcpy's UDP pair has no type A card: PC/SC alone."""
    mifare = "3B8F8001804F0CA000000306030001000000006A"
    with pcsc(bench, SAMPLE) as touch:
        for number, reason in (("08A1B2C3", "random_id"), ("00000000", "blank_id"), ("FFFFFFFF", "blank_id")):
            told = touch(idm=number, atr=mifare)
            assert told["key"] == f"uid:{number}"
            assert _judged(told) == (Outcome.REFUSED, (Reason(reason),))
        assert touch(idm="04A1B2C3D4E5F6", atr=mifare)["key"] == "uid:04A1B2C3D4E5F6"


def test_system_codes_are_asked_for_over_nfcpy(tmp_path: Path) -> None:
    file = tmp_path / SAMPLE.name
    text = SAMPLE.read_text(encoding="utf-8")
    file.write_text(text.replace('service = "3E0B"', 'service = "3E0B"\nsystem_codes = ["12FC"]'), encoding="utf-8")
    with udp(file) as touch:
        blocks = {"3E0B": sample_card.sample_blocks()}
        assert touch(blocks=blocks, system_code="12FC") == GOOD
        assert touch(blocks=blocks, system_code="8008") == _refused("area: absent")


def test_pages_of_a_type_a_chip(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "pages.toml"
    file.write_text(_PAGES, encoding="utf-8")
    with pcsc(bench, file) as touch:
        mifare = "3B8F8001804F0CA000000306030001000000006A"
        told = touch(idm="04A1B2C3D4E5F6", atr=mifare, pages={"4": b"1234".hex(), "5": b"5674".hex()})
        assert (told["key"], told["assurance"], told["refused"]) == ("profile:pages:12345674", "open", None)


_PAGES = """
schema = 1
name = "pages"
version = "1"
label = { ja = "頁", en = "pages" }
assurance = "open"
[match]
kind = "type_a"
blocks = "4-5"
block_bytes = 4
[[fields]]
name = "number"
offset = 0
length = 8
encoding = "ascii_digits"
checks = [{ rule = "luhn" }]
[use]
card_key = "number"
"""


def _judged(told: Told, site: Site | None = None) -> tuple[Outcome, tuple[Reason, ...]]:
    read = CardRead(
        card_key(told["key"]),
        Assurance(told["assurance"]),
        datetime(2026, 11, 20, tzinfo=UTC),
        Reason(told["refused"]) if told["refused"] else None,
        worker_id=told["attributes"].get("worker_id"),
    )
    empty, clock = Roster(), ClockState()
    found = judge(read, site=site or Site("S", "現場"), roster=empty, last=None, chosen=None, clock=clock)
    return found.outcome, found.reasons


# -- fitting a card by the command line ------------------------------------------------------------------------------


def _genba(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "app", "--data-dir", str(folder), "--language", "en", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_fitting_an_unknown_card_by_the_command_line(tmp_path: Path) -> None:
    """The walk-through of docs/card-profiles.md with its card: dump, write, check, try, mend, try, list."""
    port = free_port()
    reader = f"pasori:udp:127.0.0.1:{port}"
    blocks = {"3E0B": sample_card.sample_blocks()}
    card = {"idm": IDM, "blocks": blocks, "hold_s": 1.0, "timeout_s": 60}
    file = tmp_path / "card_profiles" / "our-card.toml"
    file.parent.mkdir()
    with CardProcess(port) as cards:
        cards.put(**card)
        dumped = _genba(
            tmp_path, "profile", "dump", "--reader", reader, "--service", "3E0B", "--blocks", "0-5", "--json"
        )
        assert dumped.returncode == 0, dumped.stderr
        assert json.loads(dumped.stdout)["blocks"] == sample_card.by_number(blocks["3E0B"])
        cards.answer()

        start = _DOCUMENTED
        file.write_text(start.replace("offset = 32", "offset = 28"), encoding="utf-8")
        refused = _genba(tmp_path, "profile", "check", str(file))
        assert refused.returncode == 3
        assert "overlaps worker_id" in refused.stderr
        assert f"{file}: $.fields[1]" in refused.stderr

        file.write_text(start.replace("offset = 32", "offset = 33"), encoding="utf-8")  # one byte too far
        assert _genba(tmp_path, "profile", "check", str(file)).returncode == 0
        cards.put(**card)
        tried = _genba(tmp_path, "profile", "try", str(file), "--reader", reader, "--seconds", "30")
        assert tried.returncode == 3, tried.stderr
        assert "wrong check digit (luhn)" in tried.stdout
        cards.answer()

        file.write_text(start, encoding="utf-8")
        cards.put(**card)
        fitted = _genba(tmp_path, "profile", "try", str(file), "--reader", reader, "--json")
        assert fitted.returncode == 0, fitted.stderr
        told = json.loads(fitted.stdout)
        assert (told["card_key"], told["assurance"]) == (f"profile:our-card:{sample_card.NUMBER}", "open")
        assert (told["worker_id"], told["expires_on"]) == (sample_card.WORKER, "2035-03-31")
        assert told["fields"][0]["raw"] == sample_card.WORKER.encode().hex().upper()
        cards.answer()
    listed = json.loads(_genba(tmp_path, "profile", "list", "--json").stdout)
    assert {row["name"]: row["in_force"] for row in listed} == {
        "our-card": False, "sample-felica-digits": False, "sample-uid": False,
    }  # fmt: skip


_MANUAL = (Path(__file__).parents[2] / "docs" / "card-profiles.md").read_text(encoding="utf-8")
_DOCUMENTED = _MANUAL.split("```toml\n")[1].split("```")[0]


def test_dump_and_try_say_what_is_missing(tmp_path: Path) -> None:
    port = free_port()
    reader = f"pasori:udp:127.0.0.1:{port}"
    with CardProcess(port) as cards:
        cards.put(idm=IDM, blocks={"3E0B": sample_card.sample_blocks()[:4]}, hold_s=1.0, timeout_s=60)
        dumped = _genba(tmp_path, "profile", "dump", "--reader", reader, "--service", "3E0B", "--blocks", "0-5")
        assert dumped.returncode == 0
        assert "Blocks that could not be read: 4, 5" in dumped.stdout
        cards.answer()
        cards.put(idm=IDM, hold_s=1.0, timeout_s=60)
        tried = _genba(tmp_path, "profile", "try", str(SAMPLE), "--reader", reader)
        assert tried.returncode == 3
        assert "No block of this service can be read" in tried.stdout
        cards.answer()


def test_commands_that_cannot_be_done(tmp_path: Path) -> None:
    reader = f"pasori:udp:127.0.0.1:{free_port()}"
    none = _genba(tmp_path, "profile", "dump", "--reader", reader, "--service", "3E0B", "--seconds", "1.5")
    assert none.returncode == 4
    assert "No card was put on within 1.5 seconds" in none.stderr
    for wrong in (("--service", "3E0"), ("--service", "3E0X"), ("--service", "3E0B", "--blocks", "5-0")):
        refused = _genba(tmp_path, "profile", "dump", *wrong)
        assert refused.returncode == 3
        assert wrong[-1] in refused.stderr
    assert _genba(tmp_path, "profile", "check", str(tmp_path / "none.toml")).returncode == 3


def test_card_on_a_pcsc_reader_by_the_command_line(bench: Bench, tmp_path: Path) -> None:
    """`try` inside the namespace of the real stack."""
    bench.do("service", on=True)
    blocks = {"3E0B": sample_card.by_number(sample_card.sample_blocks())}
    bench.do("insert", slot=0, number=IDM, blocks=blocks)
    command = [sys.executable, "-W", "error", "-m", "app", "--data-dir", str(tmp_path), "profile", "try"]
    code, said = bench.do("run", command=[*command, str(SAMPLE), "--reader", "pcsc"])
    assert code == 0, said
    assert sample_card.KEY in said
    assert SLOT_A in said
