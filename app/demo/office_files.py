"""Files of touches for pictures and trials of the office: a known format, an unknown one, an empty one, a large one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: cards and names of people (36 or more), and the last day of the play."""

    cards: Sequence[str]
    names: Sequence[str]
    today: date


def known(folder: Path, cast: Cast) -> Path:
    """A day's touches of a second gate, in this program's own format: everything that can be with a row."""
    folder.mkdir(parents=True, exist_ok=True)
    cards, day, before = cast.cards, cast.today - timedelta(days=1), cast.today - timedelta(days=2)
    gate = "東門 2号"
    lines = ["card,at,direction,device"]
    for place in range(36):
        lines.append(f"{cards[place]},{day} 07:{20 + place % 30:02}:{place:02},入,{gate}")
        lines.append(f"{cards[place]},{day} 17:{5 + place % 40:02}:{place:02},退,{gate}")
    lines.append(f"{cards[3]},{day} 17:08:05,退,{gate}")
    for number in range(1, 4):
        for at in (before, day):
            lines.append(f"felica:0114F00DCAFE{number:04X},{at} 07:4{number}:00,入,{gate}")
    lines += [
        f"{cards[5]},{day:%Y}-11-31 07:40:00,入,{gate}",
        f"{cards[6]},,入,{gate}",
        f"カード,{day} 07:41:00,入,{gate}",
        f"{cards[7]},{day + timedelta(days=60)} 07:40:00,入,{gate}",
        f"{cards[8]},{day - timedelta(days=170)} 07:40:00,入,{gate}",
    ]
    return written(folder / f"東門2号_{day:%Y%m%d}.csv", lines)


def clean(folder: Path, cast: Cast) -> Path:
    """A day's touches of a second gate with nothing wrong in it: its reader may be cleared."""
    folder.mkdir(parents=True, exist_ok=True)
    day = cast.today - timedelta(days=1)
    lines = ["card,at,direction,device"]
    for place in range(12):
        lines.append(f"{cast.cards[place]},{day} 07:{20 + place:02}:00,入,西門")
        lines.append(f"{cast.cards[place]},{day} 17:{5 + place:02}:00,退,西門")
    lines.append(f"felica:0114F00DCAFE0009,{day} 07:55:00,入,西門")
    return written(folder / f"西門_{day:%Y%m%d}.csv", lines)


def empty(folder: Path, cast: Cast) -> Path:
    """An empty file."""
    return written(folder / f"西門_{cast.today - timedelta(days=1):%Y%m%d}.csv", [])


def unknown(folder: Path, cast: Cast) -> Path:
    """Columns of another maker's, with 入 and 出 in words and the cards' numbers the usual way round."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["No,打刻日,打刻時刻,氏名,ICカードNo,入出"]
    day = f"{cast.today - timedelta(days=2):%Y/%m/%d}"
    for place in range(24):
        number, name = cast.cards[place].removeprefix("felica:"), cast.names[place]
        lines.append(f"{place * 2 + 1},{day},7:{20 + place:02}:11,{name},{number},入")
        lines.append(f"{place * 2 + 2},{day},17:{10 + place:02}:42,{name},{number},出")
    return written(folder / "北ゲート打刻データ.csv", lines, "cp932")


def large(folder: Path, cast: Cast, days: Iterable[date]) -> Path:
    """So many rows that a picture of the progress can be taken."""
    lines = ["card,at,direction,device"]
    for day in days:
        for second in range(0, 30_000, 30):
            clock = f"{6 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            lines.append(f"{cast.cards[second // 30 % 36]},{day} {clock},,南門 3号")
    return written(folder / "南門3号.csv", lines)


def written(file: Path, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    """A file of these lines."""
    file.write_text("".join(f"{line}\r\n" for line in lines), encoding=encoding, newline="")
    return file
