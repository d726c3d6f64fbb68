"""Cards for nfcpy's UDP reader, in a process of their own: `python -m app.readers.virtual_card --udp HOST:PORT`.

Every line on standard input puts a card on the reader `pasori:udp:HOST:PORT`, one after the other:

    {"idm": "0123456789ABCDEF", "hold_s": 0.5, "system_code": "12FC", "timeout_s": 5,
     "blocks": {"090F": ["00112233445566778899AABBCCDDEEFF"]}}

(only `idm` is needed; `blocks`: hex of each block by service code) and is answered, once the card is gone again, by one
on standard output: `{"idm": "0123456789ABCDEF", "read": true, "seconds": 0.012}`; `read` is false when no reader came
within `timeout_s`, `seconds` counts from the line's turn to the reader's first command after finding the card. A line
that is no card is answered with `{"error": "…"}`.

The end of standard input (the parent went away) ends the process. Exit codes: 0, 2 usage, 4 the port is taken.

Why not nfcpy's own card side: it binds the port only while a card is shown, so the reader's question that is already
under way is lost and the next comes a second later. Here the port is held all the time; a card that is put on answers
the question that is still open. What a card answers is nfcpy's Type 3 tag emulation; the frames are its UDP driver's.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from app.clock import Clock, SystemClock
from app.readers.specs import udp_address

Address = tuple[str, int]

HOLD_S = 0.5
TIMEOUT_S = 5.0
LIMIT_S = 600.0
OPEN_QUESTION_S = 0.9
"""A reader's question can be answered for this long; nfcpy's UDP driver waits 1 s for each."""
PARENT_S = 0.5
"""Seconds between two looks whether the parent still lives, once it has closed our input."""
GONE_S = 3.0
"""The longest wait for the reader to notice that a card is gone."""
_BITRATE = b"212F"
_POLLING = b"\x06\x00"
_WAKE = b"WAKE"
_PMM = bytes.fromhex("FFFFFFFFFFFFFFFF")
"""Slowest answer times, unknown chip type: a busy machine may take its time to answer a read."""


@dataclass(frozen=True, slots=True)
class Card:
    """A FeliCa card to be shown."""

    idm: bytes
    system_code: bytes = bytes.fromhex("12FC")
    hold_s: float = HOLD_S
    timeout_s: float = TIMEOUT_S
    blocks: dict[int, list[bytes]] = field(default_factory=dict)


class PortTaken(Exception):
    """Another program (another tray of cards) uses the port."""


class CardSide:
    """Holds the port and shows cards on it. One thread, except `wake`."""

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        """Raises PortTaken, OSError for a host that is none."""
        self._clock = clock
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError as exc:
            self._socket.close()
            raise PortTaken(f"{host}:{port}: {exc}") from exc
        self._question: tuple[bytes, Address, float] | None = None
        """The last polling frame that was not answered, who asked, and when."""

    def close(self) -> None:
        self._socket.close()

    def wake(self) -> None:
        """Let `idle` return. Any thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(_WAKE, self._socket.getsockname())

    def idle(self) -> None:
        """Keep the reader's open question in mind until `wake`."""
        while self._receive(None) is not None:
            pass

    def show(self, card: Card) -> dict[str, Any]:
        """Put a card on until it was read and held, then take it away. The answer line."""
        began = self._clock.monotonic()
        tag = _tag(card)
        reader = self._found_by(card, tag, began + card.timeout_s)
        if reader is not None:
            reader = self._next_from(reader, tag, began + card.timeout_s)
        seconds = self._clock.monotonic() - began
        if reader is not None:
            reader = self._hold(reader, tag, self._clock.monotonic() + card.hold_s)
            self._gone(reader)
        return {"idm": card.idm.hex().upper(), "read": reader is not None, "seconds": round(seconds, 4)}

    def _found_by(self, card: Card, tag: Any, until: float) -> Address | None:
        """Answer the first reader that asks for such a card; None when none did in time."""
        if self._question is not None and self._clock.monotonic() - self._question[2] < OPEN_QUESTION_S:
            frame, reader, _when = self._question
            if self._answer(tag, frame, reader):
                return reader
        while (left := until - self._clock.monotonic()) > 0:
            heard = self._receive(left)
            if heard and heard[0].startswith(_POLLING) and self._answer(tag, *heard):
                return heard[1]
        return None

    def _next_from(self, reader: Address, tag: Any, until: float) -> Address | None:
        """Wait for the reader that found the card to go on with it: only now was it really read."""
        while (left := until - self._clock.monotonic()) > 0:
            heard = self._receive(left)
            if heard is None:
                continue
            frame, sender = heard
            self._answer(tag, frame, sender)
            if sender == reader:
                return reader
            reader = sender  # its next look came first: it finds the card again
        return None

    def _hold(self, reader: Address, tag: Any, until: float) -> Address:
        """Let the card lie there; who spoke to it last (a reader that was started again finds it too)."""
        while (left := until - self._clock.monotonic()) > 0:
            heard = self._receive(left)
            if heard is not None and self._answer(tag, *heard):
                reader = heard[1]
        return reader

    def _gone(self, reader: Address) -> None:
        """Say nothing until the reader looks for the next card: it does so from another port."""
        until = self._clock.monotonic() + GONE_S
        while (left := until - self._clock.monotonic()) > 0:
            heard = self._receive(left)
            if heard and heard[1] != reader:
                return

    def _receive(self, timeout_s: float | None) -> tuple[bytes, Address] | None:
        """The next frame and its sender; None after the time-out or when woken."""
        self._socket.settimeout(timeout_s)
        while True:
            try:
                data, sender = self._socket.recvfrom(1024)
            except TimeoutError:
                return None
            except ConnectionResetError:  # Windows: an answer went to a port that was closed by then
                continue
            if data == _WAKE:
                return None
            bitrate, _, digits = data.partition(b" ")
            try:
                frame = bytes.fromhex(digits.decode("ascii"))
            except ValueError:
                continue  # 'RFOFF' and anything else that is no frame
            if bitrate != _BITRATE or not frame or frame[0] != len(frame):
                continue
            self._question = (frame, sender, self._clock.monotonic()) if frame.startswith(_POLLING) else None
            return frame, sender

    def _answer(self, tag: Any, frame: bytes, reader: Address) -> bool:
        """Let the card answer a frame; False when it keeps silent."""
        answer = tag.process_command(bytearray(frame))
        if answer is None:
            return False
        self._question = None
        self._socket.sendto(_BITRATE + b" " + bytes(answer).hex().encode(), reader)
        return True


