"""Importing: touches of a device → what becomes of each, as at the gate → stored in one transaction, or nothing.

The same for every format. Touches stream through in chunks, so a file of a million rows needs little more memory than
one of ten thousand; what has come before (`at`, device, card, nth of equal ones) adds nothing, in whatever file or
order it comes again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from app.clock import Clock
from app.domain.site import Site
from app.errors import InputRefused
from app.office.import_judging import Judging
from app.office.import_tally import COUNTS, Tally
from app.office.touches import BadTouch, DeviceTouch, Origin
from app.store.imports import Batch, CameFrom, ImportStore, Looker
from app.store.roster import RosterStore

CHUNK = 2000
"""Touches that are in memory at once."""


class Cancelled(Exception):
    """Somebody ended it. Nothing is stored."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a file. `batch`: its number; None where nothing was new, or nothing is stored (a trial)."""

    tally: Tally
    batch: int | None = None
    samples: Mapping[str, Sequence[tuple[DeviceTouch, str]]] = field(default_factory=dict)
    """See `Judging.samples`."""


def _ignore(_: object) -> None:
    pass


class Importer:
    """Any thread, one import at a time; everybody else who writes to the database waits for it."""

    def __init__(self, imports: ImportStore, rosters: RosterStore, clock: Clock, new_id: Callable[[], str]) -> None:
        self._imports = imports
        self._rosters = rosters
        self._clock = clock
        self._new_id = new_id

    def run(
        self,
        origin: Origin,
        site: Site,
        touches: Iterable[DeviceTouch | BadTouch],
        *,
        dry_run: bool = False,
        on_bad: Callable[[BadTouch], None] = _ignore,
        step: Callable[[int], None] = _ignore,
        most_new: int | None = None,
    ) -> Done:
        """Store what is new, all or nothing. `dry_run`: the same numbers, and nothing; then nobody waits.

        `on_bad`: rows left out (with `Origin.strict` the first impossible time refuses the file instead). `step`: rows
        so far, after each chunk; it may raise Cancelled. `most_new`: more new rows refuse the file.
        Raises InputRefused (`import.future`, `import.outside_site`, `import.too_large_beside_gate`, and what `touches`
        raises) and StorageTrouble.
        """
        now = self._clock.now()
        judging = Judging(origin, site, self._rosters, now, self._new_id, on_bad)
        tally = judging.tally

        def go(batch: Looker) -> None:
            rest = iter(touches)
            while some := list(islice(rest, CHUNK)):
                good = [one for one in some if isinstance(one, DeviceTouch)]
                if len(good) < len(some):
                    for one in some:
                        if isinstance(one, BadTouch):
                            judging.leave_out(one)
                if good:
                    judging.store(batch, good)
                judging.tell_bad()
                step(tally.read)
                if most_new is not None and tally.new > most_new:
                    raise InputRefused("import.too_large_beside_gate", origin.file, most=most_new)

        if dry_run:
            with _few_collections(), self._imports.looking() as look:
                go(look)
            return Done(tally, samples=judging.samples)
        with _few_collections(), self._imports.batch() as batch:
            go(batch)
            number = _note(batch, origin, site, now.isoformat(timespec="milliseconds"), tally)
        return Done(tally, number, judging.samples)


@contextmanager
def _few_collections() -> Iterator[None]:
    """A chunk is ten thousand tuples that go away by themselves; the collector would look at each again and again."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _note(batch: Batch, origin: Origin, site: Site, at: str, tally: Tally) -> int | None:
    return batch.note(
        CameFrom(
            at,
            origin.format,
            origin.device,
            site.id,
            origin.digest,
            tally.read,
            Path(origin.file).name,
            tally.first_ms,
            tally.last_ms,
            {name: getattr(tally, name) for name in COUNTS},
        )
    )
