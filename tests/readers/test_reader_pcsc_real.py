"""The PC/SC road against a real pcscd and an emulated reader (vpcd), cards in processes of their own."""

from __future__ import annotations

import statistics

import pytest

from tests.helpers.vpcd_bench import SLOT_A, SLOT_B, Bench

IDM = "0101000000001234"
OTHER = "0101000000005678"
BLOCK = "000102030405060708090A0B0C0D0E0F"
GET_UID = "FFCA"
READ_BLOCK = "FFB0"


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """pcscd runs, a reader watches every slot, both slots are empty."""
    bench.do("service", on=True)
    bench.do("reader")
    bench.wait_state(SLOT_B, "ready")
    assert bench.do("states") == {SLOT_A: "ready", SLOT_B: "ready"}
    return bench


def test_card_is_seen_once_and_its_removal_too(ready: Bench) -> None:
    ready.do("insert", slot=0, number=IDM)
    seen = ready.wait_card("CardSeen")
    assert (seen["key"], seen["assurance"], seen["attributes"]) == (f"felica:{IDM}", "uid", {})
    assert ready.wait_state(SLOT_A, "card_present")
    ready.quiet(2.5)  # left lying
    assert ready.count("CardSeen") == 1
    ready.do("remove", slot=0)
    ready.wait_card("CardRemoved")
    assert ready.wait_state(SLOT_A, "ready")
    assert ready.count("CardUnreadable") == 0


def test_touch_after_touch(ready: Bench) -> None:
    for number in (IDM, IDM, OTHER):
        ready.do("insert", slot=0, number=number)
        assert ready.wait_card("CardSeen")["key"] == f"felica:{number}"
        ready.do("remove", slot=0)
        ready.wait_card("CardRemoved")


def test_two_readers_at_once_each_with_its_lane(ready: Bench) -> None:
    ready.do("insert", slot=0, number=IDM)
    ready.do("insert", slot=1, number=OTHER)
    while ready.count("CardSeen") < 2:
        ready.wait(lambda e: e["event"] == "CardSeen")
    seen = {e["reader"]: e["key"] for e in ready.events if e["event"] == "CardSeen"}
    assert seen == {SLOT_A: f"felica:{IDM}", SLOT_B: f"felica:{OTHER}"}
    ready.do("remove", slot=0)
    ready.wait_card("CardRemoved", SLOT_A)
    assert ready.count("CardRemoved", SLOT_B) == 0


def test_name_part_chooses_the_reader(bench: Bench) -> None:
    bench.do("service", on=True)
    bench.do("reader", name_part="pcd 00 01")
    bench.wait_state(SLOT_B, "ready")
    bench.do("insert", slot=0, number=IDM)
    bench.do("insert", slot=1, number=OTHER)
    bench.wait_card("CardSeen", SLOT_B)
    bench.quiet(1.0)
    assert bench.do("states") == {SLOT_B: "card_present"}
    assert bench.count("CardSeen") == 1


def test_other_kinds_of_card(ready: Bench) -> None:
    mifare = "3B8F8001804F0CA000000306030001000000006A"
    ready.do("insert", slot=0, number="04A1B2C3D4E5F6", atr=mifare)
    assert ready.wait_card("CardSeen")["key"] == "uid:04A1B2C3D4E5F6"
    ready.do("insert", slot=1, atr="3B6500002063CB6600")
    assert ready.wait_card("CardUnreadable", SLOT_B)["detail"] == "no protocol knows this card"


def test_unencrypted_blocks_are_handed_on_raw(bench: Bench) -> None:
    bench.do("service", on=True)
    bench.do("reader", area=[0x090F, [0, 2]])
    bench.wait_state(SLOT_B, "ready")
    bench.do("insert", slot=0, number=IDM, blocks={"090F": {"0": BLOCK, "1": "FF" * 16, "2": BLOCK[::-1]}})
    seen = bench.wait_card("CardSeen")
    assert seen["attributes"] == {"felica.090F.0": BLOCK, "felica.090F.2": BLOCK[::-1]}
    bench.do("insert", slot=1, number=OTHER)  # has no such service: its number still counts
    assert bench.wait_card("CardSeen", SLOT_B)["attributes"] == {}


def test_card_pulled_in_mid_command(bench: Bench) -> None:
    bench.do("service", on=True)
    bench.do("reader", area=[0x090F, [0]])
    bench.wait_state(SLOT_B, "ready")
    blocks = {"090F": {"0": BLOCK}}
    for vanish_at in (GET_UID, READ_BLOCK):
        before = len(bench.events)
        bench.do("insert", slot=0, number=IDM, blocks=blocks, vanish_at=vanish_at)
        bench.wait_card("CardUnreadable")
        bench.wait_state(SLOT_A, "ready")
        said = [e["event"] for e in bench.events[before:] if e["event"] != "ReaderState"]
        assert said == ["CardUnreadable"]
    bench.do("insert", slot=0, number=IDM, blocks=blocks)
    assert bench.wait_card("CardSeen")["attributes"]["felica.090F.0"] == BLOCK


