"""TLS as the machine trusts it: the operating system's store (company roots too), plus one file if a company gives one.

Also who signed a certificate that was not trusted: the one fact that tells a help desk which box is in between.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import truststore

from app.errors import InputRefused


def trust(ca_file: str | None = None) -> ssl.SSLContext:
    """A context for clients: TLS 1.2 or newer, host names checked. Raises InputRefused (`sync.ca_file`)."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise InputRefused("sync.ca_file", ca_file, why=exc.strerror or str(exc)) from exc
    return context


def fault(error: ssl.SSLError) -> str:
    """The library's own words for a failed handshake, short."""
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_message:
        return str(error.verify_message)
    return error.reason or "handshake failed"


def issuer(host: str, port: int, timeout_s: float = 3.0) -> str:
    """Who signed the certificate shown at an address; '' when that cannot be learned (it is out of date as well).

    Sends nothing but two handshakes: one to see the certificate, one that trusts just it, because only then does the
    standard library tell what is in it. Blocks up to `timeout_s` each; does not go through a proxy.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with _shake(context, host, port, timeout_s) as first:
            shown = first.getpeercert(binary_form=True)
        if not shown:
            return ""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=shown)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with _shake(context, host, port, timeout_s) as second:
            known: Any = second.getpeercert()
    except (OSError, ValueError):
        return ""
    names = {key: value for part in known.get("issuer", ()) for key, value in part}
    return str(names.get("organizationName") or names.get("commonName") or "")[:80]


@contextmanager
def _shake(context: ssl.SSLContext, host: str, port: int, timeout_s: float) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((host, port), timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        yield secure
