"""The README's ledger of promises: every test it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_in_the_ledger_exists() -> None:
    named = NAMED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(named) >= 14
    for file, test in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{file} has no {test}"


def test_every_promise_has_a_test() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    ledger = text.split("<!-- ledger -->")[1]
    rows = [line for line in ledger.splitlines() if re.match(r"\| \d", line)]
    assert [int(row.split("|")[1].split(".")[0]) for row in rows] == sorted(
        int(row.split("|")[1].split(".")[0]) for row in rows
    )
    assert {int(row.split("|")[1].split(".")[0]) for row in rows} == set(range(1, 8))
    for row in rows:
        assert NAMED.search(row), row


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
