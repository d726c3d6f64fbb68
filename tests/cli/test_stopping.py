"""A program without a window always ends when it is told to."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from app.wiring.stopping import Stop

EVERYWHERE = """
import signal, sys, threading
from app.wiring.stopping import Stop

def strike(frame, event, argument):
    sys.settrace(None)
    signal.raise_signal(signal.SIGTERM)
    sys.settrace(strike)
    return strike

{make}
sys.settrace(strike)
stop.wait(0.2)
"""
"""A signal at every single line that waiting runs through, the library's too."""


def test_a_signal_at_any_line_of_waiting_ends_it() -> None:
    subprocess.run([sys.executable, "-c", EVERYWHERE.format(make="stop = Stop().on_signals()")], check=True, timeout=20)


def test_the_test_before_sees_a_lock_that_a_signal_may_not_take() -> None:
    event = "stop = threading.Event()\nsignal.signal(signal.SIGTERM, lambda *_: stop.set())"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", EVERYWHERE.format(make=event)], check=True, timeout=2)


def test_told_by_a_thread_and_waited_for_in_vain() -> None:
    stop = Stop()
    began = time.monotonic()
    assert not stop.wait(0.05)
    assert time.monotonic() - began >= 0.05
    threading.Timer(0.05, stop.tell).start()
    assert stop.wait(10)
    assert stop.wait()  # stays so


def test_a_real_program_ends_at_sigterm() -> None:
    program = "from app.wiring.stopping import Stop\nstop = Stop().on_signals()\nprint('r', flush=True)\nstop.wait()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
