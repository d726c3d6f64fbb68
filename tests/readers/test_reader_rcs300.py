"""The RC-S300 driver, byte for byte: a scripted pipe in place of USB. An emulator's word, not a real reader's."""

from __future__ import annotations

import errno
from collections.abc import Callable

import nfc.clf
import pytest

from app.readers import rcs300, usb
from tests.helpers.usb_readers import FelicaCard, Rcs300

IDM = bytes.fromhex("0101000000001234")
END, START, OFF, ON = (f"FF50000002{n}0000" for n in (82, 81, 83, 84))
TYPE_F = "FF500002048F02030000"
WELL = "C0030090009000"
POLL = "FF5000010000115F4604204E00009582" + "0006" + "0600FFFF0100" + "000000"  # 20 ms
OPENING = [END, START, OFF]
IN_FIELD = [ON, TYPE_F]
FOUND = "14" + "01" + "0101000000001234" + "01200000000000FF" + "12FC"
Change = Callable[[bytes], list[bytes | None] | OSError]


def told(frame: str, status: str = "C003009000", before_sw: str = "9201009602" + "0000") -> str:
    """The payload of an exchange's answer with a short frame."""
    return status + before_sw + f"97{len(frame) // 2:02X}" + frame + "9000"


def framed(payload: str, number: int, status: int = 0, error: int = 0, kind: int = 0x83) -> bytes:
    body = bytes.fromhex(payload)
    return bytes([kind]) + len(body).to_bytes(4, "little") + bytes([0, number, status, error, 0]) + body


class Script:
    """`Pipe`: expects these payloads in this order, and answers each. A `Change` gets the plain answer and says what
    comes instead: transfers (None: nothing in time) or an error."""

    def __init__(self, *stale: bytes) -> None:
        self.expected: list[tuple[str, str | Change, str]] = []
        self.coming: list[bytes | None] = list(stale)
        self.sent: list[bytes] = []
        self.closed = False
        self.gone: OSError | None = None

    def then(self, payload: str, answer: str = WELL, change: Change | None = None) -> Script:
        self.expected.append((payload, change or (lambda plain: [plain]), answer))
        return self

    def write(self, data: bytes, timeout_s: float) -> None:
        if self.gone:
            raise self.gone
        assert timeout_s > 0
        self.sent.append(data)
        payload, change, answer = self.expected.pop(0)
        number = (len(self.sent) - 1) & 0xFF
        assert data.hex().upper() == framed(payload, number, kind=0x6B).hex().upper()
        assert callable(change)
        comes = change(framed(answer, number))
        if isinstance(comes, OSError):
            self.gone = comes
        else:
            self.coming += comes

    def read(self, timeout_s: float) -> bytes | None:
        assert timeout_s > 0
        if self.gone:
            raise self.gone
        return self.coming.pop(0) if self.coming else None

    def close(self) -> None:
        self.closed = True


def opened(*stale: bytes, field: bool = True) -> tuple[rcs300.Device, Script]:
    """An open device, its field on; the script goes on from there."""
    script = Script(*stale)
    for payload in OPENING:
        script.then(payload)
    device = rcs300.Device(script, "usb:001:002")
    if field:
        for payload in IN_FIELD:
            script.then(payload)
        script.then(POLL, "C0030264019000")
        assert device.sense_ttf(nfc.clf.RemoteTarget("212F")) is None
    assert not script.expected
    return device, script


def exchange(change: Change | None = None, answer: str = told("0A" + "07" + "0101000000001234")) -> bytearray:
    """One command on an open device."""
    device, script = opened()
    command = "0A04" + IDM.hex().upper()
    script.then("FF5000010000155F4604102700009582" + "000A" + command + "000000", answer, change)  # 10 ms
    return device.send_cmd_recv_rsp(nfc.clf.RemoteTarget("212F"), bytearray.fromhex(command), 0.004)


def test_opening_and_closing_send_what_is_known() -> None:
    device, script = opened(field=False)
    assert (device.product_name, device.vendor_name, device.path) == ("PaSoRi RC-S300", "Sony", "usb:001:002")
    script.then(OFF).then(END)
    device.close()
    assert script.closed
    assert not script.expected
    assert script.sent[0].hex().upper() == "6B08000000" + "0000000000" + END


