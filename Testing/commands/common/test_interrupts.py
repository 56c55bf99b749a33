"""Ctrl-C while a process begins: neither lost nor heard by the new process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from SegAnyPETLib.commands.common.interrupts import interrupts_held

needs_masks = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows has no signal masks")


@needs_masks
def test_an_interrupt_within_the_block_comes_at_its_end() -> None:
    done = []

    def block() -> None:
        with interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["all of it"]


@needs_masks
def test_without_an_interrupt_handler_and_mask_are_as_before() -> None:
    before = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with interrupts_held():
        pass
    assert (signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])) == before


@needs_masks
def test_a_process_that_begins_within_the_block_does_not_die_of_an_interrupt() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('alive')"
    with interrupts_held():
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.stdout == "alive\n"


def test_another_thread_may_enter_the_block() -> None:
    entered = []

    def enter() -> None:
        with interrupts_held():
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]
