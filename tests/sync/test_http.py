"""The adapter against the tiny centre, over real sockets."""

from __future__ import annotations

import datetime as dt
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.errors import InputRefused
from app.sync import tls
from app.sync.address import Timeouts
from app.sync.http import CentreClient
from app.sync.trouble import AuthFailed, BadAnswer, Busy, Forbidden, Hung, Offline, SomebodyInBetween
from app.sync.wire import EnrolAnswer, EnrolRequest, Heartbeat, TokenAnswer
from tests.helpers.tiny_centre import Reply, TinyCentre
from tests.sync.conftest import MakeClient, StandingClock

BEAT = Heartbeat("9.9", 0, 0, None, None)


def test_a_token_is_fetched_once_and_used(centre: TinyCentre, client: CentreClient) -> None:
    client.heartbeat(BEAT)
    client.heartbeat(BEAT)
    assert len(centre.calls("/v1/token")) == 1
    assert len(centre.beats) == 2


def test_a_token_is_renewed_before_it_ends(centre: TinyCentre, client: CentreClient, clock: StandingClock) -> None:
    client.heartbeat(BEAT)
    clock.advance(3600 - 59)
    client.heartbeat(BEAT)
    assert len(centre.calls("/v1/token")) == 2


def test_401_renews_the_token_once(centre: TinyCentre, client: CentreClient) -> None:
    client.heartbeat(BEAT)
    centre.forget_tokens()
    client.heartbeat(BEAT)
    assert len(centre.calls("/heartbeat")) == 3
    assert len(centre.beats) == 2


def test_401_with_a_fresh_token_fails_without_a_third_try(centre: TinyCentre, client: CentreClient) -> None:
    centre.before = lambda seen: Reply.problem(401, "token_invalid") if "heartbeat" in seen.path else None
    with pytest.raises(AuthFailed):
        client.heartbeat(BEAT)
    assert len(centre.calls("/heartbeat")) == 2


def test_a_wrong_secret_is_not_tried_again(centre: TinyCentre, make_client: MakeClient) -> None:
    with pytest.raises(AuthFailed):
        make_client(client_secret=lambda: "wrong").heartbeat(BEAT)
    assert len(centre.seen) == 1


def test_the_clock_learns_from_valid_answers_only(
    centre: TinyCentre, client: CentreClient, clock: StandingClock
) -> None:
    centre.before = lambda seen: Reply(200, b"<html>", {"Content-Type": "text/html"})
    with pytest.raises(SomebodyInBetween):
        client.sites(None)
    assert clock.learned == []
    centre.before = lambda seen: None
    client.sites(None)
    assert len(clock.learned) == 2


