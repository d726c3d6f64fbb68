"""The file for support: a station full of people, cards and secrets, and not one of them in any byte that leaves."""

from __future__ import annotations

import base64
import json
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.redact import Redactor
from app.secrets import make_pin_verifier
from app.settings import DataDir
from tests.e2e.test_doctor import as_plain_user
from tests.helpers.station_rig import Rig, ask, call
from tests.helpers.tiny_site import SITE_ID, tiny_site

PEOPLE = {
    "91234567890123": ("鬼怒川 權三郎", "キヌガワ ゴンザブロウ", "KINUGAWA GONZABURO"),
    "98765432109876": ("Trần Văn Đức", "チャン ヴァン ドゥック", "TRAN VAN DUC"),
}
CARDS = ("felica:0140ABCDEF987654", "felica:0140FEDCBA123456", "uid:04A1B2C3D4E5F6")
STRANGER = "felica:0140777788889999"
OPERATOR, PIN, PHONE, PROXY_USER, PROXY_PASSWORD = "鰐淵 操", "83914275", "03-5550-1234", "proxyman", "hunter2secret"
CODE_FORM = re.compile(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}")


def full_site() -> dict[str, Any]:
    site = tiny_site(workers=1)
    site["workers"] += [
        {"id": worker, "name": name, "kana": kana, "name_latin": latin}
        for worker, (name, kana, latin) in PEOPLE.items()
    ]
    holders = [*PEOPLE, next(iter(PEOPLE))]
    site["cards"] += [{"id": card, "worker_id": worker} for card, worker in zip(CARDS, holders, strict=True)]
    site["operators"] = [
        {"id": "op1", "name": OPERATOR, "roles": ["administrator"], "pin_verifier": make_pin_verifier(PIN)}
    ]
    return site


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("support"), full_site(), station_settings=f'support_contact = "{PHONE}"\n')
    try:
        script = made.folder / "cards.jsonl"
        lines = [{"after_s": 0.6, "card": card} for card in (CARDS[0], CARDS[1], STRANGER)]
        script.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        call(made.station_data, "gate", "--headless", "--reader", f"scripted:{script}", "--seconds", "4")
        call(made.station_data, "sync", "--once", "--json")
        settings = made.station_data / "settings.toml"
        # one with a password is refused there, and then looked for in the system's own settings
        settings.write_text(settings.read_text("utf-8") + 'proxy = "http://proxy.example:8080"\n', encoding="utf-8")
        leak(made)
        yield made
    finally:
        made.close()


def leak(rig: Rig) -> None:
    """Everything that must not leave, where it must not stand: in a log, a crash report, a file's name."""
    latin = [latin for *_, latin in PEOPLE.values()]
    lines = [
        *(f"{name}/{kana}/{latin}/{latin.title()}/{latin.replace(' ', '  ')}" for name, kana, latin in PEOPLE.values()),
        *(name.replace(" ", "") + name.replace(" ", "\u3000") for name, *_ in PEOPLE.values()),
        *(unicodedata.normalize("NFKD", name) for name, *_ in PEOPLE.values()),
        " ".join(reversed(latin[0].split())),
        OPERATOR,
        *PEOPLE,
        *(f"{worker[:4]}-{worker[4:8]}-{worker[8:12]}-{worker[12:]}" for worker in PEOPLE),
        *(
            f"{card} {card.lower()} {':'.join(spread(card))} {' '.join(spread(card)).lower()}"
            for card in secrets_cards()
        ),
        *(card.partition(":")[2] for card in secrets_cards()),
        f"pin={PIN} PIN: {PIN}",
        f"tel {PHONE} {PHONE.replace('-', '')} +81-{PHONE[1:]}",
        f"proxy http://{PROXY_USER}:{PROXY_PASSWORD}@proxy.example:8080/",
        f"password={PROXY_PASSWORD}",
        f"code {code_of(rig)}",
        f"{Path.home()}/x {str(Path.home()).replace('/', chr(92))}",
        r"C:\Users\kinugawa\AppData C:\\Users\\kinugawa\\x /home/kinugawa/x",
        *(f"value {secret}" for secret in key_values(rig)),
    ]
    (rig.station_data / "logs" / "gate-2026-01-01.log").write_text("\n".join(lines), encoding="utf-8")
    crashes = rig.station_data / "crashes"
    crashes.mkdir(exist_ok=True)
    report = {"at": "2026-01-01T00:00:00+00:00", "kind": "window", "ended": True, "log": lines, lines[0]: 1}
    (crashes / "crash-20260101T000000000000.json").write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")
    (rig.station_data / f"{OPERATOR} {CARDS[0].partition(':')[2]}.csv").write_text("x")


def spread(card: str) -> list[str]:
    number = card.partition(":")[2]
    return [number[at : at + 2] for at in range(0, len(number), 2)]


def secrets_cards() -> tuple[str, ...]:
    return (*CARDS, STRANGER)


