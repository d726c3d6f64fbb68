"""`doctor` on roots and revocation lists: present, in date, and how old; the gate's warnings agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.readers.trust_folder import TrustFolder
from app.settings import DataDir
from app.wiring.diagnosis import card
from app.wiring.diagnosis.check import Finding, Patient, Step, carry_out
from tests.helpers.piv_pki import Authority


@dataclass
class Case:
    """A folder and what is to be said of it, by `doctor` and by the gate."""

    next_days: float = 7
    crl: bool = True
    root_days: float = 4000
    result: str = "ok"
    code: str = ""
    warned: tuple[str, ...] = ()


CASES = {
    "good": Case(),
    "list a day overdue": Case(next_days=-1),
    "list old": Case(next_days=-4, result="warning", code="health.secure_crl_old", warned=("health.secure_crl_old",)),
    "list too old": Case(
        next_days=-31, result="failed", code="health.secure_crl_too_old", warned=("health.secure_crl_too_old",)
    ),
    "no list": Case(crl=False, result="failed", code="health.secure_no_crl", warned=("health.secure_no_crl",)),
    "root ended": Case(
        root_days=399, result="failed", code="health.secure_root_expired", warned=("health.secure_root_expired",)
    ),
    "root ends soon": Case(root_days=410, result="warning", code="doctor.trust_root_ends"),
}


def looked_at(folder: Path) -> Finding:
    return carry_out(Patient(DataDir.at(folder), "ja"), Step("trust", card.trust))


@pytest.mark.parametrize("name", CASES)
def test_roots_and_lists(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    Authority(valid_days=case.root_days).trust(tmp_path / "trust", next_days=case.next_days, crl=case.crl)
    found = looked_at(tmp_path)
    assert (found.result, found.code) == (case.result, case.code)
    assert bool(found.remedy) == (case.result != "ok")
    assert TrustFolder(tmp_path / "trust", SystemClock()).trouble() == case.warned


def test_its_age_is_told(tmp_path: Path) -> None:
    Authority().trust(tmp_path / "trust", next_days=3)  # made four days ago
    assert looked_at(tmp_path).title == "安全カードの証明書は 1 件、失効リストは 4 日前のもので、使えます"


def test_a_site_without_secure_cards_is_not_asked(tmp_path: Path) -> None:
    assert looked_at(tmp_path).result == "not_checked"


def test_a_file_that_cannot_be_read(tmp_path: Path, expected_logs: list[str]) -> None:
    Authority().trust(tmp_path / "trust")
    (tmp_path / "trust" / "roots" / "other.pem").write_text("no certificate", encoding="ascii")
    expected_logs.append("secure cards: other.pem")
    found = looked_at(tmp_path)
    assert (found.result, found.code) == ("failed", "health.secure_trust_broken")
    assert found.where.endswith("other.pem")
