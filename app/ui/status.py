"""Sentences of the readers and of sync for the screen; sync is known here by the shape of its status alone."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from app.readers.port import ReaderCondition, ReaderState
from app.ui.theme import Look
from app.ui.words import Words


class SyncStatus(Protocol):
    """What the sync engine says about itself; immutable."""

    @property
    def pending(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def accepted(self) -> int: ...
    @property
    def oldest_pending_at(self) -> datetime | None: ...
    @property
    def last_sync_at(self) -> datetime | None: ...
    @property
    def last_error(self) -> str | None: ...
    @property
    def next_attempt_at(self) -> datetime | None: ...
    @property
    def online(self) -> bool | None: ...
    @property
    def roster_at(self) -> datetime | None: ...
    @property
    def chain_state(self) -> str | None: ...
    @property
    def skew_ms(self) -> int | None: ...
    @property
    def paused(self) -> str: ...
    @property
    def held(self) -> bool: ...
    @property
    def handed(self) -> int: ...


def sync_sentence(status: SyncStatus, words: Words, now: datetime) -> str:
    """「送信待ち 3 件 · 最終送信 07:41」, with what is to be checked and, calmly, why it waits."""
    parts = []
    if status.handed:
        parts.append(words.title("gate.handed", count=f"{status.handed:,}"))
    if status.pending > status.handed or not status.handed:
        parts.append(words.title("gate.pending", count=f"{status.pending - status.handed:,}"))
    if status.rejected:
        parts.append(words.title("gate.rejected", count=f"{status.rejected:,}"))
    if status.last_sync_at is None:
        parts.append(words.title("gate.never_synced"))
    else:
        parts.append(words.title("gate.last_sync", when=words.when(status.last_sync_at, now)))
    if status.online is False:
        parts.append(words.known(status.last_error or "gate.offline", "gate.offline").title)
    return " · ".join(parts)


def reader_sentence(state: ReaderState, words: Words) -> tuple[Look, str]:
    """Shape and sentence of a reader: 'リーダー A 使用できます', or what is wrong and what to do."""
    if state.condition.usable:
        # a card left lying would make the line flicker: a usable reader always says the same
        message = words.known("reader.ready", "gate.reader_ok", {"label": state.label, "reader": state.reader})
        return Look.RECORDED, _with_label(state.label, message.title)
    if state.condition is ReaderCondition.STARTING:
        message = words.known("reader.starting", "gate.reader_starting", {"label": state.label})
        return Look.PENDING, _with_label(state.label, message.title)
    values = {"label": state.label, "reader": state.reader}
    message = words.known(f"reader.{state.condition.value}", "gate.reader_trouble", values)
    sentence = _with_label(f"{state.label}:", message.title)
    return Look.BAD, f"{sentence} → {message.remedy}" if message.remedy else sentence


def _with_label(label: str, title: str) -> str:
    return title if label.rstrip(":") in title else f"{label} {title}"
