"""The look of every window: colours, one type scale, one spacing scale, fonts. Sizes are pixels at 100 % = 768 px high.

Source: the design sheet (docs/screenshots show the result). Every pair of text and ground is in `TEXT_PAIRS`; a test
holds each at 4.5 : 1 or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont

BACKGROUND = "#F4F6F8"
SURFACE = "#FFFFFF"
LINE = "#D9DEE5"
INK = "#14181F"
INK_2 = "#55606E"
BRAND = "#123B6D"
ON_BRAND = "#FFFFFF"
ON_BRAND_2 = "#D3DFEE"
BRAND_SOFT = "#8CA6C6"
"""A bar whose length is no rate (measured against the roster, not against a typed head-count). Never under text."""
TRACK = "#E6EAF0"
EDGE = "#AEB8C4"
"""Edge of what can be pressed."""
PRESSED, BRAND_PRESSED = "#E1EAF5", "#0D2C52"

TYPE = (13, 15, 18, 22, 28, 44, 56, 80)
SPACE = (4, 8, 12, 16, 24, 32, 48)
RADIUS = (8, 12, 20)
TARGET = 56
"""Nothing to press is smaller (gloves)."""
BASE_WIDTH, BASE_HEIGHT = 1366, 768
FAMILIES = ("Noto Sans CJK JP", "Yu Gothic UI", "Meiryo", "Hiragino Sans", "Noto Sans", "sans-serif")

REGULAR = QFont.Weight.Normal
BOLD = QFont.Weight.Bold


class Look(StrEnum):
    """Colour and shape of an outcome; the words are in the messages."""

    RECORDED = "recorded"
    CHECK = "check"
    UNKNOWN = "unknown"
    ALREADY = "already"
    BAD = "bad"
    PENDING = "pending"
    """承認待ち: blue like 'already', but a shape of its own."""


@dataclass(frozen=True, slots=True)
class Skin:
    """Colours of a look: `strong` for shape, band and words, `paper` for the ground."""

    strong: str
    paper: str


SKINS = {
    Look.RECORDED: Skin("#0B6B36", "#DDF3E4"),
    Look.CHECK: Skin("#7A4B00", "#FFEFC9"),
    Look.UNKNOWN: Skin("#3B3796", "#E7E6FA"),
    Look.ALREADY: Skin("#123B6D", "#E1EAF5"),
    Look.BAD: Skin("#A3201A", "#FCE3E0"),
    Look.PENDING: Skin("#123B6D", "#E1EAF5"),
}

LEVELS = {
    1: Skin(INK, "#FFFFFF"),
    2: Skin("#FFFFFF", "#2C6FBB"),
    3: Skin(INK, "#C7CDD4"),
    4: Skin(INK, "#D6A520"),
}
"""Level chips: ink on the level's colour; always shown with the level's word."""

TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    (INK, BACKGROUND),
    (INK, SURFACE),
    (INK_2, BACKGROUND),
    (INK_2, SURFACE),
    (BRAND, SURFACE),
    (BRAND, BACKGROUND),
    (ON_BRAND, BRAND),
    (ON_BRAND_2, BRAND),
    *((skin.strong, skin.paper) for skin in SKINS.values()),
    *((skin.strong, SURFACE) for skin in SKINS.values()),
    *((SURFACE, skin.strong) for skin in SKINS.values()),
    *((INK, skin.paper) for skin in SKINS.values()),
    *((level.strong, level.paper) for level in LEVELS.values()),
)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours '#RRGGBB' by WCAG 2.1: 1 … 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def make_font(pixels: int, weight: QFont.Weight = REGULAR, *, tabular: bool = False) -> QFont:
    """The program's font at a real pixel size. `tabular`: figures of one width, for times and sums."""
    font = QFont()
    font.setFamilies(list(FAMILIES))
    font.setPixelSize(max(1, pixels))
    font.setWeight(weight)
    if tabular:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def colour(value: str) -> QColor:
    """A token as a QColor."""
    return QColor(value)


class Theme(QObject):
    """The scale of one window. Type, spaces and targets grow with it, so that the layout fills every screen alike."""

    changed = Signal()

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def px(self, size: float) -> int:
        """Real pixels for a size at 100 %."""
        return max(1, round(size * self.scale))

    def fit(self, width: int, height: int) -> None:
        """Take the scale from a window's size; says `changed` when it did change."""
        scale = max(0.4, min(width / BASE_WIDTH, height / BASE_HEIGHT))
        if abs(scale - self.scale) > 0.001:
            self.scale = scale
            self.changed.emit()
