"""A code as people type it."""

from __future__ import annotations

import pytest

from app.errors import CentreRefused, InputRefused
from app.sync.enrol import enrol, normalise_code
from app.sync.http import CentreClient
from app.sync.trouble import Offline
from tests.helpers.tiny_centre import Reply, TinyCentre


@pytest.mark.parametrize(
    "typed",
    ["ABCD-EFGH-JKLM", "abcdefghjklm", " abcd efgh  jklm\n", "\uff21BCD\uff0dEFGH\u3000JKLM", "abcdーefgh―jk lm"],
)
def test_case_blanks_and_hyphens_do_not_matter(typed: str) -> None:
    assert normalise_code(typed) == "ABCD-EFGH-JKLM"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "sync.enrol_shape"),
        ("ABCD-EFGH-JKL", "sync.enrol_shape"),
        ("ABCD-EFGH-JKLMN", "sync.enrol_shape"),
        ("登録" * 6, "sync.enrol_shape"),
        ("ABCD-EFGH-JKLN", "sync.enrol_check"),
        ("ABCD-EFGH-JKL0", "sync.enrol_check"),
    ],
)
def test_what_cannot_be_a_code_is_not_sent(centre: TinyCentre, client: CentreClient, typed: str, code: str) -> None:
    with pytest.raises(InputRefused) as caught:
        enrol(client, typed, "i", "ゲート", "9.9")
    assert caught.value.code == code
    assert centre.seen == []


def test_enrolment(client: CentreClient) -> None:
    answer = enrol(client, "abcd efgh jklm", "i", "ゲート", "9.9")
    assert (answer.station_id, answer.client_secret, answer.site_ids) == ("st-1", "s3cret-value", ("site-1",))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("USED-UPUP-UPU8", "sync.enrol_used_up"),
        ("AAAA-BBBB-CCCJ", "sync.enrol_expired"),
        ("ZZZZ-ZZZZ-ZZZK", "sync.enrol_unknown"),
    ],
)
def test_each_refusal_has_its_sentence(client: CentreClient, typed: str, code: str) -> None:
    with pytest.raises(CentreRefused) as caught:
        enrol(client, typed, "i", "ゲート", "9.9")
    assert caught.value.code == code


def test_offline(centre: TinyCentre, client: CentreClient) -> None:
    centre.before = lambda seen: Reply(200, drop=True)
    with pytest.raises(Offline):
        enrol(client, "ABCD-EFGH-JKLM", "i", "ゲート", "9.9")
