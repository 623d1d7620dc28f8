"""The search for cycles rests during passes, and is as before afterwards: nested, in threads, after an error."""

from __future__ import annotations

import gc
import threading

import pytest

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.ir.memory import uncollected


def test_off_inside_and_on_after_the_last_has_left() -> None:
    assert gc.isenabled()
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_switches_it_on_again() -> None:
    with pytest.raises(RuntimeError), uncollected():
        raise RuntimeError
    assert gc.isenabled()
    x = sg.input("x", ("n",))
    with pytest.raises(SymgradError):
        sg.compile(sg.sum(x), wrt=sg.input("y", ("n",)) + "z")
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_threads_that_overlap() -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with uncollected():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert entered.wait(10)
    with uncollected():
        pass
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_compiling_leaves_it_on() -> None:
    x = sg.symbols("x")
    sg.compile(sg.sin(x), wrt=x)(1.0)
    assert gc.isenabled()
