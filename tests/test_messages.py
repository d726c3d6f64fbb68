"""The sentences: both languages hold the same codes and names, and every code in the program has one."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from app.domain.verdict import Outcome, Reason
from app.errors import InputRefused
from app.messages import FILES, LANGUAGES, catalogue, explain, say
from app.readers.port import ReaderCondition
from app.resources import resource

APP = Path(__file__).resolve().parent.parent / "app"
RAISED = re.compile(
    r"(?:UsageError|InputRefused|EnvironmentTrouble|StorageTrouble|CentreRefused|GenbaError)\(\s*\"([a-z_.]+)\""
)


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_hold_the_same_codes_and_names() -> None:
    ja, en = (catalogue(language) for language in ("ja", "en"))
    assert set(ja) == set(en)
    for code in ja:
        assert names(ja[code].title + ja[code].remedy) == names(en[code].title + en[code].remedy), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_code_stands_in_two_files(language: str) -> None:
    texts = [resource("messages", f"{language}{file}").read_text(encoding="utf-8") for file in FILES]
    heads = [line for text in texts for line in text.splitlines() if line.startswith("[")]
    assert len(heads) == len(catalogue(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_raised_has_a_sentence(language: str) -> None:
    known = catalogue(language)
    raised = {
        (code, str(path.relative_to(APP)))
        for path in APP.rglob("*.py")
        for code in RAISED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 20
    missing = sorted((code, where) for code, where in raised if code not in known)
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_outcome_and_reason_has_a_sentence(language: str) -> None:
    known = catalogue(language)
    codes = [f"reader.{c.value}" for c in ReaderCondition]
    codes += [f"outcome.{o.value}" for o in Outcome]
    codes += [f"reason.{r.value}" for r in Reason]
    assert not [code for code in codes if code not in known]


def test_an_unknown_code_does_not_stop_the_gate() -> None:
    assert say("no.such.code").title == "no.such.code"


def test_a_value_that_is_not_known_leaves_no_braces() -> None:
    assert say("file.missing", "en").title == "The file cannot be opened (…)"


def test_what_a_library_says_stays_on_its_line() -> None:
    lines = explain(InputRefused("file.missing", "a\nb", why="one\n\ttwo"), "en")
    assert lines[:2] == ["The file cannot be opened (one two)", "a b"]
