"""Whoever else writes in the cache at the same time, the functions compute what their text says."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings

import pytest

from symgrad.runtime.load import load

posix = pytest.mark.skipif(sys.platform == "win32", reason="fork, modes and signals of POSIX")


SHARED = """
import sys
from symgrad.ir.source import Entry, Source
from symgrad.runtime.load import load
texts = sys.argv[2].split("\\x1f")
mine = int(sys.argv[1])
for text in texts[mine:] + texts[:mine]:
    loaded = load(Source(text, (Entry("value_and_grad", "(float64, float64, float64)"),)))
    print(loaded.functions["value_and_grad"](1.0, 0.0, 1.0)[0].hex())
"""


def neighbours(count):
    """Constants that differ in the last bit only."""
    scales = [0.1]
    while len(scales) < count:
        scales.append(math.nextafter(scales[-1], 1.0))
    return scales


def in_turn(scales, first):
    return [scale.hex() for scale in scales[first:] + scales[:first]]


def hexes(sources, first, out):
    loaded = [load(source) for source in sources[first:] + sources[:first]]
    out.put((first, [each.functions["value_and_grad"](1.0, 0.0, 1.0)[0].hex() for each in loaded]))


@pytest.mark.slow
def test_sixteen_processes_in_one_cold_cache(emitted):
    scales = neighbours(5)
    texts = "\x1f".join(emitted.source(scale=repr(s)).text for s in scales)
    running = [emitted.python(SHARED, str(i % 5), texts) for i in range(16)]
    for i, process in enumerate(running):
        assert emitted.answer(process).split() == in_turn(scales, i % 5)


@posix
@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool_of_workers_in_one_cold_cache(emitted, method):
    scales, count = neighbours(6), 16 if method == "fork" else 4
    load(emitted.source()).functions["total"]  # Numba is up in the parent
    sources = [emitted.source(scale=repr(scale)) for scale in scales]
    context = multiprocessing.get_context(method)
    out = context.Queue()
    workers = [context.Process(target=hexes, args=(sources, i % 6, out)) for i in range(count)]
    for worker in workers:
        worker.start()
    for _ in workers:
        first, seen = out.get(timeout=120)
        assert seen == in_turn(scales, first)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


@posix
@pytest.mark.parametrize("survives", [0, 1])
def test_killed_process_leaves_no_torn_entry(emitted, place, survives):
    """Killed at the first replace (the text), or at the second (the machine code)."""
    pid = os.fork()
    if pid == 0:
        replace, done = os.replace, []

        def killing(old, new):
            if len(done) == survives:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(new)
            replace(old, new)

        os.replace = killing
        try:
            emitted.value(load(emitted.source()))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert len(list(place.glob("*.py"))) == survives
    assert emitted.machine_code() == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert emitted.value(load(emitted.source())) == 6.0
    assert not emitted.remade()


def test_threads_share_one_compilation(emitted, place):
    loaded, start, seen = load(emitted.source()), threading.Barrier(8), []

    def work():
        start.wait()
        seen.append(loaded.functions["value_and_grad"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(map(id, seen))) == 1
    assert len(emitted.machine_code()) == 1


@posix
def test_fork_while_another_thread_compiles(emitted):
    loaded, other = load(emitted.source()), load(emitted.source(body="y - x"))
    thread = threading.Thread(target=loaded.functions.__getitem__, args=("value_and_grad",))
    thread.start()
    time.sleep(0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of exactly this fork
        pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        os._exit(int(emitted.value(other) != -6.0))
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
