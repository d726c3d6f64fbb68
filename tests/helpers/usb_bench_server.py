"""The USB side of the bench: emulated readers behind umockdev's usbfs, moved by JSON lines on standard input.

Runs under the system's Python (that has gi) with umockdev's library preloaded; started by `usb_bench.py`. Commands:

    {"do": "plug", "reader": "rcs300" | "rcs380", "held": "" | "program" | "kernel"}    (again: another address)
    {"do": "unplug"}
    {"do": "hold", "by": "" | "program" | "kernel"}
    {"do": "stale", "transfers": [hex, …]}
    {"do": "card", "idm": hex, "blocks": [hex, …]} | {"do": "card", "idm": null}
    {"do": "look"}  → what the reader is doing

Each is answered with one line. What the kernel's usbfs does is played as far as libusb asks for it: claiming, bulk and
control transfers, cancelling, ENODEV once the device is gone.
"""

from __future__ import annotations

import errno
import json
import struct
import sys
import threading
from typing import Any

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

from tests.helpers.usb_readers import FelicaCard, Rcs300, Rcs380  # noqa: E402

READERS = {"rcs300": Rcs300, "rcs380": Rcs380}
SUBMIT, REAP, REAP_NOW, DISCARD = 0x8038550A, 0x4008550C, 0x4008550D, 0x550B
CLAIM, GET_DRIVER, CAPABILITIES = 0x8004550F, 0x41045508, 0x8004551A
DETACH = (0xC0105512, 0x8108551B)
URB_BYTES, CONTROL, BULK = 56, 2, 3
STRINGS = {0: b"\x09\x04", 1: "SONY".encode("utf-16le"), 2: "RC-S380/P".encode("utf-16le")}
PATIENCE_MS = 2
"""An empty-handed reap is answered after this: the device file is always "ready" here, and libusb would spin."""


class Device:
    """One plugged-in reader: `ioctl` plays usbfs for it."""

    def __init__(self, reader: Any, held: str) -> None:
        self.reader = reader
        self.held = held
        self.gone = False
        self.detached = 0
        """How often a program tried to take an interface from the driver that has it."""
        self.claimed: dict[int, Any] = {}
        self.to_host: list[bytes] = []
        self.pending: list[Any] = []
        self.done: list[Any] = []
        self.waiting: Any = None
        self.handler = UMockdev.IoctlBase()
        self.handler.connect("handle-ioctl", self.ioctl)
        self.handler.connect("client-connected", self.connected)

    def connected(self, _handler: Any, _client: Any) -> None:
        """A program opens the device: what the last one left is gone, but what the reader has to say is not."""
        self.pending.clear()
        self.done.clear()
        self.waiting = None

    def ioctl(self, _handler: Any, client: Any) -> bool:
        """One call of the program under test."""
        request = client.get_request()
        if self.gone and not (request in (REAP, REAP_NOW) and self.done):
            client.complete(-1, errno.ENODEV)
        elif request == CAPABILITIES:
            client.get_arg().resolve(0, 4).update(0, list(struct.pack("<I", 0)))
            client.complete(0, 0)
        elif request == CLAIM:
            self.claim(client)
        elif request == GET_DRIVER:
            arg = client.get_arg().resolve(0, 260)
            name = b"usbfs" if self.held == "program" else b"port100"
            arg.update(4, list(name.ljust(256, b"\0")))
            client.complete(*((0, 0) if self.held else (-1, errno.ENODATA)))
        elif request == SUBMIT:
            self.submit(client)
        elif request in (REAP, REAP_NOW):
            self.reap(client)
        elif request == DISCARD:
            self.discard(client)
        elif request in DETACH:
            self.detached += 1
            client.complete(-1, errno.EBUSY)
        else:
            client.complete(0, 0)
        return True

    def claim(self, client: Any) -> None:
        number = struct.unpack("<I", bytes(client.get_arg().resolve(0, 4).retrieve()))[0]
        owner = self.claimed.get(number)
        if self.held or (owner is not None and owner is not client and owner.get_connected()):
            client.complete(-1, errno.EBUSY)
            return
        self.claimed[number] = client
        client.complete(0, 0)

    def submit(self, client: Any) -> None:
        urb = client.get_arg().resolve(0, URB_BYTES)
        kind, endpoint = bytes(urb.retrieve())[:2]
        length = struct.unpack_from("<i", bytes(urb.retrieve()), 24)[0]
        buffer = urb.resolve(16, length) if length else None
        data = bytes(buffer.retrieve()) if buffer is not None else b""
        client.complete(0, 0)
        if kind == CONTROL:
            self.control(urb, buffer, data)
        elif endpoint & 0x80:
            self.pending.append((urb, buffer))
        else:
            self.finish(urb, 0, len(data))
            if data:
                self.to_host += self.reader.message(data)
        self.serve()

    def control(self, urb: Any, buffer: Any, data: bytes) -> None:
        request, value = data[1], int.from_bytes(data[2:4], "little")
        if request != 6 or value >> 8 != 3 or value & 0xFF not in STRINGS:
            self.finish(urb, -errno.EPIPE, 0)
            return
        text = STRINGS[value & 0xFF]
        answer = (bytes([len(text) + 2, 3]) + text)[: len(data) - 8]
        buffer.update(8, list(answer))
        self.finish(urb, 0, len(answer))

    def serve(self) -> None:
        """Transfers from the reader into the requests that wait for them."""
        while self.pending and self.to_host:
            urb, buffer = self.pending.pop(0)
            data = self.to_host.pop(0)
            buffer.update(0, list(data))
            self.finish(urb, 0, len(data))

    def finish(self, urb: Any, status: int, length: int) -> None:
        urb.update(4, list(struct.pack("<i", status)))
        urb.update(28, list(struct.pack("<i", length)))
        self.done.append(urb)
        self.answer_reap()

    def discard(self, client: Any) -> None:
        address = client.get_arg().resolve(0, URB_BYTES).client_addr
        for at, (urb, _) in enumerate(self.pending):
            if urb.client_addr == address:
                del self.pending[at]
                client.complete(0, 0)
                self.finish(urb, -errno.ENOENT, 0)
                return
        client.complete(-1, errno.EINVAL)

    def pull_out(self) -> None:
        """Requests under way end with ESHUTDOWN, as the kernel does it; every later call gets ENODEV."""
        self.gone = True
        while self.pending:
            self.finish(self.pending.pop(0)[0], -errno.ESHUTDOWN, 0)

    def reap(self, client: Any) -> None:
        self.waiting = client
        if not self.answer_reap():
            GLib.timeout_add(PATIENCE_MS, self.nothing_to_reap, client)

    def answer_reap(self) -> bool:
        if self.waiting is None or not self.done:
            return False
        client, self.waiting = self.waiting, None
        client.get_arg().resolve(0, 8).set_ptr(0, self.done.pop(0))
        client.complete(0, 0)
        return True

    def nothing_to_reap(self, client: Any) -> bool:
        if self.waiting is client:
            self.waiting = None
            client.complete(-1, errno.ENODEV if self.gone else errno.EAGAIN)
        return False


