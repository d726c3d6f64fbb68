"""The office to try: everything the banner promises is there, and the three people can do their part."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.demo.office import PINS, OfficeStage
from app.office.import_shapes import ImportWanted
from app.office.shapes import Right, SignedIn

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_a_newcomer_can_enter_approve_and_import(tmp_path: Path) -> None:
    with OfficeStage() as stage:
        trial, run = stage.trial, stage.trial.run
        folder = stage.folder
        run.start()

        def ask(question: Callable[..., None], *arguments: Any) -> Any:
            answers: list[Any] = []
            question(*arguments, answers.append)
            until = time.monotonic() + 60
            while not answers:
                assert time.monotonic() < until
                time.sleep(0.02)
            return answers[0]

        rights = {}
        for operator, pin in PINS.items():
            person = ask(run.service.sign_in, pin)
            assert isinstance(person, SignedIn)
            assert person.operator_id == operator
            rights[operator] = person.rights
        assert Right.ENTER in rights["op-foreman"]
        assert Right.APPROVE in rights["op-approver"]
        assert Right.IMPORT in rights["op-admin"]
        waiting = ask(run.service.waiting)
        assert len(waiting) == trial.waiting >= 3
        report = ask(run.imports.run, ImportWanted(str(trial.dump), "generic"))
        assert report.may_clear
        assert report.plan.unknown_card == 1, "something to bind, too"
        assert ask(run.imports.run, ImportWanted(str(trial.mixed), "generic")).plan.bad > 0
        ask(run.service.sign_in, PINS["op-approver"])
        theirs = [one.entry_id for one in waiting if not one.own][:2]
        assert ask(run.service.decide, theirs, True, "").stored == len(theirs)
    assert not folder.exists()


@pytest.mark.long
def test_the_headless_morning_ends_with_a_sentence() -> None:
    for language, words in (("ja", "ちょうど一度ずつ"), ("en", "exactly once")):
        done = subprocess.run(
            [sys.executable, "-m", "app", "--language", language, "demo", "--headless", "--json"],
            cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["exactly_once"]
        assert words in done.stderr.splitlines()[-1]
