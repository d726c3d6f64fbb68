"""A desk over a real database, the shipped formats and files made on the spot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.domain.site import Site
from app.errors import InputRefused
from app.messages import say
from app.office.formats.reading import PhoneBook
from app.office.import_after import ImportAfter
from app.office.import_desk import ImportDesk
from app.office.import_file import PhoneKeys
from app.office.import_shapes import ImportWanted, Report
from app.settings import DataDir
from app.store.database import Database
from app.store.events import EventLog
from app.store.import_lists import ImportLists
from app.store.imports import ImportStore
from app.store.roster import RosterStore
from app.wiring.gate import new_event_id
from app.wiring.import_formats import FormatFolder
from tests.helpers.fake_clock import FakeClock

CARDS = [f"felica:{0x0140_0000_0000_0000 + n:016X}" for n in range(1, 9)]
"""The first three belong to people of the roster."""
PEOPLE = [f"9100000000{n:04d}" for n in range(1, 9)]
HEAD = "card,at,direction,device"
ROWS = [
    f"{CARDS[0]},2026-11-19T07:40:00,in,G1",
    f"{CARDS[1]},2026-11-19T07:41:00,in,G1",
    f"{CARDS[7]},2026-11-19T07:42:00,in,G1",
    f"{CARDS[0]},2026-11-19T17:40:00,out,G1",
]


class World:
    """One station's importing. `site` may be replaced."""

    def __init__(self, db: Database, site: Site, clock: FakeClock, folder: Path) -> None:
        self.db, self.site, self.clock, self.folder = db, site, clock, folder
        self.log, self.rosters = EventLog(db), RosterStore(db)
        self.formats = FormatFolder(DataDir(folder))
        self.book = PhoneBook()
        self.desk = self.desk_of()
        self.after = ImportAfter(ImportLists(db), self.log, self.rosters, clock, new_event_id)

    def desk_of(self, **options: Any) -> ImportDesk:
        return ImportDesk(
            ImportStore(self.db),
            self.rosters,
            self.clock,
            new_event_id,
            self.formats,
            PhoneKeys(lambda: None, lambda _: None),
            lambda: self.book,
            lambda _: self.site,
            lambda code, values: (say(code, "ja", **values).title, say(code, "ja", **values).remedy),
            **options,
        )

    def file(self, content: str | bytes | Sequence[str], name: str = "dump.csv", encoding: str = "utf-8") -> Path:
        if not isinstance(content, str | bytes):
            content = "\r\n".join(content) + "\r\n"
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    def run(self, file: Path, format_: str = "generic", *, dry_run: bool = False, **wanted: Any) -> Report:
        return self.desk.run(ImportWanted(str(file), format_, **wanted), dry_run=dry_run)

    def refused(self, file: Path, format_: str = "generic", **wanted: Any) -> InputRefused:
        """The refusal; after it nothing is stored."""
        before = self.log.chain_head()
        with pytest.raises(InputRefused) as caught:
            self.run(file, format_, **wanted)
        assert self.log.chain_head() == before
        for language in ("ja", "en"):
            message = say(caught.value.code, language, **caught.value.values)
            assert message.title != caught.value.code
            assert message.remedy
        assert str(file) in caught.value.where
        return caught.value

    def events(self) -> list[dict[str, Any]]:
        with self.db.looking() as connection:
            return [json.loads(row[0]) for row in connection.execute("SELECT body FROM event ORDER BY seq")]

    def own_format(self, **changes: Any) -> str:
        """A format of the office's own, made from `generic`."""
        import tomllib

        from app.resources import resource

        values = tomllib.loads(resource("import_formats", "generic.toml").read_text("utf-8"))
        values |= {"name": "own", **changes}
        self.formats.save({k: v for k, v in values.items() if v is not None}, replace=True)
        return "own"
