"""Is this the centre, and how long shall we wait?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import zstandard

from app.errors import GenbaError
from app.messages import LANGUAGES, say
from app.sync import answers, trouble
from app.sync.address import checked
from app.sync.answers import RETRY_AFTER_CAP_S, RawAnswer, read, retry_after
from app.sync.wire import Page

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PAGE = b'{"items": [], "cursor": "1", "more": false}'
JSON = {"content-type": "application/json; charset=utf-8"}


def raw(status: int = 200, body: bytes = PAGE, **headers: str) -> RawAnswer:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return RawAnswer(status, {**JSON, **named}, body, 0.1, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("86400", RETRY_AFTER_CAP_S),
        ("9" * 400, RETRY_AFTER_CAP_S),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after(raw(429, retry_after=text)) == seconds


@pytest.mark.parametrize("pc_is_wrong_by", [timedelta(0), timedelta(days=-400), timedelta(days=400)])
@pytest.mark.parametrize(("ahead", "seconds"), [(90, 90.0), (-90, 0.0), (999_999, RETRY_AFTER_CAP_S)])
def test_retry_after_as_date_is_measured_by_the_answers_own_clock(
    pc_is_wrong_by: timedelta, ahead: int, seconds: float
) -> None:
    server = NOW + pc_is_wrong_by
    until = format_datetime(server + timedelta(seconds=ahead), usegmt=True)
    assert retry_after(raw(503, retry_after=until, date=format_datetime(server, usegmt=True))) == seconds


def test_retry_after_as_date_without_a_date_is_measured_by_the_pc() -> None:
    until = format_datetime(NOW + timedelta(seconds=60), usegmt=True)
    assert retry_after(raw(503, retry_after=until)) == 60.0


def test_a_page_is_read_plain_and_packed() -> None:
    assert read(raw(), Page, 200, "h").cursor == "1"
    assert read(raw(body=zstandard.compress(PAGE), content_encoding="zstd"), Page, 200, "h").cursor == "1"


@pytest.mark.parametrize(
    "answer",
    [
        raw(body=b"<html>", content_type="text/html"),
        raw(content_type=""),
        raw(201),
        raw(204, b""),
        raw(302, b"", location="http://portal"),
        raw(511, b"<html>", content_type="text/html"),
        raw(400, b"<html>no", content_type="text/html"),
        raw(401, b"{}"),
        raw(403, b'{"error": "blocked by policy"}'),
        raw(403, b'{"title": "x", "status": 404}', content_type="application/problem+json"),
        raw(407, b"<html>", content_type="text/html"),
        raw(422, b'{"detail": "a foreign 422"}'),
        raw(body=zstandard.compress(PAGE), content_encoding="gzip"),
        raw(body=b"not zstd", content_encoding="zstd"),
        raw(body=zstandard.compress(bytes(answers.MAX_ANSWER + 1)), content_encoding="zstd"),
    ],
)
def test_what_is_not_the_centre_is_believed_in_nothing(answer: RawAnswer) -> None:
    with pytest.raises(trouble.SomebodyInBetween) as caught:
        read(answer, Page, 200, "h")
    assert not isinstance(caught.value, trouble.BadAnswer)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"items": 3, "cursor": "1", "more": false}', b'{"items": [}'])
def test_json_of_another_shape_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(trouble.BadAnswer):
        read(raw(body=body), Page, 200, "h")


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [
        (401, trouble.AuthFailed, "sync.auth_failed"),
        (403, trouble.Forbidden, "sync.forbidden_station_revoked"),
        (404, trouble.BadRequest, "sync.refused"),
        (413, trouble.TooLarge, "sync.too_large"),
        (426, trouble.UpgradeNeeded, "sync.upgrade_needed"),
        (422, trouble.BadRequest, "sync.refused"),
        (429, trouble.Busy, "sync.busy"),
        (408, trouble.Busy, "sync.busy"),
        (500, trouble.Busy, "sync.busy"),
        (503, trouble.Busy, "sync.busy"),
    ],
)
def test_a_problem_of_the_centre_is_on_its_rung(status: int, expected: type[Exception], code: str) -> None:
    body = json.dumps({"title": "no", "status": status, "code": "station_revoked", "extra": 1}).encode()
    with pytest.raises(expected) as caught:
        read(raw(status, body, content_type="application/problem+json"), Page, 200, "h")
    assert isinstance(caught.value, GenbaError)
    assert caught.value.code == code


def test_a_426_of_somebody_in_between_is_not_the_centres() -> None:
    with pytest.raises(trouble.SomebodyInBetween) as caught:
        read(raw(426, b"Upgrade", content_type="text/plain"), Page, 200, "h")
    assert caught.value.code == "sync.in_between"


def test_the_code_alone_says_that_an_upgrade_is_needed() -> None:
    body = json.dumps({"title": "old", "status": 400, "code": "upgrade_needed"}).encode()
    with pytest.raises(trouble.UpgradeNeeded):
        read(raw(400, body, content_type="application/problem+json"), Page, 200, "h")


def test_every_trouble_has_a_sentence() -> None:
    troubles: list[GenbaError] = [trouble.Offline(kind) for kind in trouble.OFFLINE_KINDS]
    troubles += [trouble.Busy(503), trouble.SomebodyInBetween("x"), trouble.BadAnswer("x"), trouble.AuthFailed()]
    troubles += [trouble.Forbidden(), *(trouble.Forbidden(code) for code in trouble.KNOWN_FORBIDDEN)]
    troubles += [trouble.TooLarge(), trouble.BadRequest(404), trouble.UpgradeNeeded()]
    assert {type(one) for one in troubles} == {
        kind
        for kind in vars(trouble).values()
        if isinstance(kind, type) and issubclass(kind, GenbaError) and kind.__module__ == trouble.__name__
    }, "a trouble that this test does not know"
    for language in LANGUAGES:
        for one in troubles:
            message = say(one.code, language, where="h", **one.values)
            assert message.title != one.code
            assert "{" not in message.title + message.remedy
        assert say("sync.bug", language).remedy


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("https://centre.example", "https://centre.example"),
        (" https://centre.example:8443/base/ ", "https://centre.example:8443/base"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_addresses(url: str, ok: str) -> None:
    assert checked(url).url == ok


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://centre.example", "sync.address_not_secret"),
        ("ftp://centre.example", "sync.address"),
        ("centre.example", "sync.address"),
        ("https://", "sync.address"),
        ("https://user:geheim@centre.example", "sync.address"),
        ("https://centre.example:99999", "sync.address"),
        ("https://centre.example/?x=1", "sync.address"),
    ],
)
def test_addresses_that_are_refused(url: str, code: str) -> None:
    with pytest.raises(GenbaError) as caught:
        checked(url)
    assert caught.value.code == code
    assert "geheim" not in str(caught.value)
