"""A seeded proxy between a client and a centre that does to requests what sites' networks do to them.

One request a connection. The same seed gives the same faults for the same sequence of requests; `plan` names the faults
of the next ones instead.
"""

from __future__ import annotations

import json
import random
import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any, NamedTuple

FAULTS = (
    "refuse",
    "hang",
    "portal",
    "foreign_json",
    "cut_request",
    "lost_answer",
    "cut_answer",
    "slow",
    "drip",
    "error_500",
    "error_503",
    "busy_seconds",
    "busy_date",
    "wrong_ids",
    "half_the_ids",
    "ids_twice",
    "strange_verdict",
)
HARMLESS = frozenset(("slow", "drip"))
"""Get through, late."""
TLS_FAULTS = ("tls_stranger", "tls_cut", "tls_plain")
"""Only for a proxy that was given `tls`."""


class Tls(NamedTuple):
    """What a proxy shows as a server: a certificate that the client trusts, and one that it does not."""

    known: ssl.SSLContext
    stranger: ssl.SSLContext


class FaultProxy:
    """`share`: how many of the requests meet a fault. `hang_s`: how long a call hangs before it is dropped.
    `busy_s`: what a 429 asks for.

    Use as a context manager.
    """

    def __init__(
        self,
        port: int,
        seed: int,
        share: float = 0.5,
        faults: tuple[str, ...] = FAULTS,
        *,
        hang_s: float = 0.05,
        busy_s: int = 1,
        tls: Tls | None = None,
    ) -> None:
        self._to = ("127.0.0.1", port)
        self._dice = random.Random(seed)
        self._share, self._faults = share, faults
        self._hang_s, self._busy_s, self._tls = hang_s, busy_s, tls
        self._planned: deque[str] = deque()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.met: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        address = f"localhost:{self._listener.getsockname()[1]}"
        self.url = f"https://{address}" if tls else f"http://{address.replace('localhost', '127.0.0.1')}"
        self._threads: list[threading.Thread] = [threading.Thread(target=self._accept, name="fault-proxy")]

    def __enter__(self) -> FaultProxy:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def quiet(self) -> None:
        """From now on let everything through."""
        self.trouble(0.0)

    def trouble(self, share: float) -> None:
        """From now on so many of the requests meet a fault; what was planned is forgotten."""
        with self._lock:
            self._share = share
            self._planned.clear()

    def plan(self, faults: Iterable[str]) -> None:
        """The next requests meet these, one each ('none': nothing happens); then as before."""
        with self._lock:
            self._planned.extend(faults)

    def faults_met(self) -> Counter[str]:
        """How often each fault was done to a request so far."""
        with self._lock:
            return Counter({fault: times for fault, times in self.met.items() if fault != "none"})

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with self._lock:
                fault = self._next()
                self.met[fault] += 1
                roll = self._dice.random()
            thread = threading.Thread(target=self._serve, args=(client, fault, roll), name="fault-proxy-call")
            thread.start()
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]

    def _next(self) -> str:
        if self._planned:
            return self._planned.popleft()
        return self._dice.choice(self._faults) if self._dice.random() < self._share else "none"

    def _serve(self, client: socket.socket, fault: str, roll: float) -> None:
        with client:
            client.settimeout(5)
            try:
                if self._tls is None:
                    self._one(client, fault, roll)
                else:
                    self._shake_hands(client, fault, roll, self._tls)
            except (OSError, ValueError):  # whoever went away is served no more
                pass

    def _shake_hands(self, plain: socket.socket, fault: str, roll: float, tls: Tls) -> None:
        if fault == "tls_cut":
            plain.recv(100)
            return
        if fault == "tls_plain":
            plain.recv(100)
            plain.sendall(_made_up("portal", 0) or b"")
            return
        context = tls.stranger if fault == "tls_stranger" else tls.known
        with context.wrap_socket(plain, server_side=True) as secure:
            self._one(secure, fault, roll)

    def _one(self, client: socket.socket, fault: str, roll: float) -> None:
        if fault == "refuse":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        head, body = _message(client)
        if not head:
            return
        made = _made_up(fault, self._busy_s)
        if made is not None:
            client.sendall(made)
            return
        if fault == "hang" and roll < 0.5:
            self._stop.wait(self._hang_s)
            return
        head = re.sub(rb"(?i)\r\n(accept-encoding|connection): [^\r]*", b"", head)
        head = head.replace(b"\r\n", b"\r\nConnection: close\r\nAccept-Encoding: zstd;q=0, identity\r\n", 1)
        request = head + body
        with socket.create_connection(self._to, 5) as centre:
            centre.settimeout(5)
            if fault == "cut_request":
                stop = int(len(request) * roll)
                # http.server takes half a head for a whole one: it gets the head or nothing
                centre.sendall(request[:stop] if stop >= len(head) else b"")
                return
            centre.sendall(request)
            answer_head, answer_body = _message(centre)
        if fault == "lost_answer":
            return
        if fault == "hang":  # the centre has it, and the client does not learn that
            self._stop.wait(self._hang_s)
            return
        if fault == "slow":
            time.sleep(0.05)
        if fault in _TWISTS:
            answer_head, answer_body = _twisted(fault, answer_head, answer_body, roll)
        answer = answer_head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + answer_body
        if fault == "drip":
            for place in range(10):
                client.sendall(answer[place : place + 1])
                time.sleep(0.005)
            answer = answer[10:]
        client.sendall(answer[: int(len(answer) * roll)] if fault == "cut_answer" else answer)


def _message(sock: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return b"", b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        part = sock.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n", body


def _made_up(fault: str, busy_s: int) -> bytes | None:
    html, plain = "text/html; charset=utf-8", "application/json"
    login = "<html><title>Wi-Fi</title>Please log in</html>"
    answers: dict[str, tuple[str, str, str, dict[str, str]]] = {
        "portal": ("200 OK", html, login, {"Set-Cookie": "portal=1"}),
        "foreign_json": ("200 OK", plain, '{"ok": true, "results": []}', {}),
        "error_500": ("500 Internal Server Error", html, "<html>oops</html>", {}),
        "error_503": ("503 Service Unavailable", plain, "{}", {}),
        "busy_seconds": ("429 Too Many Requests", "application/problem+json", "{}", {"Retry-After": str(busy_s)}),
        "busy_date": (
            "429 Too Many Requests",
            html,
            "",
            {"Retry-After": formatdate(time.time() + busy_s, usegmt=True)},
        ),
    }
    if fault not in answers:
        return None
    status, kind, text, more = answers[fault]
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(text.encode())}",
        "Connection: close",
    ]
    lines += [f"Date: {formatdate(usegmt=True)}", *(f"{k}: {v}" for k, v in more.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


_TWISTS = ("wrong_ids", "half_the_ids", "ids_twice", "strange_verdict")


def _twisted(fault: str, head: bytes, body: bytes, roll: float) -> tuple[bytes, bytes]:
    try:
        answer: Any = json.loads(body)
        results = answer["results"]
    except (ValueError, KeyError, TypeError):
        return head, body
    if fault == "wrong_ids":
        results[int(roll * len(results))]["id"] = "01890000-0000-7000-8000-000000000000"
    elif fault == "strange_verdict":
        results[int(roll * len(results))]["verdict"] = "perhaps"
    elif fault == "ids_twice":
        answer["results"] = results * 2 if roll < 0.5 else [*results, results[0]]
    else:
        del results[: (len(results) + 1) // 2]
    body = json.dumps(answer).encode()
    return re.sub(rb"(?i)content-length: \d+", b"Content-Length: %d" % len(body), head), body