def test_example_of_the_byte_table() -> None:
    """The answer has 46 bytes, IDm at 26, PMm at 34, system code at 42; the request's timer is in microseconds."""
    device, script = opened(field=False)
    seen = []
    for payload in IN_FIELD:
        script.then(payload)
    script.then(POLL, told(FOUND), lambda plain: seen.append(plain) or [plain])  # type: ignore[func-returns-value]
    target = device.sense_ttf(nfc.clf.RemoteTarget("212F"))
    assert (len(seen[0]), seen[0].index(IDM), seen[0][42:44]) == (46, 26, b"\x12\xfc")
    assert target.sensf_res == bytes.fromhex(FOUND)[1:]
    assert target.brty == "212F"
    script.then(OFF)
    device.mute()
    device.mute()  # the field is off already


def test_asks_for_what_it_is_asked_for() -> None:
    device, script = opened()
    script.then(POLL.replace("00FFFF0100", "0000030100"), told(FOUND))
    assert device.sense_ttf(nfc.clf.RemoteTarget("212F", sensf_req=bytearray.fromhex("0000030100")))


def test_sequence_numbers_go_round() -> None:
    device, script = opened()
    for _ in range(300):
        script.then(POLL, "C0030264019000")
        assert device.sense_ttf(nfc.clf.RemoteTarget("212F")) is None
    assert {data[6] for data in script.sent} == set(range(256))


@pytest.mark.parametrize("brty", ["106A", "212A"])
def test_what_is_not_known_is_not_offered(brty: str) -> None:
    device, _ = opened(field=False)
    for sense in (device.sense_tta, device.sense_ttb, device.sense_dep):
        with pytest.raises(nfc.clf.UnsupportedTargetError):
            sense(nfc.clf.RemoteTarget(brty))
    with pytest.raises(nfc.clf.UnsupportedTargetError):
        device.sense_ttf(nfc.clf.RemoteTarget("424F"))


# -- transfers ----------------------------------------------------------------------------------------------------


def test_stale_bytes_at_opening_are_thrown_away() -> None:
    opened(framed(WELL, 0), b"\x83\xff", b"", field=False)


def test_reader_that_never_falls_silent() -> None:
    with pytest.raises(OSError, match="without being asked"):
        rcs300.Device(Script(*[b"\x83"] * 100))


@pytest.mark.parametrize("at", [1, 9, 10, 11, 20, 64])
def test_split_transfer_is_put_together(at: int) -> None:
    answer = told("8C" + "07" + "97C0" * 69, before_sw="")  # longer than one packet
    answer = answer.replace("978C", "97818C")
    assert len(exchange(lambda plain: [plain[:at], b"", plain[at:]], answer)) == 0x8C


def test_byte_by_byte() -> None:
    assert len(exchange(lambda plain: [bytes([byte]) for byte in plain])) == 10


def test_late_answer_of_an_earlier_command_is_dropped() -> None:
    other = told("0A" + "07" + "FFFFFFFFFFFFFFFF")
    late = lambda plain: [framed(other, (plain[6] - 1) & 0xFF), plain]  # noqa: E731
    assert exchange(late)[2:] == IDM
    both_in_one = lambda plain: [framed(other, (plain[6] - 1) & 0xFF) + plain]  # noqa: E731
    assert exchange(both_in_one)[2:] == IDM


def test_what_is_no_answer_is_dropped() -> None:
    assert exchange(lambda plain: [b"\x00\x01\x02", b"\x83\xff\xff\xff\xff" + bytes(5), plain])[2:] == IDM


def test_request_for_more_time() -> None:
    assert exchange(lambda plain: [framed("", plain[6], 0x80), plain])[2:] == IDM


def test_card_state_in_the_frame_is_no_failure() -> None:
    assert exchange(lambda plain: [plain[:7] + b"\x02" + plain[8:]])[2:] == IDM


