"""The importer's own thread: everything the pages ask is answered, progress comes, a cancel leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from app.domain.assurance import Assurance
from app.domain.events import JST
from app.office import import_desk, importing
from app.office.import_after import ImportAfter
from app.office.import_notes import ImportNotes
from app.office.import_port import (
    BindWanted,
    ClockPair,
    FormatDraft,
    Imported,
    ImportNews,
    ImportPort,
    ImportWanted,
    Layout,
    Part,
    Progress,
    Report,
)
from app.office.import_service import ImportService
from app.office.shapes import Right, SignedIn
from app.store.audit import AuditTrail
from app.store.import_lists import ImportLists
from app.wiring.gate import new_event_id
from tests.imports.world import CARDS, HEAD, PEOPLE, ROWS, World

T = TypeVar("T")
OFFICE = SignedIn("OP1", "架空", frozenset({Right.IMPORT, Right.CARDS, Right.CORRECT}))


class Asked:
    """The service, and its answers waited for."""

    def __init__(self, world: World) -> None:
        self.person: SignedIn | None = OFFICE
        self.stored = 0
        self.news: list[ImportNews] = []
        self.service = ImportService(
            world.desk, world.after, world.formats, lambda: world.site, lambda: self.person, self._stored,
            ImportNotes(AuditTrail(world.db)),
        )  # fmt: skip
        self.port: ImportPort = self.service
        self.port.listen(self.news.append)
        self.service.start()

    def _stored(self) -> None:
        self.stored += 1

    def ask(self, question: Callable[..., None], *arguments: Any) -> Any:
        answers: list[Any] = []
        question(*arguments, answers.append)
        self.service.settle()
        (answer,) = answers
        return answer


@pytest.fixture
def asked(world: World) -> Iterator[Asked]:
    made = Asked(world)
    yield made
    made.service.stop()
    made.service.stop()


def test_from_file_to_taking_back(asked: Asked, world: World) -> None:
    file = str(world.file([HEAD, *ROWS]))
    port, ask = asked.port, asked.ask
    assert {one.name for one in ask(port.formats)} >= {"generic", "phone-reader", "bnr01-like"}
    (found,) = ask(port.recognise, [file])
    assert found.formats == ("generic",)
    (missing,) = ask(port.recognise, [f"{file}.gone"])
    assert missing.error.code == "file.missing"
    wanted = ImportWanted(file, "generic")
    preview = ask(port.preview, wanted, 2)
    assert [row.name for row in preview.rows] == ["架空 1郎", "架空 2郎"]
    assert ask(port.preview, ImportWanted(file, "no-such"), 2).error.code == "formats.unknown"
    assert ask(port.plan, wanted).new == 4
    report: Report = ask(port.run, wanted)
    assert (report.batch, report.may_clear, asked.stored) == (1, True, 1)
    assert Imported() in asked.news
    (card,) = ask(port.unknown_cards)
    assert ask(port.bind, [BindWanted(card.card_key, PEOPLE[2])]).stored == 1
    assert ask(port.take_back, 1, "誤り").stored == 4
    assert ask(port.take_back, 1, "誤り").error == "import.taken_already"
    assert ask(port.batches)[0].taken_back_by == "OP1"
    assert ask(port.confirm, []).stored == 0


def test_a_layout_is_mapped_and_a_clock_offered(asked: Asked, world: World) -> None:
    file = str(world.file(["番号,打刻", f"{CARDS[0][7:]},2026-11-19 07:40:00"], "x.csv"))
    cells = asked.ask(asked.port.cells, file, Layout(), 10)
    draft = FormatDraft(
        "mine", "私の", Assurance.LOGGED, cells.layout, {Part.CARD: "番号", Part.AT: "打刻"}, cells.times[:1]
    )
    assert asked.ask(asked.port.save_format, draft, False).name == "mine"
    assert asked.ask(asked.port.save_format, draft, False).error.code == "formats.exists"
    assert asked.ask(asked.port.plan, ImportWanted(file, "mine")).recorded == 1
    assert asked.ask(asked.port.cells, str(world.file(b"", "e.csv")), Layout(), 5).error.code == "import.empty"
    at = world.clock.now()
    assert asked.ask(asked.port.offer_clock, [ClockPair(at, at)]).correction.offset_s == 0


def test_only_who_may_stores(asked: Asked, world: World) -> None:
    file = str(world.file([HEAD, *ROWS]))
    for person in (None, SignedIn("OP2", "架空", frozenset({Right.VIEW}))):
        asked.person = person
        report = asked.ask(asked.port.run, ImportWanted(file, "generic"))
        assert (report.error.code, report.may_clear, report.verdict.code) == (
            "office.not_allowed",
            False,
            "import.keep_refused",
        )
        assert asked.ask(asked.port.take_back, 1, "x").error == "office.not_allowed"
        assert asked.ask(asked.port.bind, []).error == "office.not_allowed"
    assert world.log.chain_head()[0] == 0


def test_every_import_and_deed_of_the_window_stands_in_the_audit_trail(asked: Asked, world: World) -> None:
    file = world.file([HEAD, *ROWS, ROWS[0].replace("07:40", "7時")], "東門.csv")
    asked.ask(asked.port.run, ImportWanted(str(file), "generic"))
    asked.ask(asked.port.run, ImportWanted(f"{file}.gone", "generic"))
    asked.ask(asked.port.bind, [BindWanted(CARDS[7], "nobody")])
    asked.ask(asked.port.take_back, 1, "別の現場")
    asked.person = SignedIn("OP2", "架空", frozenset({Right.VIEW, Right.IMPORT}), frozenset({Right.CARDS}))
    assert asked.ask(asked.port.take_back, 1, "もう一度").error == "import.gate_station"
    rows = [(one.action, one.operator_id, one.ok, one.detail) for one in reversed(AuditTrail(world.db).latest())]
    counts = "read=5 new=4 known=0 recorded=3 recorded_check=0 unknown_card=1 suppressed=0 refused=0 bad=1"
    assert rows == [
        ("import", "OP1", True, f"generic batch=1 {counts} file=東門.csv"),
        ("import", "OP1", False, "generic file.missing file=東門.csv.gone"),
        ("import_bind", "OP1", False, "import.bind_worker"),
        ("import_take_back", "OP1", True, "batch=1 events=4"),
        ("import_take_back", "OP2", False, "batch=1 import.gate_station"),
    ]


def test_a_batch_keeps_its_files_name_its_period_and_its_counts(asked: Asked, world: World) -> None:
    file = world.file([HEAD, *ROWS, ROWS[0].replace("07:40", "7時")], "東門.csv")
    asked.ask(asked.port.run, ImportWanted(str(file), "generic"))
    (batch,) = asked.ask(asked.port.batches)
    assert batch.file == "東門.csv"
    assert [at.astimezone(JST).isoformat() for at in (batch.first_at, batch.last_at)] == [
        "2026-11-19T07:40:00+09:00",
        "2026-11-19T17:40:00+09:00",
    ]
    assert {name: n for name, n in batch.counts.items() if n} == {"recorded": 3, "unknown_card": 1, "bad": 1}
    assert sum(batch.counts.values()) == batch.rows == 5


def test_at_a_gate_a_card_that_is_somebody_elses_stays_his(world: World) -> None:
    for at_gate, code in ((True, "import.gate_card"), (False, "")):
        after = ImportAfter(ImportLists(world.db), world.log, world.rosters, world.clock, new_event_id, at_gate=at_gate)
        outcome = after.bind(world.site, [BindWanted(CARDS[0], PEOPLE[2], "2026-11-19")], "OP1")
        assert "".join(problem.code for problem in outcome.problems) == code
        assert outcome.stored == (not at_gate)


def test_progress_and_cancel(asked: Asked, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 1)
    monkeypatch.setattr(import_desk, "_EVERY_S", 0.0)
    rows = [f"{CARDS[0]},2026-11-{day:02d}T07:{minute:02d}:00,in,G1" for day in range(1, 18) for minute in range(50)]
    wanted = ImportWanted(str(world.file([HEAD, *rows])), "generic")
    seen = threading.Event()

    def stop(news: ImportNews) -> None:
        if isinstance(news, Progress) and news.done >= 5 and not seen.is_set():
            seen.set()
            asked.port.cancel()

    asked.port.listen(stop)
    answers: list[Report] = []
    asked.port.run(wanted, answers.append)
    asked.port.run(wanted, answers.append)
    assert seen.wait(20)
    asked.service.settle()
    assert [answer.cancelled for answer in answers] == [True, True]
    assert world.log.chain_head()[0] == 0
    seen.set()
    assert asked.ask(asked.port.run, wanted).plan.new == len(rows)
    told = [news for news in asked.news if isinstance(news, Progress) and news.doing == "store"]
    assert told[-1].done == len(rows)
    assert told[-1].rows_per_s > 0
    assert any(news.seconds_left is not None for news in told)
    assert any(isinstance(news, Progress) and news.doing == "verify" for news in asked.news)


def test_an_answer_that_fails_stops_nothing(asked: Asked, expected_logs: list[str]) -> None:
    expected_logs.append("an answer could not be given")

    def fail(_: object) -> None:
        raise RuntimeError("a page that is gone")

    asked.port.formats(fail)
    assert asked.ask(asked.port.batches) == []
