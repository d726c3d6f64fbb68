"""A device's clock beside this PC's: offset and linear drift, proposed from pairs of times; nothing is corrected by it
until somebody says so. The device's own time stays what a touch is known by.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.office.import_layout import Said
from app.office.import_shapes import ClockOffer, ClockPair, Correction
from app.office.touches import ms_of

MOST_DRIFT_PPM = 500.0
"""A watch crystal is within 20 to 100 ppm (2 to 9 s a day); more is a clock that was set in between."""
_SHORTEST_S = 3600.0
"""Between the first and the last pair, for a drift to mean anything."""
_WORST_S = 30.0


def offer(pairs: Sequence[ClockPair]) -> ClockOffer:
    """Least squares over the pairs. One pair, or all within an hour: the offset alone."""
    if not pairs:
        return ClockOffer(note=Said("import.clock_no_pairs"))
    first = min(ms_of(pair.device) for pair in pairs)
    points = [((ms_of(p.device) - first) / 1000, (ms_of(p.pc) - ms_of(p.device)) / 1000) for p in pairs]
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    slope = 0.0
    if max(x for x, _ in points) >= _SHORTEST_S:
        slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    since = min(pair.device for pair in pairs)
    offset = middle_y - slope * middle_x
    worst = max(abs(y - offset - slope * x) for x, y in points)
    made = Correction(round(offset, 3), round(slope * 1e6, 3), since if slope else None)
    note = None
    if abs(slope * 1e6) > MOST_DRIFT_PPM:
        note = Said("import.clock_no_drift", {"seconds": f"{slope * 86_400:.0f}"})
    elif worst > _WORST_S:
        note = Said("import.clock_apart", {"seconds": f"{worst:.0f}"})
    elif slope == 0.0:
        note = Said("import.clock_offset_only")
    return ClockOffer(made, round(worst, 3), note)


def correct(at_ms: int, by: Correction) -> int:
    """The moment, as this PC's clock would have said it."""
    drift = 0.0
    if by.since is not None and by.drift_ppm:
        drift = (at_ms - ms_of(by.since)) * by.drift_ppm / 1e6
    return at_ms + round(by.offset_s * 1000 + drift)
