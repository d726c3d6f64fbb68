"""Certificates for signing programs, made for one test run, and a time stamp server of our own on this machine."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSPHRASE = "合言葉 of the test"


@dataclass(frozen=True)
class Files:
    """What a company's signing key consists of, as files. `locked`, `p12` want PASSPHRASE, `plain` nothing."""

    root: Path
    certificates: Path
    plain: Path
    locked: Path
    p12: Path


def make(folder: Path, company: str, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING) -> Files:
    """A root and a certificate under it."""
    folder.mkdir(parents=True, exist_ok=True)
    root_key, key = _key(), _key()
    root = _certificate(f"{company} Root", root_key.public_key(), f"{company} Root", root_key, None)
    leaf = _certificate(company, key.public_key(), f"{company} Root", root_key, usage)
    files = Files(*(folder / name for name in ("root.pem", "chain.pem", "key.pem", "locked.pem", "key.p12")))
    secret = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    files.root.write_bytes(_pem(root))
    files.certificates.write_bytes(_pem(leaf) + _pem(root))
    for file, hiding in ((files.plain, serialization.NoEncryption()), (files.locked, secret)):
        pem = serialization.Encoding.PEM
        file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, hiding))
    files.p12.write_bytes(pkcs12.serialize_key_and_certificates(b"signing", key, leaf, [root], secret))
    return files


@contextmanager
def time_stamps(folder: Path) -> Iterator[tuple[str, Path]]:
    """An RFC 3161 server on this machine, answered by `openssl ts`: its URL, and the root of its certificate."""
    files = make(folder, "Test Time Stamps", ExtendedKeyUsageOID.TIME_STAMPING)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        f"[tsa]\ndefault_tsa=one\n[one]\nserial={folder}/serial\nsigner_cert={files.certificates}\n"
        f"certs={files.root}\nsigner_key={files.plain}\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n"
        "digests=sha256\naccuracy=secs:1\n"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "answer"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((folder / "answer").read_bytes())

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", files.root
        finally:
            server.shutdown()
            thread.join()


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(
    name: str,
    public: rsa.RSAPublicKey,
    issuer: str,
    issuer_key: rsa.RSAPrivateKey,
    usage: x509.ObjectIdentifier | None,
) -> x509.Certificate:
    """A root when there is no usage."""
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())