def _tag(card: Card) -> Any:
    """nfcpy's emulated tag of a card; only its command processing is used."""
    import nfc.clf
    import nfc.tag.tt3

    identity = bytearray(b"\x01" + card.idm + _PMM + card.system_code)
    target = nfc.clf.LocalTarget("212F", sensf_res=identity, tt3_cmd=bytearray())
    tag = nfc.tag.tt3.Type3TagEmulation(None, target)
    for service, blocks in card.blocks.items():
        tag.add_service(service, lambda n, _begin, _end, b=blocks: b[n] if n < len(b) else None, None)
    return tag


def parse_card(line: str) -> Card:
    """A card from its line. Raises ValueError with what is wrong."""
    item = json.loads(line)
    if not isinstance(item, dict):
        raise ValueError("a line is an object {…}")
    unknown = sorted(set(item) - {"idm", "hold_s", "system_code", "timeout_s", "blocks"})
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}")
    services = item.get("blocks", {})
    if not isinstance(services, dict):
        raise ValueError("blocks: an object of lists by service code")
    return Card(
        _hex(item.get("idm"), 8, "idm"),
        _hex(item.get("system_code", "12FC"), 2, "system_code"),
        _seconds(item, "hold_s", HOLD_S),
        _seconds(item, "timeout_s", TIMEOUT_S),
        {
            int.from_bytes(_hex(code, 2, "blocks")): [_hex(block, 16, "blocks") for block in blocks]
            for code, blocks in services.items()
        },
    )


def _hex(value: object, length: int, name: str) -> bytes:
    if isinstance(value, str):
        try:
            data = bytes.fromhex(value)
        except ValueError:
            data = b""
        if len(data) == length:
            return data
    raise ValueError(f"{name}: {length} bytes in hex")


def _seconds(item: dict[str, Any], name: str, default: float) -> float:
    value = item.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LIMIT_S:
        raise ValueError(f"{name}: seconds from 0 to {LIMIT_S:.0f}")
    return float(value)


def serve(cards: CardSide, lines: TextIO, answers: TextIO) -> None:
    """Show the card of each line until the lines end. Raises BrokenPipeError when nobody takes the answers."""
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    parent = os.getppid()

    def read() -> None:
        for line in lines:
            waiting.put(line)
            cards.wake()
        waiting.put(None)
        cards.wake()
        # lines from a file are played to their end, but not for a parent that is dead (Windows cannot tell)
        while not ended.wait(PARENT_S):
            if os.getppid() != parent:
                os._exit(0)

    ended = threading.Event()
    threading.Thread(target=read, name="card-lines", daemon=True).start()
    try:
        _serve(cards, waiting, answers)
    finally:
        ended.set()


def _serve(cards: CardSide, waiting: queue.SimpleQueue[str | None], answers: TextIO) -> None:
    while True:
        if waiting.empty():
            cards.idle()
            continue
        line = waiting.get()
        if line is None:
            return
        if not line.strip():
            continue
        try:
            answer = cards.show(parse_card(line))
        except ValueError as exc:
            answer = {"error": str(exc)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process. See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m app.readers.virtual_card")
    parser.add_argument("--udp", metavar="HOST:PORT", required=True)
    options = parser.parse_args(arguments)
    try:
        host, port = udp_address(f"udp:{options.udp}")
    except ValueError as exc:
        parser.error(str(exc))
    try:
        cards = CardSide(host, port, SystemClock())
    except OSError as exc:
        print(f"virtual card: {exc}", file=sys.stderr)
        return 4
    except PortTaken as exc:
        print(f"virtual card: the port is taken: {exc}", file=sys.stderr)
        return 4
    try:
        serve(cards, sys.stdin, sys.stdout)
    except BrokenPipeError:  # nobody takes the answers any more; the interpreter must not try to flush them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        cards.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
