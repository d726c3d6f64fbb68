"""What each card says, and what it must never say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.events import JST, Direction
from app.domain.verdict import Outcome, Reason
from app.gate.news import Announcement, StorageAlarm
from app.ui import gallery_data as data
from app.ui.content import CardContent, Sound, alarm_content, card_content
from app.ui.theme import Look
from app.ui.words import Words

JA = Words("ja", JST)


def said(news: Announcement, label: str = "") -> CardContent:
    return card_content(news, JA, label)


def everything(content: CardContent) -> str:
    return content.spoken + "".join(chip.text for chip in content.chips)


def test_recorded() -> None:
    content = said(data.recorded(), "リーダー A")
    assert (content.look, content.sound) == (Look.RECORDED, Sound.RECORDED)
    assert content.title == "記録しました"
    assert content.headline == "佐藤 健一"
    assert content.sub == "入場 07:42  ·  リーダー A"
    assert [chip.text for chip in content.chips] == ["関東鉄筋(二次)", "鉄筋工・職長"]
    assert content.figure == "今月 14 日目"
    assert not content.advice


def test_level_and_retirement_only_where_the_site_shows_them() -> None:
    assert "レベル" not in everything(said(data.recorded()))
    assert "建退共" not in everything(said(data.recorded()))
    shown = said(data.with_level())
    assert shown.chips[-1].text == "レベル 3 シルバー"
    assert shown.chips[-1].level == 3
    assert shown.advice == "建退共 見込み 4,480 円"


def test_days_are_left_out_when_not_known() -> None:
    assert said(data.recorded(days_this_month=None)).figure == ""


def test_check_says_why_and_what_to_do() -> None:
    content = said(data.check())
    assert (content.look, content.sound) == (Look.CHECK, Sound.CHECK)
    assert content.title == "記録しました(要確認)"
    assert content.notes == ("施工体制に未登録のため、職種・立場が登録されません",)
    assert content.advice == "事務所にお寄りください"
    assert [chip.text for chip in content.chips] == ["所属なし", "職種なし"]


@pytest.mark.parametrize("reason", [r for r in Reason if r.personal])
def test_personal_reasons_are_never_named(reason: Reason) -> None:
    content = said(data.recorded(outcome=Outcome.RECORDED_CHECK, reasons=(reason,)))
    assert content.title == "記録しました"
    assert content.advice == "事務所にお寄りください"
    assert not content.notes
    for word in ("保険", "在留", "要確認"):
        assert word not in everything(content)


def test_a_personal_reason_beside_an_open_one_is_not_named() -> None:
    reasons = (Reason.CARD_EXPIRING, Reason.INSURANCE_UNCONFIRMED)
    content = said(data.recorded(outcome=Outcome.RECORDED_CHECK, reasons=reasons))
    assert content.notes == ("カードの有効期限が近づいています",)
    assert content.advice == "事務所にお寄りください"
    assert "保険" not in everything(content)


def test_unknown_card() -> None:
    content = said(data.unknown())
    assert (content.look, content.sound) == (Look.UNKNOWN, Sound.UNKNOWN)
    assert (content.title, content.headline) == ("未登録のカードです", "時刻は保存しました")
    assert content.sub == "入場 07:42"
    assert content.chips[0].text == "カード •••• ••47"


def test_double_touch_names_the_first_time() -> None:
    content = said(data.double())
    assert (content.look, content.sound) == (Look.ALREADY, Sound.ALREADY)
    assert content.title == "記録済みです(07:41)"
    assert "07:42" not in everything(content)


def test_double_touch_of_an_unknown_card() -> None:
    content = said(replace(data.double(), name="", company="", occupation="", role=""))
    assert content.headline == "未登録のカード"
    assert not content.chips


@pytest.mark.parametrize(
    "reason", [Reason.RANDOM_ID, Reason.BLANK_ID, Reason.ASSURANCE_TOO_LOW, Reason.CARD_STOPPED, Reason.CARD_CONTENT]
)
def test_refused_says_what_to_do_and_no_name_and_no_direction(reason: Reason) -> None:
    news = replace(data.refused(reason=reason), name="佐藤 健一", direction=Direction.IN)
    content = said(news)
    assert (content.look, content.sound) == (Look.BAD, Sound.BAD)
    assert content.title == "使えないカードです"
    assert content.headline == JA.title(f"reason.{reason.value}")
    assert content.advice == JA.remedy(f"reason.{reason.value}") != ""
    for word in ("佐藤", "入場", "退場", "記録"):
        assert word not in everything(content)


def test_unreadable() -> None:
    content = said(replace(data.unreadable(), direction=Direction.OUT))
    assert (content.look, content.sound) == (Look.BAD, Sound.BAD)
    assert (content.title, content.headline) == ("読めませんでした", "もう一度タッチ")
    assert "退場" not in everything(content)


def test_entered_is_no_record_yet() -> None:
    content = said(data.entered())
    assert content.look is Look.PENDING
    assert content.title.replace("\u200b", "") == "承認待ちで受け付けました"
    assert content.headline == "佐藤 健一"
    assert "記録しました" not in everything(content)


def test_alarm_is_loud_and_shows_no_bare_code() -> None:
    content = alarm_content(StorageAlarm("x", data.NOW, "no.such.code"), JA)
    assert content.loud
    assert content.sound is Sound.ALARM
    assert content.title.replace("\u200b", "") == "記録できませんでした"
    assert "no.such" not in everything(content)
    for word in ("記録しました", "入場", "退場"):
        assert word not in everything(content)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_outcome_has_words_in_both_languages(outcome: Outcome, language: str) -> None:
    news = data.recorded(outcome=outcome, first_at=data.NOW)
    content = card_content(news, Words(language, JST))
    assert content.title
    assert content.headline
    assert "outcome." not in content.title


def test_each_outcome_has_a_shape_or_words_of_its_own() -> None:
    cards = [said(n()) for n in (data.recorded, data.check, data.unknown, data.double, data.refused, data.entered)]
    assert len({card.look for card in cards}) == len(cards)
