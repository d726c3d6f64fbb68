"""The fictional people and companies of the demonstration site. Every name, number and code here is invented.

Ids begin with 9999, which no real ID is meant to do. Occupation and role codes say 'SAMPLE': the real code tables are
not public.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Matter(StrEnum):
    """What is special about a person here."""

    NONE = ""
    EXPIRED = "expired"
    EXPIRING = "expiring"
    STOPPED = "stopped"
    OUTSIDE = "outside"
    """Not in the contract tree."""
    NO_OCCUPATION = "no_occupation"
    NO_ROLE = "no_role"
    INSURANCE = "insurance"
    RESIDENCE = "residence"
    VIRTUAL = "virtual"
    """Works for the company that is not in CCUS."""
    NO_CARD = "no_card"


class Firm(NamedTuple):
    """A company and its place in the contract tree. `parent`: key of the company above."""

    key: str
    id: str
    name: str
    short: str
    tier: int
    parent: str = ""
    registered: bool = True
    sole: bool = False


class Person(NamedTuple):
    """A worker, employed by a `Firm`."""

    name: str
    kana: str
    latin: str
    nationality: str
    firm: str
    occupation: str
    role: str
    level: int | None
    matter: Matter = Matter.NONE


FIRMS = (
    Firm("prime", "99990000000122", "架空建設株式会社", "架空建設", 0),
    Firm("scaffold", "99990000000222", "株式会社みなと鳶興業", "みなと鳶", 1, "prime"),
    Firm("rebar", "99990000000322", "有限会社北条鉄筋工業", "北条鉄筋", 1, "prime"),
    Firm("electric", "99990000000422", "さくら電設株式会社", "さくら電設", 1, "prime"),
    Firm("form", "99990000000522", "株式会社東雲型枠", "東雲型枠", 2, "scaffold"),
    Firm("weld", "virtual-0001", "青葉圧接", "青葉圧接", 2, "rebar", registered=False),
    Firm("pump", "99990000000722", "株式会社山吹圧送", "山吹圧送", 3, "weld"),
    Firm("interior", "99990000000822", "宇佐見内装", "宇佐見内装", 3, "form", sole=True),
)

OCCUPATIONS = {
    "SAMPLE-01": "とび工",
    "SAMPLE-02": "鉄筋工",
    "SAMPLE-03": "型枠大工",
    "SAMPLE-04": "電工",
    "SAMPLE-05": "圧接工",
    "SAMPLE-06": "コンクリート圧送工",
    "SAMPLE-07": "内装仕上工",
    "SAMPLE-08": "土工",
}
ROLES = {"SAMPLE-A": "職長", "SAMPLE-B": "班長", "SAMPLE-C": "一般"}

_A, _B, _C = ROLES
_TOBI, _REBAR, _FORM, _ELECTRIC, _WELD, _PUMP, _INTERIOR, _EARTH = OCCUPATIONS

PEOPLE = (
    Person("髙﨑 健二", "タカサキ ケンジ", "Takasaki Kenji", "JP", "prime", _EARTH, _A, 4),
    Person("大和田 誠", "オオワダ マコト", "Owada Makoto", "JP", "prime", _EARTH, _C, 3),
    Person("芹沢 美咲", "セリザワ ミサキ", "Serizawa Misaki", "JP", "prime", _EARTH, _C, 2),
    Person("渡邉 浩一", "ワタナベ コウイチ", "Watanabe Koichi", "JP", "scaffold", _TOBI, _A, 4),
    Person("﨑山 大輔", "サキヤマ ダイスケ", "Sakiyama Daisuke", "JP", "scaffold", _TOBI, _B, 3),
    Person("小野寺 翔太", "オノデラ ショウタ", "Onodera Shota", "JP", "scaffold", _TOBI, _C, 2),
    Person("塚原 勇", "ツカハラ イサム", "Tsukahara Isamu", "JP", "scaffold", _TOBI, _C, 3, Matter.EXPIRED),
    Person("成田 陸", "ナリタ リク", "Narita Riku", "JP", "scaffold", _TOBI, _C, 1),
    Person("NGUYEN VAN NAM", "グエン ヴァン ナム", "Nguyễn Văn Nam", "VN", "scaffold", _TOBI, _C, 1),
    Person(
        "TRAN QUOC HUNG", "チャン クオック フン", "Trần Quốc Hưng", "VN", "scaffold", _TOBI, _C, 1, Matter.RESIDENCE
    ),
    Person("北条 義男", "ホウジョウ ヨシオ", "Hojo Yoshio", "JP", "rebar", _REBAR, _A, 4),
    Person("石動 学", "イスルギ マナブ", "Isurugi Manabu", "JP", "rebar", _REBAR, _B, 3),
    Person("鵜飼 直樹", "ウカイ ナオキ", "Ukai Naoki", "JP", "rebar", _REBAR, _C, 2, Matter.EXPIRING),
    Person("神保 隆", "ジンボ タカシ", "Jimbo Takashi", "JP", "rebar", "", _C, 2, Matter.NO_OCCUPATION),
    Person("LE THI HOA", "レ ティ ホア", "Lê Thị Hoa", "VN", "rebar", _REBAR, _C, 1),
    Person("PHAM MINH DUC", "ファム ミン ドゥック", "Phạm Minh Đức", "VN", "rebar", _REBAR, _C, 1),
    Person("AGUS PRASETYO", "アグス プラセティヨ", "Agus Prasetyo", "ID", "rebar", _REBAR, _C, 1),
    Person("桜井 昌平", "サクライ ショウヘイ", "Sakurai Shohei", "JP", "electric", _ELECTRIC, _A, 4),
    Person("仁科 瑞希", "ニシナ ミズキ", "Nishina Mizuki", "JP", "electric", _ELECTRIC, _C, 2),
    Person("梶 拓也", "カジ タクヤ", "Kaji Takuya", "JP", "electric", _ELECTRIC, "", 2, Matter.NO_ROLE),
    Person("榎本 樹", "エノモト イツキ", "Enomoto Itsuki", "JP", "electric", _ELECTRIC, _C, 1),
    Person("諸星 剛", "モロボシ ツヨシ", "Moroboshi Tsuyoshi", "JP", "electric", _ELECTRIC, _C, 3, Matter.STOPPED),
    Person("東雲 勝", "シノノメ マサル", "Shinonome Masaru", "JP", "form", _FORM, _A, 4),
    Person("八重樫 孝", "ヤエガシ タカシ", "Yaegashi Takashi", "JP", "form", _FORM, _B, 3),
    Person("久我 亮", "クガ リョウ", "Kuga Ryo", "JP", "form", _FORM, _C, 2),
    Person("茂木 和也", "モテギ カズヤ", "Motegi Kazuya", "JP", "form", _FORM, _C, 2, Matter.INSURANCE),
    Person("BUI THANH LONG", "ブイ タイン ロン", "Bùi Thanh Long", "VN", "form", _FORM, _C, 1),
    Person("DEDI KURNIAWAN", "デディ クルニアワン", "Dedi Kurniawan", "ID", "form", _FORM, _C, 1),
    Person("RIZKY HIDAYAT", "リスキー ヒダヤット", "Rizky Hidayat", "ID", "form", _FORM, _C, None),
    Person("遠山 信吾", "トオヤマ シンゴ", "Toyama Shingo", "JP", "form", _FORM, _C, 2, Matter.NO_CARD),
    Person("青葉 茂", "アオバ シゲル", "Aoba Shigeru", "JP", "weld", _WELD, _A, 3, Matter.VIRTUAL),
    Person("真壁 竜也", "マカベ タツヤ", "Makabe Tatsuya", "JP", "weld", _WELD, _C, 2, Matter.VIRTUAL),
    Person("山吹 健", "ヤマブキ ケン", "Yamabuki Ken", "JP", "pump", _PUMP, _A, 3),
    Person("安曇 悠斗", "アズミ ユウト", "Azumi Yuto", "JP", "pump", _PUMP, _C, 1),
    Person("WAHYU SAPUTRA", "ワヒュ サプトラ", "Wahyu Saputra", "ID", "pump", _PUMP, _C, 1),
    Person("綿貫 修", "ワタヌキ オサム", "Watanuki Osamu", "JP", "pump", _PUMP, _C, 2),
    Person("宇佐見 徹", "ウサミ トオル", "Usami Toru", "JP", "interior", _INTERIOR, _A, 4),
    Person("薬師寺 満", "ヤクシジ ミツル", "Yakushiji Mitsuru", "JP", "", _EARTH, _C, 2, Matter.OUTSIDE),
    Person("五十嵐 航", "イガラシ ワタル", "Igarashi Wataru", "JP", "scaffold", _TOBI, _C, None),
    Person("柘植 進", "ツゲ ススム", "Tsuge Susumu", "JP", "rebar", _REBAR, _C, 3),
)
