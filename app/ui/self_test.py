"""Whether Qt has what the windows need: plugins, pictures, its own words in Japanese, a font with Japanese in it.

Run in a process of its own: Qt ends the whole process when the plugin that draws is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QPluginLoader, QTranslator, qVersion
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QImage, QImageReader, QRawFont
from PySide6.QtNetwork import QNetworkInformation

from app.errors import EnvironmentTrouble
from app.resources import resource
from app.ui.host import application
from app.ui.theme import make_font

PLUGINS = {
    "win32": ("platforms/qwindows", "platforms/qoffscreen", "networkinformation/qnetworklistmanager"),
    "darwin": ("platforms/qcocoa", "platforms/qoffscreen"),
}
LINUX = ("platforms/qxcb", "platforms/qoffscreen", "platforms/qwayland", "networkinformation/qnetworkmanager")
PICTURES = ("png", "ico", "jpg")
TRIAL = "現場タッチ"


class QtLacks(Exception):
    """Something of Qt that belongs to the program is not there; the text names it."""


def plugins() -> str:
    """Those that draw and those that know of the network load, with every library that they need."""
    application()
    folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    wanted = PLUGINS.get(sys.platform, LINUX)
    for name in wanted:
        kind, _, plugin = name.partition("/")
        file = next((folder / kind).glob(f"*{plugin}.*"), None)
        if file is None:
            raise QtLacks(name)
        loader = QPluginLoader(str(file))
        if not loader.load():
            raise QtLacks(f"{name}: {loader.errorString()}")
    known = ", ".join(QNetworkInformation.availableBackends())
    return f"Qt {qVersion()}, {QGuiApplication.platformName()}; {len(wanted)} plugins; network: {known}"


def pictures() -> str:
    """The formats that are used, and our own pictures in them."""
    application()
    known = {bytes(name.data()).decode() for name in QImageReader.supportedImageFormats()}
    if lacking := [name for name in PICTURES if name not in known]:
        raise QtLacks(", ".join(f"imageformats/{name}" for name in lacking))
    for name in ("genba-touch.png", "genba-touch.ico", "down.png"):
        if QImage(str(resource("icons", name))).isNull():
            raise QtLacks(f"icons/{name}")
    return ", ".join(PICTURES)


def translation() -> str:
    """Qt's own words (of its file dialog, of menus in fields) in Japanese."""
    application()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if not QTranslator().load("qtbase_ja", folder):
        raise QtLacks("qtbase_ja.qm")
    return "qtbase_ja.qm"


def fonts() -> str:
    """A font that can draw Japanese. Raises EnvironmentTrouble: fonts are the machine's."""
    application()
    ours = make_font(15).families()
    families = QFontDatabase.families(QFontDatabase.WritingSystem.Japanese)
    for family in (*(name for name in ours if name in families), *families):
        raw = QRawFont.fromFont(QFont(family))
        if raw.isValid() and all(raw.supportsCharacter(ord(letter)) for letter in TRIAL):
            return family
    raise EnvironmentTrouble("self_test.no_font")
