"""Secure cards over a real pcscd: good ones, every forgery, and OpenSC as a judge of our emulated card."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.domain.verdict import Reason
from tests.helpers.piv_forgeries import CHIP, CLAIMED, FORGERIES, REVOKED, Card
from tests.helpers.piv_pki import Authority, card, pem
from tests.helpers.vpcd_bench import SLOT_A, SLOT_B, Bench, Event

NAMES = sorted(FORGERIES)


@pytest.fixture
def secure(bench: Bench, tmp_path: Path) -> Bench:
    """A reader of a site with a root and a revocation list."""
    Authority().trust(tmp_path / "trust", REVOKED)
    bench.do("service", on=True)
    bench.do("secure_reader", trust=str(tmp_path / "trust"), proof_s=2.0)
    bench.wait_state(SLOT_B, "ready")
    return bench


def touch(bench: Bench, made: Card) -> Event:
    bench.do("insert", slot=0, piv=made)
    seen = bench.wait_card("CardSeen")
    bench.do("remove", slot=0)
    bench.wait_card("CardRemoved")
    return seen


def test_good_cards_pass(secure: Bench) -> None:
    for kind in ("p256", "p384", "rsa2048"):
        seen = touch(secure, card(Authority().issue(kind), kind))
        assert (seen["key"], seen["assurance"], seen["refused"]) == (CLAIMED, "authenticated", None)


def test_long_commands_in_extended_form(secure: Bench) -> None:
    seen = touch(secure, card(Authority().issue("rsa2048"), "rsa2048", mischief="no_chaining"))
    assert (seen["assurance"], seen["refused"]) == ("authenticated", None)


@pytest.mark.parametrize("part", range(6))
def test_every_forgery_is_refused_for_its_own_reason(secure: Bench, part: int) -> None:
    for name in NAMES[part::6]:
        make, reason, card_key = FORGERIES[name]
        seen = touch(secure, make())
        assert (seen["refused"], seen["key"]) == (reason.value, card_key), name
        assert seen["assurance"] == "uid", name


def test_a_card_that_goes_on_slowly_for_ever(secure: Bench) -> None:
    """It is given up in time; the other slot is used meanwhile, and this one afterwards."""
    began = secure.do("insert", slot=0, piv=card(Authority().issue(), mischief="endless", delay_s=0.4))
    seen = secure.wait_card("CardSeen")
    assert (seen["refused"], seen["key"]) == (Reason.SECURE_TOO_SLOW.value, CHIP)
    assert seen["t"] - began < 6
    secure.do("insert", slot=1, piv=card(Authority().issue()))
    assert secure.wait_card("CardSeen", SLOT_B)["refused"] is None
    secure.do("remove", slot=0)
    secure.wait_card("CardRemoved")
    assert touch(secure, card(Authority().issue()))["refused"] is None


def test_a_card_pulled_in_mid_proof_is_unreadable_and_nobody(secure: Bench) -> None:
    for command in ("00CB", "0087"):
        secure.do("insert", slot=0, piv=card(Authority().issue(), vanish_at=command))
        assert secure.wait_card("CardUnreadable")["detail"] == "the card left while it was read"
        secure.wait_state(SLOT_A, "ready")
    assert secure.count("CardSeen") == 0


def test_a_card_that_stops_answering_in_mid_proof(bench: Bench, tmp_path: Path) -> None:
    Authority().trust(tmp_path)
    bench.do("service", on=True)
    bench.do("secure_reader", trust=str(tmp_path))
    bench.wait_state(SLOT_B, "ready")
    bench.do("insert", slot=0, piv=card(Authority().issue(), hang_at="0087"))
    assert bench.wait_card("CardUnreadable")["detail"] == "the card does not answer"
    bench.do("remove", slot=0)
    bench.wait_state(SLOT_A, "ready")
    assert touch(bench, card(Authority().issue()))["refused"] is None


def test_cards_without_a_proof_are_taken_by_their_number(secure: Bench) -> None:
    """The site's policy says what that is worth."""
    secure.do("insert", slot=0, number="0101000000001234")
    seen = secure.wait_card("CardSeen")
    assert (seen["key"], seen["assurance"], seen["refused"]) == ("felica:0101000000001234", "uid", None)


def test_a_site_without_roots_takes_the_number(bench: Bench, tmp_path: Path) -> None:
    bench.do("service", on=True)
    bench.do("secure_reader", trust=str(tmp_path))
    bench.wait_state(SLOT_B, "ready")
    seen = touch(bench, card(Authority().issue()))
    assert (seen["key"], seen["assurance"], seen["refused"]) == (CHIP, "uid", None)


def test_a_revocation_list_that_arrives_while_the_gate_runs(secure: Bench, tmp_path: Path) -> None:
    assert touch(secure, card(Authority().issue()))["refused"] is None
    Authority().trust(tmp_path / "trust", REVOKED, 4711)
    assert touch(secure, card(Authority().issue()))["refused"] == Reason.SECURE_REVOKED.value


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
def test_opensc_accepts_our_card(bench: Bench, tmp_path: Path, kind: str) -> None:
    """Our reader and our card come from the same hand; OpenSC does not. It reads the cards and has one sign."""
    lacking = [tool for tool in ("opensc-tool", "pkcs15-tool", "pkcs11-tool") if shutil.which(tool) is None]
    if lacking:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have opensc: {lacking}")
        pytest.skip(f"not installed: opensc ({', '.join(lacking)})")
    certificate = Authority().issue(kind)
    bench.do("service", on=True)
    bench.do("insert", slot=0, piv=card(certificate, kind))
    for _ in range(50):  # until the service has noticed the card
        code, text = bench.do("run", command=["opensc-tool", "-n"])
        if code == 0:
            break
        bench.quiet(0.1)
    assert "Personal Identity Verification Card" in text
    code, text = bench.do("run", command=["pkcs15-tool", "--read-certificate", "04"])
    assert code == 0, text
    assert pem(certificate).decode().strip() in text
    code, text = bench.do("run", command=["pkcs15-tool", "-D"])
    assert f"Serial number  : {CLAIMED.removeprefix('piv:').lower()}" in text
    if kind != "rsa2048":
        return  # OpenSC signs with curves of cards it knows by make alone
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(b"a message")
    sign = ["pkcs11-tool", "--sign", "--id", "04", "--pin", "123456", "--mechanism", "SHA256-RSA-PKCS"]
    code, text = bench.do("run", command=[*sign, "--input-file", str(message), "--output-file", str(signature)])
    assert code == 0, text
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature.read_bytes(), b"a message", padding.PKCS1v15(), hashes.SHA256())
