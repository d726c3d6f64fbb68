"""`genba-touch cards …`: from a test CA to a card that passes, as IT would do it; on the real PC/SC stack."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.helpers.piv_forgeries import REVOKED
from tests.helpers.piv_pki import GUID, Authority, card, pem
from tests.helpers.vpcd_bench import SLOT_B, Bench

Say = pytest.CaptureFixture[str]


def cards(data: Path, *arguments: str | Path) -> int:
    return run(["--language", "en", "--data-dir", str(data), "cards", *map(str, arguments)])


def test_from_a_test_ca_to_a_listed_root(tmp_path: Path, capsys: Say) -> None:
    data, ca = tmp_path / "data", tmp_path / "ca"
    assert cards(data, "make-test-ca", ca) == 0
    assert "For tests only" in capsys.readouterr().err
    assert cards(data, "make-test-ca", ca) == 3
    assert "There is a file of that name" in capsys.readouterr().err
    assert cards(data, "import-crl", ca / "test-ca.crl") == 3
    assert "knows no site CA" in capsys.readouterr().err
    assert cards(data, "import-root", ca / "test-ca.pem") == 0
    assert "TEST CA - not for real sites" in capsys.readouterr().out
    assert cards(data, "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["trouble"] == "health.secure_no_crl"
    assert cards(data, "import-crl", ca / "test-ca.crl") == 0
    capsys.readouterr()
    assert cards(data, "list") == 0
    assert "→" not in capsys.readouterr().out


def test_what_is_refused(tmp_path: Path, capsys: Say) -> None:
    data, ca, card_file = tmp_path / "data", tmp_path / "ca", tmp_path / "card.json"
    assert cards(data, "make-test-ca", ca) == 0
    issue = ("issue-test-card", "--out", card_file)
    for guid in ("12", "0" * 32, "F" * 32, "x" * 32):
        assert cards(data, *issue, "--ca", ca, "--guid", guid) == 3
        assert "This is no GUID" in capsys.readouterr().err
    assert cards(data, *issue, "--ca", tmp_path, "--guid", str(GUID)) == 3
    assert "no folder of a test CA" in capsys.readouterr().err
    (ca / "test-ca.pem").write_bytes(pem(Authority().certificate))
    assert cards(data, *issue, "--ca", ca, "--guid", str(GUID)) == 3, "never from a real CA"
    assert not card_file.exists()
    assert cards(data, "import-root", tmp_path / "nothing") == 3
    assert cards(data, "show", "--reader", "wedge") == 2
    assert cards(data, "show") == 3
    assert "knows no site CA" in capsys.readouterr().err


def shown(bench: Bench, data: Path, *arguments: str) -> tuple[int, Any]:
    command = [sys.executable, "-m", "app", "--language", "en", "--data-dir", str(data), "cards", "show", *arguments]
    code, text = bench.do("run", command=[*command, "--seconds", "15"])
    return code, json.loads(text) if "--json" in arguments and text.startswith("{") else text


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
def test_an_issued_test_card_passes_every_step(bench: Bench, tmp_path: Path, capsys: Say, kind: str) -> None:
    data, ca, file = tmp_path / "data", tmp_path / "ca", tmp_path / "card.json"
    assert cards(data, "make-test-ca", ca) == 0
    assert cards(data, "issue-test-card", "--ca", ca, "--guid", str(GUID), "--key", kind, "--out", file) == 0
    assert cards(data, "import-root", ca / "test-ca.pem") == 0
    assert cards(data, "import-crl", ca / "test-ca.crl") == 0
    made = json.loads(file.read_text(encoding="utf-8"))
    assert made["label"].startswith("TEST ONLY")
    bench.do("service", on=True)
    bench.do("insert", slot=0, piv=made)
    code, look = shown(bench, data, "--json")
    assert code == 0, look
    assert (look["result"], look["guid"], look["assurance"]) == ("proven", GUID.hex.upper(), "authenticated")
    assert [step["result"] for step in look["steps"]] == ["ok"] * 10


def test_show_names_the_step_that_failed(bench: Bench, tmp_path: Path) -> None:
    data = tmp_path / "data"
    Authority().trust(data / "trust", REVOKED)
    bench.do("service", on=True)
    bench.do("insert", slot=0, piv=card(Authority().issue(serial=REVOKED)))
    code, look = shown(bench, data, "--json")
    assert code == 3, look
    assert (look["result"], look["reason"]) == ("refused", "secure_revoked")
    assert [s["step"] for s in look["steps"] if s["result"] == "failed"] == ["revocation"]
    assert [s["step"] for s in look["steps"] if s["result"] == "not_reached"] == ["signature"]
    code, text = shown(bench, data)
    assert "× Not revoked" in text
    assert "This card has been revoked" in text
    bench.do("remove", slot=0)
    bench.do("reader")  # to know when the slot is seen again
    bench.wait_state(SLOT_B, "ready")
    bench.do("insert", slot=0, number="0101000000001234")
    code, text = shown(bench, data)
    assert code == 3
    assert "no secure card" in text
    assert "not supported" in text, "the CCUS card's encrypted area"


def test_show_without_a_card_or_a_service(bench: Bench, tmp_path: Path) -> None:
    data = tmp_path / "data"
    Authority().trust(data / "trust")
    command = [sys.executable, "-m", "app", "--language", "en", "--data-dir", str(data)]
    code, text = bench.do("run", command=[*command, "cards", "show", "--seconds", "1"])
    assert code == 4, text
    bench.do("service", on=True)
    code, text = bench.do("run", command=[*command, "cards", "show", "--seconds", "2"])
    assert code == 4
    assert "No card was read" in text
