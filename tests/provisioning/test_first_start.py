"""Promise: a first start ends with one page that tells the truth, and goes on where it was cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.settings import DataDir
from app.wiring import first_start as wiring
from app.wiring.provisioning import check
from tests.helpers.fault_proxy import FaultProxy
from tests.helpers.station_rig import Centre, ask, call, genba_touch
from tests.helpers.tiny_site import tiny_site

MORE = 'key_file = "keys.json"\nreaders = ["wedge"]\ncompany = "架空建設"\nsupport_contact = "情シス 03-0000-0000"\n'


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path, tiny_site())
    yield made
    made.close()


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir.at(tmp_path / "station")


def without_code(file: Path) -> str:
    """Takes the code out of the file."""
    text = file.read_text(encoding="utf-8")
    code = str(tomllib.loads(text)["enrolment_code"])
    file.write_text(text.replace(f'enrolment_code = "{code}"\n', ""), encoding="utf-8")
    return code


def reasons(outcome: wiring.Outcome) -> set[str]:
    return {reason.code for reason in outcome.reasons}


def test_a_code_is_typed_and_the_page_says_so(centre: Centre, data: DataDir) -> None:
    file = centre.write_provisioning(MORE)
    code = without_code(file)
    outcome = wiring.first_start(data, "ja", file=file)
    assert (outcome.usable, outcome.needs_code, reasons(outcome)) == (False, True, {"settings.no_code"})
    assert not data.root.exists()
    outcome = wiring.first_start(data, "ja", file=file, code=code[:-1] + ("A" if code[-1] != "A" else "B"))
    assert (outcome.needs_code, reasons(outcome)) == (True, {"sync.enrol_check"})
    outcome = wiring.first_start(data, "ja", file=file, code="ABCD-EFGH-JKLM")
    assert (outcome.needs_code, reasons(outcome)) == (True, {"sync.enrol_unknown"})
    steps: list[str] = []
    outcome = wiring.first_start(data, "ja", file=file, code=code.lower().replace("-", " "), tell=steps.append)
    assert steps == ["enrol", "roster", "check"]
    assert (outcome.company, outcome.workers, outcome.contact) == ("架空建設", 5, "情シス 03-0000-0000")
    assert not wiring.needed(data)
    assert "setup" not in {reason.check for reason in outcome.reasons}, "what is left are this machine's readers"
    stored = [path for path in data.root.rglob("*") if path.is_file() and path.name != "keys.json"]
    assert not [path for path in stored if code.encode() in path.read_bytes()]
    assert "enrolment-code" not in json.loads((data.root / "keys.json").read_text())


@pytest.mark.long
def test_the_network_goes_and_comes_and_nothing_is_typed_twice(centre: Centre, data: DataDir) -> None:
    file = centre.write_provisioning(MORE)
    code = without_code(file)
    centre.kill_centre()
    outcome = wiring.first_start(data, "ja", file=file, code=code)
    assert (outcome.needs_code, reasons(outcome)) == (False, {"sync.offline_refused"})
    file.unlink()  # the stick was pulled out
    centre.start_centre()
    assert wiring.first_start(data, "ja").workers == 5


@pytest.mark.parametrize(
    ("request_number", "seed"),
    [(1, 2), *(pytest.param(*case, marks=pytest.mark.long) for case in ((1, 1), (2, 2), (4, 1)))],
)
def test_killed_anywhere_it_goes_on(centre: Centre, data: DataDir, request_number: int, seed: int) -> None:
    """Killed while a request is on its way or (seed 2, request 1) its answer is; a code of one use is enough."""
    with FaultProxy(centre.centre_port, seed, 0.0, hang_s=30) as proxy:
        proxy.plan(["none"] * (request_number - 1) + ["hang"])
        file = centre.write_provisioning(MORE)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(centre.centre_url, proxy.url), encoding="utf-8")
        process = subprocess.Popen(
            genba_touch(data.root, "first-start", str(file)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while not proxy.faults_met() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)  # the centre answers what it was asked
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert proxy.faults_met() == {"hang": 1}
        assert wiring.needed(data)
        file.unlink()
        assert wiring.first_start(data, "ja").workers == 5
    stations = json.loads(call(centre.centre_data, "central", "stations", "--json"))
    assert len(stations) == 1


def test_without_a_file_it_says_where_to_put_it(data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "machine_folders", lambda: (tmp_path / "machine",))
    outcome = wiring.first_start(data, "ja")
    assert reasons(outcome) == {"first_start.no_file"}
    assert str(tmp_path / "machine") in outcome.reasons[0].where


def test_on_the_command_line(centre: Centre, data: DataDir) -> None:
    file = centre.write_provisioning(MORE)
    assert check(file, data, online=True).notes[-1] == "provision.centre_answers"
    done = ask(data.root, "first-start", str(file), "--json")
    page: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) is page["usable"], done.stderr
    assert (page["company"], page["workers"], page["needs_code"]) == ("架空建設", 5, False)
    centre.kill_centre()
    assert [fault.code for fault in check(file, data, online=True).faults] == ["sync.offline_refused"]


@pytest.mark.long
def test_an_administrator_issues_the_codes_of_a_batch(centre: Centre, tmp_path: Path, data: DataDir) -> None:
    made = json.loads(
        call(centre.centre_data, "central", "create-client", "--kind", "administrator", "--name", "IT", "--reason", "t",
             "--json")
    )  # fmt: skip
    template, table = tmp_path / "base.toml", tmp_path / "companies.csv"
    template.write_text(f'schema = 1\ncentre_url = "{centre.centre_url}"\n{MORE}', encoding="utf-8")
    table.write_text(
        f"file,station_name,site_ids,uses\none,門1,{centre.site_id},2\ntwo,門2,{centre.site_id},1\n", encoding="utf-8"
    )
    arguments = ["provision", "batch", str(table), "--template", str(template), "--issue-as", made["client_id"]]

    def batch(out: str, secret: str) -> subprocess.CompletedProcess[str]:
        command = genba_touch(data.root, *arguments, "--out", str(tmp_path / out))
        return subprocess.run(command, input=f"{secret}\n", capture_output=True, text=True, timeout=60, check=False)

    wrong = batch("wrong", "not-the-secret")
    assert (wrong.returncode, (tmp_path / "wrong").exists()) == (5, False), wrong.stderr
    assert "センターが管理者として認めません" in wrong.stderr
    done = batch("out", made["client_secret"])
    assert done.returncode == 0, done.stderr
    one = tomllib.loads((tmp_path / "out" / "one.toml").read_text(encoding="utf-8"))
    assert one["enrolment_code"] not in done.stdout
    for station in ("a", "b"):
        assert wiring.first_start(DataDir.at(tmp_path / station), "ja", file=tmp_path / "out" / "one.toml").workers == 5
    third = wiring.first_start(DataDir.at(tmp_path / "c"), "ja", file=tmp_path / "out" / "one.toml")
    assert reasons(third) == {"sync.enrol_used_up"}