def code_of(rig: Rig) -> str:
    found = CODE_FORM.search(rig.provisioning.read_text("utf-8"))
    assert found is not None
    return found[0]


def key_values(rig: Rig) -> list[str]:
    """Database key and station secret, as kept and as they are."""
    kept = json.loads((rig.station_data / "keys.json").read_text("utf-8"))
    raw = [base64.b64decode(value) for value in kept.values()]
    return [*kept.values(), *(one.hex() for one in raw), *(one.decode() for one in raw if one.isascii())]


def forbidden(rig: Rig) -> list[str]:
    words = [name for person in PEOPLE.values() for name in person]
    words += [OPERATOR, *PEOPLE, *(card.partition(":")[2] for card in secrets_cards())]
    words += [PIN, PHONE, "5550", PROXY_USER, PROXY_PASSWORD, code_of(rig), *key_values(rig), "Users", "kinugawa"]
    assert all(len(word) >= 2 for word in words)
    return words


def squeezed(text: str) -> str:
    """One writing of all: width, case, accents' form, blanks and what stands between digits."""
    return re.sub(r"[\s:.\-]", "", unicodedata.normalize("NFKC", text).lower())


def test_nothing_of_people_cards_and_keys_is_in_any_byte(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "out.zip"
    call(rig.station_data, "support-bundle", str(file))
    with zipfile.ZipFile(file) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist()}
    everything = "\n".join((*parts, *parts.values()))
    texts = [everything, file.read_bytes().decode("latin-1"), json.loads(f'"{json.dumps(everything)[1:-1]}"')]
    for text in texts:
        for word in forbidden(rig):
            assert squeezed(word) not in squeezed(text), word
    for word in forbidden(rig):
        assert base64.b64encode(word.encode())[:-4].decode() not in everything or len(word) < 6
    home = str(Path.home())
    assert home not in re.sub(r"\[[a-z]+\]", "", everything) or home == "/"


def test_it_helps_all_the_same(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "out.zip"
    told = json.loads(call(rig.station_data, "support-bundle", str(file), "--json"))
    with zipfile.ZipFile(file) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert told["file"] == str(file)
    assert {part["name"] for part in told["parts"]} == set(parts)
    settings, status = json.loads(parts["settings.json"]), json.loads(parts["status.json"])
    assert (settings["centre_url"], settings["proxy"]) == (rig.centre_url, "http://proxy.example:8080")
    assert (settings["support_contact"], settings["site_ids"]) == ("(set)", [SITE_ID])
    assert status["chain_head"]["seq"] == 3
    assert json.loads(parts["readers.json"])
    assert {"versions.json", "doctor.json", "files.json", "crashes/crash-20260101T000000000000.json"} <= set(parts)
    assert any(name.startswith("logs/gate-2026-01-01") for name in parts)
    assert "Names of the roster were looked for: yes" in parts["index.txt"]
    assert all(name in parts["index.txt"] for name in parts if name != "index.txt")
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_in_it_can_be_read_before_it_leaves(rig: Rig, tmp_path: Path) -> None:
    before = sorted(rig.station_data.rglob("*"))
    listed = call(rig.station_data, "support-bundle", "--list")
    assert "settings.json" in listed
    assert json.loads(call(rig.station_data, "support-bundle", "--show", "settings.json"))["language"]
    file = tmp_path / "out.zip"
    call(rig.station_data, "support-bundle", str(file))
    with zipfile.ZipFile(file) as packed:
        wanted = packed.read("doctor.json").decode()
    assert call(rig.station_data, "support-bundle", str(file), "--show", "doctor.json") == wanted, "of this very file"
    assert ask(rig.station_data, "support-bundle", "--show", "no").returncode == 3
    again = ask(rig.station_data, "support-bundle", str(file))
    assert again.returncode == 3, "nothing is written over"
    assert sorted(rig.station_data.rglob("*")) == before


def test_without_keys_it_is_made_too_and_says_so(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.create()
    (data.root / "settings.toml").write_text("schema = 1\nbroken")
    text = call(data.root, "support-bundle", "--show", "index.txt")
    assert "looked for: no" in text
    assert "settings.json" in text


def test_another_users_folder_is_no_fault_of_the_program(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0)
    done = as_plain_user(folder, "support-bundle", "--show", "settings.json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"missing": "store.no_access"})


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-22 06:15:22,123 INFO gate app.gate.service: sent 12: {'accepted': 12}, chain ok",
        "event 018f3b5c-7a3e-7c1a-9b1a-0123456789ab refused alone: wrong_shape",
        "app/wiring/diagnosis/examiner.py:57 _run",
        "reader.driver_missing 1.2.3.4 0x80100069 127.0.0.1:8443",
        "token_invalid PIN pad closed",
    ],
)
def test_what_support_needs_stays(harmless: str) -> None:
    assert Redactor(["佐藤 健一"], ["91234567890123"], home="/home/x").text(harmless) == harmless