def test_secrets_are_in_no_log_repr_or_error(
    centre: TinyCentre, client: CentreClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.heartbeat(BEAT)
    texts = [repr(client), repr(TokenAnswer("tok-x", "Bearer", 1)), repr(EnrolAnswer("s", "sec-x", ()))]
    for reply in (Reply.problem(403, "x"), Reply(200, drop=True), Reply.problem(503), Reply.of({}, 201)):
        centre.before = lambda seen, reply=reply: reply  # type: ignore[misc]
        with pytest.raises((Forbidden, Offline, Busy, SomebodyInBetween)) as caught:
            client.sites("c")
        shown: BaseException | None = caught.value
        while shown is not None:
            texts += [repr(shown), str(shown), repr(shown.__dict__)]
            shown = shown.__cause__
    whole = caplog.text + "".join(texts)
    assert "heartbeat" in whole
    for secret in (centre.secret, "of-much-worth", "tok-x", "sec-x"):
        assert secret not in whole


def test_redirects_are_not_followed_and_cookies_not_kept(centre: TinyCentre, client: CentreClient) -> None:
    client.heartbeat(BEAT)
    centre.before = lambda seen: Reply(302, b"", {"Location": centre.url + "/login", "Set-Cookie": "portal=1"})
    with pytest.raises(SomebodyInBetween):
        client.sites(None)
    centre.before = lambda seen: None
    client.sites(None)
    assert centre.calls("/login") == []


def test_an_endless_answer_is_given_up(centre: TinyCentre, client: CentreClient) -> None:
    body = bytes(17 * 1024 * 1024)
    centre.before = lambda seen: Reply(200, body, {"Content-Type": "application/json", "Content-Encoding": "identity"})
    with pytest.raises(SomebodyInBetween):
        client.sites(None)


def test_204_must_be_204(centre: TinyCentre, client: CentreClient) -> None:
    client.sites(None)
    centre.before = lambda seen: Reply.of({})
    with pytest.raises(SomebodyInBetween):
        client.heartbeat(BEAT)


def test_ids_and_cursors_are_quoted(centre: TinyCentre, client: CentreClient) -> None:
    centre.before = lambda seen: (
        None if seen.path == "/v1/token" else Reply.of({"items": [], "cursor": "1", "more": False})
    )
    client.roster("a/b?c d", "x&y=/+ 現")
    seen = centre.seen[-1]
    assert (seen.path, seen.query) == ("/v1/sites/a%2Fb%3Fc%20d/roster", {"cursor": "x&y=/+ 現"})


@pytest.mark.parametrize(
    ("token", "trouble"),
    [
        ({"access_token": "", "token_type": "Bearer", "expires_in": 60}, BadAnswer),
        ({"access_token": "a\r\nX: y", "token_type": "Bearer", "expires_in": 60}, BadAnswer),
        ({"access_token": "abc", "token_type": "mac", "expires_in": 60}, BadAnswer),
        ({"access_token": "abc", "token_type": "Bearer"}, BadAnswer),
        ({"access_token": "abc", "token_type": "Bearer", "expires_in": 0}, AuthFailed),
    ],
)
def test_tokens_that_are_none(
    centre: TinyCentre, client: CentreClient, token: dict[str, object], trouble: type[Exception]
) -> None:
    centre.before = lambda seen: Reply.of(token)
    with pytest.raises(trouble):
        client.heartbeat(BEAT)


# --- no answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def kind(client: CentreClient) -> str:
    with pytest.raises(Offline) as caught:
        client.sites(None)
    assert caught.value.code == f"sync.offline_{caught.value.kind}"
    return caught.value.kind


def test_offline_refused(make_client: MakeClient) -> None:
    assert kind(make_client(f"http://127.0.0.1:{free_port()}")) == "refused"


def test_offline_dns(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = make_client("https://centre.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    assert kind(client) == "dns"


def test_offline_cut(centre: TinyCentre, client: CentreClient) -> None:
    centre.before = lambda seen: Reply(200, drop=True)
    assert kind(client) == "cut"
    centre.before = lambda seen: Reply(200, bytes(5000), {"Content-Encoding": "identity"}, cut=True)
    assert kind(client) == "cut"


def test_offline_timeout(centre: TinyCentre, make_client: MakeClient) -> None:
    slow = make_client(timeouts=Timeouts(base=1.0, bytes_per_s=1e9))
    slow.heartbeat(BEAT)
    drip = Reply(200, bytes(500), {"Content-Type": "application/json", "Content-Encoding": "identity"}, drip=0.05)
    centre.before = lambda seen: drip  # a byte now and then: no single read takes long
    started = time.monotonic()
    assert kind(slow) == "timeout"
    assert time.monotonic() - started < 5
    centre.before = lambda seen: None
    slow.sites(None)  # the line is free again


def test_a_name_server_that_hangs_holds_nobody(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def hang(*args: object, **kwargs: object) -> object:
        answer.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    client = make_client("https://centre.invalid", timeouts=Timeouts(connect=0.2, base=0.2, bytes_per_s=1e9))
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert kind(client) == "timeout"
    assert kind(client) == "unreachable"  # the first call still hangs in the resolver
    started = time.monotonic()
    client.close()
    assert time.monotonic() - started < 1
    answer.set()


def test_abort_frees_a_waiting_call_at_once(centre: TinyCentre, client: CentreClient) -> None:
    client.sites(None)
    arrived = threading.Event()

    def stall(seen: object) -> Reply:
        arrived.set()
        return Reply(503, delay=10)

    centre.before = stall
    ended: list[float] = []

    def call() -> None:
        with pytest.raises(Hung):
            client.sites(None)
        ended.append(time.monotonic())

    thread = threading.Thread(target=call)
    thread.start()
    assert arrived.wait(5)
    started = time.monotonic()
    client.abort()
    thread.join(2)
    assert ended
    assert ended[0] - started < 0.5
    with pytest.raises(Hung):
        client.sites(None)


# --- TLS and proxies


@contextmanager
def tls_server(
    folder: Path, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, *, host: str = "localhost", days: int = 9
) -> Iterator[tuple[str, Path]]:
    """A real server on localhost. `host`: the certificate's name; `days`: how long it is valid from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kensetsu Filter KK")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - dt.timedelta(99)).not_valid_after(now + dt.timedelta(days))
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate)
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    context.maximum_version = newest
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                plain, _ = server.accept()
            except TimeoutError:
                continue
            with plain:
                plain.settimeout(3)
                try:
                    with context.wrap_socket(plain, server_side=True) as secure:
                        data = b""
                        while b"grant_type" not in data and (part := secure.recv(65536)):
                            data += part  # to the end of the body: closing earlier would be a reset
                        secure.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://localhost:{server.getsockname()[1]}", pem
    finally:
        stop.set()
        thread.join()
        server.close()


def test_an_unknown_certificate_is_refused_and_its_signer_named(make_client: MakeClient, tmp_path: Path) -> None:
    with tls_server(tmp_path) as (url, _):
        with pytest.raises(Offline) as caught:
            make_client(url).sites(None)
        assert caught.value.kind == "tls_unknown"
        assert "self-signed" in caught.value.detail
        assert "Kensetsu Filter KK" in caught.value.detail


@pytest.mark.parametrize(
    ("certificate", "kind"), [({"host": "portal.example"}, "tls_host"), ({"days": -1}, "tls_expired")]
)
def test_what_is_wrong_with_a_certificate_is_named(
    make_client: MakeClient, tmp_path: Path, certificate: dict[str, Any], kind: str
) -> None:
    """Its issuer is trusted, so that nothing else is wrong with it."""
    with tls_server(tmp_path, **certificate) as (url, pem), pytest.raises(Offline) as caught:
        make_client(url, ca_file=str(pem)).sites(None)
    assert caught.value.code == f"sync.offline_{kind}"


def test_tls_1_2_is_spoken(make_client: MakeClient, tmp_path: Path) -> None:
    with tls_server(tmp_path, ssl.TLSVersion.TLSv1_2) as (url, pem), pytest.raises(Busy):
        make_client(url, ca_file=str(pem)).sites(None)


def test_windows_own_words_are_understood() -> None:
    """truststore hands the code of Windows on in `verify_code`; an unknown one is a certificate's trouble still."""
    for code, kind in ((0x800B0101, "tls_expired"), (0x800B0109, "tls_unknown"), (-2146762481, "tls_host"), (1, "tls")):
        error = ssl.SSLCertVerificationError("no")
        error.verify_code = code
        assert tls.kind(error) == kind


def test_a_companys_own_root_is_taken(make_client: MakeClient, tmp_path: Path) -> None:
    with tls_server(tmp_path) as (url, pem), pytest.raises(Busy):
        make_client(url, ca_file=str(pem)).sites(None)


def test_old_tls_is_not_spoken(make_client: MakeClient, tmp_path: Path) -> None:
    from app.sync.tls import trust

    assert trust().minimum_version == ssl.TLSVersion.TLSv1_2
    assert trust().check_hostname


def test_a_root_that_is_none_is_refused(make_client: MakeClient, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing", "utf-8")
    for name in ("x.pem", "missing.pem"):
        with pytest.raises(InputRefused) as caught:
            make_client(ca_file=str(tmp_path / name))
        assert caught.value.code == "sync.ca_file"


def test_a_proxy_of_ones_own_is_used(centre: TinyCentre, make_client: MakeClient) -> None:
    """An http request through a proxy carries the whole address in its first line."""
    client = make_client("http://127.0.0.1:9", proxy=centre.url)
    centre.before = lambda seen: Reply.problem(503)
    with pytest.raises(Busy):
        client.sites(None)
    assert len(centre.seen) == 1


def test_the_systems_proxy_is_used(
    centre: TinyCentre, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", centre.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert kind(make_client("https://centre.invalid")) == "proxy"  # it answers 501 to CONNECT
    assert centre.seen == []


def test_a_proxys_password_is_never_shown(make_client: MakeClient) -> None:
    for proxy in ("gopher://u:geheim@proxy", "socks5://u:geheim@proxy:1"):
        with pytest.raises(InputRefused) as caught:
            make_client(proxy=proxy)
        assert caught.value.code.startswith("sync.proxy_")
        assert "geheim" not in repr(caught.value) + str(caught.value) + str(caught.value.__cause__)


def test_enrolment_needs_no_secret(centre: TinyCentre, make_client: MakeClient) -> None:
    def no_secret() -> str:
        raise AssertionError("asked for the secret")

    answer = make_client(client_secret=no_secret).enrol(EnrolRequest("ABCD-EFGH-JKLM", "i", "ゲート", "9.9"))
    assert answer.station_id == "st-1"
    assert not re.search("s3cret", repr(answer))


def test_timeouts_grow_with_the_batch() -> None:
    times = Timeouts()
    assert times.whole(0) < times.whole(30_000, 10) < times.whole(30_000, 1000) < times.whole(10**9, 1000) == 180.0
