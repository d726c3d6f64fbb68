"""What may be written for a reader, and that every state and refusal has its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.clock import SystemClock
from app.errors import InputRefused, UsageError
from app.messages import catalogue, explain, say
from app.readers.pasori import PasoriReader
from app.readers.pcsc import PcscReader
from app.readers.port import ReaderCondition
from app.readers.scripted import ScriptedReader
from app.readers.specs import PasoriSpec, PcscSpec, ScriptedSpec, WedgeSpec, parse_spec
from app.wiring.readers import build


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("pcsc", PcscSpec()),
        (" PCSC ", PcscSpec()),
        ("pcsc:Sony FeliCa Port/PaSoRi 4.0", PcscSpec("Sony FeliCa Port/PaSoRi 4.0")),
        ("pcsc:a:b", PcscSpec("a:b")),
        ("pasori", PasoriSpec("usb")),
        ("pasori:usb", PasoriSpec("usb")),
        ("pasori:udp:127.0.0.1:54321", PasoriSpec("udp:127.0.0.1:54321")),
        ("wedge", WedgeSpec()),
        ("scripted:morning.jsonl", ScriptedSpec(Path("morning.jsonl"))),
        (r"scripted:C:\demo\morning.jsonl", ScriptedSpec(Path(r"C:\demo\morning.jsonl"))),
    ],
)
def test_good_specs(text: str, spec: object) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        "reader",
        "pcsc:",
        "pasori:",
        "pasori:tty:USB0",
        "pasori:udp:54321",
        "pasori:udp:localhost:",
        "pasori:udp:localhost:0",
        "pasori:udp:localhost:65536",
        "pasori:udp:::1:80",
        "pasori:udp:localhost:²",
        "wedge:x",
        "scripted",
        "scripted:",
    ],
)
def test_bad_specs_are_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_spec(text)
    assert (refused.value.code, refused.value.where) == ("reader.spec_invalid", text)
    assert "pasori[:usb|:udp:HOST:PORT]" in "\n".join(explain(refused.value))


def test_build(tmp_path: Path) -> None:
    clock = SystemClock()
    script = tmp_path / "morning.jsonl"
    script.write_text("")
    names = {
        type(reader): reader.name
        for reader in (
            build(PcscSpec("PaSoRi"), clock),
            build(PasoriSpec("udp:127.0.0.1:54321"), clock),
            build(ScriptedSpec(script), clock),
        )
    }
    assert names == {
        PcscReader: "pcsc:PaSoRi",
        PasoriReader: "pasori:udp:127.0.0.1:54321",
        ScriptedReader: "scripted:morning.jsonl",
    }
    with pytest.raises(UsageError, match=r"reader\.wedge_needs_window"):
        build(WedgeSpec(), clock)
    with pytest.raises(InputRefused, match=r"reader\.script_unreadable"):
        build(ScriptedSpec(tmp_path / "none"), clock)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_state_has_a_sentence_and_trouble_a_remedy(language: str) -> None:
    words = catalogue(language)
    for condition in ReaderCondition:
        message = words[f"reader.{condition}"]
        assert message.remedy or condition is ReaderCondition.READY
        if language == "ja":
            assert len(message.title) <= 40
            assert len(message.remedy) <= 40
    assert say("reader.ready", "ja").title == "使用できます"
