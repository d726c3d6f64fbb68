"""The importer's own thread: everything the pages ask is answered, progress comes, a cancel leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from app.domain.assurance import Assurance
from app.office import import_desk, importing
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
from tests.imports.world import CARDS, HEAD, PEOPLE, ROWS, World

T = TypeVar("T")
OFFICE = SignedIn("OP1", "架空", frozenset({Right.IMPORT}))


class Asked:
    """The service, and its answers waited for."""

    def __init__(self, world: World) -> None:
        self.person: SignedIn | None = OFFICE
        self.stored = 0
        self.news: list[ImportNews] = []
        self.service = ImportService(
            world.desk, world.after, world.formats, lambda: world.site, lambda: self.person, self._stored
        )
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
