"""One PC, several accounts: the second one is told whose account has the station, and does not become another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import InputRefused
from app.settings import DataDir
from app.wiring import accounts, first_start, purge, running, setup
from tests.helpers.station_rig import Centre, call
from tests.helpers.tiny_site import tiny_site

MORE = 'key_file = "keys.json"\nreaders = ["wedge"]\n'
TARO, HANAKO = r"SITE-PC\taro", r"SITE-PC\hanako"


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path, tiny_site())
    yield made
    made.close()


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's folder for marks, as an installer makes it; the account is Taro's."""
    folder = tmp_path / "machine" / "accounts"
    folder.mkdir(parents=True)
    monkeypatch.setattr(accounts, "accounts_folder", lambda: folder)
    sign_in(monkeypatch, TARO)
    return folder


def sign_in(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    monkeypatch.setattr(running, "account", lambda: account)


def test_a_second_account_is_told_and_may_be_let_in(
    centre: Centre, tmp_path: Path, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = centre.write_provisioning(MORE)
    taro, hanako = DataDir.at(tmp_path / "taro"), DataDir.at(tmp_path / "hanako")
    setup.provision(taro, file)
    assert len(list(marks.iterdir())) == 1
    assert centre.issue_code() not in next(marks.iterdir()).read_text("utf-8")

    sign_in(monkeypatch, HANAKO)
    outcome = first_start.first_start(hanako, "ja", file=file)
    reason = outcome.reasons[0]
    assert (outcome.usable, outcome.needs_code, reason.code) == (False, False, "first_start.other_account")
    assert TARO in reason.title
    assert "第1ゲート" in reason.title
    assert "--second-account" in reason.remedy
    assert not hanako.root.exists()
    monkeypatch.setattr(first_start, "machine_folders", lambda: (tmp_path / "nothing",))
    assert first_start.first_start(hanako, "ja").reasons[0].code == "first_start.other_account"
    stations = json.loads(call(centre.centre_data, "central", "stations", "--json"))
    assert len(stations) == 1

    allowed = centre.write_provisioning(MORE + "second_account = true\n")
    setup.begin(hanako, allowed)
    assert hanako.settings().second_account
    setup.go_on(hanako)
    assert len(list(marks.iterdir())) == 2
    assert accounts.other() is None, "with a mark of its own, none of the others' is in its way"

    purge.purge(hanako)
    assert not hanako.root.exists()
    with pytest.raises(InputRefused, match=r"first_start\.other_account"):
        setup.begin(hanako, centre.write_provisioning(MORE))
    setup.provision(hanako, centre.write_provisioning(MORE), second_account=True)  # by the command line


def test_marks_are_only_a_help(marks: Path, expected_logs: list[str]) -> None:
    expected_logs.append("a mark that cannot be read")
    (marks / "0000000000000000.json").write_text("{}")
    (marks / "1111111111111111.json").mkdir()
    assert accounts.other() is None
    accounts.check_only_one()
    marks.joinpath("0000000000000000.json").unlink()
    marks.joinpath("1111111111111111.json").rmdir()
    marks.rmdir()
    assert accounts.other() is None
    accounts.remove_mark()
