"""A morning without a window: every card through the real reader road, judged at the centre."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.demo.morning import Step, StepKind, script
from app.demo.stage import Stage
from app.domain.verdict import Reason
from app.gate.news import Announcement, News, StorageAlarm
from app.messages import say as sentence

ANSWER_S = 15.0
"""Longest wait for the gate's answer to a card that was read."""
CARD_S = 20.0
PHONE_S = 2.5
"""How long a card is held out to the reader."""
DRAIN_S = 60.0
"""Longest wait for the last event to reach the centre."""


@dataclass(slots=True)
class Morning:
    """What happened."""

    told: list[Announcement] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    touches: int = 0


def run(
    *,
    seed: int,
    language: str = "ja",
    as_json: bool,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    print_json: Callable[[Any], None],
    table: Callable[[list[tuple[str, ...]], tuple[str, ...]], str],
) -> int:
    """Play the morning; 0 only if the centre holds every touch exactly once and every outcome was the expected one."""
    talk = warn if as_json else say
    with Stage(talk) as stage:
        began = stage.clock.monotonic()
        answers: queue.SimpleQueue[Announcement | StorageAlarm] = queue.SimpleQueue()

        def listen(news: News) -> None:
            if isinstance(news, Announcement | StorageAlarm):
                answers.put(news)

        stage.run.gate.listen(listen)
        stage.run.start()
        morning = Morning()
        for step in script(stage.site, seed):
            _play(step, stage, answers, morning, talk)
        drained = _drain(stage)
        summary = _judge(stage, morning, drained)
        summary["seconds"] = round(stage.clock.monotonic() - began, 1)
    if not as_json:
        say(table(morning.rows, ("time", "card", "outcome", "direction", "note")))
    print_json(summary)
    for surprise in morning.surprises:
        warn(f"予想と違います / not as expected: {surprise}")
    good = bool(summary["exactly_once"]) and not morning.surprises
    centre = summary["centre"]
    values = {"touches": summary["touches"], "records": centre["work_records"], **centre}
    talk(sentence("demo.closing_ok" if good else "demo.closing_bad", language, **values).title)
    return 0 if good else 1


def _play(
    step: Step,
    stage: Stage,
    answers: queue.SimpleQueue[Announcement | StorageAlarm],
    morning: Morning,
    talk: Callable[[str], None],
) -> None:
    stage.pause(step.after_s)
    if step.kind is StepKind.CENTRE_AWAY:
        talk(f"--- {step.note_ja} / {step.note_en}")
        stage.centre_away()
        return
    if step.kind is StepKind.CENTRE_BACK:
        talk(f"--- {step.note_ja} / {step.note_en}")
        stage.centre_back()
        return
    assert step.card is not None  # noqa: S101 - a touch has a card
    morning.touches += 1
    # A phone's changing number is refused by its number alone: no reader asks it anything more, so the hand would wait.
    patience = PHONE_S if Reason.RANDOM_ID in step.reasons else CARD_S
    shown = stage.cards.show(step.card.card_key, timeout_s=patience)
    try:
        told = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        why = "the gate did not answer" if shown.read else "no reader asked the card"
        morning.surprises.append(f"{step.note_en}: {why}")
        return
    if isinstance(told, StorageAlarm):
        morning.surprises.append(f"{step.note_en}: not stored ({told.code})")
        return
    morning.told.append(told)
    local = told.at.astimezone(stage.run.site.zone)
    note = step.note_ja
    morning.rows.append((f"{local:%H:%M:%S}", told.card_masked, told.outcome.value, told.direction.value, note))
    found = (told.outcome, told.direction, frozenset(told.reasons))
    wanted = (step.expected, step.direction, frozenset(step.reasons) if step.expected != "suppressed" else frozenset())
    if found != wanted:
        morning.surprises.append(f"{step.note_en}: {found} instead of {wanted}")


def _drain(stage: Stage) -> bool:
    """Wait until nothing is left to send."""
    until = stage.clock.monotonic() + DRAIN_S
    while stage.clock.monotonic() < until:
        stage.run.gate.settle()
        if stage.run.station.events.counts().pending == 0:
            return True
        stage.pause(0.2)
    return False


def _judge(stage: Stage, morning: Morning, drained: bool) -> dict[str, Any]:
    """Hold what was announced against what the centre's database holds."""
    held = stage.held()
    times = Counter(held)
    announced = [told.id for told in morning.told if told.id is not None]
    status = stage.run.station.status()
    missing = [id_ for id_ in announced if times[id_] == 0]
    doubled = [id_ for id_, count in times.items() if count > 1]
    strangers = [id_ for id_ in times if id_ not in set(announced)]
    broken = stage.run.station.events.verify_chain()
    once = bool(
        drained
        and announced
        and len(announced) == morning.touches
        and not (missing or doubled or strangers)
        and broken is None
        and status["chain_head"]["seq"] == len(held)
    )
    return {
        "exactly_once": once,
        "touches": morning.touches,
        "announced": len(announced),
        "outcomes": dict(sorted(Counter(told.outcome.value for told in morning.told).items())),
        "centre": {
            "events": len(held),
            "missing": len(missing),
            "doubled": len(doubled),
            "strangers": len(strangers),
            "work_records": stage.work_records(),
        },
        "unexpected": len(morning.surprises),
        "pending": status["pending"],
        "rejected": status["rejected"],
        "chain_whole": broken is None,
    }
