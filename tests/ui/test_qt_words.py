"""Qt's own words are Japanese too: the menu of a text field, buttons of a file dialog."""

import pytest
from PySide6.QtCore import QCoreApplication

from app.ui.host import application


@pytest.mark.usefixtures("qapp")
def test_qts_own_words_follow_the_language() -> None:
    application("ja")
    try:
        assert QCoreApplication.translate("QWidgetTextControl", "&Copy").startswith("コピー")
    finally:
        application("en")
    assert QCoreApplication.translate("QWidgetTextControl", "&Copy") == "&Copy"
