"""The command line's promises (docs/cli.md): exit codes, clean JSON on stdout, and errors that a person can use.

Whole processes where stdout and stderr, locks or environment matter; refused files in this process, for there are many.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from app.messages import LANGUAGES, say
from app.secrets import DATABASE_KEY, KeyFileVault
from app.store import driver
from tests.helpers.station_rig import Lines, Rig, ask, call, free_port, genba_touch
from tests.helpers.tiny_site import SITE_ID, tiny_site

WORKERS = 4
CARD = str(tiny_site(workers=WORKERS)["cards"][0]["id"])
GOOD = 'schema = 1\ncentre_url = "http://127.0.0.1:9"\nstation_name = "門"\nenrolment_code = "ABCD-EFGH-JKLM"\n'
UNKNOWN_SITE = "90000000000099"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A centre and a provisioned station whose gate does not run. Tests leave both as they found them."""
    made = Rig(tmp_path_factory.mktemp("cli"), tiny_site(workers=WORKERS))
    yield made
    made.close()


@pytest.fixture
def own_rig(tmp_path: Path) -> Iterator[Rig]:
    """One that the test may spoil."""
    made = Rig(tmp_path, tiny_site(workers=WORKERS))
    yield made
    made.close()


@pytest.fixture
def in_process() -> Iterator[None]:
    """`run` sets up logging for a whole process: put it back."""
    root, app = logging.getLogger(), logging.getLogger("app")
    before = root.level, list(root.handlers), app.level
    yield
    for handler in set(root.handlers) - set(before[1]):
        root.removeHandler(handler)
    root.setLevel(before[0])
    app.setLevel(before[2])
    logging.captureWarnings(False)


def script(folder: Path, *cards: str) -> str:
    """SPEC of a reader that reads these cards."""
    file = folder / f"script-{len(list(folder.glob('script-*')))}.jsonl"
    file.write_text("".join(json.dumps({"card": card, "hold_s": 0.1}) + "\n" for card in cards), encoding="utf-8")
    return f"scripted:{file}"


def is_error(stderr: str, code: str, language: str = "ja", *, where: str = "") -> None:
    """Up to three lines, and nothing else: the sentence of this code, where, what to do."""
    lines = stderr.splitlines()
    title, remedy = say(code, language).title, say(code, language).remedy
    assert 2 <= len(lines) <= 3, stderr
    for line, wanted in ((lines[0], title), (lines[-1], remedy)):
        for part in wanted.split("…"):  # values are filled in there
            assert part in line, f"{line!r} is not {wanted!r}"
        assert "{" not in line or code in ("file.syntax", "file.invalid"), line
        assert "…" not in line, line
    assert remedy
    assert where in lines[1] if len(lines) == 3 else not where, f"{where!r} is not named: {stderr}"


def refuses(
    data: Path, exit_code: int, code: str, *arguments: str, where: str = "", env: dict[str, str] | None = None
) -> None:
    """In both languages."""
    for language in LANGUAGES:
        done = ask(data, "--language", language, *arguments, env=env)
        assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
        is_error(done.stderr, code, language, where=where)


def one_json(data: Path, *arguments: str, code: int = 0) -> Any:
    """The one JSON value on stdout, without and with --verbose; the latter's."""
    quiet = ask(data, *arguments)
    assert quiet.returncode == code, quiet.stderr
    json.loads(quiet.stdout)
    loud = ask(data, "--verbose", *arguments)
    assert loud.returncode == code, loud.stderr
    return json.loads(loud.stdout)