@pytest.mark.parametrize(
    "comes",
    [
        [None],
        [framed(WELL, 99), None],
        [b"\x83\x20\x00", None],
    ],
)
def test_no_answer_is_a_lost_reader(comes: list[bytes | None]) -> None:
    with pytest.raises(OSError, match="did not answer") as caught:
        exchange(lambda plain: list(comes))
    assert caught.value.errno == errno.ETIMEDOUT


@pytest.mark.parametrize("state", range(6))
def test_device_that_goes_in_every_state(state: int) -> None:
    gone = OSError(errno.ENODEV, "gone")
    script = Script()
    steps = [*OPENING, *IN_FIELD, POLL]
    for step in steps[:state]:
        script.then(step)
    script.then(steps[state], change=lambda plain: gone)
    devices: list[rcs300.Device] = []

    def use() -> None:
        devices.append(rcs300.Device(script))
        devices[0].sense_ttf(nfc.clf.RemoteTarget("212F"))

    with pytest.raises(OSError, match="gone"):
        use()
    for device in devices:
        device.close()  # nothing more is sent
        assert script.closed
    assert len(script.sent) == state + 1


def test_device_that_goes_while_it_is_closed() -> None:
    device, script = opened()
    script.then(OFF, change=lambda plain: OSError(errno.ENODEV, "gone"))
    device.close()
    assert script.closed


# -- what the reader says -----------------------------------------------------------------------------------------


def test_nobody_there() -> None:
    with pytest.raises(nfc.clf.TimeoutError):
        exchange(answer="C0030264019000")


@pytest.mark.parametrize(
    "answer",
    [
        "C0030164019000",  # another data object's error
        "C0030263019000",
        "9201009602000097020200" + "9000",  # no status
        "C003009000" + "9000",  # no frame
        "C003009000" + "97009000",
        "C003009000" + "9702030A9000",  # its length byte is wrong
        told("0A07" + "0101000000001234", before_sw="96020100"),
        told("0A07" + "0101000000001234")[:-4] + "6300",
        told("0A07" + "0101000000001234")[:-4] + "6A81",
        "9000",
        "90",
        "",
        "C003009000" + "970A0A07" + "9000",  # a value that is cut off
        "C0" + "9000",
        "C00300" + "9000",
        "C0039000" + "9F" + "9000",  # a tag that is cut off
        "C003009000" + "9780" + "9000",  # no length at all
    ],
)
def test_anything_else_is_a_transmission_error(answer: str) -> None:
    with pytest.raises(nfc.clf.TransmissionError):
        exchange(answer=answer)


def test_command_that_the_reader_failed() -> None:
    with pytest.raises(nfc.clf.TransmissionError, match="0xfe"):
        exchange(lambda plain: [framed("", plain[6], 0x40, 0xFE)])
    with pytest.raises(nfc.clf.TransmissionError):
        exchange(lambda plain: [framed("", plain[6], 0x40)])


def test_polling_that_goes_wrong_finds_nobody() -> None:
    for answer in ("C0030263019000", told("0301FF"), told("12" + "07" + "00" * 16)):
        device, script = opened()
        script.then(POLL, answer)
        assert device.sense_ttf(nfc.clf.RemoteTarget("212F")) is None


@pytest.mark.parametrize("idm", ["97C09000C0030264", "9790C00302640190", "0101920096009000"])
def test_card_number_that_looks_like_a_tag(idm: str) -> None:
    device, script = opened()
    script.then(POLL, told("14" + "01" + idm + "97" * 8 + "12FC"))
    target = device.sense_ttf(nfc.clf.RemoteTarget("212F"))
    assert target.sensf_res[1:9].hex().upper() == idm


@pytest.mark.parametrize("length", ["81{0:02X}", "82{0:04X}", "83{0:06X}", "84{0:08X}"])
def test_long_form_of_a_length(length: str) -> None:
    frame = "FC" + "07" + IDM.hex() + "0000" + "0F" + "97" * 239
    size = len(frame) // 2
    assert size == 0xFC
    assert exchange(answer="C0820003009000" + "97" + length.format(size) + frame + "9000").hex() == frame.lower()


