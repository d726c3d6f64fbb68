"""Screens. The only room that knows PySide6."""
