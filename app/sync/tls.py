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


_KINDS = {
    # OpenSSL's X509_V_ERR_…
    9: "tls_expired",  # CERT_NOT_YET_VALID: a PC whose clock is far behind sees this
    10: "tls_expired",  # CERT_HAS_EXPIRED
    18: "tls_unknown",  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: "tls_unknown",  # SELF_SIGNED_CERT_IN_CHAIN
    20: "tls_unknown",  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: "tls_unknown",  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    62: "tls_host",  # HOSTNAME_MISMATCH
    64: "tls_host",  # IP_ADDRESS_MISMATCH
    # Windows' CERT_E_… (winerror.h), which truststore hands on as they are
    0x800B0101: "tls_expired",  # EXPIRED
    0x800B0109: "tls_unknown",  # UNTRUSTEDROOT
    0x800B010A: "tls_unknown",  # CHAINING
    0x800B010F: "tls_host",  # CN_NO_MATCH
}


def kind(error: ssl.SSLError) -> str:
    """What is wrong: one of the 'tls…' kinds of `app.sync.trouble`."""
    return _KINDS.get(getattr(error, "verify_code", 0) & 0xFFFFFFFF, "tls")


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
