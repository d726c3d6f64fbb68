"""Runs where a road is (under umockdev, inside a namespace): the same read by the program and by a bare loop, in turns.

    python -m tests.helpers.readers_bench udp PORT ROUNDS
    python -m tests.helpers.readers_bench usb ROUNDS
    python -m tests.helpers.readers_bench pcsc ROUNDS TRUST CARD…    (JSON of secure cards, and what judges them)

A card with four blocks lies on the reader. Prints one JSON object: seconds of each round by name.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.readers import pcsc, usb
from app.readers.channel import CardAnswer, CardProtocol
from app.readers.felica import FelicaArea
from app.readers.pasori import PasoriReader
from app.readers.pcsc_reading import Reading
from app.readers.piv import PivCard
from app.readers.port import CardSeen, ReaderEvent
from app.readers.secure import secure_card
from app.readers.storage_card import storage_card
from app.readers.trust_folder import TrustFolder
from tests.helpers.pcsc_stack import FIRST_PORT, PcscStack
from tests.helpers.virtual_felica import VirtualCard
from tests.helpers.virtual_piv import VirtualPiv
from tests.helpers.vpcd_card import connect, serve

SERVICE = 0x100B
BLOCKS = [bytes([n]) * 16 for n in range(4)]
AREA = FelicaArea(SERVICE, tuple(range(4)))
SLOT = "Virtual PCD 00 00"
Times = dict[str, list[float]]


def in_turns(rounds: int, **works: Callable[[], object]) -> Times:
    """Each work once a round, the order turned each time: a busy machine slows all alike."""
    times: Times = {name: [] for name in works}
    for work in works.values():
        work()
    for number in range(rounds):
        for name, work in list(works.items())[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - began)
    return times


def pasori(path: str, rounds: int) -> Times:
    """From a card that was found to the event. Bare loop: nfcpy's calls (UDP), the same transfers by libusb (USB)."""
    import nfc.clf
    import nfc.tag

    usb.PCSC_SOCKET = Path("/nonexistent")
    seen: list[ReaderEvent] = []
    reader = PasoriReader(path, SystemClock(), area=AREA)
    reader._emit = seen.append
    reader._front = front = reader._open()
    found = nfc.clf.RemoteTarget("212F", sensf_req=bytearray.fromhex("00FFFF0100"))
    while (target := front.sense(found)) is None:
        time.sleep(0.05)
    number = bytes(target.sensf_res[1:9])

    def ours() -> None:
        seen.clear()
        reader._report(nfc, "felica", number, nfc.tag.activate(front, target))
        (event,) = seen
        assert isinstance(event, CardSeen)
        assert [bytes.fromhex(block) for block in event.attributes.values()] == BLOCKS

    def by_nfcpy() -> None:
        tt3 = nfc.tag.tt3
        tag = nfc.tag.activate(front, target)
        service = tt3.ServiceCode(SERVICE >> 6, SERVICE & 0x3F)
        data = tag.read_without_encryption([service], [tt3.BlockCode(n) for n in range(4)])
        assert bytes(data) == b"".join(BLOCKS)

    try:
        return in_turns(rounds, ours=ours, bare=by_nfcpy if path.startswith("udp") else replayed(front.device, ours))
    finally:
        reader._close()


def replayed(device: Any, work: Callable[[], None]) -> Callable[[], None]:
    """The USB transfers of one `work`, made by libusb alone."""
    if hasattr(device, "_pipe"):
        pipe = device._pipe
        handle, out, back = pipe._handle, pipe._out, pipe._in
    else:
        pipe = device.chipset.transport
        handle, out, back = pipe.usb_dev, pipe.usb_out.getAddress(), pipe.usb_inp.getAddress()
    transfers: list[bytes | None] = []
    write, read = pipe.write, pipe.read

    def noted_write(data: bytes, *more: float) -> None:
        transfers.append(bytes(data))
        write(data, *more)

    def noted_read(*more: float) -> Any:
        transfers.append(None)
        return read(*more)

    pipe.write, pipe.read = noted_write, noted_read
    work()
    pipe.write, pipe.read = write, read
    assert None in transfers

    def bare() -> None:
        for data in transfers:
            if data is None:
                assert handle.bulkRead(back, 300, 1000)
            else:
                handle.bulkWrite(out, data, 1000)

    return bare


