"""Screens. The only room that knows PySide6."""

from app.ui.immortal_none import make_none_immortal

make_none_immortal()
