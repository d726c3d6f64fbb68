"""PIV card authentication without a reader: every forgery is refused for its own reason, nothing falls back."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.domain.verdict import Reason
from app.errors import InputRefused
from app.messages import LANGUAGES, catalogue
from app.readers import piv
from app.readers.apdu import TooMuch, ask
from app.readers.channel import CardAnswer, CardUseless, Response
from app.readers.piv import PivCard
from app.readers.secure import secure_card
from app.readers.trust_folder import TrustFolder
from tests.helpers.fake_clock import FakeClock
from tests.helpers.piv_forgeries import CHIP, CLAIMED, FORGERIES, REVOKED, Card, Direct
from tests.helpers.piv_pki import GUID, Authority, card, pem
from tests.helpers.virtual_felica import FELICA_ATR


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    return Authority().trust(tmp_path / "trust", REVOKED)


def read(trust: Path, made: Card | Direct, **more: object) -> CardAnswer | None:
    """What a reader of a site with this trust makes of a card."""
    clock = SystemClock()
    channel = made if isinstance(made, Direct) else Direct(made)
    return secure_card([PivCard(TrustFolder(trust, clock))], clock, **more)(channel)  # type: ignore[arg-type]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
def test_a_good_card_passes(trust: Path, kind: str, packed: bool) -> None:
    answer = read(trust, card(Authority().issue(kind), kind, packed=packed))
    assert answer == CardAnswer(CLAIMED, Assurance.AUTHENTICATED, {"secure.protocol": "piv"})


@pytest.mark.parametrize("name", FORGERIES)
def test_each_forgery_has_its_reason(trust: Path, name: str) -> None:
    make, reason, key = FORGERIES[name]
    channel = Direct(make())
    answer = read(trust, channel)
    assert answer is not None
    assert (answer.refused, answer.card_key) == (reason, key), answer.attributes
    assert answer.assurance is not Assurance.AUTHENTICATED
    assert channel.card.commands < 300


def test_every_reason_of_a_proof_is_tried(trust: Path) -> None:
    tried = {reason for _make, reason, _key in FORGERIES.values()}
    elsewhere = {
        Reason.SECURE_TOO_SLOW,
        Reason.SECURE_NO_CRL,
        Reason.SECURE_CRL_TOO_OLD,
        Reason.SECURE_CA_EXPIRED,
    }
    assert tried | elsewhere == {reason for reason in Reason if reason.value.startswith("secure_")}


def test_a_card_that_goes_on_slowly_for_ever_is_given_up(trust: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    channel = Direct(card(Authority().issue(), mischief="endless"))

    class Slow(Direct):
        def __init__(self) -> None:
            self.card = channel.card

        def transmit(self, apdu: bytes) -> Response:
            clock.forward(0.9)
            return channel.transmit(apdu)

    answer = secure_card([PivCard(TrustFolder(trust, clock))], clock, limit_s=5.0)(Slow())
    assert answer is not None
    assert (answer.refused, answer.card_key) == (Reason.SECURE_TOO_SLOW, CHIP)
    assert channel.card.commands < 10


def test_a_refusal_needs_something_to_be_kept_under(trust: Path) -> None:
    """Neither a GUID nor a chip number: unreadable, and not asked again."""
    made = card(Authority().issue(), mischief="truncated") | {"number": ""}
    with pytest.raises(CardUseless, match="secure_malformed"):
        read(trust, made)


def test_a_site_without_roots_asks_no_card_for_a_proof(tmp_path: Path) -> None:
    channel = Direct(card(Authority().issue()))
    assert read(tmp_path / "trust", channel) is None
    assert channel.card.commands == 0


def test_memory_chips_and_other_cards_are_left_to_the_next_protocol(trust: Path) -> None:
    made = card(Authority().issue())
    chip = Direct({**made, "atr": FELICA_ATR.hex()})
    assert read(trust, chip) is None
    assert chip.card.commands == 0

    class Other(Direct):
        def transmit(self, apdu: bytes) -> Response:
            return Response(b"", 0x6A82)

    assert read(trust, Other(made)) is None


def test_a_disturbed_reading_is_tried_once_more(trust: Path) -> None:
    """Windows reads certificates of cards by itself and may select something else in between."""

    class Disturbed(Direct):
        disturbed = False

        def transmit(self, apdu: bytes) -> Response:
            if apdu[1] == 0xCB and not self.disturbed:
                self.disturbed = True
                return Response(b"", 0x6D00)
            return super().transmit(apdu)

    answer = read(trust, Disturbed(card(Authority().issue())))
    assert answer is not None
    assert answer.refused is None


def test_two_roots_while_the_ca_changes(trust: Path) -> None:
    new = Authority("New Root", 102, "p384")
    new.trust(trust)
    for authority in (Authority(), new):
        answer = read(trust, card(authority.issue()))
        assert answer is not None
        assert answer.refused is None
    (trust / "roots" / "Test-Root.pem").unlink()
    answer = read(trust, card(Authority().issue()))
    assert answer is not None
    assert answer.refused is Reason.SECURE_FOREIGN_CA


@pytest.mark.parametrize(
    ("next_days", "refused", "trouble"),
    [
        (7, None, ()),
        (-2, None, ()),
        (-4, None, ("health.secure_crl_old",)),
        (-29, None, ("health.secure_crl_old",)),
        (-31, Reason.SECURE_CRL_TOO_OLD, ("health.secure_crl_too_old",)),
    ],
)
def test_age_of_the_revocation_list(
    tmp_path: Path, next_days: float, refused: Reason | None, trouble: tuple[str, ...]
) -> None:
    trust = Authority().trust(tmp_path, REVOKED, next_days=next_days)
    answer = read(trust, card(Authority().issue()))
    assert answer is not None
    assert answer.refused is refused
    assert TrustFolder(trust, SystemClock()).trouble() == trouble
    answer = read(trust, card(Authority().issue(serial=REVOKED)))
    assert answer is not None
    assert answer.refused is Reason.SECURE_REVOKED, "whatever its age"


def test_without_a_revocation_list_no_card_is_taken(tmp_path: Path) -> None:
    trust = Authority().trust(tmp_path, crl=False)
    answer = read(trust, card(Authority().issue()))
    assert answer is not None
    assert answer.refused is Reason.SECURE_NO_CRL
    assert TrustFolder(trust, SystemClock()).trouble() == ("health.secure_no_crl",)


def test_a_root_out_of_its_time(tmp_path: Path) -> None:
    old = Authority(valid_days=300)
    answer = read(old.trust(tmp_path), card(old.issue()))
    assert answer is not None
    assert answer.refused is Reason.SECURE_CA_EXPIRED


def test_a_revocation_list_of_another_key_counts_for_nothing(tmp_path: Path, expected_logs: list[str]) -> None:
    expected_logs.append("cards.crl_bad_signature")
    trust = Authority().trust(tmp_path, crl=False)
    (trust / "crls" / "x.crl").write_bytes(Authority(which=101).crl())
    answer = read(trust, card(Authority().issue()))
    assert answer is not None
    assert answer.refused is Reason.SECURE_NO_CRL
    assert TrustFolder(trust, SystemClock()).trouble() == ("health.secure_trust_broken", "health.secure_no_crl")


def test_a_root_that_cannot_be_read_lets_no_card_fall_back(tmp_path: Path, expected_logs: list[str]) -> None:
    expected_logs.append("cards.root_unreadable")
    trust = Authority().trust(tmp_path)
    (trust / "roots" / "Test-Root.pem").write_bytes(b"scratched")
    answer = read(trust, card(Authority().issue()))
    assert answer is not None
    assert answer.refused is Reason.SECURE_FOREIGN_CA


def test_a_new_revocation_list_counts_from_the_next_card_on(tmp_path: Path) -> None:
    clock = SystemClock()
    folder = TrustFolder(Authority().trust(tmp_path / "trust"), clock)
    protocol = secure_card([PivCard(folder)], clock)
    made = card(Authority().issue())
    first = protocol(Direct(made))
    file = tmp_path / "new.crl"
    file.write_bytes(Authority().crl(4711, this_days=-0.5))
    folder.import_crl(file)
    second = protocol(Direct(made))
    assert first is not None
    assert second is not None
    assert (first.refused, second.refused) == (None, Reason.SECURE_REVOKED)


# -- files -----------------------------------------------------------------------------------------------------------


def test_what_import_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    folder = TrustFolder(tmp_path / "data" / "trust", SystemClock())
    file = tmp_path / "file"

    def refusal(kind: str, data: bytes) -> str:
        file.write_bytes(data)
        with pytest.raises(InputRefused) as caught:
            folder.import_root(file) if kind == "root" else folder.import_crl(file)
        assert caught.value.where
        return caught.value.code

    assert refusal("crl", Authority().crl()) == "cards.root_missing"
    assert refusal("root", b"") == "cards.root_unreadable"
    assert refusal("root", pem(Authority().issue())) == "cards.root_not_ca"
    assert refusal("root", pem(Authority("Weak", 103, "k1").certificate)) == "cards.root_weak"
    assert refusal("root", pem(Authority(valid_days=10).certificate)) == "cards.root_expired"
    assert not folder.active
    file.write_bytes(pem(Authority().certificate))
    folder.import_root(file)
    assert folder.active
    assert refusal("crl", b"\x30\x00") == "cards.crl_unreadable"
    assert refusal("crl", Authority(which=101).crl()) == "cards.crl_bad_signature"
    assert refusal("crl", Authority("Other", 101).crl()) == "cards.crl_foreign"
    assert refusal("crl", Authority().crl(delta=True)) == "cards.crl_unsupported"
    assert refusal("crl", Authority().crl(this_days=-60, next_days=-40)) == "cards.crl_expired"
    file.write_bytes(Authority().crl(this_days=-1))
    folder.import_crl(file)
    assert refusal("crl", Authority().crl(this_days=-2)) == "cards.crl_older"
    assert len(folder.contents().anchors.crls) == 1


def test_trust_folder_is_read_again_only_when_it_changed(trust: Path) -> None:
    folder = TrustFolder(trust, SystemClock())
    assert folder.contents() is folder.contents()


# -- long commands and answers ---------------------------------------------------------------------------------------


def test_rsa_in_a_chain_and_in_one_extended_command(trust: Path) -> None:
    for mischief in ("", "no_chaining"):
        answer = read(trust, card(Authority().issue("rsa2048"), "rsa2048", mischief=mischief))
        assert answer is not None
        assert answer.refused is None


class Script:
    """A card that answers by a list."""

    atr = b""

    def __init__(self, *answers: str) -> None:
        self.answers = [bytes.fromhex(answer) for answer in answers]
        self.sent: list[str] = []

    def transmit(self, apdu: bytes) -> Response:
        self.sent.append(apdu.hex().upper())
        answer = self.answers.pop(0)
        return Response(answer[:-2], int.from_bytes(answer[-2:]))


def test_wrong_length_is_asked_again_once() -> None:
    card = Script("6C03", "0102039000")
    assert ask(card, bytes.fromhex("00CB3FFF"), b"\x5c\x00", limit=10).data == b"\1\2\3"
    assert card.sent == ["00CB3FFF025C0000", "00CB3FFF025C0003"]
    again = Script("6C03", "6C03")
    assert ask(again, bytes.fromhex("00CB3FFF"), limit=10).sw == 0x6C03


def test_parts_are_collected_up_to_the_limit() -> None:
    card = Script("01026101", "039000")
    assert ask(card, bytes.fromhex("00CB3FFF"), limit=3) == Response(b"\1\2\3", 0x9000)
    assert card.sent[1] == "00C0000001"
    for answers in (("01026101", "0303036100"), ("6100", "6100")):
        with pytest.raises(TooMuch):
            ask(Script(*answers), bytes.fromhex("00CB3FFF"), limit=3)


def test_a_chain_that_the_card_breaks_off() -> None:
    assert ask(Script("6982"), bytes.fromhex("0087079E"), bytes(300), limit=10).sw == 0x6982


def test_guid_is_what_the_roster_names() -> None:
    assert f"piv:{GUID.hex.upper()}" == CLAIMED


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_and_step_has_a_sentence(language: str) -> None:
    known = catalogue(language)
    app = Path(piv.__file__).parents[1]
    sources = (app / "readers" / "trust_folder.py", app / "gate" / "policy.py")
    codes = {
        code for file in sources for code in re.findall(r'"(health\.secure_\w+)"', file.read_text(encoding="utf-8"))
    }
    assert len(codes) == 7
    codes |= {f"cards.step.{step}" for step in PivCard(TrustFolder(Path(), SystemClock())).steps}
    assert not codes - set(known)


def test_a_folder_that_is_closed_to_us_lets_no_card_fall_back(
    trust: Path, monkeypatch: pytest.MonkeyPatch, expected_logs: list[str]
) -> None:
    def closed(self: Path) -> None:
        raise PermissionError(13, "closed", str(self))

    expected_logs.append("file.missing")
    monkeypatch.setattr(Path, "iterdir", closed)
    answer = read(trust, card(Authority().issue()))
    assert answer is not None
    assert answer.refused is Reason.SECURE_FOREIGN_CA