def test_tags_of_several_bytes() -> None:
    data = bytes.fromhex("5F460400000000" + "DF810101C0" + "C0020102")
    assert list(rcs300.data_objects(data)) == [(0x5F46, bytes(4)), (0xDF8101, b"\xc0"), (0xC0, b"\x01\x02")]


@pytest.mark.parametrize("step", range(1, 5))
@pytest.mark.parametrize("answer", ["6985", "C0030069859000"])
def test_reader_that_refuses_to_work(step: int, answer: str) -> None:
    script = Script()
    steps = [*OPENING, *IN_FIELD]
    for done in steps[:step]:
        script.then(done)
    script.then(steps[step], answer)
    with pytest.raises(OSError, match="Errno 71") as caught:
        rcs300.Device(script).sense_ttf(nfc.clf.RemoteTarget("212F"))
    assert caught.value.errno == errno.EPROTO


def test_no_session_to_end_is_no_trouble() -> None:
    script = Script().then(END, "6985").then(START).then(OFF)
    rcs300.Device(script)


# -- nfcpy on top -------------------------------------------------------------------------------------------------


class Emulated:
    """`Pipe` to the emulated reader; answers in packets of 64 bytes."""

    def __init__(self, reader: Rcs300) -> None:
        self.reader = reader
        self.coming: list[bytes] = []
        self.closed = False

    def write(self, data: bytes, timeout_s: float) -> None:
        for transfer in self.reader.message(data):
            self.coming += [transfer[at : at + 64] for at in range(0, len(transfer), 64)]

    def read(self, timeout_s: float) -> bytes | None:
        return self.coming.pop(0) if self.coming else None

    def close(self) -> None:
        self.closed = True


def test_nfcpy_reads_blocks_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Rcs300()
    reader.card = FelicaCard(IDM, blocks=[bytes([n]) * 16 for n in range(12)])
    pipe = Emulated(reader)
    monkeypatch.setattr(rcs300, "BulkPipe", lambda bus, address: pipe)
    front = nfc.clf.ContactlessFrontend()
    front.device = rcs300.connect(1, 7)
    assert "PaSoRi RC-S300" in str(front)
    targets = [nfc.clf.RemoteTarget(brty) for brty in ("106A", "106B", "212F")]
    tag = nfc.tag.activate(front, front.sense(*targets))
    service = nfc.tag.tt3.ServiceCode(0x100B >> 6, 0x100B & 0x3F)
    blocks = [nfc.tag.tt3.BlockCode(n) for n in range(12)]
    assert tag.read_without_encryption([service], blocks) == b"".join(reader.card.blocks)
    assert tag.is_present
    reader.card = None
    assert not tag.is_present
    assert front.sense(*targets) is None
    assert not reader.on
    front.close()
    assert (reader.session, pipe.closed) == (False, True)


def test_pipe_is_given_back_when_the_reader_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Script().then(END, change=lambda plain: [None])
    monkeypatch.setattr(rcs300, "BulkPipe", lambda bus, address: pipe)
    with pytest.raises(OSError, match="did not answer"):
        rcs300.connect(1, 7)
    assert pipe.closed


# -- standing back for PC/SC --------------------------------------------------------------------------------------


def test_usb_road_stands_back_for_a_second_where_pcscd_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("app.readers.usb.sys.platform", "linux")
    monkeypatch.setattr("app.readers.usb.Path.exists", lambda path: True)
    first = usb.PcscFirst(lambda: now[0])
    assert first.standing_back((1, 7), [(1, 7), (1, 8)])
    now[0] += 0.9
    assert first.standing_back((1, 7), [(1, 7)])
    now[0] += 0.2
    assert not first.standing_back((1, 7), [(1, 7)])
    assert first.standing_back((1, 8), [(1, 7), (1, 8)]), "newly plugged in"
    assert not first.standing_back((1, 7), [(1, 7), (1, 8)])
    now[0] += 5
    assert not first.standing_back((1, 8), [(1, 8)])
    assert first.standing_back((1, 7), [(1, 7), (1, 8)]), "it was away"


def test_nobody_to_stand_back_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.readers.usb.Path.exists", lambda path: False)
    assert not usb.PcscFirst(lambda: 0.0).standing_back((1, 7), [(1, 7)])
