"""`doctor`: checks in the order in which a person should, each with a remedy. The first failure is to be mended."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from app.settings import DataDir
from app.wiring.diagnosis import card, centre, ground, readers, version
from app.wiring.diagnosis.check import Finding, Live, Patient, Result, Step, carry_out, left_out

OK, FAILED, WARNING, NOT_CHECKED = Result.OK, Result.FAILED, Result.WARNING, Result.NOT_CHECKED

ASKS = frozenset({"usb", "driver", "service", "permission", "holder", "clock", "centre"})
"""Left out of a quick look: they open readers or wait for the centre."""

STEPS = (
    Step("folder", ground.folder),
    Step("disk", ground.disk),
    Step("settings", ground.settings),
    Step("keys", ground.keys, ("settings",)),
    Step("database", ground.database, ("keys",)),
    Step("in_service", ground.in_service, ("database",)),
    Step("usb", readers.usb),
    Step("driver", readers.driver, ("usb",)),
    Step("service", readers.service, ("driver",)),
    Step("permission", readers.permission, ("service",)),
    Step("holder", readers.holder, ("permission",)),
    Step("readers", readers.readers, ("holder",)),
    Step("card", card.card, ("readers",)),
    Step("card_read", card.card_read, ("card",)),
    Step("card_profile", card.card_profile, ("card_read",)),
    Step("trust", card.trust, ("settings",)),
    Step("card_proof", card.card_proof, ("card_read", "trust")),
    Step("roster", card.roster, ("in_service",)),
    Step("card_worker", card.card_worker, ("card_profile", "card_proof", "roster")),
    Step("clock", centre.clock, ("database",)),
    Step("centre", centre.centre, ("in_service",)),
    Step("recovery", ground.recovery, ("settings",)),
    Step("log", ground.log, ("folder",)),
    Step("crashes", ground.crashes, ("folder",)),
    Step("chain", ground.chain, ("database",)),
    Step("accepted", ground.accepted, ("database",)),
    Step("version", version.version),
    Step("ccus_area", card.ccus_area),
)


def findings(
    data: DataDir,
    language: str = "ja",
    *,
    card_s: float | None = None,
    prompt: Callable[[str], None] = lambda code: None,
    live: Live | None = None,
    quick: bool = False,
) -> Generator[Finding]:
    """Make every check, one after the other; a check whose ground has failed is `not_checked`.

    `card_s`: seconds to wait for a card, None to ask for none; `prompt` is told the message code of what to do then.
    `quick`: less than a second; what would take longer is `not_checked`, and readers are as a running gate has them.
    `live`: what a gate in this process knows. Changes nothing, opens no reader that a gate holds, and records no touch.
    """
    with closing(Patient(data, language, live, card_s, prompt, quick)) as patient:
        for step in STEPS:
            yield left_out(patient, step) if quick and step.name in ASKS else carry_out(patient, step)


def examine(data: DataDir, language: str = "ja", **wishes: Any) -> list[dict[str, Any]]:
    """Every finding as JSON: `check` (a stable code), `result`, `title`, `remedy`, `where`, `code`. See `findings`."""
    return [finding.as_json() for finding in findings(data, language, **wishes)]