class Server:
    """The testbed and the one reader in it."""

    def __init__(self) -> None:
        self.bed = UMockdev.Testbed.new()
        self.address = 6
        self.device: Device | None = None
        self.path = ""

    def obey(self, do: str, **more: Any) -> Any:
        """Carry out one command."""
        return getattr(self, f"do_{do}")(**more)

    def do_plug(self, reader: str, held: str = "") -> None:
        self.address += 1
        self.device = Device(READERS[reader](), held)
        self.path = f"/sys/devices/usb1/1-{self.address}"
        raw = self.device.reader.descriptors
        node = f"bus/usb/001/{self.address:03}"
        self.bed.add_from_string(
            f"P: {self.path.removeprefix('/sys')}\nN: {node}\n"
            f"E: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: DEVNAME=/dev/{node}\n"
            f"E: BUSNUM=001\nE: DEVNUM={self.address:03}\n"
            f"A: busnum=1\\n\nA: devnum={self.address}\\n\nA: bConfigurationValue=1\\n\nA: speed=12\\n\n"
            f"A: idVendor={raw[9]:02x}{raw[8]:02x}\\n\nA: idProduct={raw[11]:02x}{raw[10]:02x}\\n\n"
            f"H: descriptors={raw.hex()}\n"
        )
        self.bed.attach_ioctl(f"/dev/{node}", self.device.handler)
        self.bed.uevent(self.path, "add")

    def do_unplug(self) -> None:
        assert self.device is not None
        self.device.pull_out()
        self.bed.uevent(self.path, "remove")
        self.bed.remove_device(self.path)

    def do_card(self, idm: str | None, blocks: tuple[str, ...] = ()) -> None:
        assert self.device is not None
        card = FelicaCard(bytes.fromhex(idm), blocks=[bytes.fromhex(b) for b in blocks]) if idm else None
        self.device.reader.card = card

    def do_hold(self, by: str) -> None:
        """Another program ('program') or a driver of the kernel ('kernel') has the reader; '': nobody."""
        assert self.device is not None
        self.device.held = by

    def do_stale(self, transfers: list[str]) -> None:
        """What an earlier program did not fetch."""
        assert self.device is not None
        self.device.to_host += [bytes.fromhex(transfer) for transfer in transfers]

    def do_look(self) -> dict[str, Any]:
        assert self.device is not None
        reader = self.device.reader
        state = {name: getattr(reader, name) for name in ("session", "on", "exchanges") if hasattr(reader, name)}
        return {
            **state,
            "detached": self.device.detached,
            "claimed": sorted(n for n, c in self.device.claimed.items() if c.get_connected()),
        }


def main() -> None:
    """Serve until the end of standard input."""
    loop, server = GLib.MainLoop(), Server()

    def obey(line: str) -> bool:
        try:
            answer = server.obey(**json.loads(line))
        except Exception as exc:
            answer = {"error": repr(exc)}
        print(json.dumps(answer), flush=True)
        return False

    def listen() -> None:
        for line in sys.stdin:
            GLib.idle_add(obey, line)
        GLib.idle_add(loop.quit)

    print(json.dumps(server.bed.get_root_dir()), flush=True)
    threading.Thread(target=listen, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
