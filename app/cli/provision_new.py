"""`genba-touch provision new`: a provisioning file by question and answer, each answer looked at when it is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli import out
from app.errors import GenbaError, InputRefused
from app.messages import explain, say
from app.settings import DataDir
from app.wiring import provisioning

_YES, _NO = ("y", "yes", "は", "はい", "1"), ("n", "no", "い", "いいえ", "0")


@dataclass(frozen=True, slots=True)
class Question:
    """A field. `kind`: 'text', 'list' (with commas), 'yes' or 'pem' (the name of a PEM file). '': left out."""

    field: str
    default: str = ""
    kind: str = "text"
    required: bool = False


QUESTIONS = (
    Question("centre_url", required=True),
    Question("company"),
    Question("station_name", "第1ゲート", required=True),
    Question("site_id"),
    Question("enrolment_code"),
    Question("recovery_public_key", kind="pem"),
    Question("proxy"),
    Question("ca_file"),
    Question("readers", kind="list"),
    Question("card_profiles", kind="list"),
    Question("language", "ja"),
    Question("kiosk", "n", "yes"),
    Question("support_contact"),
    Question("update_url"),
)


def ask_all(file: Path, data: DataDir, language: str) -> None:
    """Ask, then write `file` at once. Ctrl-C leaves nothing. Raises InputRefused, EnvironmentTrouble."""
    if file.exists():
        raise InputRefused("provision.file_there", str(file))
    out.say(say("provision.new_head", language).title)
    answers: dict[str, Any] = {"schema": 1}
    for question in QUESTIONS:
        answer = _ask(question, answers, file, data, language)
        if answer is not None:
            answers[question.field] = answer
    provisioning.write(file, answers, data)


def _ask(question: Question, answers: dict[str, Any], file: Path, data: DataDir, language: str) -> Any:
    message = say(f"provision_new.{question.field}", language)
    if message.remedy:
        out.say(f"  {message.remedy}")
    while True:
        default = f" [{question.default}]" if question.default else ""
        try:
            typed = input(f"{message.title}{default}: ").strip() or question.default
        except EOFError:
            raise InputRefused("provision.no_answer", message.title) from None
        if not typed and not question.required:
            return None
        try:
            answer = _value(question.kind, typed)
        except InputRefused as refused:
            out.print_error(refused, language)
            continue
        wrong = provisioning.faults_of(question.field, answer, answers, file, data)
        if not wrong:
            return answer
        for fault in wrong:
            _say(fault, language)


def _value(kind: str, typed: str) -> Any:
    if kind == "list":
        return [part.strip() for part in typed.replace("、", ",").split(",") if part.strip()]
    if kind == "yes":
        if typed.lower() not in (*_YES, *_NO):
            raise InputRefused("provision.yes_or_no")
        return typed.lower() in _YES
    if kind == "pem":
        try:
            return Path(typed).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as exc:
            raise InputRefused("file.missing", typed, why=getattr(exc, "strerror", "") or "") from exc
    return typed


def _say(fault: GenbaError, language: str) -> None:
    out.warn("× " + " ".join(explain(fault, language)))
