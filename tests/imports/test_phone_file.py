"""The format of docs/phone-file.md: the page's own example, and everything that is refused, with its place."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app import phone_seal
from app.domain.events import Direction
from app.errors import InputRefused
from app.messages import LANGUAGES, explain
from app.office import phone_file
from app.office.phone_file import PhoneFile
from tests.helpers.phone_app import SUITE, PhoneApp, fingerprint
from tests.helpers.tiny_site import SITE_ID
from tests.imports.conftest import PRIVATE, registered

PAGE = Path(__file__).parents[2] / "docs" / "phone-file.md"
CARD = "felica:0140000000000001"
GOOD = {"at": "2026-11-19T07:41:05.120+09:00", "card": CARD, "direction": "in"}


def read(data: bytes, *apps: PhoneApp, private: bytes = PRIVATE, **changes: Any) -> PhoneFile:
    known = {app.id: registered(app, **changes) for app in apps}
    return phone_file.read(data, "buffer", private, known.get)


def refusal(data: bytes, *apps: PhoneApp, **changes: Any) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        read(data, *apps, **changes)
    for language in LANGUAGES:
        lines = explain(caught.value, language)
        assert len(lines) == 3, "what, where, what to do"
        assert "…" not in lines[0], "a value is missing"
        assert not any("FELICA" in line.upper() and "0140" in line for line in lines)
    return caught.value


def test_the_worked_example_of_the_page() -> None:
    """Bytes and keys are taken from the page alone, and so is the app."""
    page = PAGE.read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```([a-z0-9-]+)\n(.*?)```", page, re.DOTALL))
    keys = dict(re.split(r"\s{1,}(?=\S+$)", line) for line in blocks["test-keys"].splitlines())
    data, text = base64.b64decode(blocks["base64"]), blocks["text"].encode()
    app = PhoneApp(keys["station public"], SITE_ID, bytes.fromhex(keys["phone private"]))
    private = bytes.fromhex(keys["station private"])
    assert (app.key, app.id) == (keys["phone public"], keys["phone id"])
    head, _, sealed = data.partition(b"\n")
    assert head.decode() == f"genba-touch-phone/1 {keys['fingerprint']} {len(sealed)}"
    assert fingerprint(app.station) == keys["fingerprint"]
    opened = SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), b"genba-touch phone v1")
    assert opened == text
    body = text[: text.rindex(b"\n", 0, -1) + 1]
    assert app.sign(body).replace(b'": "', b'":"') == text
    for one in (data, app.seal(text)):
        found = read(one, app, private=private)
        assert [(t.number, t.at, t.card_key, t.worker_id, t.direction) for t in found.touches] == [
            (17, "2026-11-19T07:41:05.120+09:00", CARD, None, Direction.IN),
            (18, "2026-11-19T07:41:09.004+09:00", "profile:phone:91000000000002", "91000000000002", Direction.IN),
            (19, "2026-11-19T17:32:40.377+09:00", CARD, None, None),
        ]
        assert (found.site_id, found.first, found.last) == (SITE_ID, 17, 19)


def test_any_edited_byte_and_any_cut_is_refused(app: PhoneApp) -> None:
    data = app.file([GOOD])
    read(data, app)
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1
        assert refusal(bytes(broken), app).code.startswith("phone_file."), place
    for length in range(0, len(data), 7):
        code = "phone_file.not_one" if length <= data.index(b"\n") else "phone_file.truncated"
        assert refusal(data[:length], app).code == code
    assert refusal(data + b"\n", app).code == "phone_file.altered"


def test_whose_file_it_is(app: PhoneApp) -> None:
    data = app.file([GOOD])
    thief = PhoneApp(app.station.hex(), app.site)
    assert refusal(data).code == "phone_file.unknown_phone"
    assert refusal(data, app, revoked=True).code == "phone_file.revoked"
    # another phone that claims to be this one
    assert refusal(thief.file([GOOD], phone=app.id), app, thief).code == "phone_file.bad_signature"
    # a byte changed by somebody who has the station's key, as everybody has
    text = phone_seal.unseal(PRIVATE, data.partition(b"\n")[2])
    forged = app.seal(text.replace(b"07:41:05", b"06:41:05"))
    assert refusal(forged, app).code == "phone_file.bad_signature"
    assert refusal(data, app, private=bytes(31) + b"x").code == "phone_file.other_key"
    # signed for one station, sealed anew for another
    assert refusal(app.file([GOOD], key="0" * 16), app).code == "phone_file.other_key"
    assert refusal(app.seal(text.rpartition(b'{"signature')[0]), app).code == "phone_file.no_signature"
    assert refusal(app.seal(b""), app).code == "phone_file.no_signature"
    assert refusal(data.replace(b"phone/1", b"phone/2"), app).code == "phone_file.other_version"
    assert refusal(bytes(phone_file.MAX_BYTES + 1), app).code == "phone_file.too_large"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({**GOOD, "at": "2026-11-19T07:41:05+09:00"}, "at"),
        ({**GOOD, "at": "2026-11-19T07:41:05.120"}, "at"),
        ({**GOOD, "at": "2026-13-19T07:41:05.120+09:00"}, "at"),
        ({**GOOD, "at": "0001-01-01T00:00:00.000+14:00"}, "at"),
        ({**GOOD, "card": "felica:014000000000000a"}, "card"),
        ({**GOOD, "card": "felica:01 40 00 00 00 00 00 01"}, "card"),
        ({**GOOD, "card": "piv:" + "0" * 32}, "card"),
        ({**GOOD, "card": 7}, "card"),
        ({"at": GOOD["at"]}, "card or worker_id"),
        ({"at": GOOD["at"], "worker_id": "山田"}, "worker_id"),
        ({**GOOD, "direction": "up"}, "direction"),
        ({**GOOD, "number": 9}, "number"),
    ],
)
def test_a_line_that_is_not_well_formed(app: PhoneApp, line: dict[str, Any], field: str) -> None:
    refused = refusal(app.file([GOOD, line]), app)
    assert (refused.code, refused.where) == ("phone_file.line", "buffer: line 3")
    assert field in str(refused.values["why"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda app: app.file([GOOD], count=2), "phone_file.count"),
        (lambda app: app.file([GOOD], last=5), "phone_file.count"),
        (lambda app: app.file([GOOD], first=0), "phone_file.count"),
        (lambda app: app.file([]), "phone_file.count"),
        (lambda app: app.file([GOOD], made_at="yesterday"), "phone_file.line"),
        (lambda app: app.file([GOOD], format="genba-touch-phone/9"), "phone_file.line"),
        (lambda app: app.file([GOOD], last="1"), "phone_file.line"),
        (lambda app: app.seal(app.sign(b"\xff\xfe\n")), "phone_file.line"),
        (lambda app: app.file([GOOD] * (phone_file.MAX_TOUCHES + 1)), "phone_file.too_large"),
    ],
)
def test_a_header_that_does_not_fit(app: PhoneApp, change: Callable[[PhoneApp], bytes], code: str) -> None:
    assert refusal(change(app), app).code == code


def test_fields_of_later_apps_are_no_error(app: PhoneApp) -> None:
    assert len(read(app.file([{**GOOD, "battery": 0.5}], model="x"), app).touches) == 1