class Timed:
    """A card that adds up the time of its own answers where another process can see it."""

    def __init__(self, card: Any, took: Any) -> None:
        self._card, self._took = card, took
        self.atr, self.vanish_at, self.hang_at = card.atr, None, None

    def answer(self, apdu: bytes) -> bytes:
        began = time.perf_counter()
        answer: bytes = self._card.answer(apdu)
        self._took.value += time.perf_counter() - began
        return answer


def put(card: dict[str, Any] | None, took: Any) -> None:
    """The card's process: a secure card, or a FeliCa with four blocks."""
    made: Any = VirtualPiv.of(card) if card else felica()
    serve(connect(FIRST_PORT), Timed(made, took))  # type: ignore[arg-type]


def felica() -> VirtualCard:
    return VirtualCard(number=bytes.fromhex("0101000000001234"), blocks={SERVICE: dict(enumerate(BLOCKS))})


def over_pcsc(rounds: int, trust: Path, cards: list[dict[str, Any]]) -> dict[str, Any]:
    """From a card that was noticed to the answer; for secure cards beside the card's own time."""
    from smartcard import scard

    stack = PcscStack()
    stack.start()
    clock = SystemClock()
    stop = threading.Event()
    process = multiprocessing.get_context("spawn")

    def read(protocol: CardProtocol) -> CardAnswer:
        reading = Reading("card", lambda: pcsc.new_context(scard), scard, SLOT, [protocol], 20.0, clock.monotonic)
        outcome = reading.result(stop)
        assert isinstance(outcome, CardAnswer), (outcome, reading.detail)
        return outcome

    def ours() -> None:
        assert len(read(storage_card(AREA)).attributes) == 4

    def bare() -> None:
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _, card, protocol = scard.SCardConnect(context, SLOT, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
        commands = ["FFCA000000", "FFA40001020B10", *(f"FFB000{n:02X}00" for n in range(4))]
        for command in commands:
            result, answer = scard.SCardTransmit(card, protocol, list(bytes.fromhex(command)))
            assert (result, answer[-2:]) == (0, [0x90, 0x00])
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(context)

    def lying(card: dict[str, Any] | None, took: Any) -> Any:
        child = process.Process(target=put, args=(card, took), daemon=True)
        child.start()
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        while True:  # until it is noticed
            result, handle, _ = scard.SCardConnect(context, SLOT, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
            if result == 0:
                scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
                scard.SCardReleaseContext(context)
                return child
            time.sleep(0.05)

    def gone(child: Any) -> None:
        child.kill()
        child.join()
        time.sleep(1.0)

    child = lying(None, process.Value("d", 0.0))
    report: dict[str, Any] = dict(in_turns(rounds, ours=ours, bare=bare))
    gone(child)
    secure = secure_card([PivCard(TrustFolder(trust, clock))], clock)
    for card in cards:
        took = process.Value("d", 0.0)
        child = lying(card, took)
        beyond, own = [], []
        for number in range(rounds + 1):
            before, began = took.value, time.perf_counter()
            assert read(secure).refused is None
            whole, cards_own = time.perf_counter() - began, took.value - before
            if number:  # the first reads the folder
                beyond.append(whole - cards_own)
                own.append(cards_own)
        report[card["kind"]] = {"beyond": beyond, "card": own}
        gone(child)
    stack.kill()
    return report


def main() -> None:
    road, *more = sys.argv[1:]
    if road == "udp":
        print(json.dumps(pasori(f"udp:127.0.0.1:{more[0]}", int(more[1]))))
    elif road == "usb":
        print(json.dumps(pasori("usb", int(more[0]))))
    else:
        print(json.dumps(over_pcsc(int(more[0]), Path(more[1]), [json.loads(card) for card in more[2:]])))


if __name__ == "__main__":
    main()