def test_no_service_at_the_start(bench: Bench) -> None:
    bench.do("reader")
    bench.wait_state("pcsc", "no_service")
    bench.quiet(1.0)
    assert bench.do("states") == {"pcsc": "no_service"}
    bench.do("service", on=True)
    bench.wait_state(SLOT_A, "ready")
    assert "pcsc" not in bench.do("states")  # the readers' own lanes speak now


def test_service_killed_and_restarted(ready: Bench) -> None:
    """Recovered within 2 s of the restart (median); a card that lies there is read again."""
    took = []
    for outage_s in (0.0, 1.0, 2.5):
        ready.do("service", on=False)
        ready.wait_state(SLOT_A, "no_service")
        ready.quiet(outage_s)
        restarted = ready.do("service", on=True)
        took.append(ready.wait_state(SLOT_A, "ready")["t"] - restarted)
    assert statistics.median(took) <= 2.0
    ready.do("insert", slot=0, number=IDM, keep=True)
    ready.wait_card("CardSeen")
    ready.do("service", on=False)
    ready.wait_card("CardRemoved")
    ready.do("service", on=True)
    assert ready.wait_card("CardSeen")["key"] == f"felica:{IDM}"


def test_card_that_never_answers(bench: Bench) -> None:
    """Its reader is given up after the limit and used again when it comes back; the other one goes on."""
    bench.do("service", on=True)
    bench.do("reader", limit_s=1.0)
    bench.wait_state(SLOT_B, "ready")
    bench.do("insert", slot=0, number=IDM, hang_at=GET_UID)
    assert bench.wait_card("CardUnreadable")["detail"] == "the card does not answer"
    bench.wait_state(SLOT_A, "failed")
    bench.do("insert", slot=1, number=OTHER)
    bench.wait_card("CardSeen", SLOT_B)
    bench.quiet(2.5)
    hung = [name for name in bench.do("threads") if name.startswith("card:")]
    assert len(hung) == 1
    assert bench.count("CardUnreadable") == 1
    bench.do("remove", slot=0)
    bench.wait_state(SLOT_A, "ready")
    bench.do("insert", slot=0, number=IDM)
    bench.wait_card("CardSeen", SLOT_A)
    assert not [name for name in bench.do("threads") if name.startswith("card:")]


def test_service_that_hangs_is_told_and_comes_back(ready: Bench) -> None:
    """A service that neither answers nor ends must not look like a reader that waits for cards."""
    ready.do("insert", slot=1, number=OTHER)
    ready.wait_card("CardSeen", SLOT_B)
    ready.do("hang", on=True)
    assert ready.wait_state(SLOT_A, "no_service")["detail"] == "the service does not answer"
    ready.wait_state(SLOT_B, "no_service")
    ready.do("hang", on=False)
    ready.wait_state(SLOT_A, "ready")
    ready.wait_state(SLOT_B, "card_present")
    ready.do("insert", slot=0, number=IDM)
    assert ready.wait_card("CardSeen")["key"] == f"felica:{IDM}"
    assert ready.count("CardSeen", SLOT_B) == 1, "it lay there all the time"
    ready.do("hang", on=True)
    ready.wait_state(SLOT_A, "no_service")
    ready.do("service", on=False)
    ready.do("service", on=True)
    ready.wait_state(SLOT_A, "ready")


def test_other_program_holds_the_card(bench: Bench) -> None:
    bench.do("service", on=True)
    bench.do("insert", slot=0, number=IDM)
    while bench.do("hold", reader="Virtual PCD 00 00") != 0:  # until the card is noticed
        bench.do("release")
    bench.do("reader")
    bench.wait_state(SLOT_A, "busy_elsewhere")
    bench.quiet(1.0)
    assert bench.count("CardSeen") == 0
    bench.do("release")
    assert bench.wait_card("CardSeen")["key"] == f"felica:{IDM}"
    bench.wait_state(SLOT_A, "card_present")


def test_user_without_the_right(bench: Bench) -> None:
    bench.do("service", on=True)
    bench.do("lock_out")
    bench.do("reader")
    bench.wait_state("pcsc", "no_permission")


def test_idle_is_cheap_and_stop_is_prompt(ready: Bench) -> None:
    assert ready.do("cpu", seconds=2.0) < 0.05  # 0.1 % measured; room for a busy machine
    ended, seconds = ready.do("stop")
    assert ended
    assert seconds < 1.0
    ready.wait_state(SLOT_A, "stopped")
    assert ready.do("threads") == ["MainThread"]
