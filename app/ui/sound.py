"""Short sounds, played without waiting. No player, no sound, no fuss: said once in the log."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path

from app.resources import resource
from app.ui.content import Sound

log = logging.getLogger(__name__)

_PLAYERS: tuple[tuple[str, ...], ...] = (
    ("afplay",) if sys.platform == "darwin" else ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
)
_AT_ONCE = 4
"""More than so many sounds at a time are of no use; the oldest gives way."""


def sound_file(sound: Sound) -> Path:
    """The WAV file of a sound (made by `resources/sounds/make.py`)."""
    return resource("sounds", f"{sound.value}.wav")


class SoundPlayer:
    """Plays through `winsound` on Windows, else through the first player program that is installed. GUI thread only."""

    def __init__(self) -> None:
        self._command = _find_player()
        self._playing: list[subprocess.Popen[bytes]] = []
        self._said = False
        if self._command is None and sys.platform != "win32":
            self._say_once("no program that plays sounds (pw-play, paplay, aplay, afplay)")

    def play(self, sound: Sound) -> None:
        """Start a sound and return at once."""
        path = sound_file(sound)
        if sys.platform == "win32":
            self._play_windows(path)
            return
        self._reap()
        if self._command is None:
            return
        while len(self._playing) >= _AT_ONCE:
            self._stop(self._playing.pop(0))
        try:
            player = subprocess.Popen(  # noqa: S603 (a fixed program and our own file)
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            self._say_once(str(error))
            return
        self._playing.append(player)

    def _play_windows(self, path: Path) -> None:
        if sys.platform == "win32":
            import winsound

            try:
                winsound.PlaySound(str(path), winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT)
            except RuntimeError as error:
                self._say_once(str(error))

    def close(self) -> None:
        """Stop what still plays."""
        for player in self._playing:
            self._stop(player)
        self._playing.clear()

    def _reap(self) -> None:
        for player in self._playing:
            if player.poll() not in (None, 0):
                self._say_once(f"the player ended with {player.returncode}")
        self._playing = [player for player in self._playing if player.returncode is None]

    @staticmethod
    def _stop(player: subprocess.Popen[bytes]) -> None:
        player.kill()
        player.wait()

    def _say_once(self, why: str) -> None:
        if not self._said:
            self._said = True
            log.info("the gate is silent: %s", why)


def _find_player() -> tuple[str, ...] | None:
    if sys.platform == "win32":
        return None
    for name, *options in _PLAYERS:
        found = shutil.which(name)
        if found:
            return (found, *options)
    return None