# --- 2: the command line is wrong


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["--language", "fr", "status"],
        ["status", "too-much"],
        ["gate", "--seconds", "soon"],
        ["recover", "OLD"],
        ["provision"],
        ["central"],
        ["central", "serve"],
        ["central", "issue-code", "--site", "1", "--uses", "many"],
        ["central", "issue-code", "--site", "1", "--role", "king"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("usage: genba-touch")


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("code", "where", "arguments"),
    [
        ("cli.bad_listen", "nowhere", ["central", "serve", "--listen", "nowhere"]),
        ("cli.bad_listen", "127.0.0.1:99999", ["central", "serve", "--listen", "127.0.0.1:99999"]),
        ("reader.spec_invalid", "magic", ["gate", "--headless", "--reader", "magic"]),
        ("reader.spec_invalid", "pasori:udp:x", ["readers", "--json", "--reader", "pasori:udp:x"]),
        ("reader.wedge_needs_window", "wedge", ["readers", "--reader", "wedge"]),
    ],
)
def test_a_value_on_the_command_line_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, code: str, where: str, arguments: list[str]
) -> None:
    assert run(["--data-dir", str(tmp_path), "--language", language, *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    is_error(told.err, code, language, where=where)


# --- 3: a file was refused, nothing was changed

MANY = "[" * 900 + "]" * 900
FILES: dict[str, tuple[str, str, bytes | None]] = {
    "not there": ("x.toml", "file.missing", None),
    "binary": ("x.toml", "file.not_text", bytes(range(256)) * 4),
    "another encoding": ("x.toml", "file.not_text", "名前 = '現場'".encode("cp932")),
    "not TOML": ("x.toml", "file.syntax", b"schema = \n"),
    "not JSON": ("x.json", "file.syntax", b'{"schema": 1,}'),
    "NUL": ("x.toml", "file.syntax", b'schema = "\0"'),
    "a number without end": ("x.json", "file.syntax", b'{"schema": ' + b"1" * 5000 + b"}"),
    "a number without end in TOML": ("x.toml", "file.syntax", b"schema = " + b"1" * 5000),
    "half a character": ("x.json", "file.syntax", b'{"schema": 1, "station_name": "\\ud800"}'),
    "half a character inside": ("x.json", "file.syntax", b'{"site": [{"\\udfff": 1}]}'),
    "a list": ("x.json", "file.invalid", b"[]"),
    "nesting without end": ("x.json", "file.syntax", b"[" * 100_000),
    "nesting of JSON": ("x.json", "file.syntax", MANY.encode().join((b'{"site": ', b"}"))),
    "nesting of TOML": ("x.toml", "file.syntax", b"site = " + b"[" * 200 + b"]" * 200),
}


def write(folder: Path, name: str, content: bytes | None) -> Path:
    file = folder / name
    if content is not None:
        file.write_bytes(content)
    return file


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", [["provision"], ["central", "load-site", "--json"]], ids=lambda c: c[-1])
@pytest.mark.parametrize("what", FILES)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, command: list[str], language: str
) -> None:
    name, code, content = FILES[what]
    file = write(tmp_path, name, content)
    data = tmp_path / "data"
    assert run(["--data-dir", str(data), "--language", language, *command, str(file)]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    is_error(told.err, code, language, where=str(file))
    assert not (data / "settings.toml").exists()


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("command", [["provision"], ["central", "load-site"]], ids=lambda c: c[-1])
def test_a_huge_file_and_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    huge = tmp_path / "huge.toml"
    with huge.open("wb") as file:
        file.truncate(65 * 1024 * 1024)  # no disk is used
    for path, code in ((huge, "file.too_large"), (tmp_path, "file.missing")):
        assert run(["--data-dir", str(tmp_path / "data"), *command, str(path)]) == 3
        is_error(capsys.readouterr().err, code, where=str(path))


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        ("", "file.invalid", "$"),
        (GOOD + "colour = 1\n", "file.invalid", "$"),
        (GOOD.replace("127.0.0.1:9", "192.0.2.1"), "provision.centre_url", "$.centre_url"),
        (GOOD + "readers = [1]\n", "file.invalid", "$.readers[0]"),
        (GOOD.replace("schema = 1", "schema = 2"), "file.invalid", "$.schema"),
        (GOOD.replace("enrolment_code", "# "), "settings.no_code", ""),
        (GOOD.replace("ABCD-EFGH-JKLM", "ABCD-EFGH-JKLM-0") + 'key_file = "k"\n', "sync.enrol_shape", None),
        (
            GOOD + 'recovery_public_key = "-----BEGIN PUBLIC KEY-----"\n',
            "recovery.bad_public_key",
            "recovery_public_key",
        ),
    ],
)
def test_a_provisioning_file_that_says_what_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, code: str, place: str | None, language: str
) -> None:
    file = write(tmp_path, "p.toml", content.encode())
    data = tmp_path / "data"
    assert run(["--data-dir", str(data), "--language", language, "provision", str(file), "--json"]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    is_error(told.err, code, language, where="" if place is None else f"{file}")
    assert place is None or place in told.err
    assert not (data / "settings.toml").exists()
    assert not (data / "genba-touch.db").exists()


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        ({"workers": [{"id": "91000000000001"}]}, "$.workers[0]"),
        ({"site": {"id": "1", "name": 5}}, "$.site.name"),
        ({"cards": [{"id": "felica:XYZ", "worker_id": "91000000000001"}]}, "$.cards[0].id"),
        ({"cards": [{"id": "felica:0123456789ABCDEF", "worker_id": "91000000009999"}]}, "$.cards[0].worker_id"),
        ({"operators": [{"id": "o", "name": "o", "pin": "1234"}]}, "$.operators[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_site_file_that_says_what_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: dict[str, Any], place: str, language: str
) -> None:
    file = write(tmp_path, "site.json", json.dumps({**tiny_site(workers=1), **spoil}).encode())
    assert run(["--data-dir", str(tmp_path), "--language", language, "central", "load-site", str(file), "--json"]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "\n".join(told.err.splitlines()[1:2]).startswith(f"{file}: {place}"), told.err
    assert len(told.err.splitlines()) == 3
    assert run(["--data-dir", str(tmp_path), "central", "issue-code", "--site", SITE_ID]) == 3, "something was loaded"
    capsys.readouterr()


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("code", "where", "arguments"),
    [
        ("settings.missing", "settings.toml", ["gate", "--headless"]),
        ("settings.missing", "settings.toml", ["status", "--json"]),
        ("settings.missing", "settings.toml", ["sync", "--once", "--json"]),
        ("file.missing", "no.pem", ["recover", "OLD", "--private-key", "no.pem"]),
        ("central.database_url", "mysql://x", ["central", "load-site", "x", "--database", "mysql://x"]),
        (
            "central.password_in_url",
            "postgresql",
            ["central", "issue-code", "--site", "1", "--database", "postgresql+psycopg://user:hidden@h/n"],
        ),
        ("central.site_unknown", UNKNOWN_SITE, ["central", "issue-code", "--site", UNKNOWN_SITE, "--json"]),
        ("central.code_request", "", ["central", "issue-code", "--site", UNKNOWN_SITE, "--uses", "0", "--json"]),
        ("reader.script_unreadable", "no.jsonl", ["readers", "--reader", "scripted:no.jsonl", "--json"]),
    ],
)
def test_refused_before_anything_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, code: str, where: str, arguments: list[str]
) -> None:
    assert run(["--data-dir", str(tmp_path), "--language", language, *arguments]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "hidden" not in told.err
    is_error(told.err, code, language, where=where)


@pytest.mark.usefixtures("in_process")
def test_recovery_keys_and_what_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data-dir", str(tmp_path / "data")]
    assert run([*data, "recovery-key", str(tmp_path / "safe")]) == 0
    private, public = capsys.readouterr().out.splitlines()
    assert Path(private).stat().st_mode & 0o077 == 0
    assert run([*data, "recovery-key", str(tmp_path / "safe")]) == 3
    is_error(capsys.readouterr().err, "recovery.key_exists", where=private)
    assert run([*data, "recover", str(tmp_path), "--private-key", public]) == 3
    assert run([*data, "recover", str(tmp_path / "nothing"), "--private-key", private]) == 3
    assert len(capsys.readouterr().err.splitlines()) >= 5


def test_the_site_must_be_one_of_this_station(rig: Rig, tmp_path: Path) -> None:
    gate = ("gate", "--headless", "--reader", script(tmp_path), "--site")
    refuses(rig.station_data, 3, "settings.other_site", *gate, UNKNOWN_SITE, where=UNKNOWN_SITE)
    call(rig.station_data, *gate, SITE_ID, "--seconds", "0.1")


def test_an_enrolled_station_is_not_enrolled_again(rig: Rig) -> None:
    where = str(rig.station_data)
    refuses(rig.station_data, 3, "settings.already_enrolled", "provision", str(rig.provisioning), where=where)


# --- 4: the machine's trouble


def test_a_window_needs_a_display(rig: Rig) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    refuses(rig.station_data, 4, "cli.no_display", "gate", env=env)


def test_offline(own_rig: Rig, tmp_path: Path) -> None:
    other = tmp_path / "another"
    provisioning = own_rig.write_provisioning('key_file = "keys.json"\n')
    own_rig.kill_centre()
    address = f"127.0.0.1:{own_rig.centre_port}"
    refuses(other, 4, "sync.offline_refused", "provision", str(provisioning), "--json", where=address)
    for language in LANGUAGES:
        done = ask(own_rig.station_data, "--language", language, "sync", "--once", "--json")
        assert done.returncode == 4
        assert json.loads(done.stdout)["last_error"] == "sync.offline_refused"
        is_error(done.stderr, "sync.offline_refused", language, where=address)
    report = one_json(own_rig.station_data, "doctor", "--json", code=4)
    centre = next(check for check in report["checks"] if check["check"] == "centre")
    assert (centre["result"], centre["where"]) == ("failed", address)
    own_rig.start_centre()
    call(other, "provision", str(provisioning))  # the code is still good


def test_beside_a_running_gate(rig: Rig, tmp_path: Path) -> None:
    command = ("gate", "--headless", "--reader", script(tmp_path, CARD))
    gate = Lines(genba_touch(rig.station_data, "--verbose", *command, "--json-lines"))
    try:
        gate.wait(lambda item: item["event"] == "touch")
        status = rig.drained()
        assert status["chain_head"]["seq"] == status["accepted"] >= 1
        report = one_json(rig.station_data, "doctor", "--json", code=6)
        assert (report["ok"], report["state"]) == (True, "warnings"), "its keys are in a file"
        holder = next(check for check in report["checks"] if check["check"] == "holder")
        assert holder["title"] == say("doctor.holder_gate").title, "the gate is not 'another program'"
        folder = str(rig.station_data)
        refuses(rig.station_data, 4, "store.in_use", *command, where=folder)
        refuses(rig.station_data, 4, "store.in_use", "sync", "--once", "--json", where=folder)
        assert gate.running
    finally:
        assert gate.terminate() == 0


def test_a_database_from_a_newer_version(own_rig: Rig) -> None:
    database = own_rig.station_data / "genba-touch.db"
    key = KeyFileVault(own_rig.station_data / "keys.json").require(DATABASE_KEY)
    with closing(driver.open_bare(database, key)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = database.read_bytes()
    for command in (["gate", "--headless"], ["status", "--json"]):
        refuses(own_rig.station_data, 4, "store.newer_database", *command, where=str(database))
    report = one_json(own_rig.station_data, "doctor", "--json", code=4)
    assert report["first_failed"] == "database"
    assert database.read_bytes() == before


def test_a_database_that_is_gone_damaged_or_of_another_key(own_rig: Rig, tmp_path: Path) -> None:
    database = own_rig.station_data / "genba-touch.db"
    kept = tmp_path / "kept"
    database.rename(kept)
    refuses(own_rig.station_data, 4, "store.lost", "status", "--json", where=str(database))
    refuses(own_rig.station_data, 4, "store.lost", "gate", "--headless", where=str(database))
    assert not database.exists()
    spoilt = bytearray(kept.read_bytes())
    spoilt[100:200] = bytes(100)
    database.write_bytes(spoilt)
    refuses(own_rig.station_data, 4, "store.damaged", "status", where=str(database))
    kept.replace(database)
    KeyFileVault(own_rig.station_data / "keys.json").set(DATABASE_KEY, bytes(32))
    refuses(own_rig.station_data, 4, "store.wrong_key", "gate", "--headless", where=str(database))


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    file = write(tmp_path, "file", b"")
    provisioning = write(tmp_path, "p.toml", (GOOD + 'key_file = "k"\n').encode())
    refuses(file / "below", 4, "settings.folder", "provision", str(provisioning), where=str(file))
    for command in (["status"], ["gate", "--headless"], ["provision", str(provisioning)]):
        refuses(file, 3, "settings.file_as_folder", *command, where=str(file))


@pytest.mark.usefixtures("in_process")
def test_who_looks_after_a_centre_makes_none_by_a_typing_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typo = ["--database", f"sqlite:///{tmp_path / 'typo.db'}"]
    reason = ["--reason", "x"]
    for command in (
        ["stations"],
        ["incidents"],
        ["audit", "--json"],
        ["erase-person", "--worker", "1", *reason],
        ["retention", "--months", "9", *reason],
        ["take-drop", str(tmp_path)],
    ):
        assert run(["--data-dir", str(tmp_path), "central", *command, *typo]) == 4
        told = capsys.readouterr()
        assert told.out == ""
        is_error(told.err, "central.no_database", where="typo.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("in_process")
def test_an_empty_list_says_so(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    here = ["--data-dir", str(rig.station_data)]
    there = ["--database", f"sqlite:///{rig.centre_data / 'central.db'}"]
    for command in (["import", "--unknown"], ["import", "--batches"], ["central", "incidents", *there]):
        assert run([*here, *command]) == 0
        assert capsys.readouterr().out == "0 件\n"
        assert run([*here, *command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) in ([], {"incidents": [], "odd_events": []})


@pytest.mark.usefixtures("in_process")
def test_a_pin_on_a_terminal_is_typed_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for typed, code in ((["482913", "482914"], 3), (["482913", "482913"], 0)):
        monkeypatch.setattr("getpass.getpass", lambda prompt, typed=typed: typed.pop(0))
        assert run(["central", "pin-verifier"]) == code
        told = capsys.readouterr()
        assert (told.out == "", typed) == (code != 0, [])


def test_the_centre_cannot_have_its_address_or_database(rig: Rig, tmp_path: Path) -> None:
    taken = f"127.0.0.1:{rig.centre_port}"
    refuses(tmp_path, 4, "central.cannot_listen", "central", "serve", "--listen", taken, where=taken)
    nowhere = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/x"
    issue = ("central", "issue-code", "--site", SITE_ID, "--json", "--database", nowhere)
    refuses(tmp_path, 4, "central.database_unreachable", *issue, where="127.0.0.1")


def test_no_reader_is_the_machines_trouble(tmp_path: Path) -> None:
    rows = one_json(tmp_path, "readers", "--json", "--reader", "pcsc:no such reader", code=4)
    assert [(row["usable"], bool(row["condition"])) for row in rows] == [(False, True)]
    rows = one_json(tmp_path, "readers", "--json", "--reader", script(tmp_path))
    assert [(row["usable"], row["condition"]) for row in rows] == [(True, "ready")]


# --- 5: the centre said no


def test_a_code_that_is_used_up_or_unknown(rig: Rig, tmp_path: Path) -> None:
    code = rig.issue_code()
    file = rig.write_provisioning('key_file = "keys.json"\n', code)
    done = one_json_once(tmp_path / "first", "provision", str(file), "--json")
    assert done["workers"] == WORKERS
    address = f"127.0.0.1:{rig.centre_port}"
    unknown = rig.write_provisioning('key_file = "keys.json"\n', "ABCD-EFGH-JKLM")
    refuses(tmp_path / "second", 5, "sync.enrol_used_up", "provision", str(file), "--json", where=address)
    refuses(tmp_path / "second", 5, "sync.enrol_unknown", "provision", str(unknown), "--json", where=address)
    assert not (tmp_path / "second" / "station.json").exists()


def one_json_once(data: Path, *arguments: str) -> Any:
    """For what can be done only once: with --verbose."""
    done = ask(data, "--verbose", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr
    return json.loads(done.stdout)


# --- 0: one JSON value and nothing else


def test_json_of_every_command(rig: Rig, tmp_path: Path) -> None:
    assert one_json(rig.centre_data, "central", "load-site", str(rig.folder / "site.json"), "--json")["added"] == 0
    assert one_json(rig.centre_data, "central", "issue-code", "--site", SITE_ID, "--json")["uses"] == 1
    status = one_json(rig.station_data, "status", "--json")
    assert set(status) == {
        *("station_id", "site_id", "pending", "rejected", "accepted", "suppressed", "oldest_pending_at"),
        *(
            "last_sync_at",
            "last_error",
            "chain_broken",
            "closed",
            "readers",
            "chain_head",
            "schema_version",
            "sqlite_version",
        ),
    }
    assert one_json(rig.station_data, "sync", "--once", "--json")["last_error"] is None
    report = one_json(rig.station_data, "doctor", "--json", code=4)
    assert {check["result"] for check in report["checks"]} <= {"ok", "warning", "failed", "not_checked", "info"}
    assert all(check["title"] for check in report["checks"])


def test_logs_hold_no_secret(rig: Rig) -> None:
    keys = json.loads((rig.station_data / "keys.json").read_text(encoding="utf-8"))
    done = ask(rig.station_data, "--verbose", "sync", "--once", "--json")
    assert done.stderr, "nothing was logged"
    for secret in keys.values():
        assert secret not in done.stderr + done.stdout


def test_lines_of_a_gate_and_of_sync(rig: Rig, tmp_path: Path) -> None:
    reader = script(tmp_path, CARD)
    lines = call(
        rig.station_data,
        *("--verbose", "gate", "--headless", "--json-lines", "--reader", reader, "--seconds", "2"),
    ).splitlines()
    items = [json.loads(line) for line in lines]
    assert {item["event"] for item in items} <= {"touch", "reader_state", "sync"}
    touch = next(item for item in items if item["event"] == "touch")
    assert CARD.removeprefix("felica:") not in json.dumps(touch), "the card's id is masked"
    assert set(touch) == {
        *("event", "id", "seq", "card", "worker_id", "site_id", "direction", "work_day", "assurance", "outcome"),
        *("reasons", "reader", "at", "stored_at"),
    }
    sync = Lines(genba_touch(rig.station_data, "--verbose", "sync", "--json"))
    sync.wait(lambda item: item["event"] == "sync" and item["online"] is True)
    assert sync.terminate() == 0


def test_demo_is_one_json_value(tmp_path: Path) -> None:
    done = subprocess.run(
        genba_touch(tmp_path, "--verbose", "demo", "--headless", "--json"),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["exactly_once"] is True
    assert done.stderr
