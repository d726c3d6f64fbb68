"""Makes the gate's sounds: `python resources/sounds/make.py`. Plain sums of sines, so that the files are ours alone.

Each answer has its own melody, told apart without looking: recorded rises, already-recorded repeats one low note, check
goes up and back, unknown asks, bad falls harshly, the alarm insists.
"""

from __future__ import annotations

import math
import struct
import sys
import wave
from pathlib import Path

RATE = 22050
Note = tuple[float, float]
"""(frequency in Hz or 0 for silence, seconds)."""

MELODIES: dict[str, tuple[list[Note], float, float]] = {
    # name: (notes, loudness 0–1, share of harmonics 0–1)
    "recorded": ([(1046.5, 0.09), (1568.0, 0.20)], 0.55, 0.15),
    "already": ([(523.3, 0.09), (0, 0.05), (523.3, 0.14)], 0.5, 0.2),
    "check": ([(880.0, 0.11), (1174.7, 0.11), (880.0, 0.20)], 0.6, 0.25),
    "unknown": ([(659.3, 0.14), (0, 0.04), (987.8, 0.10), (1318.5, 0.18)], 0.6, 0.35),
    "bad": ([(330.0, 0.16), (233.1, 0.34)], 0.75, 0.8),
    "alarm": ([(1480.0, 0.16), (740.0, 0.16)] * 4 + [(1480.0, 0.30)], 0.95, 0.9),
}


def samples(notes: list[Note], loudness: float, harmonics: float) -> list[int]:
    """16-bit samples of a melody; each note fades in and out, so that nothing clicks."""
    out: list[int] = []
    for frequency, seconds in notes:
        count = int(RATE * seconds)
        fade = min(count // 2, int(RATE * 0.012))
        for i in range(count):
            t = i / RATE
            tone = math.sin(2 * math.pi * frequency * t) if frequency else 0.0
            tone += harmonics * 0.5 * math.sin(2 * math.pi * frequency * 2 * t)
            tone += harmonics * 0.33 * math.sin(2 * math.pi * frequency * 3 * t)
            edge = min(1.0, i / fade, (count - i) / fade) if fade else 1.0
            level = loudness * edge * tone / (1 + harmonics * 0.83)
            out.append(round(32767 * max(-1.0, min(1.0, level))))
    return out


def main(folder: Path) -> None:
    """Write every WAV file (mono, 16 bit) into `folder`."""
    for name, (notes, loudness, harmonics) in MELODIES.items():
        data = samples(notes, loudness, harmonics)
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(struct.pack(f"<{len(data)}h", *data))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
