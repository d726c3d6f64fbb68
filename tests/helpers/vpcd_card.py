"""A card on a slot of the virtual reader `vpcd`, in a process of its own: connecting puts it on, ending takes it away.

`python -m tests.helpers.vpcd_card PORT JSON`; the JSON has the fields of `VirtualCard`, bytes in hex.
Ends when vpcd goes away, unless `"keep": true`: then it waits for the next one (a card left lying while the service
restarts).
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any

from tests.helpers.virtual_felica import VirtualCard
from tests.helpers.virtual_piv import VirtualPiv

CONTROL_ATR = 4


def main() -> None:
    port = int(sys.argv[1])
    options: dict[str, Any] = json.loads(sys.argv[2])
    keep = options.pop("keep", False)
    card = VirtualPiv.of(options["piv"]) if "piv" in options else _memory_chip(options)
    while True:
        serve(connect(port), card)
        if not keep:
            return


def _memory_chip(options: dict[str, Any]) -> VirtualCard:
    options["blocks"] = {
        int(service, 16): {int(n): bytes.fromhex(data) for n, data in blocks.items()}
        for service, blocks in options.get("blocks", {}).items()
    }
    options["pages"] = {int(n): bytes.fromhex(data) for n, data in options.get("pages", {}).items()}
    for name in ("atr", "number", "vanish_at", "hang_at"):
        if name in options:
            options[name] = bytes.fromhex(options[name])
    return VirtualCard(**options)


def connect(port: int) -> socket.socket:
    """vpcd listens once pcscd has started it; there is nothing to wait on but the port itself."""
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise SystemExit("no vpcd")


def serve(line: socket.socket, card: VirtualCard | VirtualPiv) -> None:
    with line:
        while True:
            body = receive(line)
            if body is None:
                return
            if len(body) == 1:
                if body[0] == CONTROL_ATR:
                    send(line, card.atr)
            elif card.vanish_at is not None and body.startswith(card.vanish_at):
                raise SystemExit
            elif card.hang_at is not None and body.startswith(card.hang_at):
                while receive(line) is not None:
                    pass
                return
            else:
                send(line, card.answer(body))


def receive(line: socket.socket) -> bytes | None:
    head = exactly(line, 2)
    return exactly(line, int.from_bytes(head, "big")) if head else None


def exactly(line: socket.socket, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        if sys.platform == "linux":
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # 44 ms → 0.04 ms a command
        try:
            part = line.recv(count - len(data))
        except ConnectionError:
            return None
        if not part:
            return None
        data += part
    return data


def send(line: socket.socket, data: bytes) -> None:
    line.sendall(len(data).to_bytes(2, "big") + data)


if __name__ == "__main__":
    main()
